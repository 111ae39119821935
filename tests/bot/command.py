"""The command as tests run it: in this process or as one of its own, with results apart."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from bot.cli import main

#: No Rasa server, and nothing from the environment of the machine.
QUIET = {
    **dict.fromkeys((name for name in os.environ if name.startswith("CAIWEN_")), None),
    "CAIWEN_NLU__ENABLED": "false",
}
ROW = {
    "question": "差旅费报销标准在哪里看",
    "similar": "出差补助多少|住宿费标准怎么查\n差旅标准",
    "answer": "在【报销管理】的【标准查询】里看差旅费标准。",
    "module": "报销管理",
    "ref": "BX77",
}
CHINESE = {
    "question": "问题",
    "similar": "相似问",
    "answer": "答案",
    "module": "模块",
    "ref": "出处",
}


def caiwen(home: Path, *arguments: object, stdin: str = "", **env: str) -> Result:
    """Run the command in this process; an unforeseen exception fails the test.

    It would point the log at its own standard error, which is gone after the call, and every later
    test of the process would log into nothing.
    """
    command = ["--home", str(home), *map(str, arguments)]
    configure, main.configure_logging = main.configure_logging, _leave_logging
    try:
        return CliRunner().invoke(
            main.app, command, input=stdin, env={**QUIET, **env}, catch_exceptions=False
        )
    finally:
        main.configure_logging = configure


def _leave_logging(*, verbose: bool) -> None:
    """Nothing: the log stays as it is."""


def as_process(home: Path, *arguments: str, stdin: bytes = b"", **env: str) -> Any:
    """Run the command as a process of its own."""
    environment = {name: value for name, value in os.environ.items() if name not in QUIET}
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", "--home", str(home), *arguments],
        input=stdin,
        env={**environment, "CAIWEN_NLU__ENABLED": "false", **env},
        capture_output=True,
        timeout=120,
        check=False,
    )


def lines(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def jsonl(*records: object) -> str:
    return "".join(
        (record if isinstance(record, str) else json.dumps(record, ensure_ascii=False)) + "\n"
        for record in records
    )

"""What every command starts from: settings of one workspace, words, output."""

import asyncio
import json
import sys
from collections.abc import Coroutine, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar

import structlog
import typer
from sqlalchemy.exc import OperationalError, ProgrammingError

from bot.deployment import Deployment

T = TypeVar("T")

log = structlog.get_logger("bot.cli")

#: A line of JSONL longer than this is refused: it is no question.
MAX_LINE_CHARS = 200_000


def state_of(context: typer.Context) -> Deployment:
    """The state that the main callback made."""
    state = context.obj
    if not isinstance(state, Deployment):
        raise TypeError("the command was called without its workspace")
    return state


def run(state: Deployment, work: Coroutine[Any, Any, T]) -> T:
    """Run one command's asynchronous work.

    Ends the command with a word about `caiwen init` when the database is not there or not ready.
    """
    try:
        return asyncio.run(work)
    except (OperationalError, ProgrammingError, ConnectionError) as error:
        log.debug("database_failed", exc_info=True)
        what = type(getattr(error, "orig", None) or error).__name__
        raise state.fail("cli.no_database", what=what) from None


def emit(record: object) -> None:
    """One JSON line on standard output, at once, in UTF-8 whatever the terminal's locale."""
    try:
        line = json.dumps(record, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        # Half a character, as JSON's escapes can spell it, goes back as it came.
        line = json.dumps(record).encode()
    sys.stdout.flush()
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def input_lines() -> Iterator[str]:
    """The lines of standard input; bytes that are no UTF-8 become replacement characters."""
    for line in sys.stdin.buffer:
        yield line.decode("utf-8", errors="replace").removeprefix("\ufeff")


def read_queries(lines: Iterable[str]) -> Iterator[tuple[Any, str, str | None]]:
    """``(id, q, error)`` of every line of JSONL. A bad line is answered, never fatal."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if len(line) > MAX_LINE_CHARS:
            yield number, "", "line too long"
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            yield number, "", "not JSON"
            continue
        if not isinstance(record, dict):
            yield number, "", "not an object"
            continue
        text = record.get("q", record.get("text"))
        if not isinstance(text, str):
            yield record.get("id", number), "", "no text in q"
            continue
        yield record.get("id", number), text, None


Jsonl = Annotated[
    bool, typer.Option("--jsonl", help="标准输入每行一个 JSON 对象，标准输出每行一个结果。")
]
Paths = Annotated[list[Path], typer.Argument(help="要导入的文件或文件夹。")]

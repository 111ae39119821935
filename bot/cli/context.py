"""What every command starts from: settings of one workspace, words, output."""

import asyncio
import json
import secrets
import sys
from collections.abc import Coroutine, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from bot.phrases import Phrases
from bot.phrases import load as load_phrases
from bot.settings import Settings, data_dir
from bot.workspace import Workspace
from store.session import Database

T = TypeVar("T")

#: A line of JSONL longer than this is refused: it is no question.
MAX_LINE_CHARS = 200_000


class State:
    """The workspace that this run of the command works on."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.workspace = Workspace(settings.home)
        self.phrases: Phrases = load_phrases(data_dir() / "locales" / f"{settings.locale}.yml")

    def database(self) -> Database:
        """The workspace's database; the caller disposes of it."""
        return Database(self.settings.effective_database_url)

    def rasa_executable(self) -> Path | None:
        """The rasa program: the set one, or that of the environment beside the code."""
        own = data_dir().parent / ".venv-rasa" / "bin" / "rasa"
        chosen = self.settings.nlu.rasa_executable or own
        return chosen if chosen.is_file() else None

    def rasa_token(self) -> str:
        """The token that web and Rasa share; made once for the workspace."""
        if self.settings.nlu.rasa_token:
            return self.settings.nlu.rasa_token
        path = self.workspace.secret
        if not path.is_file():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(24), encoding="utf-8")
        return path.read_text(encoding="utf-8").strip()

    def say(self, key: str, **values: object) -> None:
        """A line for the person at the terminal, on standard error: output stays clean."""
        typer.echo(self.phrases.say(key, **values), err=True)

    def fail(self, key: str, **values: object) -> typer.Exit:
        """Say what is wrong; the caller raises what this returns."""
        self.say(key, **values)
        return typer.Exit(1)


def state_of(context: typer.Context) -> State:
    """The state that the main callback made."""
    state = context.obj
    if not isinstance(state, State):
        raise TypeError("the command was called without its workspace")
    return state


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run one command's asynchronous work."""
    return asyncio.run(work)


def emit(record: object) -> None:
    """One JSON line on standard output, at once."""
    sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")
    sys.stdout.flush()


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

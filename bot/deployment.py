"""One deployment as commands see it: settings, workspace, words, and the Rasa beside it."""

import secrets
from pathlib import Path

import typer

from bot.phrases import Phrases
from bot.phrases import load as load_phrases
from bot.settings import Settings, data_dir
from bot.workspace import Workspace
from store.session import Database


class Deployment:
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

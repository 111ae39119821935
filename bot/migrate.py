"""Brings a database to the newest schema, and checks that schema and tables agree."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

import store.migrations
from bot.schema import metadata
from store.session import Database
from store.text_index import PREFIX

_FOLDER = Path(next(iter(store.migrations.__path__)))


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["metadata"] = metadata()
    return config


async def upgrade(database: Database, revision: str = "head") -> None:
    """Migrate up to ``revision``; nothing happens when it is reached already."""
    async with database.engine.begin() as connection:
        await connection.run_sync(lambda c: command.upgrade(_config(c), revision))


async def downgrade(database: Database, revision: str) -> None:
    """Migrate down to ``revision``; ``base`` removes every table."""
    async with database.engine.begin() as connection:
        await connection.run_sync(lambda c: command.downgrade(_config(c), revision))


async def revision_of(database: Database) -> tuple[str | None, str | None]:
    """The database's revision and the newest one."""

    def read(connection: Connection) -> tuple[str | None, str | None]:
        newest = ScriptDirectory.from_config(_config(connection)).get_current_head()
        return MigrationContext.configure(connection).get_current_revision(), newest

    async with database.engine.connect() as connection:
        return await connection.run_sync(read)


async def differences(database: Database) -> list[Any]:
    """What the tables say that the migrations have not done; empty when they agree."""

    def compare(connection: Connection) -> list[Any]:
        opts = {"compare_type": True, "include_name": _is_declared}
        context = MigrationContext.configure(connection, opts=opts)
        return list(compare_metadata(context, metadata()))

    async with database.engine.connect() as connection:
        return await connection.run_sync(compare)


def _is_declared(name: str | None, kind: str, _parents: object) -> bool:
    """Tables of a text index are made by it, and differ between databases."""
    return kind != "table" or not (name or "").startswith(PREFIX)


async def generate(database: Database, message: str) -> None:
    """Write a migration for the differences; a person edits it afterwards."""

    def write(connection: Connection) -> None:
        command.revision(_config(connection), message=message, autogenerate=True)

    async with database.engine.begin() as connection:
        await connection.run_sync(write)

"""Migrations build both databases, agree with the tables, and go down again."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import inspect

from bot import migrate
from store.session import Database


@pytest.fixture
async def empty(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    yield opened
    await opened.dispose()


async def tables_of(database: Database) -> set[str]:
    async with database.engine.connect() as connection:
        return set(await connection.run_sync(lambda c: inspect(c).get_table_names()))


async def test_up_down_up_agrees_with_the_tables(empty: Database) -> None:
    await migrate.upgrade(empty)
    assert await migrate.differences(empty) == []
    before = await tables_of(empty)
    assert {"messages", "tickets", "passages", "outbox_rows"} <= before
    await migrate.downgrade(empty, "base")
    assert await tables_of(empty) == {"alembic_version"}
    await migrate.upgrade(empty)
    assert await tables_of(empty) == before
    current, newest = await migrate.revision_of(empty)
    assert current == newest


async def test_differences_are_seen(empty: Database) -> None:
    await migrate.upgrade(empty)
    async with empty.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE ratings DROP COLUMN comment")
    assert await migrate.differences(empty)


async def test_migrating_twice_is_harmless(empty: Database) -> None:
    await migrate.upgrade(empty)
    await migrate.upgrade(empty)
    assert await migrate.differences(empty) == []

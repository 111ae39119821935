"""Migrations build both databases, agree with the tables, and go down again."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import inspect

from bot import migrate
from bot.tables import MESSAGE_WORDS
from handoff import service, ticket_words
from store.session import Database
from store.text_index import Words, parse
from tests.handoff.people import CHEN, Desk, add_message, add_people


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


async def test_what_was_written_before_the_text_indexes_is_found(empty: Database) -> None:
    await migrate.upgrade(empty)
    await add_people(empty)
    desk = Desk(empty)
    ticket = await desk.open(title="电子票据冲红", description="原票号 ZB-0441")
    await desk.do(service.claim, ticket, CHEN)
    await desk.do(service.resolve, ticket, CHEN, cause="缓存", solution="清除浏览器缓存")
    async with empty.transaction() as session:
        await add_message(session, "c1", 1, "ＵＫey插上没有反应")
    await migrate.downgrade(empty, "0016")
    await migrate.upgrade(empty)
    for index, query in (
        (ticket_words.INDEX, "冲红 0441"),
        (ticket_words.INDEX, "浏览器缓存"),
        (ticket_words.INDEX, ticket.number),
        (MESSAGE_WORDS, "ukey插上"),
    ):
        words = parse(query)
        assert isinstance(words, Words)
        async with empty.reading() as session:
            assert len(await index.newest(session, words, before=None, most=9)) == 1, query


async def test_migrating_twice_is_harmless(empty: Database) -> None:
    await migrate.upgrade(empty)
    await migrate.upgrade(empty)
    assert await migrate.differences(empty) == []

"""Transactions: committed on leaving, gone on an exception, and writers wait for one another."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import StatementError

from store import audit
from store.base import new_id
from store.session import Database, async_url

NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


async def note(db: Database, subject: str, at: datetime = NOW) -> None:
    async with db.transaction() as session:
        await audit.record(
            session, actor="t", action="noted", subject=subject, detail={"n": 1}, now=at
        )


async def test_concurrent_writers_all_get_through(database: Database) -> None:
    async def read_then_write(n: int) -> None:
        async with database.transaction() as session:
            await audit.entries_of(session, "s")
            await asyncio.sleep(0.002)
            await audit.record(
                session, actor="t", action="noted", subject="s", detail={"n": n}, now=NOW
            )

    await asyncio.gather(*(read_then_write(n) for n in range(30)))
    async with database.reading() as session:
        entries = await audit.entries_of(session, "s")
    assert sorted(entry.detail["n"] for entry in entries) == list(range(30))


async def test_reading_writes_nothing(database: Database) -> None:
    async with database.reading() as session:
        await audit.record(session, actor="t", action="a", subject="s", detail={}, now=NOW)
    async with database.reading() as session:
        assert await audit.entries_of(session, "s") == []


async def test_instants_come_back_aware_and_equal(database: Database) -> None:
    shanghai = NOW.astimezone(timezone(timedelta(hours=8)))
    await note(database, "s", shanghai)
    async with database.reading() as session:
        (entry,) = await audit.entries_of(session, "s")
    assert entry.at == NOW
    assert entry.at.tzinfo is UTC


async def test_a_naive_instant_is_refused(database: Database) -> None:
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(StatementError, match="naive"):
        await note(database, "s", naive)


async def test_sqlite_is_durable_and_checks_foreign_keys(sqlite_database: Database) -> None:
    async with sqlite_database.reading() as session:
        pragma = {
            name: (await session.execute(text(f"PRAGMA {name}"))).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragma == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 15_000,
    }


def test_only_known_databases_are_opened() -> None:
    assert async_url("postgresql://u@h/d").drivername == "postgresql+asyncpg"
    with pytest.raises(ValueError, match="unsupported"):
        async_url("mysql://u@h/d")


@given(st.integers(2, 50))
def test_ids_are_unique_and_hexadecimal(count: int) -> None:
    ids = [new_id() for _ in range(count)]
    assert len(set(ids)) == count
    assert all(len(one) == 32 and int(one, 16) >= 0 for one in ids)

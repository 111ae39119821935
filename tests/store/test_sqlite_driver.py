"""One trip per statement: rows, errors, several cursors, and that it really is one trip."""

import asyncio
import gc
import sqlite3
import warnings
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from store.session import SQLITE_BUSY_TIMEOUT_MS, Database
from store.sqlite_driver import OneTripConnection, connect


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[OneTripConnection]:
    opened = await connect(str(tmp_path / "a.db"), isolation_level=None)
    assert isinstance(opened, OneTripConnection)
    async with opened.cursor() as cursor:
        await cursor.execute("create table t (a integer primary key, b text)")
        await cursor.executemany("insert into t values (?, ?)", [(n, f"b{n}") for n in range(5)])
    yield opened
    await opened.close()


async def test_rows_are_given_out_once_and_in_order(connection: OneTripConnection) -> None:
    async with connection.cursor() as cursor:
        await cursor.execute("select a, b from t where a > ? order by a", (0,))
        assert [column[0] for column in cursor.description] == ["a", "b"]
        assert await cursor.fetchone() == (1, "b1")
        assert await cursor.fetchmany(2) == [(2, "b2"), (3, "b3")]
        assert await cursor.fetchmany() == [(4, "b4")]
        assert await cursor.fetchall() == []
        assert await cursor.fetchone() is None


async def test_cursors_do_not_disturb_one_another(connection: OneTripConnection) -> None:
    async with connection.cursor() as first, connection.cursor() as second:
        await first.execute("select a from t order by a")
        await second.execute("update t set b = 'x' where a < 2")
        assert (second.rowcount, second.description) == (2, None)
        assert len(await first.fetchall()) == 5
        await second.execute("insert into t (b) values ('neu')")
        assert second.lastrowid == 5


async def test_an_error_is_the_databases_own(connection: OneTripConnection) -> None:
    async with connection.cursor() as cursor:
        with pytest.raises(sqlite3.IntegrityError):
            await cursor.execute("insert into t values (0, 'again')")
        await cursor.execute("select count(*) from t")
        assert await cursor.fetchone() == (5,)


async def test_a_statement_is_one_trip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trips: list[object] = []
    real = OneTripConnection._execute

    async def counted(self: OneTripConnection, fn: Any, *args: Any, **named: Any) -> Any:
        trips.append(fn)
        return await real(self, fn, *args, **named)

    database = Database(f"sqlite:///{tmp_path / 'b.db'}")
    async with database.glance() as session, database.transaction():
        await session.execute(text("select 1"))
    monkeypatch.setattr(OneTripConnection, "_execute", counted)
    async with database.glance() as session:
        assert (await session.execute(text("select 2"))).scalar_one() == 2
    assert len(trips) == 1
    async with database.transaction() as session:
        await session.execute(text("create table u (a)"))
    assert len(trips) == 1 + 2  # BEGIN and CREATE together, COMMIT
    await database.dispose()


async def test_a_database_that_cannot_be_opened_leaves_no_thread(tmp_path: Path) -> None:
    opening = connect(str(tmp_path / "missing" / "x.db"))
    with pytest.raises(sqlite3.OperationalError):
        await opening
    assert not opening._thread.is_alive()


async def test_errors_come_through_the_product_as_usual(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'c.db'}")
    async with database.transaction() as session:
        await session.execute(text("create table u (a unique)"))

    async def twice() -> None:
        async with database.transaction() as session:
            await session.execute(text("insert into u values (1)"))
            await session.execute(text("insert into u values (1)"))

    with pytest.raises(IntegrityError):
        await twice()
    async with database.reading() as session:
        assert (await session.execute(text("select count(*) from u"))).scalar_one() == 0
    await database.dispose()


async def test_a_transaction_without_statements_leaves_nothing_open(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'f.db'}", pool_size=1)
    async with database.transaction():
        pass
    async with database.reading():
        pass
    async with database.engine.connect() as connection:
        raw = await connection.get_raw_connection()
        assert not raw.driver_connection.in_transaction
    async with database.transaction() as session:
        await session.execute(text("create table u (a)"))
    await database.dispose()


async def test_the_first_statement_of_a_write_transaction_takes_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "g.db"
    database = Database(f"sqlite:///{path}")
    other = sqlite3.connect(path, timeout=0)
    async with database.transaction() as session:
        await session.execute(text("select 1"))
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("begin immediate")
    other.execute("begin immediate")
    other.close()
    await database.dispose()


async def test_what_was_left_open_is_rolled_back(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'e.db'}")
    async with database.transaction() as session:
        await session.execute(text("create table u (a integer)"))
    async with database.engine.connect() as connection:
        await connection.exec_driver_sql("insert into u values (1)")
    async with database.reading() as session:
        assert (await session.execute(text("select count(*) from u"))).scalar_one() == 0
    await database.dispose()


async def test_writers_of_one_process_take_turns_in_order(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'd.db'}")
    async with database.transaction() as session:
        await session.execute(text("create table u (a integer)"))

    async def write(number: int) -> None:
        async with database.transaction() as session:
            await asyncio.sleep(0.002)  # as a transaction with something to do
            await session.execute(text("insert into u values (:n)"), {"n": number})

    await asyncio.gather(*(write(n) for n in range(30)))
    async with database.reading() as session:
        found = (await session.execute(text("select a from u order by rowid"))).scalars().all()
    assert found == list(range(30))
    await database.dispose()


async def test_quick_statements_make_no_trip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips: list[object] = []
    real = OneTripConnection._execute

    async def counted(self: OneTripConnection, fn: Any, *args: Any, **named: Any) -> Any:
        trips.append(fn)
        return await real(self, fn, *args, **named)

    database = Database(f"sqlite:///{tmp_path / 'c.db'}")
    async with database.transaction() as session:
        await session.execute(text("create table q (a integer primary key)"))
    async with database.peek() as session:
        await session.execute(text("select 1"))
    monkeypatch.setattr(OneTripConnection, "_execute", counted)
    async with database.peek() as session:
        assert (await session.execute(text("select count(*) from q"))).scalar_one() == 0
    assert trips == []
    async with database.transaction(quick=True) as session:
        for number in range(3):
            await session.execute(text("insert into q values (:n)"), {"n": number})
    assert len(trips) == 1  # COMMIT
    async with database.transaction() as session:
        await session.execute(text("insert into q values (7)"))
        await session.execute(text("insert into q values (8)"))
    assert len(trips) == 1 + 3  # the connection is no longer quick
    async with database.glance() as session:
        assert (await session.execute(text("select count(*) from q"))).scalar_one() == 5
    await database.dispose()


async def test_a_quick_transaction_waits_for_another_writer_and_holds_up_nobody(
    tmp_path: Path,
) -> None:
    file = tmp_path / "e.db"
    database = Database(f"sqlite:///{file}")
    async with database.transaction() as session:
        await session.execute(text("create table q (a integer primary key)"))
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def write() -> None:
        async with database.transaction(quick=True) as session:
            await session.execute(text("insert into q values (2)"))

    writing = asyncio.create_task(write())
    for _ in range(20):
        await asyncio.sleep(0.005)  # The loop runs on while the writer waits.
    assert not writing.done()
    other.execute("insert into q values (1)")
    other.execute("COMMIT")
    await asyncio.wait_for(writing, 10)
    assert [a for (a,) in other.execute("select a from q order by a")] == [1, 2]
    other.close()
    await database.dispose()


async def test_a_quick_transaction_that_cannot_begin_says_why(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'f.db'}")
    async with database.peek() as session:
        connection = await session.connection()
        raw = await connection.get_raw_connection()
        driver: Any = raw.driver_connection
        driver._conn.execute("BEGIN")
        with pytest.raises(sqlite3.OperationalError, match="within a transaction"):
            driver._begun("BEGIN IMMEDIATE")
        driver._conn.execute("ROLLBACK")
        [(patience,)] = driver._conn.execute("PRAGMA busy_timeout")
        assert patience == SQLITE_BUSY_TIMEOUT_MS
    await database.dispose()


async def test_a_quick_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'd.db'}")
    async with database.transaction() as session:
        await session.execute(text("create table q (a integer primary key)"))

    async def twice() -> None:
        async with database.transaction(quick=True) as session:
            for _ in range(2):
                await session.execute(text("insert into q values (1)"))

    with pytest.raises(IntegrityError):
        await twice()
    async with database.peek() as session:
        assert (await session.execute(text("select count(*) from q"))).scalar_one() == 0
    async with database.transaction(quick=True) as session:
        await session.execute(text("insert into q values (1)"))
    await database.dispose()


async def test_a_connection_whose_making_is_cancelled_is_closed(tmp_path: Path) -> None:
    """Cut at every point where its maker waits: nothing stays open and nobody's."""
    url = f"sqlite:///{tmp_path / 'c.db'}"

    async def look(database: Database) -> None:
        async with database.peek() as session:
            await session.execute(text("select 1"))

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for turns in range(80):
            database = Database(url)
            looking = asyncio.create_task(look(database))
            for _ in range(turns // 3):
                await asyncio.sleep(0)
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking
            del looking
            await database.dispose()
        gc.collect()
    assert [str(one.message) for one in told if one.category is ResourceWarning] == []

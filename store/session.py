"""Engines and transactions.

One request or job is one transaction, committed at the edge. Refuses to know any table.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

from sqlalchemy import event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import ConnectionPoolEntry

from store import sqlite_driver

#: How long a writer waits for SQLite's single write lock before the request fails.
SQLITE_BUSY_TIMEOUT_MS = 15_000


def async_url(url: str) -> URL:
    """The URL with an asynchronous driver: aiosqlite or asyncpg."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return parsed.set(drivername="sqlite+aiosqlite")
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+asyncpg")
    raise ValueError(f"unsupported database: {parsed.get_backend_name()}")


class Database:
    """A pool of connections to SQLite (WAL) or PostgreSQL.

    On SQLite a write transaction takes the write lock with its first statement, whatever that is
    (``BEGIN IMMEDIATE``): the deferred default takes it at the first write and then fails at once
    when another writer came between, whatever the busy timeout. Writers of one process also queue
    before it: SQLite lets whoever happens to look next have the lock, so that under load some
    wait for seconds while others pass them.
    """

    def __init__(self, url: str, *, pool_size: int = 20) -> None:
        self.url = async_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        # The last connection used has its pages and statements at hand.
        options: dict[str, Any] = {"pool_size": pool_size, "pool_use_lifo": True}
        options["max_overflow"] = pool_size
        if self.is_sqlite:
            options["connect_args"] = {"async_creator_fn": _sqlite_connection}
        else:
            options["pool_pre_ping"] = True
        self.engine: AsyncEngine = create_async_engine(self.url, **options)
        #: For single reads: without BEGIN and ROLLBACK they take a third of the round trips.
        self._glancing = create_async_engine(
            self.url, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True, **options
        )
        #: For single reads that take less time than waking a thread would.
        self._peeking = self._glancing
        if self.is_sqlite:
            self._peeking = create_async_engine(
                self.url, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True, **options
            )
            _configure_sqlite(self.engine)
            _prepare_sqlite(self._glancing)
            _prepare_sqlite(self._peeking, quick=True)
        self._writer = asyncio.Lock()
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False, autoflush=False)
        self._glances = async_sessionmaker(self._glancing, expire_on_commit=False, autoflush=False)
        self._peeks = async_sessionmaker(self._peeking, expire_on_commit=False, autoflush=False)

    @asynccontextmanager
    async def transaction(self, *, quick: bool = False) -> AsyncIterator[AsyncSession]:
        """A write transaction: committed on leaving, rolled back on any exception.

        ``quick`` promises that each statement touches a few rows by key: SQLite then executes all
        but COMMIT on the spot, and begins there when nobody else is writing.
        """
        async with self._turn_to_write(), self._sessions() as session:
            session.info["write"] = True
            connection_options = (
                {"caiwen_write": True, "caiwen_quick": quick} if self.is_sqlite else {}
            )
            _ = await session.connection(execution_options=connection_options)
            yield session
            await session.commit()

    def _turn_to_write(self) -> AbstractAsyncContextManager[object]:
        return self._writer if self.is_sqlite else nullcontext()

    @asynccontextmanager
    async def reading(self, *, quick: bool = False) -> AsyncIterator[AsyncSession]:
        """A consistent read; closing the session rolls back whatever was tried in it.

        ``quick`` promises what it does in `transaction`: SQLite then executes everything on the
        spot.
        """
        async with self._sessions() as session:
            if quick and self.is_sqlite:
                _ = await session.connection(execution_options={"caiwen_quick": True})
            yield session

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[AsyncSession]:
        """Reads that need not agree with one another: each sees what is committed by then.

        Refuses nothing, but nothing may be written: it would be committed at once.
        """
        async with self._glances() as session:
            yield session

    @asynccontextmanager
    async def peek(self) -> AsyncIterator[AsyncSession]:
        """As `glance`, for statements that find a few rows by key.

        SQLite executes them on the spot, which costs less than asking a thread to; a scan here
        would hold up everybody.
        """
        async with self._peeks() as session:
            yield session

    async def dispose(self) -> None:
        """Close every pooled connection."""
        await self.engine.dispose()
        await self._glancing.dispose()
        await self._peeking.dispose()


def _sqlite_connection(database: str, **options: Any) -> sqlite_driver.OneTripConnection:
    return sqlite_driver.connect(
        database,
        "journal_mode=WAL",
        "synchronous=FULL",
        f"busy_timeout={SQLITE_BUSY_TIMEOUT_MS}",
        "foreign_keys=ON",
        **options,
    )


def _prepare_sqlite(engine: AsyncEngine, *, quick: bool = False) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def _on_connect(_connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        driver: Any = entry.driver_connection
        driver.quick = quick
        driver.patience_ms = SQLITE_BUSY_TIMEOUT_MS


def _configure_sqlite(engine: AsyncEngine) -> None:
    _prepare_sqlite(engine)

    @event.listens_for(engine.sync_engine, "begin")
    def _on_begin(connection: Any) -> None:
        chosen = connection.get_execution_options()
        immediate = chosen.get("caiwen_write", False)
        driver = connection.connection.driver_connection
        driver.quick = chosen.get("caiwen_quick", False)
        driver.opening = "BEGIN IMMEDIATE" if immediate else "BEGIN"
        driver.reads = not immediate

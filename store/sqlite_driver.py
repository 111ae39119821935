"""SQLite through aiosqlite with one trip to its thread per statement.

aiosqlite keeps a thread per connection; SQLAlchemy makes a cursor, executes, fetches and closes,
which are four trips there and back and cost more than the statement itself. Here a statement is
executed and its rows are fetched in one trip, and a connection that is told that its statements
are `quick` makes none for them: finding a few rows by key takes less time than waking a thread.
Refuses to stream: rows are always fetched whole, as SQLAlchemy does with them anyway.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

import aiosqlite
from aiosqlite.context import Result
from typing_extensions import override

Rows = list[Any]
T = TypeVar("T")


class OneTripCursor(aiosqlite.Cursor):
    """A cursor whose rows are at hand once it has executed."""

    def __init__(self, connection: "OneTripConnection") -> None:
        self._connection = connection
        self._rows: Rows = []
        # Only a blank until something is executed; made without asking the thread.
        super().__init__(connection, connection.blank)

    @override
    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> "OneTripCursor":
        """Execute and fetch."""
        values = () if parameters is None else parameters
        self._cursor, self._rows = await self._connection.run(sql, values, many=False)
        return self

    @override
    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> "OneTripCursor":
        """Execute for each set of values; there is nothing to fetch."""
        self._cursor, self._rows = await self._connection.run(sql, parameters, many=True)
        return self

    @override
    async def fetchone(self) -> sqlite3.Row | None:
        """The next row that was fetched."""
        return self._rows.pop(0) if self._rows else None

    @override
    async def fetchmany(self, size: int | None = None) -> Rows:
        """The next rows that were fetched."""
        count = self.arraysize if size is None else size
        taken, self._rows = self._rows[:count], self._rows[count:]
        return taken

    @override
    async def fetchall(self) -> Rows:
        """All rows that were fetched and not yet taken."""
        taken, self._rows = self._rows, []
        return taken

    @override
    async def close(self) -> None:
        """Nothing is open any more: fetching to the end has reset the statement."""
        self._rows = []


class OneTripConnection(aiosqlite.Connection):
    """A connection of aiosqlite whose cursors take one trip per statement."""

    blank: sqlite3.Cursor
    #: A BEGIN that travels with the first statement of its transaction.
    opening: str = ""
    #: Whether statements are executed at once, by the caller; never what waits for the disk,
    #: COMMIT, or for a lock that somebody holds.
    quick: bool = False
    #: Whether the transaction only reads, so that its end has nothing to undo.
    reads: bool = False
    #: How long the connection waits for a lock, in milliseconds.
    patience_ms: int = 0

    @override
    async def _connect(self) -> "OneTripConnection":
        try:
            _ = await super()._connect()
        except BaseException:
            # The thread has been told to end; a loop that closed before it would be its last word.
            await asyncio.to_thread(self._thread.join)
            raise
        # Without another trip: whoever is cancelled now would leave an open connection behind.
        self.blank = self._conn.cursor()
        return self

    @override
    async def create_function(
        self, name: str, num_params: int, func: Callable[..., Any], deterministic: bool = False
    ) -> None:
        """Make a function known, on the spot: SQLAlchemy does so while it makes a connection."""
        self._conn.create_function(name, num_params, func, deterministic=deterministic)

    @override
    def cursor(self) -> Result[aiosqlite.Cursor]:
        """A cursor, without asking the thread for one."""
        return Result(self._new_cursor())

    @override
    async def commit(self) -> None:
        """Commit, unless nothing has begun."""
        if self.opening:
            self.opening = ""
            return
        await super().commit()

    @override
    async def rollback(self) -> None:
        """Roll back; asking whether there is anything to roll back costs no trip."""
        self.opening = ""
        if not self.in_transaction:
            return
        if self.quick and self.reads:
            self._conn.rollback()
        else:
            await super().rollback()

    async def run(
        self, sql: str, parameters: Iterable[Any], *, many: bool
    ) -> tuple[sqlite3.Cursor, Rows]:
        """Execute, in the connection's thread unless it is `quick`; the cursor and its rows."""
        opening, self.opening = self.opening, ""
        if self.quick and (not opening or self._begun(opening)):
            return _run(self._conn, "", sql, parameters, many)
        return await self._in_thread(partial(_run, self._conn, opening, sql, parameters, many))

    def _begun(self, opening: str) -> bool:
        """Begin on the spot, unless another process is writing: that is waited out elsewhere."""
        self._conn.execute("PRAGMA busy_timeout=0")
        try:
            self._conn.execute(opening)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            return False
        finally:
            self._conn.execute(f"PRAGMA busy_timeout={self.patience_ms}")
        return True

    async def _in_thread(self, work: Callable[[], T]) -> T:
        found: T = await self._execute(work)  # type: ignore[no-untyped-call]  # untyped there
        return found

    async def _new_cursor(self) -> aiosqlite.Cursor:
        return OneTripCursor(self)


def connect(database: str, *pragmas: str, **options: Any) -> OneTripConnection:
    """As ``aiosqlite.connect``; the thread does not keep the process alive.

    Made ready in the one trip that opens it, and `quick` until its owner says otherwise: a task
    that is cancelled between two trips would leave it open and nobody's. BEGIN is never the
    driver's own.
    """

    def connector() -> sqlite3.Connection:
        opened: sqlite3.Connection = sqlite3.connect(database, **options)
        opened.isolation_level = None
        for pragma in pragmas:
            opened.execute(f"PRAGMA {pragma}").close()
        return opened

    # One task at a time uses a connection, but quick statements are executed in that task's thread.
    options["check_same_thread"] = False

    connection = OneTripConnection(connector, iter_chunk_size=64)
    connection.quick = True
    connection._thread.daemon = True  # noqa: SLF001  # as SQLAlchemy does with those it makes
    return connection


def _run(
    connection: sqlite3.Connection, opening: str, sql: str, parameters: Iterable[Any], many: bool
) -> tuple[sqlite3.Cursor, Rows]:
    if opening:
        connection.execute(opening)
    if many:
        return connection.executemany(sql, parameters), []
    cursor = connection.execute(sql, tuple(parameters))
    return cursor, cursor.fetchall() if cursor.description is not None else []

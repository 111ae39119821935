"""Follows rows that are only ever added, so that each is looked at once, over restarts too.

How far it has looked is kept in the database. Ids may become visible out of order on PostgreSQL,
so those just before are looked at again. Refuses to know what the rows mean.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.notifications import repository as rows
from store.session import Database

#: Ids before the last one that are looked at again, and how many new ones at a time.
OVERLAP, BATCH = 200, 200


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one table: the newest id, ids after one, and planning for some of them."""

    name: str
    newest: Callable[[AsyncSession], Awaitable[int]]
    ids: Callable[[AsyncSession, int, int], Awaitable[Sequence[int]]]
    plan: Callable[[AsyncSession, Collection[int], datetime], Awaitable[int]]


class Follower:
    """How far one reader of a table has looked, in the database and in memory."""

    def __init__(
        self,
        database: Database,
        name: str,
        newest: Callable[[AsyncSession], Awaitable[int]],
        ids: Callable[[AsyncSession, int, int], Awaitable[Sequence[int]]],
    ) -> None:
        self._database = database
        self._name = name
        self._newest = newest
        self._ids_after = ids
        self._seen: dict[int, None] = {}
        self._position: int | None = None
        self._read: Sequence[int] = ()

    async def fresh(self, now: datetime) -> Sequence[int]:
        """Rows that were not looked at, as far as a batch reaches."""
        if self._position is None:
            self._position = await self._begin(now)
        self._read = await self._ids(self._position, OVERLAP + BATCH)
        return [number for number in self._read if number not in self._seen]

    async def move(self, session: AsyncSession, fresh: Sequence[int], now: datetime) -> None:
        """Note in this transaction that these were looked at."""
        newest = max(self._position or 0, *fresh)
        await rows.move_cursor(session, self._name, position=newest, now=now)

    def moved(self, fresh: Sequence[int]) -> None:
        """Remember it once that is committed."""
        self._position = max(self._position or 0, *fresh)
        self._seen = dict.fromkeys(self._read)

    async def _ids(self, position: int, limit: int) -> Sequence[int]:
        async with self._database.glance() as session:
            return await self._ids_after(session, max(0, position - OVERLAP), limit)

    async def _begin(self, now: datetime) -> int:
        """The kept position; at the very first start the newest row, for nothing old is news."""
        async with self._database.transaction() as session:
            known = await rows.cursor(session, self._name)
            if known is not None:
                position = known.position
            else:
                position = await self._newest(session)
                await rows.move_cursor(session, self._name, position=position, now=now)
        before = await self._ids(position, OVERLAP)
        self._seen = dict.fromkeys(number for number in before if number <= position)
        return position


class Feed:
    """One table being followed, its rows planned for and passed in one transaction."""

    def __init__(self, database: Database, source: Rows) -> None:
        self._database = database
        self._source = source
        self._follower = Follower(database, source.name, source.newest, source.ids)

    async def look(self, now: datetime) -> int:
        """Plan for every new row; how many notifications that made."""
        fresh = await self._follower.fresh(now)
        if not fresh:
            return 0
        async with self._database.transaction() as session:
            planned = await self._source.plan(session, fresh, now)
            await self._follower.move(session, fresh, now)
        self._follower.moved(fresh)
        return planned

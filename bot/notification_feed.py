"""Follows rows that are only ever added, so that each is looked at once, over restarts too.

How far it has looked is kept in the database. Ids may become visible out of order on PostgreSQL,
so those just before are looked at again. Refuses to know what the rows mean.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot import notification_repository as rows
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


class Feed:
    """One table being followed."""

    def __init__(self, database: Database, source: Rows) -> None:
        self._database = database
        self._source = source
        self._seen: dict[int, None] = {}
        self._position: int | None = None

    async def look(self, now: datetime) -> int:
        """Plan for every new row; how many notifications that made."""
        if self._position is None:
            self._position = await self._begin(now)
        position = self._position
        ids = await self._ids(position, OVERLAP + BATCH)
        fresh = [number for number in ids if number not in self._seen]
        if not fresh:
            return 0
        async with self._database.transaction() as session:
            planned = await self._source.plan(session, fresh, now)
            newest = max(position, *fresh)
            await rows.move_cursor(session, self._source.name, position=newest, now=now)
        self._position = newest
        self._seen = dict.fromkeys(ids)
        return planned

    async def _ids(self, position: int, limit: int) -> Sequence[int]:
        async with self._database.glance() as session:
            return await self._source.ids(session, max(0, position - OVERLAP), limit)

    async def _begin(self, now: datetime) -> int:
        """The kept position; at the very first start the newest row, for nothing old is news."""
        async with self._database.transaction() as session:
            known = await rows.cursor(session, self._source.name)
            if known is not None:
                position = known.position
            else:
                position = await self._source.newest(session)
                await rows.move_cursor(session, self._source.name, position=position, now=now)
        before = await self._ids(position, OVERLAP)
        self._seen = dict.fromkeys(number for number in before if number <= position)
        return position

"""Queries of units: whose people ask, and how much."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncSession

from bot.tables import User
from handoff.tables import Ticket
from handoff.ticket import OPEN_STATUSES

#: A unit's key: region and name, each empty where people gave none.
Key = tuple[str, str]
region_of, name_of = func.coalesce(User.region, ""), func.coalesce(User.unit, "")


@dataclass(frozen=True, slots=True)
class People:
    """How many people a unit has here, and of how many a channel vouched for who they are."""

    region: str
    name: str
    people: int
    verified: int


async def units(session: AsyncSession, *, region: str, name: str, limit: int) -> Sequence[People]:
    """Units with these parts in region and name, those with the most people first."""
    query = select(region_of, name_of, func.count(), func.count().filter(User.verified))
    for column, part in ((User.region, region), (User.unit, name)):
        if part:
            query = query.where(column.icontains(part, autoescape=True))
    query = query.group_by(region_of, name_of).order_by(func.count().desc(), region_of, name_of)
    return [People(*row) for row in await session.execute(query.limit(limit))]


async def tickets_since(session: AsyncSession, since: datetime) -> Mapping[Key, int]:
    """How many tickets each unit has opened since then."""
    return await _counted(session, Ticket.opened_at >= since)


async def tickets_open(session: AsyncSession) -> Mapping[Key, int]:
    """How many tickets of each unit are not finished."""
    return await _counted(session, Ticket.status.in_([one.value for one in OPEN_STATUSES]))


async def _counted(session: AsyncSession, which: ColumnElement[bool]) -> Mapping[Key, int]:
    query = select(Ticket.region, Ticket.unit, func.count()).where(which)
    rows = await session.execute(query.group_by(Ticket.region, Ticket.unit))
    return {(region, unit): count for region, unit, count in rows}


async def move_people(session: AsyncSession, before: Key, after: Key) -> int:
    """Give all people of one unit to another, new or known; how many these were."""
    moved = await session.execute(
        update(User)
        .where(region_of == before[0], name_of == before[1])
        .values(region=after[0] or None, unit=after[1])
    )
    assert isinstance(moved, CursorResult)  # noqa: S101  # what an update returns
    return int(moved.rowcount)

"""Queries of routing: profiles of engineers, tickets handed out and tickets that wait."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.presence import NEWCOMER, Attendance
from handoff.presence_tables import RoutingProfile
from handoff.repository import Workload
from handoff.routing import Presence
from handoff.tables import Ticket
from handoff.ticket import OPEN_STATUSES, Level, Status


async def profiles(session: AsyncSession, *, lock: bool = False) -> dict[str, RoutingProfile]:
    """Every profile by account.

    ``lock`` holds them until the transaction ends, in one order, so that of two routers the
    second sees what the first has handed out.
    """
    query = select(RoutingProfile).order_by(RoutingProfile.staff_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return {row.staff_id: row for row in await session.scalars(query)}


async def profile(session: AsyncSession, staff_id: str) -> RoutingProfile:
    """The profile of an account, held; a new one where there was none."""
    query = select(RoutingProfile).where(RoutingProfile.staff_id == staff_id).with_for_update()
    found = (await session.scalars(query)).one_or_none()
    if found is None:
        found = RoutingProfile(staff_id=staff_id, presence=NEWCOMER.chosen.value)
        session.add(found)
        await session.flush()
    return found


def attendance(row: RoutingProfile | None) -> Attendance:
    """What the row says; somebody without one has never opened a console."""
    if row is None:
        return NEWCOMER
    return Attendance(Presence(row.presence), row.presence_until, row.beat_at, row.active_at)


def write_attendance(row: RoutingProfile, known: Attendance) -> None:
    """Make the row say ``known``."""
    row.presence, row.presence_until = known.chosen.value, known.chosen_until
    row.beat_at, row.active_at = known.beat_at, known.active_at


async def loads(session: AsyncSession, since: datetime) -> dict[str, Workload]:
    """How much each engineer holds, and when they were last given something after ``since``.

    Two queries that an index serves each: in one, or grouped by engineer, SQLite would look at
    every ticket there ever was.
    """
    open_tickets = (
        select(Ticket.assignee_id, func.count())
        .where(
            Ticket.status.in_([status.value for status in OPEN_STATUSES]),
            Ticket.assignee_id.is_not(None),
        )
        .group_by(Ticket.assignee_id)
    )
    given = (
        select(Ticket.assignee_id, Ticket.assigned_at)
        .where(Ticket.assigned_at >= since)
        .order_by(Ticket.assigned_at)
    )
    held = {one: count for one, count in await session.execute(open_tickets) if one}
    last = {one: at for one, at in await session.execute(given) if one}
    return {one: Workload(one, held.get(one, 0), last.get(one)) for one in held | last}


@dataclass(frozen=True, slots=True)
class HandedOut:
    """A ticket that an engineer was given and has not begun with."""

    ticket_id: str
    assignee_id: str
    assigned_at: datetime


async def handed_out(session: AsyncSession, *, limit: int = 200) -> Sequence[HandedOut]:
    """Tickets that were given to engineers who have not begun with them, longest ago first."""
    query = (
        select(Ticket.id, Ticket.assignee_id, Ticket.assigned_at)
        .where(Ticket.status == Status.DISPATCHED.value, Ticket.assignee_id.is_not(None))
        .order_by(Ticket.assigned_at)
        .limit(limit)
    )
    return [
        HandedOut(ticket_id, holder, at)
        for ticket_id, holder, at in await session.execute(query)
        if holder is not None and at is not None
    ]


async def waiting(
    session: AsyncSession, levels: Collection[Level], *, limit: int = 200
) -> Sequence[Ticket]:
    """Tickets that nobody has, of these levels, in no order (see ``handoff.routing``)."""
    query = (
        select(Ticket)
        .where(
            Ticket.status.in_([Status.NEW.value, Status.DISPATCHED.value]),
            Ticket.level.in_([level.value for level in levels]),
            Ticket.assignee_id.is_(None),
            Ticket.queued_at.is_not(None),
        )
        .order_by(Ticket.queued_at)
        .limit(limit)
    )
    return (await session.scalars(query)).all()

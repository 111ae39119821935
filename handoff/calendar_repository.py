"""Queries of edited calendars, and of the tickets whose deadlines hang on one."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.calendar_tables import CalendarEdit
from handoff.repository import UNFINISHED
from handoff.tables import Ticket


async def newest_edit_id(session: AsyncSession) -> int:
    """Changes with every edit; 0 before the first."""
    return (await session.scalar(select(func.max(CalendarEdit.id)))) or 0


async def newest_edits(session: AsyncSession) -> Sequence[CalendarEdit]:
    """The newest edit of every calendar that has one."""
    newest = select(func.max(CalendarEdit.id)).group_by(CalendarEdit.calendar_id)
    return (await session.scalars(select(CalendarEdit).where(CalendarEdit.id.in_(newest)))).all()


async def edits_of(
    session: AsyncSession, calendar_id: str, *, limit: int = 20
) -> Sequence[CalendarEdit]:
    """The history of one calendar, newest first."""
    query = (
        select(CalendarEdit)
        .where(CalendarEdit.calendar_id == calendar_id)
        .order_by(CalendarEdit.id.desc())
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def unfinished_on(session: AsyncSession, calendar_id: str, *, limit: int) -> Sequence[Ticket]:
    """Unfinished tickets reckoned by a calendar, what is due first first."""
    query = (
        select(Ticket)
        .where(Ticket.calendar_id == calendar_id, Ticket.status.in_(UNFINISHED))
        .order_by(Ticket.next_due.is_(None), Ticket.next_due, Ticket.id)
        .limit(limit)
    )
    return (await session.scalars(query)).all()

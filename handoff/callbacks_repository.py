"""Queries of call-backs."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.callbacks_tables import CallBack
from handoff.tables import Ticket, TicketEvent
from handoff.ticket import Action, Status

#: Closed tickets that are looked at together.
PAGE = 1_000


async def closed_since(
    session: AsyncSession, since: datetime, *, limit: int = PAGE
) -> Sequence[Ticket]:
    """Tickets closed after a resolution that have no call-back, longest ago first.

    What was withdrawn was never solved: there is nothing to ask about. Found by the closing event,
    which has an index; most tickets there are, are closed.
    """
    query = (
        select(Ticket)
        .join(TicketEvent, TicketEvent.ticket_id == Ticket.id)
        .where(
            TicketEvent.action == Action.CLOSE.value,
            TicketEvent.at >= since,
            Ticket.status == Status.CLOSED.value,
            ~exists().where(CallBack.ticket_id == Ticket.id),
        )
        .order_by(TicketEvent.at)
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def listed(
    session: AsyncSession,
    *,
    done: bool,
    regions: Collection[str],
    modules: Collection[str],
    limit: int = 200,
) -> Sequence[tuple[CallBack, Ticket]]:
    """Calls to make, due first, or made, newest first, within a reader's scope."""
    order = CallBack.done_at.desc() if done else CallBack.due_at
    query = (
        select(CallBack, Ticket)
        .join(Ticket, Ticket.id == CallBack.ticket_id)
        .where(CallBack.done_at.is_not(None) if done else CallBack.done_at.is_(None))
        .order_by(order, CallBack.id)
        .limit(limit)
    )
    if regions:
        query = query.where(or_(Ticket.region.in_(list(regions)), Ticket.region == ""))
    if modules:
        query = query.where(or_(Ticket.module.in_(list(modules)), Ticket.module.is_(None)))
    return [(row[0], row[1]) for row in await session.execute(query)]


async def held(session: AsyncSession, call_back_id: str) -> tuple[CallBack, Ticket] | None:
    """One call-back, held until the transaction ends, and its ticket."""
    query = (
        select(CallBack, Ticket)
        .join(Ticket, Ticket.id == CallBack.ticket_id)
        .where(CallBack.id == call_back_id)
        .with_for_update(of=CallBack)
    )
    row = (await session.execute(query)).one_or_none()
    return (row[0], row[1]) if row is not None else None


async def results_since(session: AsyncSession, since: datetime) -> dict[str, int]:
    """How many calls ended how."""
    query = (
        select(CallBack.result, func.count())
        .where(CallBack.done_at >= since, CallBack.result.is_not(None))
        .group_by(CallBack.result)
    )
    return {result: count for result, count in await session.execute(query) if result}

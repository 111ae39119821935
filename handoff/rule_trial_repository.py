"""Past tickets whole, many at a time, and the rows of trials.

Reads columns instead of objects: a month of a large city is a hundred thousand tickets.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.lifecycle import Event
from handoff.rule_past import About
from handoff.rule_tables import RuleTrial
from handoff.tables import Ticket, TicketEvent
from handoff.ticket import Action, Actor, ActorKind, Status


async def touched_since(session: AsyncSession, since: datetime) -> Sequence[str]:
    """Every ticket to which something was done since then or whose time runs, newest first."""
    query = (
        select(Ticket.id)
        .where(or_(Ticket.updated_at >= since, Ticket.next_due.is_not(None)))
        .order_by(Ticket.opened_at.desc())
    )
    return (await session.scalars(query)).all()


async def met_between(session: AsyncSession, start: datetime, end: datetime) -> Sequence[str]:
    """Every ticket first answered, or last solved, from ``start`` on and before ``end``."""
    query = (
        select(Ticket.id)
        .where(
            or_(
                and_(Ticket.responded_at >= start, Ticket.responded_at < end),
                and_(Ticket.resolved_at >= start, Ticket.resolved_at < end),
            )
        )
        .order_by(Ticket.opened_at)
    )
    return (await session.scalars(query)).all()


@dataclass(frozen=True, slots=True)
class Past:
    """One ticket and everything done to it."""

    number: str
    title: str
    about: About
    events: Sequence[Event]


async def opened_since(session: AsyncSession, since: datetime) -> Sequence[str]:
    """Every ticket opened since then, the newest first."""
    query = select(Ticket.id).where(Ticket.opened_at >= since).order_by(Ticket.opened_at.desc())
    return (await session.scalars(query)).all()


async def past(
    session: AsyncSession, ids: Sequence[str], wanted: Callable[[About], bool]
) -> Sequence[Past]:
    """Those of these tickets that are wanted, in no order; of the others no event is read."""
    tickets = select(
        Ticket.id, Ticket.number, Ticket.title, Ticket.description, Ticket.unit, Ticket.channel
    ).where(Ticket.id.in_(ids))
    known = {}
    for row in await session.execute(tickets):
        about = About(row.unit, row.channel, f"{row.title}\n{row.description}")
        if wanted(about):
            known[row.id] = (row.number, row.title, about)
    events = (
        select(
            TicketEvent.ticket_id,
            TicketEvent.seq,
            TicketEvent.at,
            TicketEvent.action,
            TicketEvent.actor_kind,
            TicketEvent.actor_id,
            TicketEvent.from_status,
            TicketEvent.to_status,
            TicketEvent.detail,
        )
        .where(TicketEvent.ticket_id.in_(list(known)))
        .order_by(TicketEvent.ticket_id, TicketEvent.seq)
    )
    read = (await session.execute(events)).all()
    return [
        Past(*known[ticket_id], tuple(_events(done)))
        for ticket_id, done in groupby(read, key=lambda row: row.ticket_id)
    ]


def _events(rows: Iterator[Any]) -> Iterator[Event]:
    for _, seq, at, action, kind, actor_id, before, after, detail in rows:
        yield Event(
            seq,
            at,
            Action(action),
            Actor(ActorKind(kind), actor_id, ""),
            Status(before) if before else None,
            Status(after),
            detail,
        )


async def trial(session: AsyncSession, trial_id: str) -> RuleTrial | None:
    """One trial as it stands."""
    return await session.get(RuleTrial, trial_id, populate_existing=True)


async def advance(
    session: AsyncSession, trial_id: str, *, looked_at: int, matched: int, now: datetime
) -> None:
    """How far a trial has got."""
    values = {"looked_at": looked_at, "matched": matched, "beat_at": now}
    await session.execute(update(RuleTrial).where(RuleTrial.id == trial_id).values(**values))


async def forget(session: AsyncSession, before: datetime) -> None:
    """Trials that nobody comes back to."""
    await session.execute(delete(RuleTrial).where(RuleTrial.started_at < before))

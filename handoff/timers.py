"""What time itself does to tickets: agreed times come, askers stay silent, calendars are corrected.

A worker calls ``run_due`` every so often. Each ticket is its own transaction, so one that changed
meanwhile stops none of the others; it is simply due again next time. Refuses to keep timers in
memory: what is due is in the rows, so a restart misses nothing and repeats nothing.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from handoff import repository, service, timer_repository
from handoff.contract import Terms
from handoff.errors import HandoffError
from handoff.tables import Ticket
from handoff.ticket import Actor, ActorKind
from store.session import Database

log = structlog.get_logger()

TIMER = Actor(ActorKind.SYSTEM, "timer", "")

Verb = Callable[..., Awaitable[Ticket]]
Closing = Callable[[str], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Timer:
    """A verb, and whether a ticket, looked at again under its lock, still needs it."""

    verb: Verb
    due: Callable[[Ticket], bool]


@dataclass(frozen=True, slots=True)
class Ran:
    """How many tickets each timer moved."""

    closed: int
    resumed: int
    recalculated: int


async def run_due(
    database: Database, *, terms: Terms, now: datetime, closing: Closing | None = None
) -> Ran:
    """Do everything that is due at ``now``.

    ``closing`` closes a ticket that may be due, in a transaction of its own, and tells its asker;
    without it tickets are closed in silence.
    """
    async with database.reading() as session:
        unconfirmed = _ids(await timer_repository.unconfirmed(session, now))
        appointments = _ids(await timer_repository.appointments(session, now))
        outdated = _ids(await timer_repository.outdated(session, dict(terms.revisions)))
    close = Timer(service.close, lambda ticket: _passed(ticket.confirm_until, now))
    resume = Timer(service.resume, lambda ticket: _passed(ticket.resume_at, now))
    recalculate = Timer(
        service.recalculate,
        lambda ticket: terms.revisions.get(ticket.contract_id) != ticket.sla_revision,
    )
    return Ran(
        closed=await _each_by(closing, unconfirmed)
        if closing
        else await _each(database, unconfirmed, close, terms, now),
        resumed=await _each(database, appointments, resume, terms, now),
        recalculated=await _each(database, outdated, recalculate, terms, now),
    )


def _passed(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment <= now


def _ids(tickets: Sequence[Ticket]) -> list[str]:
    return [ticket.id for ticket in tickets]


async def _each(
    database: Database, ids: Sequence[str], timer: Timer, terms: Terms, now: datetime
) -> int:
    done = 0
    for ticket_id in ids:
        try:
            async with database.transaction() as session:
                done += await _one(session, ticket_id, timer, terms, now)
        except HandoffError as error:
            # It changed between the list and the lock: its new state decides what is due.
            log.info("ticket_timer_skipped", ticket_id=ticket_id, error=type(error).__name__)
    return done


async def _each_by(closing: Closing, ids: Sequence[str]) -> int:
    done = 0
    for ticket_id in ids:
        try:
            done += await closing(ticket_id)
        except HandoffError as error:
            log.info("ticket_timer_skipped", ticket_id=ticket_id, error=type(error).__name__)
    return done


async def _one(
    session: AsyncSession, ticket_id: str, timer: Timer, terms: Terms, now: datetime
) -> bool:
    ticket = await repository.by_id(session, ticket_id, lock=True)
    if not timer.due(ticket):
        return False
    await timer.verb(session, ticket, actor=TIMER, now=now, terms=terms)
    return True

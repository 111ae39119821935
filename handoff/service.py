"""The verbs that people use on a ticket: its way from opening to closing.

Each verb is one transaction's work (see ``handoff.performing``). Refuses to commit, to read the
clock, to send anything, and to speak: what the asker is told is the business of who handles the
outbox kind ``ticket_event``. The verbs of dispatch (who works on it, how it is rated) are in
``handoff.dispatch`` and are offered here too.

Every verb takes the ticket as it was read and raises ``StaleTicket`` when somebody was faster
(``repository.by_number(..., lock=True)`` in the same transaction makes that impossible), and
``NotPermitted``, ``NotHolder`` or ``IllegalTransition`` when the rules forbid it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from handoff import problem_report, repository
from handoff.contract import Terms
from handoff.dispatch import (
    Destination,
    arrange,
    assign,
    change_severity,
    classify,
    escalate,
    merge,
    recalculate,
    release,
    report,
    transfer,
)
from handoff.errors import InvalidAppointment, NotHolder, ReportRequired
from handoff.lifecycle import Event, replay
from handoff.numbering import next_number
from handoff.performing import OUTBOX_KIND, perform, publish
from handoff.tables import Ticket
from handoff.texts import (
    DESCRIPTION_LIMIT,
    LONG_LIMIT,
    SHORT_LIMIT,
    TITLE_LIMIT,
    clipped,
    optional,
    required,
)
from handoff.ticket import (
    OPENED,
    Action,
    Actor,
    ActorKind,
    Level,
    PauseReason,
    Status,
    check_performer,
    next_status,
)
from store.base import new_id
from store.vocabulary import Category, Severity

__all__ = [
    "OUTBOX_KIND",
    "Destination",
    "NewTicket",
    "add_information",
    "arrange",
    "assign",
    "change_severity",
    "claim",
    "classify",
    "close",
    "escalate",
    "merge",
    "note",
    "open_ticket",
    "pause",
    "recalculate",
    "record_reply",
    "release",
    "reopen",
    "report",
    "resolve",
    "resume",
    "transfer",
    "withdraw",
]


@dataclass(frozen=True, slots=True)
class NewTicket:
    """What is known when a ticket is opened.

    ``severity_reasons``: JSON objects with ``rule``, ``evidence`` and ``effect``. Title and
    description are cut to their limits: the whole words stay in the transcript.
    """

    title: str
    description: str
    category: Category
    severity: Severity
    contract_id: str
    channel: str
    severity_reasons: tuple[Mapping[str, Any], ...] = ()
    module: str | None = None
    conversation_id: str | None = None
    requester_id: str | None = None
    region: str = ""
    unit: str = ""
    level: Level = Level.FIRST


async def open_ticket(
    session: AsyncSession, new: NewTicket, *, actor: Actor, now: datetime, terms: Terms
) -> Ticket:
    """A new ticket with its number, deadlines and first event. Raises ``UnknownTerms``."""
    check_performer(Action.OPEN, actor)
    event = Event(1, now, Action.OPEN, actor, None, OPENED, _opening(new, terms))
    snapshot = replay([event], terms)
    zone = terms.calendar(snapshot.calendar_id).zone
    ticket = Ticket(
        id=new_id(),
        number=await next_number(session, zone=zone, now=now),
        title=clipped(new.title, TITLE_LIMIT) or clipped(new.description, TITLE_LIMIT),
        description=clipped(new.description, DESCRIPTION_LIMIT),
        channel=new.channel,
        conversation_id=new.conversation_id,
        requester_id=new.requester_id,
        unit=clipped(new.unit, 120),
        severity_reasons=[dict(reason) for reason in new.severity_reasons],
        opened_at=now,
        **repository.columns_of(snapshot),
    )
    session.add(ticket)
    await session.flush()
    await publish(session, ticket, event)
    return ticket


def _opening(new: NewTicket, terms: Terms) -> dict[str, Any]:
    terms.contract(new.contract_id)
    return {
        "severity": new.severity.value,
        "category": new.category.value,
        "module": clipped(new.module or "", 80) or None,
        "level": new.level.value,
        "region": clipped(new.region, 80),
        "contract": new.contract_id,
        "revision": terms.revisions.get(new.contract_id, ""),
    }


async def claim(
    session: AsyncSession, ticket: Ticket, *, actor: Actor, now: datetime, terms: Terms
) -> Ticket:
    """Take a ticket and begin. Claiming what one already works on changes nothing.

    Raises ``NotHolder`` when it was handed to, or taken by, somebody else.
    """
    check_performer(Action.CLAIM, actor)
    if ticket.assignee_id == actor.id and ticket.status == Status.IN_PROGRESS:
        return ticket
    if ticket.assignee_id not in (None, actor.id):
        raise NotHolder(ticket.number, Action.CLAIM, ticket.assignee_id)
    return await perform(session, ticket, Action.CLAIM, actor=actor, now=now, terms=terms)


async def record_reply(
    session: AsyncSession,
    ticket: Ticket,
    *,
    actor: Actor,
    now: datetime,
    terms: Terms,
    message_id: str | int | None = None,
    text: str = "",
) -> Ticket:
    """The holder spoke to the asker; the first time keeps the response promise.

    The words are in the conversation (``message_id``), or in ``text`` where there is none.
    """
    detail = {"message_id": message_id, "text": optional("text", text, LONG_LIMIT)}
    return await perform(
        session, ticket, Action.REPLY, actor=actor, now=now, terms=terms, detail=detail
    )


async def note(
    session: AsyncSession, ticket: Ticket, *, actor: Actor, now: datetime, terms: Terms, text: str
) -> Ticket:
    """Words among the staff, in any status. They wait for nobody: never stale when locked."""
    detail = {"text": required("text", text, LONG_LIMIT)}
    return await perform(
        session, ticket, Action.NOTE, actor=actor, now=now, terms=terms, detail=detail
    )


async def add_information(
    session: AsyncSession,
    ticket: Ticket,
    *,
    actor: Actor,
    now: datetime,
    terms: Terms,
    message_id: str | int | None = None,
    text: str = "",
) -> Ticket:
    """Something new about the matter. A ticket that waits for its asker goes on when they speak."""
    detail = {"message_id": message_id, "text": clipped(text, DESCRIPTION_LIMIT)}
    waiting = ticket.status == Status.SUSPENDED and ticket.pause_reason == PauseReason.USER
    ticket = await perform(
        session, ticket, Action.ADD_INFORMATION, actor=actor, now=now, terms=terms, detail=detail
    )
    if waiting and actor.kind is ActorKind.USER:
        system = Actor(ActorKind.SYSTEM, "asker-answered", "")
        ticket = await resume(session, ticket, actor=system, now=now, terms=terms)
    return ticket


async def pause(
    session: AsyncSession,
    ticket: Ticket,
    *,
    actor: Actor,
    now: datetime,
    terms: Terms,
    reason: PauseReason,
    until: datetime | None = None,
    why: str = "",
) -> Ticket:
    """Wait for somebody. An appointment names its time, which must lie ahead."""
    if (reason is PauseReason.APPOINTMENT) != (until is not None) or (until and until <= now):
        raise InvalidAppointment(ticket.number, reason)
    detail = {
        "reason": reason.value,
        "resume_at": until.isoformat() if until else None,
        "why": optional("why", why, SHORT_LIMIT),
    }
    return await perform(
        session, ticket, Action.PAUSE, actor=actor, now=now, terms=terms, detail=detail
    )


async def resume(
    session: AsyncSession, ticket: Ticket, *, actor: Actor, now: datetime, terms: Terms
) -> Ticket:
    """The waiting is over."""
    return await perform(session, ticket, Action.RESUME, actor=actor, now=now, terms=terms)


async def resolve(
    session: AsyncSession,
    ticket: Ticket,
    *,
    actor: Actor,
    now: datetime,
    terms: Terms,
    cause: str = "",
    solution: str = "",
    confirm_days: int = 3,
) -> Ticket:
    """It is solved. Staff say why it happened and what helped; askers need not.

    The asker has until the end of the ``confirm_days``-th working day after today to object.
    """
    text = optional if actor.kind is ActorKind.USER else required
    calendar = terms.calendar(ticket.calendar_id)
    detail = {
        "cause": text("cause", cause, LONG_LIMIT) or None,
        "solution": text("solution", solution, LONG_LIMIT) or None,
        "confirm_until": calendar.end_of_working_day(now, confirm_days).isoformat(),
    }
    return await perform(
        session, ticket, Action.RESOLVE, actor=actor, now=now, terms=terms, detail=detail
    )


async def reopen(
    session: AsyncSession,
    ticket: Ticket,
    *,
    actor: Actor,
    now: datetime,
    terms: Terms,
    why: str = "",
) -> Ticket:
    """The solution did not hold: back to who solved it, or into the queue."""
    detail = {"why": clipped(why, DESCRIPTION_LIMIT)}
    return await perform(
        session, ticket, Action.REOPEN, actor=actor, now=now, terms=terms, detail=detail
    )


async def close(
    session: AsyncSession, ticket: Ticket, *, actor: Actor, now: datetime, terms: Terms
) -> Ticket:
    """The asker agreed, or let the time to object pass.

    Raises ``ReportRequired`` without a report that is owed (see ``handoff.problem_report``).
    """
    check_performer(Action.CLOSE, actor)
    next_status(Status(ticket.status), Action.CLOSE)
    events = await repository.events_of(session, ticket.id)
    if problem_report.is_required(ticket, events, terms, now):
        raise ReportRequired(ticket.number)
    return await perform(session, ticket, Action.CLOSE, actor=actor, now=now, terms=terms)


async def withdraw(
    session: AsyncSession, ticket: Ticket, *, actor: Actor, now: datetime, terms: Terms
) -> Ticket:
    """The asker does not need it any more. Counted as withdrawn, not as solved."""
    return await perform(session, ticket, Action.WITHDRAW, actor=actor, now=now, terms=terms)

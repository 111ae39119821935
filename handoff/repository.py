"""Every query on tickets, and the guarded writes of a verb.

Refuses to decide anything: verbs are in ``handoff.service``. Lists are in
``handoff.listing_repository``.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Table,
    bindparam,
    case,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from handoff.errors import StaleTicket, TicketNotFound
from handoff.lifecycle import Event, Snapshot
from handoff.similarity import rank
from handoff.tables import Ticket, TicketEvent
from handoff.ticket import FINAL_STATUSES, OPEN_STATUSES, Action, Actor, ActorKind, Level, Status
from store.vocabulary import Severity

#: Resolved tickets that are compared with a new one; older ones tell of older releases.
SIMILAR_POOL = 400
#: How far apart two tickets about one matter are opened, and how alike they read at least.
DUPLICATE_SPAN, DUPLICATE_FLOOR = timedelta(days=1), 0.3

#: Named one by one: an index serves IN, but not NOT IN.
UNFINISHED = [status.value for status in Status if status not in FINAL_STATUSES]

#: Asked for every message of a user, so written once.
_OPEN_OF = (
    select(Ticket)
    .where(Ticket.requester_id == bindparam("requester_id"), Ticket.status.in_(UNFINISHED))
    .order_by(Ticket.opened_at.desc(), Ticket.id.desc())
)

#: What every verb does, written once too: building a statement anew costs more than executing it.
_BY_NUMBER = (
    select(Ticket)
    .where(Ticket.number == bindparam("asked"))
    .execution_options(populate_existing=True)
)
_BY_ID = (
    select(Ticket).where(Ticket.id == bindparam("asked")).execution_options(populate_existing=True)
)
_NUMBER_HELD, _ID_HELD = _BY_NUMBER.with_for_update(), _BY_ID.with_for_update()
_CONVERSATION_OF = select(Ticket.conversation_id).where(Ticket.number == bindparam("asked"))
#: Columns instead of rows: a long talk has hundreds of events, and each verb reads them all.
_EVENTS_OF = (
    select(
        TicketEvent.seq,
        TicketEvent.at,
        TicketEvent.action,
        TicketEvent.actor_kind,
        TicketEvent.actor_id,
        TicketEvent.actor_name,
        TicketEvent.from_status,
        TicketEvent.to_status,
        TicketEvent.detail,
    )
    .where(TicketEvent.ticket_id == bindparam("ticket_id"))
    .order_by(TicketEvent.seq)
)
#: The tables themselves: mapped classes would take the long way of bulk statements.
_TICKETS, _EVENTS = cast(Table, Ticket.__table__), cast(Table, TicketEvent.__table__)
_ADD_EVENT = insert(_EVENTS).returning(_EVENTS.c.id)
_COMPARE_AND_SET = (
    update(_TICKETS)
    .where(
        _TICKETS.c.id == bindparam("of_id"),
        _TICKETS.c.status == bindparam("of_status"),
        _TICKETS.c.version == bindparam("of_version"),
    )
    .values({field.name: bindparam(field.name) for field in fields(Snapshot)})
    .returning(_TICKETS.c.id)
)


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """A ticket that nobody has yet."""

    ticket_id: str
    conversation_id: str | None
    severity: Severity
    due: datetime | None
    queued_at: datetime


@dataclass(frozen=True, slots=True)
class Workload:
    """How much one engineer holds, and when they were last given something."""

    assignee_id: str
    open_tickets: int
    last_assigned_at: datetime | None


async def by_number(session: AsyncSession, number: str, *, lock: bool = False) -> Ticket:
    """The ticket, as it is in the database now. Raises ``TicketNotFound``.

    ``lock`` keeps other writers out until the transaction ends (PostgreSQL; SQLite's write
    transaction already does), so that a verb on it cannot find it stale.
    """
    return await _one(session, _NUMBER_HELD if lock else _BY_NUMBER, number)


async def by_id(session: AsyncSession, ticket_id: str, *, lock: bool = False) -> Ticket:
    """``by_number`` for the id."""
    return await _one(session, _ID_HELD if lock else _BY_ID, ticket_id)


async def _one(session: AsyncSession, query: Select[Any], asked: str) -> Ticket:
    ticket: Ticket | None = await session.scalar(query, {"asked": asked})
    if ticket is None:
        raise TicketNotFound(asked)
    return ticket


async def conversation_of(session: AsyncSession, number: str) -> str | None:
    """The conversation that a ticket came from. Raises ``TicketNotFound``."""
    found = (await session.execute(_CONVERSATION_OF, {"asked": number})).one_or_none()
    if found is None:
        raise TicketNotFound(number)
    conversation_id: str | None = found[0]
    return conversation_id


async def by_ids(session: AsyncSession, ids: Collection[str]) -> dict[str, Ticket]:
    """These tickets, by id, as far as they exist."""
    if not ids:
        return {}
    query = select(Ticket).where(Ticket.id.in_(list(ids)))
    return {ticket.id: ticket for ticket in await session.scalars(query)}


async def surviving(session: AsyncSession, ticket: Ticket) -> Ticket:
    """The ticket that ``ticket`` was merged into, through any number of mergers; else itself."""
    seen = {ticket.id}
    while ticket.merged_into_id is not None and ticket.merged_into_id not in seen:
        ticket = await by_id(session, ticket.merged_into_id)
        seen.add(ticket.id)
    return ticket


async def events_of(session: AsyncSession, ticket_id: str) -> Sequence[Event]:
    """Everything done to the ticket, in order."""
    found = await session.execute(_EVENTS_OF, {"ticket_id": ticket_id})
    return [_event(row) for row in found]


def _event(row: Row[Any]) -> Event:
    return Event(
        seq=row.seq,
        at=row.at,
        action=Action(row.action),
        actor=Actor(ActorKind(row.actor_kind), row.actor_id, row.actor_name),
        from_status=Status(row.from_status) if row.from_status else None,
        to_status=Status(row.to_status),
        detail=row.detail,
    )


async def add_event(session: AsyncSession, ticket_id: str, event: Event) -> int:
    """Append one event in the caller's transaction; the row's key."""
    values = event_columns(ticket_id, event)
    row_id: int = (await session.execute(_ADD_EVENT, values)).scalar_one()
    return row_id


def event_columns(ticket_id: str, event: Event) -> dict[str, Any]:
    """The columns of an event's row."""
    return {
        "ticket_id": ticket_id,
        "seq": event.seq,
        "at": event.at,
        "action": event.action.value,
        "actor_kind": event.actor.kind.value,
        "actor_id": event.actor.id,
        "actor_name": event.actor.name,
        "from_status": event.from_status.value if event.from_status else None,
        "to_status": event.to_status.value,
        "detail": dict(event.detail),
    }


def columns_of(snapshot: Snapshot) -> dict[str, Any]:
    """The row's values of a snapshot."""
    return {
        name: value.value if isinstance(value, StrEnum) else value
        for name, value in asdict(snapshot).items()
    }


def stored(ticket: Ticket) -> dict[str, Any]:
    """What the row holds of a snapshot; equal to ``columns_of`` of its replayed events."""
    return {field.name: getattr(ticket, field.name) for field in fields(Snapshot)}


async def compare_and_set(session: AsyncSession, ticket: Ticket, snapshot: Snapshot) -> None:
    """Write ``snapshot`` if the row is still as ``ticket`` was read. Raises ``StaleTicket``.

    ``ticket`` then shows what was written.
    """
    values = columns_of(snapshot)
    read = {"of_id": ticket.id, "of_status": ticket.status, "of_version": ticket.version}
    written = await session.execute(_COMPARE_AND_SET, {**values, **read})
    if written.scalar_one_or_none() is None:
        raise StaleTicket(ticket.number)
    for name, value in values.items():
        set_committed_value(ticket, name, value)


def has_open_ticket(requester_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the person of this column has tickets that are not final, as part of a query."""
    return exists().where(Ticket.requester_id == requester_id, Ticket.status.in_(UNFINISHED))


async def open_tickets_of(session: AsyncSession, requester_id: str) -> Sequence[Ticket]:
    """The asker's tickets that are not final, newest first; resolved ones may be reopened."""
    return (await session.scalars(_OPEN_OF, {"requester_id": requester_id})).all()


async def tickets_of_conversation(session: AsyncSession, conversation_id: str) -> Sequence[Ticket]:
    """All tickets opened from one conversation, newest first."""
    query = (
        select(Ticket)
        .where(Ticket.conversation_id == conversation_id)
        .order_by(Ticket.opened_at.desc(), Ticket.id.desc())
    )
    return (await session.scalars(query)).all()


async def similar_resolved(
    session: AsyncSession, ticket: Ticket, *, limit: int = 5
) -> Sequence[tuple[Ticket, float]]:
    """Solved tickets whose title and description read most like this one's, best first.

    Looked for among the newest of the same module, or of the same category without one.
    """
    same = Ticket.module == ticket.module if ticket.module else Ticket.category == ticket.category
    query = (
        select(Ticket.id, Ticket.title, Ticket.description)
        .where(
            Ticket.status.in_([Status.RESOLVED.value, Status.CLOSED.value]),
            Ticket.solution.is_not(None),
            Ticket.id != ticket.id,
            same,
        )
        .order_by(Ticket.opened_at.desc())
        .limit(SIMILAR_POOL)
    )
    pool = (await session.execute(query)).all()
    texts = [f"{title}\n{description}" for _, title, description in pool]
    ranked = rank(f"{ticket.title}\n{ticket.description}", texts)[:limit]
    found = await by_ids(session, [pool[index].id for index, _ in ranked])
    return [(found[pool[index].id], score) for index, score in ranked]


async def possible_duplicates(
    session: AsyncSession, ticket: Ticket, *, limit: int = 3
) -> Sequence[tuple[Ticket, float]]:
    """Open tickets of the same unit or asker that may be the same matter, the likest first.

    Opened shortly before or after, about the same module where both name one, and worded alike.
    What is final, has no unit and no asker, or is linked already, proposes nothing.
    """
    theirs = [
        *([Ticket.unit == ticket.unit] if ticket.unit else []),
        *([Ticket.requester_id == ticket.requester_id] if ticket.requester_id else []),
    ]
    if not theirs or ticket.status not in UNFINISHED:
        return []
    query = select(Ticket).where(
        or_(*theirs),
        Ticket.id != ticket.id,
        Ticket.status.in_(UNFINISHED),
        Ticket.opened_at.between(
            ticket.opened_at - DUPLICATE_SPAN, ticket.opened_at + DUPLICATE_SPAN
        ),
        *([or_(Ticket.module == ticket.module, Ticket.module.is_(None))] if ticket.module else []),
    )
    pool = (await session.scalars(query.limit(SIMILAR_POOL))).all()
    known = {event.detail.get("other_id") for event in await events_of(session, ticket.id)}
    pool = [one for one in pool if one.id not in known]
    texts = [f"{one.title}\n{one.description}" for one in pool]
    ranked = rank(f"{ticket.title}\n{ticket.description}", texts)
    return [(pool[at], score) for at, score in ranked if score >= DUPLICATE_FLOOR][:limit]


async def queue(
    session: AsyncSession, *, level: Level, regions: Collection[str] = ()
) -> Sequence[QueueEntry]:
    """Tickets of a level that wait for somebody to take them, in no order (see ``routing``)."""
    query = select(
        Ticket.id, Ticket.conversation_id, Ticket.severity, Ticket.next_due, Ticket.queued_at
    ).where(
        Ticket.status.in_([Status.NEW.value, Status.DISPATCHED.value]),
        Ticket.level == level.value,
        Ticket.queued_at.is_not(None),
        *([Ticket.region.in_(list(regions))] if regions else []),
    )
    return [
        QueueEntry(ticket_id, conversation_id, Severity(severity), due, queued_at)
        for ticket_id, conversation_id, severity, due, queued_at in await session.execute(query)
        if queued_at is not None
    ]


async def claims_since(
    session: AsyncSession, since: datetime, *, level: Level, regions: Collection[str] = ()
) -> Sequence[datetime]:
    """When engineers began with tickets of a level, in order."""
    query = (
        select(TicketEvent.at)
        .join(Ticket, Ticket.id == TicketEvent.ticket_id)
        .where(
            TicketEvent.action == Action.CLAIM.value,
            TicketEvent.at >= since,
            Ticket.level == level.value,
            *([Ticket.region.in_(list(regions))] if regions else []),
        )
        .order_by(TicketEvent.at)
    )
    return (await session.scalars(query)).all()


async def workloads(session: AsyncSession, since: datetime) -> dict[str, Workload]:
    """Engineers with open tickets, or who were given one after ``since``."""
    is_open = Ticket.status.in_([status.value for status in OPEN_STATUSES])
    query = (
        select(
            Ticket.assignee_id,
            func.sum(case((is_open, 1), else_=0)),
            func.max(Ticket.assigned_at),
        )
        .where(Ticket.assignee_id.is_not(None), or_(is_open, Ticket.assigned_at >= since))
        .group_by(Ticket.assignee_id)
    )
    rows = await session.execute(query)
    return {
        assignee: Workload(assignee, int(count), last)
        for assignee, count, last in rows
        if assignee is not None
    }


async def hand_to_requester(
    session: AsyncSession, conversation_id: str, before: str, after: str
) -> None:
    """Tickets of a conversation are another person's from now on."""
    statement = update(Ticket).where(
        Ticket.conversation_id == conversation_id, Ticket.requester_id == before
    )
    await session.execute(statement.values(requester_id=after))

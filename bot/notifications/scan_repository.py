"""Queries for news of tickets: what was done to them, and for whom silence lasts too long."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.tables import Audience, Conversation, Message, Owner, Sender
from handoff.incident_tables import Incident, IncidentEvent
from handoff.repository import UNFINISHED
from handoff.tables import Ticket, TicketEvent
from handoff.ticket import OPEN_STATUSES, Status

#: Statuses in which somebody still has to take the ticket.
UNTAKEN = (Status.NEW.value, Status.DISPATCHED.value)


async def newest_event(session: AsyncSession) -> int:
    """The highest id of what was done to tickets."""
    return (await session.scalar(select(func.max(TicketEvent.id)))) or 0


async def event_ids(session: AsyncSession, after: int, limit: int) -> Sequence[int]:
    """Ids beyond ``after``, in order."""
    query = select(TicketEvent.id).where(TicketEvent.id > after).order_by(TicketEvent.id)
    return (await session.scalars(query.limit(limit))).all()


async def events(
    session: AsyncSession, ids: Collection[int]
) -> Sequence[tuple[TicketEvent, Ticket]]:
    """What was done, with the tickets as they are now, in order."""
    query = (
        select(TicketEvent, Ticket)
        .join(Ticket, Ticket.id == TicketEvent.ticket_id)
        .where(TicketEvent.id.in_(list(ids)))
        .order_by(TicketEvent.id)
    )
    return [(event, ticket) for event, ticket in await session.execute(query)]


async def newest_incident_event(session: AsyncSession) -> int:
    """The highest id of what was done to incidents."""
    return (await session.scalar(select(func.max(IncidentEvent.id)))) or 0


async def incident_event_ids(session: AsyncSession, after: int, limit: int) -> Sequence[int]:
    """Ids beyond ``after``, in order."""
    query = select(IncidentEvent.id).where(IncidentEvent.id > after).order_by(IncidentEvent.id)
    return (await session.scalars(query.limit(limit))).all()


async def incident_events(
    session: AsyncSession, ids: Collection[int]
) -> Sequence[tuple[IncidentEvent, Incident]]:
    """What was done, with the incidents as they are now, in order."""
    query = (
        select(IncidentEvent, Incident)
        .join(Incident, Incident.id == IncidentEvent.incident_id)
        .where(IncidentEvent.id.in_(list(ids)))
        .order_by(IncidentEvent.id)
    )
    return [(event, incident) for event, incident in await session.execute(query)]


async def severity_before(session: AsyncSession, event: TicketEvent) -> str:
    """The ticket's severity before this event; empty when none is recorded."""
    query = (
        select(TicketEvent.detail)
        .where(TicketEvent.ticket_id == event.ticket_id, TicketEvent.seq < event.seq)
        .order_by(TicketEvent.seq.desc())
    )
    details = (await session.scalars(query)).all()
    return next((str(one["severity"]) for one in details if one.get("severity")), "")


async def running(session: AsyncSession) -> Sequence[tuple[str, int, str]]:
    """Id, version and terms of every ticket with a deadline that runs."""
    query = select(Ticket.id, Ticket.version, Ticket.sla_revision).where(
        Ticket.status.in_(UNFINISHED), Ticket.next_due.is_not(None)
    )
    return [(ticket, version, terms) for ticket, version, terms in await session.execute(query)]


async def untaken(session: AsyncSession, before: datetime, after: datetime) -> Sequence[Ticket]:
    """Tickets that wait for somebody to take them since a moment in between."""
    query = select(Ticket).where(
        Ticket.status.in_(UNTAKEN), Ticket.queued_at <= before, Ticket.queued_at > after
    )
    return (await session.scalars(query.limit(200))).all()


async def unanswered(
    session: AsyncSession, before: datetime, after: datetime
) -> Sequence[tuple[Ticket, Message]]:
    """Tickets in an engineer's hands whose asker wrote last, at a moment in between.

    With the first message that is unanswered.
    """
    later = aliased(Message)
    last_said = (
        select(func.coalesce(func.max(later.seq), 0))
        .where(
            later.conversation_id == Message.conversation_id,
            later.sender == Sender.ENGINEER.value,
            later.audience == Audience.ALL.value,
        )
        .scalar_subquery()
    )
    earlier = aliased(Message)
    is_first = ~(
        select(earlier.id)
        .where(
            earlier.conversation_id == Message.conversation_id,
            earlier.sender == Sender.USER.value,
            earlier.seq < Message.seq,
            earlier.seq > last_said,
        )
        .exists()
    )
    query = (
        select(Ticket, Message)
        .join(Conversation, Conversation.ticket_id == Ticket.id)
        .join(
            Message,
            and_(Message.conversation_id == Conversation.id, Message.sender == Sender.USER.value),
        )
        .where(
            Conversation.owner == Owner.ENGINEER.value,
            Ticket.status.in_([status.value for status in OPEN_STATUSES]),
            # Whoever takes a ticket has as long from then on.
            Message.created_at <= before,
            Ticket.assigned_at <= before,
            or_(Message.created_at > after, Ticket.assigned_at > after),
            Message.seq > last_said,
            is_first,
        )
        .limit(200)
    )
    return [(ticket, message) for ticket, message in await session.execute(query)]

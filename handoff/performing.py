"""How every verb is performed: checked, guarded, written, told.

One compare-and-set of the row on status and version, one immutable event, one audit entry and one
outbox row, all in the caller's transaction. The row is replayed from the whole history each time,
so it cannot drift from its events. Refuses to know what a verb means.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from handoff import repository, ticket_words
from handoff.contract import Terms
from handoff.errors import NotHolder, StaleTicket
from handoff.lifecycle import Event, replay
from handoff.tables import Ticket
from handoff.ticket import (
    HOLDER_ACTIONS,
    VISIBLE_TO_USER,
    Action,
    Actor,
    ActorKind,
    Status,
    check_performer,
    next_status,
)
from store import audit, outbox

#: The kind of every outbox row this package writes.
OUTBOX_KIND = "ticket_event"

#: What of an event's detail goes to the audit trail: identifiers, never people's words.
_AUDITED = frozenset(
    {
        "severity",
        "category",
        "module",
        "level",
        "region",
        "contract",
        "calendar",
        "revision",
        "assignee_id",
        "reason",
        "into",
        "merged_from",
        "other",
        "relation",
        "order_kind",
        "order_status",
        "external_number",
    }
)


async def perform(
    session: AsyncSession,
    ticket: Ticket,
    action: Action,
    *,
    actor: Actor,
    now: datetime,
    terms: Terms,
    detail: Mapping[str, Any] | None = None,
) -> Ticket:
    """Do ``action`` to the ticket as it was read; ``ticket`` then shows what was written.

    Raises ``NotPermitted``, ``IllegalTransition``, ``NotHolder`` or ``StaleTicket``, and has then
    written nothing.
    """
    status = Status(ticket.status)
    check_performer(action, actor)
    to_status = next_status(status, action)
    _check_holder(ticket, action, actor)
    history = await repository.events_of(session, ticket.id)
    if len(history) != ticket.version:
        raise StaleTicket(ticket.number)
    event = Event(
        seq=ticket.version + 1,
        # Clocks of two machines differ a little; a history in which time runs back is worse.
        at=max(now, ticket.updated_at),
        action=action,
        actor=actor,
        from_status=status,
        to_status=to_status,
        detail=dict(detail or {}),
    )
    await repository.compare_and_set(session, ticket, replay([*history, event], terms))
    await publish(session, ticket, event)
    return ticket


def _check_holder(ticket: Ticket, action: Action, actor: Actor) -> None:
    if actor.kind is not ActorKind.ENGINEER or action not in HOLDER_ACTIONS:
        return
    if ticket.assignee_id != actor.id:
        raise NotHolder(ticket.number, action, ticket.assignee_id)


async def publish(session: AsyncSession, ticket: Ticket, event: Event) -> None:
    """Write the event, its audit entry, and its outbox row.

    What the asker learns about leaves in the order of their conversation; what stays among the
    staff waits for nothing.
    """
    row_id = await repository.add_event(session, ticket.id, event)
    words = ticket_words.text_of(ticket, event.action, event.detail)
    await ticket_words.INDEX.add(session, row_id, words)
    audited = {key: value for key, value in event.detail.items() if key in _AUDITED}
    await audit.record(
        session,
        actor=event.actor.reference,
        action=f"ticket.{event.action}",
        subject=f"ticket:{ticket.number}",
        detail={"seq": event.seq, "from": event.from_status, "to": event.to_status, **audited},
        now=event.at,
    )
    visible = event.action in VISIBLE_TO_USER
    await outbox.enqueue(
        session,
        kind=OUTBOX_KIND,
        payload=_payload(ticket, event),
        dedupe_key=f"ticket_event:{ticket.id}:{event.seq}",
        conversation_id=ticket.conversation_id if visible else None,
        available_at=event.at,
    )


def _payload(ticket: Ticket, event: Event) -> dict[str, Any]:
    return {
        "ticket_id": ticket.id,
        "number": ticket.number,
        "seq": event.seq,
        "action": event.action.value,
        "status": event.to_status.value,
        "severity": ticket.severity,
        "level": ticket.level,
        "region": ticket.region,
        "assignee_id": ticket.assignee_id,
        "conversation_id": ticket.conversation_id,
        "actor_kind": event.actor.kind.value,
        "actor_id": event.actor.id,
        "visible": event.action in VISIBLE_TO_USER,
    }

"""How every verb on an incident is performed: checked, guarded, written, told.

One compare-and-set of the row on its version, one immutable event, one audit entry and one outbox
row, all in the caller's transaction. Refuses to know what a verb means.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from handoff import incident_repository as rows
from handoff.incident import IncidentAction, IncidentStatus, check_performer, next_status
from handoff.incident_tables import Incident, IncidentEvent
from handoff.ticket import Actor
from store import audit, outbox

#: The kind of the outbox row that every verb writes.
OUTBOX_KIND = "incident_event"


@dataclass(frozen=True, slots=True)
class Doing:
    """Who does something, when, in which transaction."""

    session: AsyncSession
    actor: Actor
    now: datetime


async def perform(
    doing: Doing,
    incident: Incident,
    action: IncidentAction,
    *,
    detail: Mapping[str, Any],
    **changes: Any,
) -> Incident:
    """Do ``action``; ``changes`` are further columns. Writes nothing when it refuses.

    Raises ``NotPermitted``, ``IllegalTransition`` or ``StaleIncident``.
    """
    check_performer(action, doing.actor)
    before = IncidentStatus(incident.status)
    values = {
        "status": next_status(before, action).value,
        "version": incident.version + 1,
        # Clocks of two machines differ a little; a history in which time runs back is worse.
        "updated_at": max(doing.now, incident.updated_at),
        **changes,
    }
    await rows.compare_and_set(doing.session, incident, values)
    await publish(doing, incident, action, before, detail)
    return incident


async def publish(
    doing: Doing,
    incident: Incident,
    action: IncidentAction,
    before: IncidentStatus | None,
    detail: Mapping[str, Any],
) -> None:
    """Write the event, its audit entry and its outbox row."""
    event = IncidentEvent(
        incident_id=incident.id,
        seq=incident.version,
        at=incident.updated_at,
        action=action.value,
        actor_kind=doing.actor.kind.value,
        actor_id=doing.actor.id,
        actor_name=doing.actor.name,
        from_status=before.value if before else None,
        to_status=incident.status,
        detail=dict(detail),
    )
    doing.session.add(event)
    await doing.session.flush()
    await audit.record(
        doing.session,
        actor=doing.actor.reference,
        action=f"incident.{action}",
        subject=f"incident:{incident.number}",
        detail={"seq": event.seq, "from": event.from_status, "to": event.to_status},
        now=event.at,
    )
    await outbox.enqueue(
        doing.session,
        kind=OUTBOX_KIND,
        payload={"incident_id": incident.id, "seq": event.seq, "action": action.value},
        dedupe_key=f"{OUTBOX_KIND}:{incident.id}:{event.seq}",
        # Decisions about one incident leave in their order, as messages of a conversation do.
        conversation_id=incident.id,
        available_at=event.at,
    )

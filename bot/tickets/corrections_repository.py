"""Which tickets engineers have rated or classified anew, with what they settled on."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.tables import Ticket, TicketEvent
from handoff.ticket import Action, ActorKind, Status

#: The newest ones say most about how people tell of things now.
MOST = 5_000
_OVER = (Status.RESOLVED.value, Status.CLOSED.value)


@dataclass(frozen=True, slots=True)
class Corrected:
    """What an asker told, and what the ticket was in the end."""

    told: str
    severity: str
    category: str


async def corrected(
    session: AsyncSession, action: Action, *, limit: int = MOST
) -> Sequence[Corrected]:
    """Tickets that are over and on which an engineer has done this, the newest first."""
    by_engineers = (
        select(TicketEvent.id)
        .where(
            TicketEvent.ticket_id == Ticket.id,
            TicketEvent.action == action.value,
            TicketEvent.actor_kind == ActorKind.ENGINEER.value,
        )
        .exists()
    )
    query = (
        select(Ticket.description, Ticket.severity, Ticket.category)
        .where(Ticket.status.in_(_OVER), by_engineers)
        .order_by(Ticket.opened_at.desc(), Ticket.id.desc())
        .limit(limit)
    )
    return [Corrected(*row) for row in await session.execute(query)]

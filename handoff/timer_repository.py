"""Tickets that the clock asks for: old terms, silent confirmation, appointments."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.repository import UNFINISHED
from handoff.tables import Ticket
from handoff.ticket import Status
from store.vocabulary import Severity


async def outdated(
    session: AsyncSession, revisions: dict[str, str], *, limit: int = 200
) -> Sequence[Ticket]:
    """Unfinished tickets whose deadlines were reckoned under other terms than are loaded now."""
    changed = [
        and_(Ticket.contract_id == contract, Ticket.sla_revision != revision)
        for contract, revision in revisions.items()
    ]
    query = (
        select(Ticket)
        .where(Ticket.status.in_(UNFINISHED), or_(*changed))
        .order_by(Ticket.id)
        .limit(limit)
    )
    return (await session.scalars(query)).all() if changed else []


async def unconfirmed(
    session: AsyncSession, now: datetime, *, limit: int = 200
) -> Sequence[Ticket]:
    """Resolved tickets whose asker let the time to object pass."""
    query = (
        select(Ticket)
        .where(
            Ticket.status == Status.RESOLVED.value,
            Ticket.confirm_until <= now,
            # A 重大 ticket waits for its report, however long the asker is silent.
            or_(Ticket.severity != Severity.MAJOR.value, Ticket.reported_at.is_not(None)),
        )
        .order_by(Ticket.confirm_until)
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def appointments(
    session: AsyncSession, now: datetime, *, limit: int = 200
) -> Sequence[Ticket]:
    """Suspended tickets whose agreed time has come."""
    query = (
        select(Ticket)
        .where(Ticket.status == Status.SUSPENDED.value, Ticket.resume_at <= now)
        .order_by(Ticket.resume_at)
        .limit(limit)
    )
    return (await session.scalars(query)).all()

"""Every query on incidents, and the guarded writes of a verb.

Refuses to decide anything: verbs are in ``handoff.incident_service``.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, case, exists, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from handoff.errors import IncidentNotFound, StaleIncident
from handoff.incident import TAKING, IncidentStatus
from handoff.incident_tables import (
    Incident,
    IncidentAsker,
    IncidentEvent,
    IncidentMeasure,
    IncidentTicket,
)
from handoff.tables import Ticket
from handoff.ticket import OPEN_STATUSES, Status
from store.vocabulary import Category

#: Names the lock under which proposals are made, one at a time, on PostgreSQL.
_PROPOSING = 4_177_001
_OPEN_TICKETS = [status.value for status in OPEN_STATUSES]
_TAKING = [status.value for status in TAKING]


@dataclass(frozen=True, slots=True)
class Member:
    """A ticket and how it belongs to its incident."""

    ticket: Ticket
    membership: IncidentTicket


@dataclass(frozen=True, slots=True)
class Reach:
    """How far an incident reaches now."""

    tickets: int = 0
    open_tickets: int = 0
    units: int = 0
    users: int = 0
    regions: tuple[str, ...] = ()


async def propose_alone(session: AsyncSession) -> None:
    """Nobody else proposes until this transaction ends: two would propose the same twice.

    SQLite has one writer at a time anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _PROPOSING})


async def by_number(session: AsyncSession, number: str, *, lock: bool = False) -> Incident:
    """The incident as it is now. Raises ``IncidentNotFound``."""
    return await _one(session, Incident.number == number, number, lock)


async def by_id(session: AsyncSession, incident_id: str, *, lock: bool = False) -> Incident:
    """``by_number`` for the id."""
    return await _one(session, Incident.id == incident_id, incident_id, lock)


async def _one(
    session: AsyncSession, condition: ColumnElement[bool], asked: str, lock: bool
) -> Incident:
    query = select(Incident).where(condition).execution_options(populate_existing=True)
    found = await session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise IncidentNotFound(asked)
    return found


async def compare_and_set(
    session: AsyncSession, incident: Incident, values: dict[str, Any]
) -> None:
    """Write ``values`` if the row is still as it was read. Raises ``StaleIncident``."""
    statement = (
        update(Incident)
        .where(Incident.id == incident.id, Incident.version == incident.version)
        .values(**values)
        .returning(Incident.id)
        .execution_options(synchronize_session=False)
    )
    if (await session.execute(statement)).scalar_one_or_none() is None:
        raise StaleIncident(incident.number)
    for name, value in values.items():
        set_committed_value(incident, name, value)


async def events_of(session: AsyncSession, incident_id: str) -> Sequence[IncidentEvent]:
    """Everything done to the incident, in order."""
    query = (
        select(IncidentEvent)
        .where(IncidentEvent.incident_id == incident_id)
        .order_by(IncidentEvent.seq)
    )
    return (await session.scalars(query)).all()


async def event_at(session: AsyncSession, incident_id: str, seq: int) -> IncidentEvent | None:
    """One event."""
    query = select(IncidentEvent).where(
        IncidentEvent.incident_id == incident_id, IncidentEvent.seq == seq
    )
    return (await session.scalars(query)).one_or_none()


async def with_status(
    session: AsyncSession, statuses: Collection[IncidentStatus], *, limit: int = 100
) -> Sequence[Incident]:
    """Incidents in one of these statuses, what changed last first."""
    query = (
        select(Incident)
        .where(Incident.status.in_([status.value for status in statuses]))
        .order_by(Incident.updated_at.desc(), Incident.id.desc())
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def mark(session: AsyncSession) -> tuple[int, int]:
    """Changes with every verb on any incident: how many there are, and all their events."""
    query = select(func.count(), func.coalesce(func.sum(Incident.version), 0))
    count, versions = (await session.execute(query)).one()
    return int(count), int(versions)


async def members(
    session: AsyncSession, incident_id: str, *, newest: int = 0, detached: bool = False
) -> list[Member]:
    """Its tickets, oldest first; the ``newest`` first when so many are asked for."""
    query = (
        select(Ticket, IncidentTicket)
        .join(IncidentTicket, IncidentTicket.ticket_id == Ticket.id)
        .where(IncidentTicket.incident_id == incident_id)
    )
    if not detached:
        query = query.where(IncidentTicket.detached_at.is_(None))
    if newest:
        query = query.order_by(Ticket.opened_at.desc(), Ticket.id.desc()).limit(newest)
    else:
        query = query.order_by(Ticket.opened_at, Ticket.id)
    return [Member(ticket, own) for ticket, own in await session.execute(query)]


async def membership(
    session: AsyncSession, incident_id: str, ticket_id: str
) -> IncidentTicket | None:
    """How a ticket belongs or belonged to the incident."""
    return await session.get(IncidentTicket, (incident_id, ticket_id), populate_existing=True)


async def living_of(session: AsyncSession, ticket_id: str) -> Incident | None:
    """The incident, neither rejected nor over, that the ticket belongs to."""
    query = (
        select(Incident)
        .join(IncidentTicket, IncidentTicket.incident_id == Incident.id)
        .where(
            IncidentTicket.ticket_id == ticket_id,
            IncidentTicket.detached_at.is_(None),
            Incident.status.in_(_TAKING),
        )
        .limit(1)
    )
    return (await session.scalars(query)).one_or_none()


async def latest_of(session: AsyncSession, ticket_id: str) -> Incident | None:
    """The newest incident that the ticket belongs to, over or not; rejected ones are none."""
    query = (
        select(Incident)
        .join(IncidentTicket, IncidentTicket.incident_id == Incident.id)
        .where(
            IncidentTicket.ticket_id == ticket_id,
            IncidentTicket.detached_at.is_(None),
            Incident.status != IncidentStatus.REJECTED.value,
        )
        .order_by(Incident.id.desc())
        .limit(1)
    )
    return (await session.scalars(query)).one_or_none()


async def loose_tickets(
    session: AsyncSession,
    *,
    categories: Collection[Category],
    since: datetime,
    but: str,
    limit: int,
) -> Sequence[Ticket]:
    """The newest tickets that no incident has claimed, a rejected one included, but not ``but``."""
    claimed = exists().where(
        IncidentTicket.ticket_id == Ticket.id, IncidentTicket.detached_at.is_(None)
    )
    query = (
        select(Ticket)
        .where(
            Ticket.opened_at >= since,
            Ticket.category.in_([category.value for category in categories]),
            Ticket.status != Status.MERGED.value,
            Ticket.id != but,
            ~claimed,
        )
        .order_by(Ticket.opened_at.desc())
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def reaches(session: AsyncSession, ids: Collection[str]) -> dict[str, Reach]:
    """How far each of these incidents reaches: its tickets, and who only asked about it.

    A unit that nobody named counts by its asker.
    """
    if not ids:
        return {}
    counted = await _counted(session, ids)
    seen: dict[str, set[tuple[str, str, str]]] = {one: set() for one in ids}
    for incident_id, *who in await session.execute(_concerned(ids)):
        seen[incident_id].add((who[0], who[1], who[2]))
    return {
        incident_id: Reach(
            tickets=counted.get(incident_id, (0, 0))[0],
            open_tickets=counted.get(incident_id, (0, 0))[1],
            units=len({reporter for reporter, _, _ in people}),
            users=len({user for _, user, _ in people if user}),
            regions=tuple(sorted({region for _, _, region in people if region})),
        )
        for incident_id, people in seen.items()
    }


async def _counted(session: AsyncSession, ids: Collection[str]) -> dict[str, tuple[int, int]]:
    query = (
        select(
            IncidentTicket.incident_id,
            func.count(),
            func.sum(case((Ticket.status.in_(_OPEN_TICKETS), 1), else_=0)),
        )
        .join(Ticket, Ticket.id == IncidentTicket.ticket_id)
        .where(IncidentTicket.incident_id.in_(ids), IncidentTicket.detached_at.is_(None))
        .group_by(IncidentTicket.incident_id)
    )
    rows = await session.execute(query)
    return {incident_id: (int(count), int(opened)) for incident_id, count, opened in rows}


def _concerned(ids: Collection[str]) -> CompoundSelect[str, Any, str, str]:
    by_ticket = (
        select(
            IncidentTicket.incident_id,
            func.coalesce(func.nullif(Ticket.unit, ""), Ticket.requester_id, Ticket.id),
            func.coalesce(Ticket.requester_id, ""),
            Ticket.region,
        )
        .join(Ticket, Ticket.id == IncidentTicket.ticket_id)
        .where(IncidentTicket.incident_id.in_(ids), IncidentTicket.detached_at.is_(None))
    )
    by_asking = select(
        IncidentAsker.incident_id,
        func.coalesce(func.nullif(IncidentAsker.unit, ""), IncidentAsker.user_id),
        IncidentAsker.user_id,
        IncidentAsker.region,
    ).where(IncidentAsker.incident_id.in_(ids))
    return by_ticket.union(by_asking)


async def asked(
    session: AsyncSession, incident_id: str, conversation_id: str
) -> IncidentAsker | None:
    """What is known of a conversation that was told of the incident."""
    return await session.get(IncidentAsker, (incident_id, conversation_id), populate_existing=True)


async def followers(session: AsyncSession, incident_id: str) -> Sequence[str]:
    """Conversations that want to hear of its end, who asked first first."""
    query = (
        select(IncidentAsker.conversation_id)
        .where(IncidentAsker.incident_id == incident_id, IncidentAsker.follows.is_(True))
        .order_by(IncidentAsker.at, IncidentAsker.conversation_id)
    )
    return (await session.scalars(query)).all()


async def measures(session: AsyncSession, incident_id: str) -> Sequence[IncidentMeasure]:
    """What is to be done, what is due first first."""
    query = (
        select(IncidentMeasure)
        .where(IncidentMeasure.incident_id == incident_id)
        .order_by(IncidentMeasure.due, IncidentMeasure.id)
    )
    return (await session.scalars(query)).all()


async def measure(session: AsyncSession, incident_id: str, measure_id: str) -> IncidentMeasure:
    """One measure of the incident. Raises ``IncidentNotFound``."""
    found = await session.get(IncidentMeasure, measure_id, populate_existing=True)
    if found is None or found.incident_id != incident_id:
        raise IncidentNotFound(measure_id)
    return found


async def owed_measures(
    session: AsyncSession, *, limit: int = 100
) -> list[tuple[IncidentMeasure, str]]:
    """Measures not done, with the numbers of their incidents, what is due first first."""
    query = (
        select(IncidentMeasure, Incident.number)
        .join(Incident, Incident.id == IncidentMeasure.incident_id)
        .where(IncidentMeasure.done_at.is_(None))
        .order_by(IncidentMeasure.due, IncidentMeasure.id)
        .limit(limit)
    )
    return [(row, number) for row, number in await session.execute(query)]

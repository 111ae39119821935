"""Looks at every new ticket: does it tell of a known fault, or do several make a new one?

Called for each opening from the outbox, so no opening is missed and a repeated call changes
nothing. Reads and compares outside any transaction, then looks again inside one. Refuses to
confirm anything: machines propose.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.incidents.gathering import INCIDENT, Gathering
from bot.incidents.likeness import MOST_CHARS, Readings, alike, matter_of
from handoff import incident_repository as incidents
from handoff import incident_service
from handoff import repository as tickets
from handoff.errors import AttachRefused, IllegalTransition
from handoff.incident import TAKING, Belonging, proposed_severity
from handoff.incident_matching import (
    Evidence,
    Symptom,
    codes_in,
    compare,
    needed,
    reporter_of,
    weigh,
)
from handoff.incident_rules import IncidentRules
from handoff.incident_service import Doing, NewIncident
from handoff.incident_tables import Incident
from handoff.tables import Ticket
from store.session import Database
from store.vocabulary import Category, Severity

log = structlog.get_logger("bot.incidents")

#: Loose tickets that a new one is compared with, and members that speak for an incident.
POOL, SPEAKERS = 120, 8
#: Incidents that may take a ticket in.
LIVING = 20


@dataclass(frozen=True, slots=True)
class _Voices:
    """An incident and the tickets that speak for it."""

    incident: Incident
    tickets: Sequence[Ticket]


@dataclass(frozen=True, slots=True)
class _Compared:
    """What was found out about a new ticket before the transaction."""

    joins: tuple[str, float] | None
    evidence: Evidence | None


@dataclass(frozen=True, slots=True)
class IncidentWatch:
    """Proposes incidents and lets tickets join them."""

    database: Database
    rules: IncidentRules
    gathering: Gathering
    readings: Readings
    clock: Clock

    async def consider(self, ticket_id: str) -> None:
        """A ticket was opened."""
        async with self.database.reading() as session:
            ticket = await tickets.by_id(session, ticket_id)
            if Category(ticket.category) not in self.rules.categories:
                return
            if await incidents.living_of(session, ticket_id) is not None:
                return
            living = await _living(session)
            loose = await incidents.loose_tickets(
                session,
                categories=self.rules.categories,
                since=ticket.opened_at - self.rules.widest(),
                but=ticket_id,
                limit=POOL,
            )
        if not living and not loose:
            return
        now = self.clock()
        compared = await asyncio.to_thread(self._compare, ticket, living, loose, now)
        if compared.joins is not None or compared.evidence is not None:
            await self._act(ticket_id, compared, now)

    def _compare(
        self, ticket: Ticket, living: Sequence[_Voices], loose: Sequence[Ticket], now: datetime
    ) -> _Compared:
        """Readings are made for all at once; then the living come before a new proposal."""
        voices = [voice for one in living for voice in one.tickets]
        texts = [matter_of(one) for one in (ticket, *voices, *loose)]
        titles = [one.incident.title[:MOST_CHARS] for one in living]
        first, *others = self.readings.of([*texts, *titles], now)
        scores = alike(first, others)
        numbers = self.rules.at(ticket.module, ticket.opened_at)
        symptom = symptom_of(ticket)
        joins = _joins(symptom, living, scores, alike=numbers.alike)
        own = scores[len(voices) : len(voices) + len(loose)]
        matches = compare(symptom, [symptom_of(one) for one in loose], own, alike=numbers.alike)
        return _Compared(joins, weigh(symptom, matches, numbers))

    async def _act(self, ticket_id: str, compared: _Compared, now: datetime) -> None:
        async with self.database.transaction() as session:
            await incidents.propose_alone(session)
            ticket = await tickets.by_id(session, ticket_id, lock=True)
            if await incidents.living_of(session, ticket_id) is not None:
                return
            doing = Doing(session, INCIDENT, now)
            if compared.joins is not None and await self._join(doing, ticket, *compared.joins):
                return
            if compared.evidence is not None:
                await self._propose(doing, ticket, compared.evidence)

    async def _join(self, doing: Doing, ticket: Ticket, incident_id: str, likeness: float) -> bool:
        incident = await incidents.by_id(doing.session, incident_id, lock=True)
        try:
            await self.gathering.attach(
                doing, incident, ticket, belonging=Belonging.ALIKE, likeness=likeness
            )
        except (AttachRefused, IllegalTransition):
            # A person took it out, or ended the incident meanwhile: their word counts.
            return False
        log.info("incident_joined", incident=incident.number, ticket=ticket.number)
        return True

    async def _propose(self, doing: Doing, ticket: Ticket, found: Evidence) -> None:
        """Propose on what is still loose: another ticket may have been claimed meanwhile."""
        still = [match for match in found.matches if await _is_loose(doing.session, match.symptom)]
        evidence = weigh(found.first, still, found.numbers)
        if evidence is None:
            return
        rated = [await tickets.by_id(doing.session, one.ticket_id) for one in evidence.symptoms]
        severity = proposed_severity(
            tuple(Severity(one.severity) for one in rated),
            units=evidence.units,
            urgent_from=evidence.numbers.urgent_units,
            major_from=evidence.numbers.major_units,
        )
        oldest = min(rated, key=lambda one: one.opened_at)
        new = NewIncident(oldest.title, severity, _module(rated, ticket), evidence.code)
        zone = self.rules.zone
        incident = await incident_service.propose(doing, new, evidence, zone=zone)
        log.info("incident_proposed", incident=incident.number, units=evidence.units)


async def _living(session: AsyncSession) -> list[_Voices]:
    found = await incidents.with_status(session, TAKING, limit=LIVING)
    return [
        _Voices(
            incident,
            [one.ticket for one in await incidents.members(session, incident.id, newest=SPEAKERS)],
        )
        for incident in found
    ]


def _joins(
    symptom: Symptom, living: Sequence[_Voices], scores: Sequence[float], *, alike: float
) -> tuple[str, float] | None:
    """The incident that the ticket tells of, and how alike it reads; the closest one."""
    found: list[tuple[float, str]] = []
    titles = scores[len(scores) - len(living) :]
    place = 0
    for one, title in zip(living, titles, strict=True):
        own = scores[place : place + len(one.tickets)]
        place += len(one.tickets)
        matches = compare(symptom, [symptom_of(t) for t in one.tickets], own, alike=alike)
        best = max((match.likeness for match in matches), default=0.0)
        if title >= needed(alike, symptom.module, one.incident.module):
            best = max(best, round(title, 3))
        if one.incident.code and one.incident.code in symptom.codes:
            best = 1.0
        if best:
            found.append((best, one.incident.id))
    return (max(found)[1], max(found)[0]) if found else None


async def _is_loose(session: AsyncSession, symptom: Symptom) -> bool:
    return await incidents.living_of(session, symptom.ticket_id) is None


def _module(rated: Sequence[Ticket], newest: Ticket) -> str | None:
    """What most of them name."""
    named = [one.module for one in rated if one.module]
    return max(named, key=named.count) if named else newest.module


def symptom_of(ticket: Ticket) -> Symptom:
    """A ticket as matching sees it."""
    return Symptom(
        ticket_id=ticket.id,
        number=ticket.number,
        reporter=reporter_of(ticket.unit, ticket.requester_id, ticket.id),
        unit=ticket.unit,
        region=ticket.region,
        module=ticket.module,
        codes=codes_in(ticket.description),
        opened_at=ticket.opened_at,
    )

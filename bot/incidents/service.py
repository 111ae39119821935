"""What staff reads of incidents and decides about them, within the account's scope.

Each verb is one transaction. ``expected`` is the version that the caller has seen: a decision by
a person after it refuses the verb; tickets that joined by themselves do not. Refuses to tell
users anything: the outbox does.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.accounts.service import DESK_ROLES, READING_ROLES, Principal
from bot.clock import Clock
from bot.conversations.live import STAFF, Live
from bot.incidents.gathering import Gathering
from bot.masking import mask
from bot.tickets.work import in_scope, visible_ticket
from handoff import incident_repository as rows
from handoff import incident_service as service
from handoff import repository as tickets
from handoff.errors import IncidentNotFound, StaleIncident
from handoff.incident import Belonging, IncidentStatus, PublicWords, proposed_severity
from handoff.incident_repository import Member, Reach
from handoff.incident_rules import IncidentRules
from handoff.incident_service import Doing, NewIncident
from handoff.incident_tables import Incident, IncidentEvent, IncidentMeasure
from handoff.problem_report import ProblemReport
from handoff.tables import Ticket
from handoff.ticket import Actor, ActorKind
from store.session import Database
from store.vocabulary import Severity


@dataclass(frozen=True, slots=True)
class Listed:
    """An incident in a list."""

    incident: Incident
    reach: Reach


@dataclass(frozen=True, slots=True)
class Opened:
    """One incident with everything its page shows; ``hidden`` tickets are outside the scope."""

    incident: Incident
    reach: Reach
    members: Sequence[Member]
    hidden: int
    events: Sequence[IncidentEvent]
    measures: Sequence[IncidentMeasure]
    followers: int
    severity: Severity


@dataclass(frozen=True, slots=True)
class Incidents:
    """Lists, one incident, and its verbs."""

    database: Database
    rules: IncidentRules
    gathering: Gathering
    live: Live
    clock: Clock

    async def listed(
        self, staff: Principal, statuses: Sequence[IncidentStatus], *, limit: int = 100
    ) -> list[Listed]:
        """Incidents of these statuses that the account may see, what changed last first."""
        staff.require(*READING_ROLES)
        async with self.database.reading() as session:
            found = await rows.with_status(session, statuses, limit=limit)
            reaches = await rows.reaches(session, [one.id for one in found])
        listed = [Listed(one, reaches.get(one.id, Reach())) for one in found]
        return [one for one in listed if _covers(staff, one.incident, one.reach)]

    async def opened(self, staff: Principal, number: str) -> Opened:
        """One incident. Raises ``IncidentNotFound``, also outside the scope."""
        staff.require(*READING_ROLES)
        async with self.database.reading() as session:
            incident, reach = await _visible(session, staff, number)
            every = await rows.members(session, incident.id, detached=True)
            shown = [one for one in every if in_scope(staff, one.ticket)]
            return Opened(
                incident=incident,
                reach=reach,
                members=shown,
                hidden=len(every) - len(shown),
                events=await rows.events_of(session, incident.id),
                measures=await rows.measures(session, incident.id),
                followers=len(await rows.followers(session, incident.id)),
                severity=self._proposed(incident, reach, every),
            )

    def _proposed(self, incident: Incident, reach: Reach, members: Sequence[Member]) -> Severity:
        numbers = self.rules.at(incident.module, incident.began_at)
        belonging = [one.ticket for one in members if one.membership.detached_at is None]
        return proposed_severity(
            (Severity(incident.severity), *(Severity(one.severity) for one in belonging)),
            units=reach.units,
            urgent_from=numbers.urgent_units,
            major_from=numbers.major_units,
        )

    async def open(self, staff: Principal, new: NewIncident, *, of: str = "") -> str:
        """A person knows of a fault; ``of`` is a ticket that tells of it. Its number."""
        staff.require(*DESK_ROLES)
        words = PublicWords(mask(new.words.note).text, mask(new.words.meanwhile).text)
        async with self.database.transaction() as session:
            ticket = await _ticket(session, staff, of) if of else None
            doing = self._doing(session, staff)
            incident = await service.open_incident(
                doing,
                replace(new, title=mask(new.title).text, words=words),
                zone=self.rules.zone,
                began_at=ticket.opened_at if ticket else None,
            )
            if ticket is not None:
                await self.gathering.attach(doing, incident, ticket, belonging=Belonging.HAND)
        self.live.publish(STAFF)
        return incident.number

    async def confirm(
        self,
        staff: Principal,
        number: str,
        *,
        title: str,
        severity: Severity,
        words: PublicWords,
        expected: int | None = None,
    ) -> Incident:
        """It is a fault, called so; users are told these words."""
        async with self._deciding(staff, number, expected) as (doing, incident):
            return await service.confirm(
                doing,
                incident,
                title=mask(title).text,
                severity=severity,
                words=_masked(words),
            )

    async def reject(
        self, staff: Principal, number: str, why: str, *, expected: int | None = None
    ) -> Incident:
        """It is none."""
        async with self._deciding(staff, number, expected) as (doing, incident):
            return await service.reject(doing, incident, why=mask(why).text)

    async def attach(
        self, staff: Principal, number: str, ticket_number: str, *, expected: int | None = None
    ) -> Incident:
        """This ticket belongs to it, a person says."""
        async with self._deciding(staff, number, expected, ticket_number) as (doing, incident):
            ticket = await tickets.by_number(doing.session, ticket_number)
            await self.gathering.attach(doing, incident, ticket, belonging=Belonging.HAND)
            return incident

    async def detach(
        self,
        staff: Principal,
        number: str,
        ticket_number: str,
        why: str,
        *,
        expected: int | None = None,
    ) -> Incident:
        """This ticket is another matter."""
        async with self._deciding(staff, number, expected, ticket_number) as (doing, incident):
            ticket = await tickets.by_number(doing.session, ticket_number)
            await self.gathering.detach(doing, incident, ticket, why=mask(why).text)
            return incident

    async def change_severity(
        self,
        staff: Principal,
        number: str,
        severity: Severity,
        why: str,
        *,
        expected: int | None = None,
    ) -> Incident:
        """Rate it anew; its tickets are raised to it."""
        async with self._deciding(staff, number, expected) as (doing, incident):
            return await service.change_severity(
                doing, incident, severity=severity, why=mask(why).text
            )

    async def tell(
        self, staff: Principal, number: str, words: PublicWords, *, expected: int | None = None
    ) -> Incident:
        """News for everybody concerned."""
        async with self._deciding(staff, number, expected) as (doing, incident):
            return await service.tell(doing, incident, words=_masked(words))

    async def resolve(
        self,
        staff: Principal,
        number: str,
        *,
        cause: str,
        solution: str,
        expected: int | None = None,
    ) -> Incident:
        """It is over: its tickets are resolved, everybody concerned is told."""
        async with self._deciding(staff, number, expected) as (doing, incident):
            return await service.resolve(
                doing, incident, cause=mask(cause).text, solution=mask(solution).text
            )

    async def reopen(
        self, staff: Principal, number: str, why: str, *, expected: int | None = None
    ) -> Incident:
        """It is not over."""
        async with self._deciding(staff, number, expected) as (doing, incident):
            return await service.reopen(doing, incident, why=mask(why).text)

    async def review(
        self, staff: Principal, number: str, report: ProblemReport, *, expected: int | None = None
    ) -> Incident:
        """What it was and what keeps it from coming back."""
        masked = ProblemReport(*(mask(part).text for part in astuple(report)))
        async with self._deciding(staff, number, expected) as (doing, incident):
            return await service.review(doing, incident, report=masked)

    async def add_measure(
        self,
        staff: Principal,
        number: str,
        *,
        text: str,
        owner: str,
        due: date,
        expected: int | None = None,
    ) -> Incident:
        """Somebody has to do something until then."""
        async with self._deciding(staff, number, expected) as (doing, incident):
            await service.add_measure(doing, incident, text=mask(text).text, owner=owner, due=due)
            return incident

    async def finish_measure(
        self,
        staff: Principal,
        number: str,
        measure_id: str,
        outcome: str,
        *,
        expected: int | None = None,
    ) -> Incident:
        """It is done."""
        async with self._deciding(staff, number, expected) as (doing, incident):
            await service.finish_measure(doing, incident, measure_id, outcome=mask(outcome).text)
            return incident

    async def close(
        self, staff: Principal, number: str, *, expected: int | None = None
    ) -> Incident:
        """Nothing is left to do."""
        async with self._deciding(staff, number, expected) as (doing, incident):
            return await service.close(doing, incident)

    async def owed(self, staff: Principal) -> list[tuple[IncidentMeasure, str]]:
        """Measures that are not done, with their incidents' numbers."""
        staff.require(*READING_ROLES)
        async with self.database.reading() as session:
            return await rows.owed_measures(session)

    @asynccontextmanager
    async def _deciding(
        self, staff: Principal, number: str, expected: int | None, ticket_number: str = ""
    ) -> AsyncIterator[tuple[Doing, Incident]]:
        """The incident held by a transaction; a ticket that moves with it is held first."""
        staff.require(*DESK_ROLES)
        async with self.database.transaction() as session:
            if ticket_number:
                await _ticket(session, staff, ticket_number)
            _ = await _visible(session, staff, number)
            incident = await rows.by_number(session, number, lock=True)
            await _check_seen(session, incident, expected)
            yield self._doing(session, staff), incident
        self.live.publish(STAFF)

    def _doing(self, session: AsyncSession, staff: Principal) -> Doing:
        actor = Actor(ActorKind.ENGINEER, staff.staff_id, staff.name)
        return Doing(session, actor, self.clock())


def _masked(words: PublicWords) -> PublicWords:
    return PublicWords(mask(words.note).text, mask(words.meanwhile).text)


def _covers(staff: Principal, incident: Incident, reach: Reach) -> bool:
    """In its module, and where it reaches one of the account's regions or nobody knows where."""
    if not staff.covers(region=None, module=incident.module):
        return False
    return not staff.regions or not reach.regions or bool(set(staff.regions) & set(reach.regions))


async def _visible(session: AsyncSession, staff: Principal, number: str) -> tuple[Incident, Reach]:
    incident = await rows.by_number(session, number)
    reach = (await rows.reaches(session, [incident.id])).get(incident.id, Reach())
    if not _covers(staff, incident, reach):
        raise IncidentNotFound(number)
    return incident, reach


async def _ticket(session: AsyncSession, staff: Principal, number: str) -> Ticket:
    await visible_ticket(session, staff, number)
    return await tickets.by_number(session, number, lock=True)


async def _check_seen(session: AsyncSession, incident: Incident, expected: int | None) -> None:
    if expected is None or expected == incident.version:
        return
    events = await rows.events_of(session, incident.id)
    if any(one.seq > expected and one.actor_kind == ActorKind.ENGINEER.value for one in events):
        raise StaleIncident(incident.number)


def as_json(incident: Incident) -> dict[str, Any]:
    """What a verb answers: the incident as it is now."""
    return {
        "number": incident.number,
        "status": incident.status,
        "severity": incident.severity,
        "version": incident.version,
    }

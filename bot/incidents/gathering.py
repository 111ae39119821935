"""A ticket joins an incident or leaves it: written on both, and its severity follows.

Works in the caller's transaction, which holds the ticket and then the incident, in this order.
Refuses to decide whether it belongs.
"""

from dataclasses import dataclass

from bot.phrases import Phrases
from handoff import incident_service, service
from handoff.contract import Terms
from handoff.incident import Belonging, IncidentStatus
from handoff.incident_service import Doing
from handoff.incident_tables import Incident
from handoff.tables import Ticket
from handoff.ticket import OPEN_STATUSES, Actor, ActorKind, Status
from store.vocabulary import Severity

#: What moves tickets because of their incident.
INCIDENT = Actor(ActorKind.SYSTEM, "incident", "")
#: The rule that an incident's severity stands under among a ticket's reasons.
RULE = "triage.rule.incident"


@dataclass(frozen=True, slots=True)
class Gathering:
    """Attaches, detaches, and raises."""

    terms: Terms
    phrases: Phrases

    async def attach(
        self,
        doing: Doing,
        incident: Incident,
        ticket: Ticket,
        *,
        belonging: Belonging,
        likeness: float | None = None,
    ) -> None:
        """The ticket joins. Raises ``AttachRefused`` and ``IllegalTransition``."""
        await incident_service.attach(
            doing, incident, ticket, belonging=belonging, likeness=likeness
        )
        if incident.status == IncidentStatus.OPEN.value:
            await self.joined(doing, incident, ticket)

    async def joined(self, doing: Doing, incident: Incident, ticket: Ticket) -> None:
        """The ticket belongs to a confirmed incident from now on: a trace, and its severity."""
        await self._trace(doing, incident, ticket, "incident.trace.attached")
        await self.raise_severity(doing, incident, ticket)

    async def detach(self, doing: Doing, incident: Incident, ticket: Ticket, *, why: str) -> None:
        """The ticket leaves and goes on by itself. Raises ``NothingToChange``."""
        await incident_service.detach(doing, incident, ticket, why=why)
        await self._trace(doing, incident, ticket, "incident.trace.detached")

    async def _trace(self, doing: Doing, incident: Incident, ticket: Ticket, key: str) -> None:
        text = self.phrases.say(key, number=incident.number, title=incident.title)
        await service.note(
            doing.session, ticket, actor=INCIDENT, now=doing.now, terms=self.terms, text=text
        )

    async def raise_severity(self, doing: Doing, incident: Incident, ticket: Ticket) -> None:
        """At least the incident's severity, with the incident as evidence; never less."""
        wanted = Severity(incident.severity)
        if wanted.rank <= Severity(ticket.severity).rank:
            return
        if Status(ticket.status) not in OPEN_STATUSES:
            return
        why = self.phrases.say("incident.trace.severity", number=incident.number)
        reason = {"rule": RULE, "evidence": incident.number, "effect": "raises"}
        ticket.severity_reasons = [*ticket.severity_reasons, reason]
        await service.change_severity(
            doing.session,
            ticket,
            actor=INCIDENT,
            now=doing.now,
            terms=self.terms,
            severity=wanted,
            why=why,
        )

"""Known faults as conversations meet them: shown, followed, joined by a user's own ticket.

Every method works inside the caller's transaction, which holds the conversation.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot import repository
from bot.cards import local_time
from bot.dialogue.turn import KnownFault
from bot.incidents.gathering import Gathering
from bot.phrases import Phrases
from bot.tables import Conversation
from handoff import incident_repository as rows
from handoff import incident_service
from handoff.contract import Terms
from handoff.errors import AttachRefused, IncidentNotFound
from handoff.incident import Belonging, IncidentStatus
from handoff.incident_service import Doing
from handoff.incident_tables import Incident
from handoff.tables import Ticket
from handoff.ticket import Actor, ActorKind

BOT = Actor(ActorKind.BOT, "caiwen", "")
log = structlog.get_logger("bot.incidents")


@dataclass(frozen=True, slots=True)
class FaultCard:
    """A known fault as a message shows it."""

    text: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class IncidentDesk:
    """The incident side of conversations."""

    terms: Terms
    phrases: Phrases

    def card(self, fault: KnownFault, *, status: str = IncidentStatus.OPEN.value) -> FaultCard:
        """What users are told: what, since when, what to do meanwhile, and how to follow it."""
        say = self.phrases.say
        since = local_time(fault.since)
        lines = [say("incident.card.lead", title=fault.title, since=since), fault.note]
        if fault.meanwhile:
            lines.append(say("incident.card.meanwhile", meanwhile=fault.meanwhile))
        if status == IncidentStatus.OPEN.value:
            lines.append(say("incident.card.follow"))
        data = {
            "number": fault.number,
            "title": fault.title,
            "status": status,
            "severity": fault.severity,
            "since": fault.since.isoformat(),
            "note": fault.note,
            "meanwhile": fault.meanwhile,
        }
        return FaultCard("\n".join(lines), data)

    async def show(
        self, session: AsyncSession, conversation: Conversation, fault: KnownFault, now: datetime
    ) -> FaultCard:
        """The card; whoever sees it counts among those concerned."""
        await self._note(session, conversation, fault.incident_id, now, follows=False)
        return self.card(fault)

    async def follow(
        self, session: AsyncSession, conversation: Conversation, number: str, now: datetime
    ) -> str:
        """Be told of its end; what is said to that."""
        try:
            incident = await rows.by_number(session, number, lock=True)
        except IncidentNotFound:
            return self.phrases.say("incident.over")
        if incident.status != IncidentStatus.OPEN.value:
            return self.phrases.say("incident.over")
        await self._note(session, conversation, incident.id, now, follows=True)
        return self.phrases.say("incident.followed", title=incident.title)

    async def _note(
        self,
        session: AsyncSession,
        conversation: Conversation,
        incident_id: str,
        now: datetime,
        *,
        follows: bool,
    ) -> None:
        users = await repository.users_by_id(session, [conversation.user_id])
        user = users[conversation.user_id]
        await incident_service.note_asker(
            Doing(session, BOT, now),
            incident_id,
            conversation_id=conversation.id,
            user_id=user.id,
            unit=user.unit or "",
            region=user.region or "",
            follows=follows,
        )

    async def join(self, session: AsyncSession, ticket: Ticket, number: str, now: datetime) -> None:
        """The user still wants a person: their ticket belongs to the fault they were told of.

        A fault that is over meanwhile takes nothing in; the ticket then stands for itself.
        """
        try:
            incident = await rows.by_number(session, number, lock=True)
            if incident.status != IncidentStatus.OPEN.value:
                return
            gathering = Gathering(self.terms, self.phrases)
            doing = Doing(session, BOT, now)
            await gathering.attach(doing, incident, ticket, belonging=Belonging.ASKED)
        except (IncidentNotFound, AttachRefused):
            log.info("incident_not_joined", ticket=ticket.number)


def known_fault(incident: Incident, *, likeness: float = 1.0) -> KnownFault:
    """What conversations need of an incident."""
    return KnownFault(
        incident_id=incident.id,
        number=incident.number,
        title=incident.title,
        severity=incident.severity,
        module=incident.module,
        since=incident.began_at,
        note=incident.note,
        meanwhile=incident.meanwhile,
        likeness=likeness,
    )

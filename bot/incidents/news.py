"""Carries what was decided about an incident to its tickets and to everybody who waits for it.

One row of the outbox per ticket and per follower, made from the one row of the decision: a crash
at any point loses nobody, and what was told is remembered in the same transaction, so nobody is
told twice. Each conversation keeps its own record. Refuses to decide anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot import repository
from bot.conversations.live import STAFF
from bot.conversations.recording import append
from bot.incidents.board import IncidentBoard
from bot.incidents.desk import IncidentDesk, known_fault
from bot.incidents.gathering import INCIDENT, Gathering
from bot.incidents.watch import IncidentWatch
from bot.tables import Conversation, Sender
from bot.tickets.work import TicketWork, Work
from connectors.relay import Handler
from handoff import incident_repository as rows
from handoff import repository as tickets
from handoff import service
from handoff.incident import TOLD, IncidentAction, IncidentStatus
from handoff.incident_service import OUTBOX_KIND, Doing
from handoff.incident_tables import Incident, IncidentEvent
from handoff.problem_report import ProblemReport
from handoff.ticket import OPEN_STATUSES, TRANSITIONS, Action, Actor, ActorKind, Status
from store import inbox, outbox
from store.outbox import Claimed
from store.vocabulary import Severity

TICKET_KIND, FOLLOWER_KIND = "incident_ticket", "incident_follower"
#: Decisions that move tickets.
_MOVING = TOLD | {IncidentAction.CONFIRM, IncidentAction.CHANGE_SEVERITY, IncidentAction.REVIEW}
#: What an engineer says stands in the conversation.
_SAID = (Action.REPLY.value, Action.NOTE.value)


@dataclass(frozen=True, slots=True)
class IncidentNews(TicketWork):
    """The handlers of everything that incidents and openings of tickets write to the outbox."""

    board: IncidentBoard
    watch: IncidentWatch

    def handlers(self) -> Mapping[str, Handler]:
        """By kind of row."""
        return {
            OUTBOX_KIND: self.spread,
            TICKET_KIND: self.move_ticket,
            FOLLOWER_KIND: self.tell_follower,
            service.OUTBOX_KIND: self.notice,
        }

    async def notice(self, row: Claimed) -> None:
        """News of a ticket: staff pages are woken, and a new ticket is looked at.

        What was said is a message too, which every process watches for.
        """
        if row.payload.get("action") not in _SAID:
            self.live.publish(STAFF)
        if row.payload.get("action") == Action.OPEN.value:
            await self.watch.consider(str(row.payload["ticket_id"]))

    async def spread(self, row: Claimed) -> None:
        """A decision: one row for each ticket and each follower."""
        action = IncidentAction(row.payload["action"])
        if action in _MOVING:
            async with self.database.transaction() as session:
                await _spread(session, row.payload, action, available_at=self.clock())
        await self.board.refresh()
        self.live.publish(STAFF)

    async def move_ticket(self, row: Claimed) -> None:
        """One ticket follows the decision, and its asker is told."""
        found = await self._conversation_of(str(row.payload["ticket_id"]))
        async with self.database.transaction() as session:
            if not await self._is_first(session, row):
                return
            conversation = await _locked(session, found)
            ticket = await tickets.by_id(session, str(row.payload["ticket_id"]), lock=True)
            incident, event = await _decision(session, row)
            work = Work(session, ticket, conversation, INCIDENT, self.clock())
            await self._move(work, incident, event)
        self.live.publish(STAFF, *([found] if found else []))

    async def _conversation_of(self, ticket_id: str) -> str | None:
        """Read beforehand: the conversation is locked before the ticket."""
        async with self.database.reading() as session:
            return (await tickets.by_id(session, ticket_id)).conversation_id

    async def _is_first(self, session: AsyncSession, row: Claimed) -> bool:
        """Whether this row is handled for the first time; remembered with what it does."""
        now = self.clock()
        known = await inbox.admit(
            session, channel="incident", external_id=row.dedupe_key, result={}, now=now
        )
        return known is None

    async def _move(self, work: Work, incident: Incident, event: IncidentEvent) -> None:
        gathering = Gathering(self.terms, self.phrases)
        doing = Doing(work.session, INCIDENT, work.now)
        match IncidentAction(event.action):
            case IncidentAction.CONFIRM:
                await gathering.joined(doing, incident, work.ticket)
                await self._post(work, incident)
            case IncidentAction.CHANGE_SEVERITY:
                await gathering.raise_severity(doing, incident, work.ticket)
            case IncidentAction.TELL:
                await self._post(work, incident)
            case IncidentAction.RESOLVE:
                await self._resolve(work, event)
            case IncidentAction.REOPEN:
                await self._reopen(work, event)
            case IncidentAction.REVIEW:
                await self._report(work, event)
            case _:
                pass

    async def _post(self, work: Work, incident: Incident) -> None:
        """What users are told, in the asker's conversation, unless their ticket is over."""
        if work.conversation is not None and Status(work.ticket.status) in OPEN_STATUSES:
            await self._card(work.session, work.conversation, incident)

    async def _card(
        self,
        session: AsyncSession,
        conversation: Conversation,
        incident: Incident,
    ) -> None:
        if incident.status != IncidentStatus.OPEN.value:
            # It ended before this was told; its end is told by a row of its own.
            return
        desk = IncidentDesk(self.terms, self.phrases)
        card = desk.card(known_fault(incident))
        await append(
            session,
            conversation,
            sender=Sender.SYSTEM,
            kind="fault",
            text=card.text,
            data={**card.data, "news": True},
            now=self.clock(),
        )

    async def _resolve(self, work: Work, event: IncidentEvent) -> None:
        """Resolved with the incident's words; one that is over already stays as it is."""
        if Status(work.ticket.status) not in OPEN_STATUSES:
            return
        await service.resolve(
            work.session,
            work.ticket,
            actor=INCIDENT,
            now=work.now,
            terms=self.terms,
            cause=str(event.detail["cause"]),
            solution=str(event.detail["solution"]),
            confirm_days=self.settings.auto_close_days,
        )
        await self.tell_resolved(work, None)

    async def _reopen(self, work: Work, event: IncidentEvent) -> None:
        """Only what the incident itself resolved goes on."""
        ticket = work.ticket
        if ticket.status != Status.RESOLVED.value or not await _by_incident(work):
            return
        why = str(event.detail["why"])
        await service.reopen(
            work.session, ticket, actor=INCIDENT, now=work.now, terms=self.terms, why=why
        )
        if work.conversation is not None:
            text = self.phrases.say("ticket.reopened", number=ticket.number)
            await self.tell(work, work.conversation, "moved", text)

    async def _report(self, work: Work, event: IncidentEvent) -> None:
        """The review is the report of every major ticket that has none yet."""
        ticket = work.ticket
        owed = ticket.severity == Severity.MAJOR.value and ticket.reported_at is None
        if not owed or (Status(ticket.status), Action.REPORT) not in TRANSITIONS:
            return
        author = Actor(ActorKind.ENGINEER, event.actor_id, event.actor_name)
        parts = ("cause", "impact", "measures", "prevention")
        report = ProblemReport(*(str(event.detail[part]) for part in parts))
        await service.report(
            work.session, ticket, actor=author, now=work.now, terms=self.terms, report=report
        )

    async def tell_follower(self, row: Claimed) -> None:
        """One conversation that asked to be told."""
        conversation_id = str(row.payload["conversation_id"])
        async with self.database.transaction() as session:
            if not await self._is_first(session, row):
                return
            conversation = await _locked(session, conversation_id)
            if conversation is None:
                return
            incident, event = await _decision(session, row)
            await self._tell(session, conversation, incident, event)
        self.live.publish(STAFF, conversation_id)

    async def _tell(
        self,
        session: AsyncSession,
        conversation: Conversation,
        incident: Incident,
        event: IncidentEvent,
    ) -> None:
        """The end is told in words of its own; anything else is the card as it is now."""
        if event.action != IncidentAction.RESOLVE.value:
            await self._card(session, conversation, incident)
            return
        say = self.phrases.say
        solution = str(event.detail["solution"])
        await append(
            session,
            conversation,
            sender=Sender.SYSTEM,
            kind="fault",
            text=say("incident.resolved", title=incident.title, solution=solution),
            data={
                "number": incident.number,
                "title": incident.title,
                "status": IncidentStatus.RESOLVED.value,
                "since": incident.began_at.isoformat(),
                "note": solution,
                "meanwhile": "",
                "news": True,
            },
            now=self.clock(),
        )


async def _spread(
    session: AsyncSession,
    decided: Mapping[str, Any],
    action: IncidentAction,
    *,
    available_at: datetime,
) -> None:
    incident_id, seq = str(decided["incident_id"]), int(decided["seq"])
    told: set[str | None] = set()
    for member in await rows.members(session, incident_id):
        told.add(member.ticket.conversation_id)
        await outbox.enqueue(
            session,
            kind=TICKET_KIND,
            payload={"incident_id": incident_id, "seq": seq, "ticket_id": member.ticket.id},
            dedupe_key=f"{TICKET_KIND}:{incident_id}:{seq}:{member.ticket.id}",
            conversation_id=member.ticket.conversation_id or member.ticket.id,
            available_at=available_at,
        )
    if action not in TOLD:
        return
    for conversation_id in await rows.followers(session, incident_id):
        if conversation_id in told:
            continue
        await outbox.enqueue(
            session,
            kind=FOLLOWER_KIND,
            payload={"incident_id": incident_id, "seq": seq, "conversation_id": conversation_id},
            dedupe_key=f"{FOLLOWER_KIND}:{incident_id}:{seq}:{conversation_id}",
            conversation_id=conversation_id,
            available_at=available_at,
        )


async def _locked(session: AsyncSession, conversation_id: str | None) -> Conversation | None:
    if conversation_id is None:
        return None
    return await repository.lock_conversation(session, conversation_id)


async def _decision(session: AsyncSession, row: Claimed) -> tuple[Incident, IncidentEvent]:
    incident = await rows.by_id(session, str(row.payload["incident_id"]))
    event = await rows.event_at(session, incident.id, int(row.payload["seq"]))
    if event is None:
        raise LookupError("the decision is not there yet")
    return incident, event


async def _by_incident(work: Work) -> bool:
    events = await tickets.events_of(work.session, work.ticket.id)
    last = next((one for one in reversed(events) if one.action is Action.RESOLVE), None)
    return last is not None and last.actor == INCIDENT

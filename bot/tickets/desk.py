"""Tickets as conversations need them: opened with evidence, added to, urged, shown as cards.

Every method works inside the caller's transaction. The rules of tickets are in ``handoff``;
the words are in the phrase catalogue; this is where the two meet a conversation.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot import repository
from bot.cards import local_time
from bot.conversations.thinking import Snapshot
from bot.dialogue.decision import AddToTicket, RaiseTicket
from bot.incidents.desk import IncidentDesk
from bot.phrases import Phrases
from bot.records import reasons_json
from bot.tables import Conversation
from handoff import problem_report, routing, service
from handoff import repository as rows
from handoff.contract import Terms
from handoff.settings import HandoffSettings
from handoff.tables import Ticket
from handoff.ticket import Actor, ActorKind, Level, Status
from nlu.triage_types import Triage
from store import outbox
from store.vocabulary import Category, Severity

BOT = Actor(ActorKind.BOT, "caiwen", "财问")
#: The first words of a problem make its title.
TITLE_CHARS = 60

_OPENED = {
    "collect": "ticket.opened_collect",
    "human_requested": "ticket.opened_human",
    "major": "ticket.opened_major",
    "not_solved": "ticket.opened_unsolved",
    "unhelpful": "ticket.opened_unsolved",
    "none_of_these": "ticket.opened_unsolved",
}
_BY_CATEGORY = {
    Category.POLICY: "ticket.opened_policy",
    Category.REQUIREMENT: "ticket.opened_request",
}


@dataclass(frozen=True, slots=True)
class TicketCard:
    """A ticket as a message shows it."""

    ticket_id: str
    number: str
    conversation_id: str | None
    text: str
    data: dict[str, Any]

    def is_of(self, conversation: Conversation) -> bool:
        """Whether the ticket was opened from this conversation."""
        return self.conversation_id == conversation.id


@dataclass(frozen=True, slots=True)
class Waiting:
    """Where somebody stands in the queue, as a message shows it."""

    text: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Added:
    """What was said about an addition, and the ticket after it."""

    text: str
    card: TicketCard


@dataclass(frozen=True, slots=True)
class Desk:
    """The ticket side of conversations."""

    terms: Terms
    settings: HandoffSettings
    phrases: Phrases

    async def open(
        self, session: AsyncSession, conversation: Conversation, part: RaiseTicket, now: datetime
    ) -> TicketCard:
        """Open a ticket about a problem; the card says number, severity and promise."""
        triage = part.triage
        users = await repository.users_by_id(session, [conversation.user_id])
        user = users[conversation.user_id]
        new = service.NewTicket(
            title=title_of(part.problem),
            description=part.problem,
            category=part.category or (triage.category if triage else Category.HOW_TO),
            severity=triage.severity if triage else Severity.GENERAL,
            severity_reasons=tuple(reasons_json(triage)) if triage else (),
            contract_id=self.settings.contract_of(user.region),
            channel=conversation.channel,
            module=triage.module if triage else None,
            conversation_id=conversation.id,
            requester_id=user.id,
            region=user.region or "",
            unit=user.unit or "",
        )
        ticket = await service.open_ticket(session, new, actor=BOT, now=now, terms=self.terms)
        if part.incident:
            faults = IncidentDesk(self.terms, self.phrases)
            await faults.join(session, ticket, part.incident, now)
        lead = _BY_CATEGORY.get(Category(ticket.category)) or _OPENED.get(
            part.reason, "ticket.opened"
        )
        return self._card(ticket, self._said(lead, ticket))

    async def card(self, session: AsyncSession, number: str, now: datetime) -> TicketCard:
        """The ticket as it is now. Raises ``handoff.errors.TicketNotFound``."""
        ticket = await rows.by_number(session, number)
        return self._card(ticket, self._line(ticket))

    async def add_information(
        self, session: AsyncSession, part: AddToTicket, snapshot: Snapshot, now: datetime
    ) -> Added:
        """Note a message on a ticket; a solved one is opened again, a rating may change."""
        ticket = await rows.by_number(session, part.number, lock=True)
        asker = Actor(ActorKind.USER, snapshot.user_id, "")
        if ticket.status == Status.RESOLVED.value:
            ticket = await service.reopen(
                session, ticket, actor=asker, now=now, terms=self.terms, why=snapshot.text
            )
            text = self.phrases.say("ticket.reopened", number=ticket.number)
            return Added(text, self._card(ticket, self._line(ticket)))
        ticket = await self._note(session, ticket, snapshot, now)
        key = part.lead
        if part.triage is not None and self._is_graver(ticket, part.triage):
            ticket = await self._raise_severity(session, ticket, part.triage, now)
            key = "ticket.severity_changed"
        text = self._said(key, ticket)
        return Added(text, self._card(ticket, self._line(ticket)))

    @staticmethod
    def _is_graver(ticket: Ticket, triage: Triage) -> bool:
        return triage.incident and triage.severity.rank > Severity(ticket.severity).rank

    async def _raise_severity(
        self, session: AsyncSession, ticket: Ticket, triage: Triage, now: datetime
    ) -> Ticket:
        evidence = "；".join(reason.evidence for reason in triage.reasons if reason.evidence)
        ticket.severity_reasons = [*ticket.severity_reasons, *reasons_json(triage)]
        return await service.change_severity(
            session,
            ticket,
            actor=BOT,
            now=now,
            terms=self.terms,
            severity=triage.severity,
            why=evidence[:200] or triage.severity.value,
        )

    async def _note(
        self, session: AsyncSession, ticket: Ticket, snapshot: Snapshot, now: datetime
    ) -> Ticket:
        """What the asker said, on the ticket."""
        return await service.add_information(
            session,
            ticket,
            actor=Actor(ActorKind.USER, snapshot.user_id, ""),
            now=now,
            terms=self.terms,
            message_id=snapshot.seq,
            text=snapshot.text,
        )

    async def urge(
        self, session: AsyncSession, number: str, snapshot: Snapshot, now: datetime
    ) -> None:
        """The user presses: noted on the ticket, and its engineer is told."""
        ticket = await rows.by_number(session, number, lock=True)
        if ticket.status != Status.RESOLVED.value:
            await self._note(session, ticket, snapshot, now)
        await outbox.enqueue(
            session,
            kind="urged",
            payload={"number": number, "assignee_id": ticket.assignee_id},
            dedupe_key=f"urged:{snapshot.conversation_id}:{snapshot.seq}",
            available_at=now,
        )

    async def confirm_solved(
        self, session: AsyncSession, number: str, snapshot: Snapshot, now: datetime
    ) -> None:
        """The user says that it is over: resolved by them where it was not, then closed.

        A ticket that still needs its report stays resolved; the word of the user is kept.
        """
        ticket = await rows.by_number(session, number, lock=True)
        asker = Actor(ActorKind.USER, snapshot.user_id, "")
        if ticket.status != Status.RESOLVED.value:
            ticket = await service.resolve(session, ticket, actor=asker, now=now, terms=self.terms)
        events = await rows.events_of(session, ticket.id)
        if problem_report.is_required(ticket, events, self.terms, now):
            await self._note(session, ticket, snapshot, now)
            return
        await service.close(session, ticket, actor=asker, now=now, terms=self.terms)

    async def waiting(
        self, session: AsyncSession, conversation: Conversation, card: TicketCard, now: datetime
    ) -> Waiting:
        """The place in the queue, the expected wait, or when the desk opens again."""
        ticket = await rows.by_number(session, card.number)
        place = await self._place(session, ticket, now)
        off_hours = not self.terms.calendar(ticket.calendar_id).is_working(now)
        wait = int(place.wait.total_seconds() // 60) if place and place.wait else None
        data: dict[str, Any] = {
            "number": ticket.number,
            "position": place.position if place else 1,
            "minutes": None if off_hours else wait,
            "off_hours": off_hours,
        }
        joined = self.phrases.say("queue.joined", number=ticket.number)
        return Waiting(f"{joined}{self._waiting_line(ticket, data)}", data)

    async def _place(
        self, session: AsyncSession, ticket: Ticket, now: datetime
    ) -> routing.Place | None:
        level, regions = Level(ticket.level), ([ticket.region] if ticket.region else [])
        window = timedelta(minutes=self.settings.wait_window_minutes)
        return routing.place(
            await rows.queue(session, level=level, regions=regions),
            ticket.id,
            claims=await rows.claims_since(session, now - window, level=level, regions=regions),
            now=now,
            window=window,
            cap=timedelta(minutes=self.settings.wait_cap_minutes),
        )

    def _waiting_line(self, ticket: Ticket, data: dict[str, Any]) -> str:
        ahead, minutes = data["position"] - 1, data["minutes"]
        if data["off_hours"] and ticket.respond_due is not None:
            return self.phrases.say("queue.off_hours", due=local_time(ticket.respond_due))
        if ahead == 0:
            return self.phrases.say("queue.next")
        if minutes is not None:
            return self.phrases.say("queue.position_wait", ahead=ahead, minutes=minutes)
        return self.phrases.say("queue.position", ahead=ahead)

    def promise(self, ticket: Ticket) -> str:
        """When the first response is promised, in words."""
        if ticket.respond_due is None:
            return self.phrases.say("ticket.promise_none")
        return self.phrases.say("ticket.promise", due=local_time(ticket.respond_due))

    def _said(self, key: str, ticket: Ticket) -> str:
        return self.phrases.say(
            key, number=ticket.number, severity=ticket.severity, promise=self.promise(ticket)
        )

    def _line(self, ticket: Ticket) -> str:
        return self.phrases.say(
            "ticket.card", number=ticket.number, severity=ticket.severity, status=ticket.status
        )

    def _card(self, ticket: Ticket, text: str) -> TicketCard:
        due = ticket.respond_due if ticket.responded_at is None else ticket.resolve_due
        return TicketCard(
            ticket_id=ticket.id,
            number=ticket.number,
            conversation_id=ticket.conversation_id,
            text=text,
            data={
                "number": ticket.number,
                "status": ticket.status,
                "severity": ticket.severity,
                "category": ticket.category,
                "module": ticket.module,
                "title": ticket.title,
                "promise": self.promise(ticket),
                "due_at": due.isoformat() if due else None,
                "reasons": self.reasons(ticket),
            },
        )

    def reasons(self, ticket: Ticket) -> list[str]:
        """The evidence of the severity, in words."""
        return [
            self.phrases.say(
                "ticket.reason",
                rule=self.phrases.say(str(reason["rule"])),
                evidence=str(reason.get("evidence", "")),
                effect=self.phrases.say(f"triage.effect.{reason['effect']}"),
            )
            for reason in ticket.severity_reasons
            if self.phrases.has(str(reason.get("rule")))
        ]


def title_of(problem: str) -> str:
    """The first line of a problem, short enough for a list."""
    line = next((line.strip() for line in problem.splitlines() if line.strip()), problem.strip())
    return line if len(line) <= TITLE_CHARS else f"{line[: TITLE_CHARS - 1]}…"

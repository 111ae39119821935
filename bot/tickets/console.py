"""What staff pages and the API read of tickets: lists, one ticket whole, the transcript."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot import repository
from bot.accounts.service import Principal
from bot.attachments import repository as attachments
from bot.attachments.stored import KIND as ATTACHMENT
from bot.attachments.stored import seen_by_staff
from bot.attachments.tables import Attachment
from bot.changes.repository import kept
from bot.clock import Clock
from bot.phrases import Phrases
from bot.tables import Message, Turn, User
from bot.tickets.canned import offered
from bot.tickets.canned_tables import CannedPhrase
from bot.tickets.desk import Desk
from bot.tickets.explaining import deadlines
from bot.tickets.parts import firing_of, incident_of, order_of, report_of
from bot.tickets.problem_reports import ReportWriter
from bot.tickets.transcript_summary import turns
from bot.tickets.work import visible_ticket
from bot.web.schemas import MessageOut
from bot.workbench.origin_repository import draft_of
from handoff import incident_repository as incident_rows
from handoff import listing_repository as listing
from handoff import mark_repository, problem_report, rule_repository, summary, work_orders
from handoff import repository as rows
from handoff.contract import Terms
from handoff.errors import TicketNotFound
from handoff.lifecycle import Event
from handoff.listing_repository import TicketFilter
from handoff.marks import CustomField, marks_of
from handoff.relations import relations
from handoff.tables import Ticket
from handoff.ticket import FINAL_STATUSES, OPEN_STATUSES, ActorKind, Status, allowed_actions
from store.session import Database
from store.vocabulary import Severity

#: Waiting tickets that are watched for new ones.
NEWS_LIMIT = 200
#: What is offered while an administrator has made no phrases.
CANNED = "console.canned"
#: A transcript longer than this is read in pieces.
TRANSCRIPT_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Counts:
    """Lengths of lists, numbers that nobody has yet, and unread messages where one speaks."""

    counts: Mapping[str, int]
    waiting: Sequence[str]
    unread: int


@dataclass(frozen=True, slots=True)
class _Talk:
    messages: Sequence[Message] = ()
    turns: Sequence[Turn] = ()
    owner: str | None = None
    staff_id: str | None = None
    files: Sequence[Attachment] = ()


@dataclass(frozen=True, slots=True)
class Console:
    """Reads for staff, within each account's scope."""

    database: Database
    terms: Terms
    desk: Desk
    phrases: Phrases
    clock: Clock

    async def tickets(
        self,
        staff: Principal,
        *,
        status: str = "",
        severity: Severity | None = None,
        ids: Collection[str] | None = None,
        assignee_id: str | None = None,
        unassigned: bool = False,
        limit: int = 100,
    ) -> list[dict[str, Any]]:
        """Tickets that the account may see, what is due first first."""
        wanted = _wanted(
            staff,
            status=status,
            severity=severity,
            ids=ids,
            assignee_id=assignee_id,
            unassigned=unassigned,
        )
        async with self.database.glance() as session:
            found = await listing.list_tickets(session, wanted, limit=limit)
            people = await _people(session, found)
            talks = await repository.conversations_by_id(
                session, [t.conversation_id for t in found if t.conversation_id]
            )
        listed = []
        for ticket in found:
            talk = talks.get(ticket.conversation_id or "")
            unread = max(0, talk.last_seq - talk.staff_read_seq) if talk else 0
            listed.append(
                {
                    **ticket_row(ticket),
                    "requester": requester(people.get(ticket.requester_id or "")),
                    "owner": talk.owner if talk else None,
                    "unread": unread,
                }
            )
        return listed

    async def counts(
        self,
        staff: Principal,
        lists: Mapping[str, Mapping[str, Any]],
        *,
        severity: Severity | None = None,
        ids: Collection[str] | None = None,
    ) -> Counts:
        """How long each list is, whatever its length; and what announces itself."""
        async with self.database.glance() as session:
            counted = {
                name: await listing.count_tickets(
                    session, _wanted(staff, severity=severity, ids=ids, **narrowed)
                )
                for name, narrowed in lists.items()
            }
            free = _wanted(staff, unassigned=True, status=",".join(OPEN_STATUSES))
            waiting = await listing.numbers(session, free, limit=NEWS_LIMIT)
            unread = await repository.unread_of(session, staff.staff_id)
        return Counts(counted, waiting, unread)

    async def ticket(self, staff: Principal, number: str) -> dict[str, Any] | None:
        """One ticket whole; ``None`` when there is none within the account's scope."""
        now = self.clock()
        async with self.database.reading(quick=True) as session:
            ticket = await self._visible(session, staff, number)
            if ticket is None:
                return None
            events = await rows.events_of(session, ticket.id)
            people = await _people(session, [ticket])
            talk = await _talk(session, ticket)
            names = await _staff_names(session, ticket, events)
            incident = await incident_rows.latest_of(session, ticket.id)
            defined = await mark_repository.fields(session)
            firings = await rule_repository.firings(session, ticket.id)
            said = await kept(session, CannedPhrase)
            draft_id = await draft_of(session, ticket.id)
        async with self.database.glance() as session:
            similar = await rows.similar_resolved(session, ticket)
            duplicates = await rows.possible_duplicates(session, ticket)
        row = {
            **ticket_row(ticket),
            "requester": requester(people.get(ticket.requester_id or "")),
        }
        return {
            **row,
            "canned": offered(said, row, staff.name) if said else self.phrases.lines(CANNED),
            "incident": incident_of(incident),
            "description": ticket.description,
            "cause": ticket.cause,
            "solution": ticket.solution,
            "draft_id": draft_id,
            "assignee": names.get(ticket.assignee_id or ""),
            "reasons": self.desk.reasons(ticket),
            "promise": self.desk.promise(ticket),
            "deadlines": deadlines(events, self.terms, now, self.phrases),
            "actions": [
                a.value for a in allowed_actions(Status(ticket.status), ActorKind.ENGINEER)
            ],
            "pause_reason": ticket.pause_reason,
            "resume_at": ticket.resume_at,
            "confirm_until": ticket.confirm_until,
            "relations": [
                {"relation": one.relation.value, "number": one.number} for one in relations(events)
            ],
            "work_order": order_of(work_orders.current(events)),
            "report": report_of(events),
            "report_owed": Status(ticket.status) not in FINAL_STATUSES
            and problem_report.is_required(ticket, events, self.terms, now),
            "duplicates": [
                {"number": t.number, "title": t.title, "status": t.status, "score": score}
                for t, score in duplicates
            ],
            "marks": marks_of(events).detail(),
            "rules": [firing_of(one, self.phrases) for one in reversed(firings)],
            "fields": [one for one in defined if one.is_for(ticket.category)],
            "events": [_event(event, names) for event in events],
            "summary": self._summary(talk),
            "owner": talk.owner,
            "speaker_id": talk.staff_id,
            "transcript": [_line(message, talk.files) for message in talk.messages],
            "turns": [_turn(turn) for turn in talk.turns],
            "similar": [
                {"number": t.number, "title": t.title, "solution": t.solution, "score": score}
                for t, score in similar
            ],
        }

    async def transcript(
        self, staff: Principal, number: str, *, after: int = 0
    ) -> dict[str, Any] | None:
        """The newest messages after ``after`` with the bot's turns; ``None`` as for ``ticket``."""
        async with self.database.peek() as session:
            ticket = await self._visible(session, staff, number)
            if ticket is None:
                return None
            talk = await _talk(session, ticket, after=after)
        return {
            "number": ticket.number,
            "transcript": [_line(message, talk.files) for message in talk.messages],
            "turns": [_turn(turn) for turn in talk.turns],
        }

    async def custom_fields(self, staff: Principal, number: str) -> Sequence[CustomField]:
        """Custom fields of the ticket's category. Raises ``TicketNotFound``."""
        async with self.database.reading() as session:
            ticket = await visible_ticket(session, staff, number)
            defined = await mark_repository.fields(session)
        return [one for one in defined if one.is_for(ticket.category)]

    async def report_document(self, staff: Principal, number: str) -> bytes:
        """The report as a Word document. Raises ``ReportNotFound`` or ``TicketNotFound``."""
        async with self.database.reading() as session:
            ticket = await visible_ticket(session, staff, number)
            events = await rows.events_of(session, ticket.id)
        targets = deadlines(events, self.terms, self.clock(), self.phrases)
        return await asyncio.to_thread(ReportWriter(self.phrases).write, ticket, events, targets)

    async def conversation_of(self, staff: Principal, number: str) -> str | None:
        """The conversation that a ticket came from, if any. Raises ``TicketNotFound``."""
        async with self.database.peek() as session:
            return (await visible_ticket(session, staff, number)).conversation_id

    async def mark_read(self, staff: Principal, number: str) -> None:
        """The account has seen everything in the ticket's conversation."""
        async with self.database.transaction(quick=True) as session:
            ticket = await self._visible(session, staff, number)
            if ticket is None or ticket.conversation_id is None:
                return
            talk = await repository.lock_conversation(session, ticket.conversation_id)
            if talk is not None:
                talk.staff_read_seq = talk.last_seq

    @staticmethod
    async def _visible(session: AsyncSession, staff: Principal, number: str) -> Ticket | None:
        try:
            ticket = await rows.by_number(session, number)
        except TicketNotFound:
            return None
        covered = staff.covers(region=ticket.region or None, module=ticket.module)
        return ticket if covered else None

    def _summary(self, talk: _Talk) -> list[str]:
        told = summary.summarise(turns(talk.messages, talk.files))
        return [self.phrases.say(line.key, **line.values) for line in told]


def _wanted(
    staff: Principal,
    *,
    status: str = "",
    severity: Severity | None = None,
    ids: Collection[str] | None = None,
    assignee_id: str | None = None,
    unassigned: bool = False,
) -> TicketFilter:
    return TicketFilter(
        status=_statuses(status),
        severity=(severity,) if severity else (),
        ids=ids,
        assignee_id=assignee_id,
        unassigned=unassigned,
        regions=staff.regions,
        modules=staff.modules,
    )


async def _talk(session: AsyncSession, ticket: Ticket, *, after: int = 0) -> _Talk:
    if ticket.conversation_id is None:
        return _Talk()
    conversation = await repository.conversation(session, ticket.conversation_id)
    if conversation is None:
        return _Talk()
    after = max(after, conversation.last_seq - TRANSCRIPT_LIMIT)
    messages = await repository.messages_after(
        session, conversation.id, after=after, staff=True, limit=TRANSCRIPT_LIMIT
    )
    turns = await repository.turns_of(session, conversation.id, after=after)
    files: Sequence[Attachment] = ()
    if any(message.kind == ATTACHMENT for message in messages):
        files = await attachments.of_conversation(session, conversation.id)
    return _Talk(messages, turns, conversation.owner, conversation.staff_id, files)


async def _people(session: AsyncSession, tickets: Sequence[Ticket]) -> dict[str, User]:
    ids = {ticket.requester_id for ticket in tickets if ticket.requester_id}
    return await repository.users_by_id(session, sorted(ids))


async def _staff_names(
    session: AsyncSession, ticket: Ticket, events: Sequence[Event]
) -> dict[str, str]:
    names = {e.actor.id: e.actor.name for e in events if e.actor.kind is ActorKind.ENGINEER}
    if ticket.assignee_id and ticket.assignee_id not in names:
        staff = await repository.staff_by_id(session, ticket.assignee_id)
        if staff is not None:
            names[staff.id] = staff.name
    return names


def ticket_row(ticket: Ticket) -> dict[str, Any]:
    """The columns that lists show."""
    return {
        "number": ticket.number,
        "title": ticket.title,
        "status": ticket.status,
        "severity": ticket.severity,
        "category": ticket.category,
        "module": ticket.module,
        "level": ticket.level,
        "region": ticket.region,
        "unit": ticket.unit,
        "channel": ticket.channel,
        "conversation_id": ticket.conversation_id,
        "assignee_id": ticket.assignee_id,
        "opened_at": ticket.opened_at,
        "respond_due": ticket.respond_due,
        "resolve_due": ticket.resolve_due,
        "next_due": ticket.next_due,
        "responded_at": ticket.responded_at,
        "resolved_at": ticket.resolved_at,
        "closed_at": ticket.closed_at,
        "version": ticket.version,
    }


def requester(user: User | None) -> dict[str, Any] | None:
    """Who asked, as pages show it."""
    if user is None:
        return None
    return {
        "name": user.name,
        "unit": user.unit,
        "region": user.region,
        "phone": user.phone,
        "device": user.device,
        "verified": user.verified,
    }


def _event(event: Event, names: dict[str, str]) -> dict[str, Any]:
    return {
        "seq": event.seq,
        "at": event.at,
        "action": event.action.value,
        "actor": event.actor.name or names.get(event.actor.id, ""),
        "actor_kind": event.actor.kind.value,
        "from": event.from_status,
        "to": event.to_status,
        "detail": dict(event.detail),
    }


def _line(message: Message, files: Sequence[Attachment]) -> dict[str, Any]:
    line = {
        **MessageOut.of(message).model_dump(),
        "audience": message.audience,
        "staff_id": message.staff_id,
    }
    if message.kind == ATTACHMENT:
        line["files"] = [seen_by_staff(file) for file in files if file.seq == message.seq]
    return line


def _turn(turn: Turn) -> dict[str, Any]:
    return {
        "seq": turn.seq,
        "understanding": turn.understanding,
        "search": turn.search,
        "decision": turn.decision,
        "elapsed_ms": turn.elapsed_ms,
    }


def _statuses(text: str) -> tuple[Status, ...]:
    """Statuses named in a query, comma-separated; an unknown word narrows to nothing known."""
    known = {status.value: status for status in Status}
    return tuple(known[word] for word in text.split(",") if word in known)

"""Think: what was said, what it means, what is known about it, and what to do. No transaction.

Understanding and search run in parallel; the decision itself is the pure ``decide``.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Protocol

from bot.attachments import repository as attachments
from bot.attachments.tables import Attachment, Reading
from bot.conversations import message_repository
from bot.conversations.message_repository import Pending
from bot.conversations.sameness import alike
from bot.dialogue import answering, queries
from bot.dialogue.decide import decide
from bot.dialogue.decision import Decision, RaiseTicket, Say
from bot.dialogue.state import Awaiting, DialogueState, from_json
from bot.dialogue.turn import (
    ActionKind,
    Band,
    Clarification,
    Found,
    KnownFault,
    OpenTicket,
    Picture,
    Search,
    Turn,
    UserAction,
)
from bot.tables import Owner
from handoff import repository as tickets
from handoff.tables import Ticket
from handoff.ticket import Status
from kb.applicability import groups
from nlu.triage_types import Similar, Triage
from nlu.types import Intent, Interpreter, Understanding
from store.session import Database
from store.vocabulary import Category


class Knowledge(Protocol):
    """The knowledge base as the dialogue needs it. Synchronous and safe to call from threads."""

    def is_quick(self) -> bool:
        """Whether a search now takes less time than having a thread do it."""
        ...

    def search(
        self, query: str, *, region: str | None, now: datetime, audience: tuple[str, ...] = ()
    ) -> Search:
        """What is known about a query, best first, as far as it holds now and for who asks."""
        ...

    def find(
        self, answer_id: str, *, region: str | None, now: datetime, audience: tuple[str, ...] = ()
    ) -> Found | None:
        """One published answer, or ``None`` when it is gone or does not hold for who asks."""
        ...


class Faults(Protocol):
    """The open incidents that users are told of."""

    async def look(self, text: str, module: str | None = None) -> KnownFault | None:
        """The one that a text is most like; at once ``None`` while there is none."""
        ...


class Rules(Protocol):
    """What editors have laid down about words."""

    def match(self, text: str) -> Clarification | None:
        """The question that a message needs before it can be answered, if any."""
        ...

    def is_blocked(self, text: str) -> bool:
        """Whether a message is for people, whatever is known about it."""
        ...


class Triager(Protocol):
    """Judges incident, category, severity and module, with reasons."""

    def triage(
        self,
        text: str,
        *,
        understanding: Understanding | None = None,
        earlier: Sequence[str] = (),
        similar: Sequence[Similar] = (),
    ) -> Triage:
        """Judge one problem.

        ``earlier`` are the same user's messages about it, ``similar`` what was found for it.
        """
        ...


@dataclass(frozen=True, slots=True)
class Sent:
    """What came with a message besides its words, as far as it has been read.

    ``caption`` are the words that the sender wrote with it.
    """

    said_at: datetime
    caption: str
    picture: Picture
    unread: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A conversation and its next unhandled message, as they were read."""

    conversation_id: str
    channel: str
    user_id: str
    region: str | None
    owner: Owner
    owner_version: int
    state: DialogueState
    seq: int
    text: str
    action: UserAction | None
    masked: frozenset[str]
    tickets: tuple[Ticket, ...] = ()
    #: The groups that the person belongs to, as far as the host page says.
    audience: tuple[str, ...] = ()
    sent: Sent | None = None


@dataclass(frozen=True, slots=True)
class Thought:
    """A decision and everything it was made from."""

    decision: Decision
    understanding: Understanding | None = None
    searches: tuple[Search, ...] = ()
    triage: Triage | None = None


@dataclass(frozen=True, slots=True)
class Thinker:
    """Loads what is pending and decides about it."""

    database: Database
    interpreter: Interpreter
    knowledge: Knowledge
    triager: Triager
    rules: Rules
    faults: Faults | None = None
    #: Searches in flight at once: they are CPU work, more threads than cores only queue up.
    searching: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(4))

    async def load(self, conversation_id: str) -> Snapshot | None:
        """The next message to handle, or ``None`` when nothing is pending."""
        async with self.database.peek() as session:
            found = await message_repository.pending(session, conversation_id)
            if found is None:
                return None
            own: Sequence[Ticket] = ()
            # A turn for an engineer is about the question alone; the ticket is in their hands.
            if found.has_open_ticket and found.owner != Owner.ENGINEER.value:
                own = await tickets.open_tickets_of(session, found.user_id)
            files: Sequence[Attachment] = ()
            if found.data.get("attachments"):
                files = await attachments.of_message(session, conversation_id, found.seq)
            return _with_files(_snapshot(found, own), found, files)

    async def think(self, snapshot: Snapshot, now: datetime) -> Thought:
        """Understand, search, judge, decide."""
        sent = snapshot.sent
        wordless = sent is not None and not sent.caption and not sent.picture.has_words
        plan = () if wordless else queries.plan(snapshot.state, snapshot.text)
        searching = asyncio.gather(*(self._search(query.text, snapshot, now) for query in plan))
        understanding = await self._understand(snapshot)
        turn = self._turn(snapshot, understanding, tuple(await searching), now)
        if self.faults is not None and len(plan) == 1 and snapshot.action is None:
            module = turn.triage.module if turn.triage is not None else None
            turn = replace(turn, fault=await self.faults.look(plan[0].text, module))
        return Thought(decide(snapshot.state, turn), understanding, turn.searches, turn.triage)

    async def _understand(self, snapshot: Snapshot) -> Understanding:
        """What was meant: by the words of the sender, never by those on a screen.

        A screen may well say 退出 or 联系人工; what it names is understood all the same.
        """
        whole = await self.interpreter.parse(snapshot.text)
        sent = snapshot.sent
        if sent is None:
            return whole
        if sent.caption:
            said = await self.interpreter.parse(sent.caption)
            meant = (said.intent, said.confidence)
        else:
            error = sent.picture.shows_error
            meant = (Intent.REPORT_FAULT if error else Intent.ASK_QUESTION, 1.0)
        return replace(whole, intent=meant[0], confidence=meant[1], ranking=(meant,))

    async def _search(self, query: str, who: Snapshot, now: datetime) -> Search:
        if not queries.has_words(query) or self.rules.is_blocked(query):
            return Search(query, Band.NONE)
        search = partial(self.knowledge.search, query, region=who.region, audience=who.audience)
        if self.knowledge.is_quick():
            return search(now=now)
        async with self.searching:
            return await asyncio.to_thread(search, now=now)

    def _turn(
        self,
        snapshot: Snapshot,
        understanding: Understanding,
        searches: tuple[Search, ...],
        now: datetime,
    ) -> Turn:
        topic = snapshot.state.topic
        earlier = (topic,) if topic and self._goes_on(snapshot, understanding) else ()
        return Turn(
            text=snapshot.text,
            seq=snapshot.seq,
            understanding=understanding,
            owner=snapshot.owner,
            searches=searches,
            triage=self.triager.triage(
                snapshot.text,
                understanding=understanding,
                earlier=earlier,
                similar=similar_to(searches),
            ),
            action=snapshot.action,
            chosen=self._chosen(snapshot, now),
            tickets=_open_tickets(snapshot),
            clarification=self.rules.match(snapshot.text),
            masked=snapshot.masked,
            picture=snapshot.sent.picture if snapshot.sent else None,
        )

    @staticmethod
    def _goes_on(snapshot: Snapshot, understanding: Understanding) -> bool:
        """Whether the message is about the matter at hand rather than a new one."""
        return snapshot.state.awaiting is not Awaiting.NOTHING or _is_about_topic(understanding)

    def _chosen(self, snapshot: Snapshot, now: datetime) -> Found | None:
        if snapshot.action is not None and snapshot.action.kind is ActionKind.CHOOSE:
            picked = snapshot.action.answer_id
        else:
            picked = answering.chosen_position(snapshot.state, snapshot.text) or ""
        if not picked:
            return None
        return self.knowledge.find(
            picked, region=snapshot.region, audience=snapshot.audience, now=now
        )

    @staticmethod
    def give_up(snapshot: Snapshot) -> Thought:
        """When thinking itself failed: nothing is lost, a person takes over."""
        parts = (Say("error.kept"), RaiseTicket(problem=snapshot.text, reason="failure"))
        return Thought(Decision(parts, snapshot.state, "failure"))

    @staticmethod
    def apologise(snapshot: Snapshot) -> Thought:
        """When even the ticket could not be opened: at least the user is answered."""
        return Thought(Decision((Say("error.kept"),), snapshot.state, "failure"))


def similar_to(searches: Sequence[Search]) -> tuple[Similar, ...]:
    """What the first search resembles, as far as it has a category."""
    found = searches[0].found if searches else ()
    known = {category.value: category for category in Category}
    return tuple(
        # The weight of similar answers was fitted on scores without a calibration.
        Similar(known[one.category], one.score if one.likeness is None else one.likeness)
        for one in found
        if one.category in known
    )


def _is_about_topic(understanding: Understanding) -> bool:
    return understanding.intent in (
        Intent.REQUEST_HUMAN,
        Intent.NOT_SOLVED,
        Intent.DENY,
        Intent.AFFIRM,
        Intent.URGE,
        Intent.COMPLAIN,
    )


def _snapshot(found: Pending, own: Sequence[Ticket]) -> Snapshot:
    return Snapshot(
        conversation_id=found.conversation_id,
        channel=found.channel,
        user_id=found.user_id,
        region=found.region,
        owner=Owner(found.owner),
        owner_version=found.owner_version,
        state=from_json(found.state),
        seq=found.seq,
        text=found.text,
        action=read_action(found.data.get("action")),
        masked=frozenset(found.data.get("masked", ())),
        tickets=tuple(own),
        audience=groups(found.audience),
    )


def _with_files(snapshot: Snapshot, found: Pending, files: Sequence[Attachment]) -> Snapshot:
    """The text of what came along joins the words."""
    if not files:
        return snapshot
    caption = found.text if found.data.get("captioned") else ""
    cues = " ".join(file.cues for file in files if file.cues)
    picture = Picture(
        captioned=bool(caption),
        has_words=bool(cues),
        shows_error=any(file.shows_error for file in files),
        is_document=not any(file.media_type.startswith("image/") for file in files),
    )
    unread = any(file.reading == Reading.PENDING.value for file in files)
    sent = Sent(found.said_at, caption, picture, unread and not picture.is_document)
    # Where nothing can be read, the name of what was sent stands for it, on tickets too.
    return replace(snapshot, text=f"{caption} {cues}".strip() or found.text, sent=sent)


def read_action(raw: object) -> UserAction | None:
    """A stored action; ``None`` for anything that is not one."""
    if not isinstance(raw, dict):
        return None
    try:
        return UserAction(
            kind=ActionKind(str(raw.get("kind"))),
            answer_id=str(raw.get("answer_id", ""))[:64],
            seq=int(raw.get("seq", 0)),
            stars=int(raw.get("stars", 0)),
            comment=str(raw.get("comment", ""))[:1000],
            number=str(raw.get("number", ""))[:24],
        )
    except (ValueError, TypeError):
        return None


def _open_tickets(snapshot: Snapshot) -> tuple[OpenTicket, ...]:
    """This conversation's ticket first, then the newest."""
    known = [
        OpenTicket(
            number=ticket.number,
            status=ticket.status,
            title=ticket.title,
            resolved=ticket.status == Status.RESOLVED.value,
            same_problem=ticket.status != Status.RESOLVED.value
            and alike(snapshot.text, ticket.description or ticket.title),
            same_conversation=ticket.conversation_id == snapshot.conversation_id,
        )
        for ticket in snapshot.tickets
    ]
    return tuple(sorted(known, key=lambda ticket: not ticket.same_conversation))

"""Act: one transaction that makes a decision true, or nothing of it.

Compares first: the message must still be unhandled and the conversation must still have the
owner it had when it was thought about. Words thought for a user whom an engineer has since
taken over become a draft for that engineer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, assert_never

from sqlalchemy.ext.asyncio import AsyncSession

from bot import cards, repository
from bot.conversations.greeting import LOCAL
from bot.conversations.ownership import end_turn, give_to
from bot.conversations.recording import append
from bot.conversations.thinking import Snapshot, Thought
from bot.conversations.verdicts import record_verdict
from bot.dialogue.decision import (
    AddToTicket,
    Ask,
    ConfirmSolved,
    FollowFault,
    LeaveQueue,
    Offer,
    Part,
    RaiseTicket,
    RecordFeedback,
    RecordRating,
    RequestRating,
    Say,
    ShowAnswer,
    ShowFault,
    ShowTickets,
    UrgeTicket,
)
from bot.dialogue.state import to_json
from bot.incidents.desk import IncidentDesk
from bot.phrases import Phrases
from bot.records import found_json, understanding_json
from bot.tables import (
    Audience,
    Conversation,
    Owner,
    Sender,
    Turn,
)
from bot.tickets.desk import Desk, TicketCard
from kb import service as kb_service
from kb.articles import AnswerContent
from store.session import Database

#: What the bot may say for an engineer: words, and nothing that decides about the matter.
SAID_FOR_ENGINEER = (Say, ShowAnswer, Offer, Ask, ShowFault)
#: What is acted on by writing a few rows; tickets are looked up and counted.
QUICK_PARTS = (Say, ShowAnswer, Offer, Ask, RecordFeedback, RequestRating)


class Outcome(StrEnum):
    """How acting ended."""

    DONE = "done"
    DRAFTED = "drafted"
    RETHINK = "rethink"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Acted:
    """How it ended, and whether there may be more to handle in the conversation."""

    outcome: Outcome
    more: bool


@dataclass(frozen=True, slots=True)
class _Scene:
    """What every part of one decision is acted on with."""

    session: AsyncSession
    conversation: Conversation
    snapshot: Snapshot
    thought: Thought
    #: What the decision shows, by answer id; ``None`` for what was withdrawn since it was found.
    contents: Mapping[str, AnswerContent | None]
    now: datetime
    #: Whether the user has said more since the message that this is about.
    followed: bool


@dataclass(frozen=True, slots=True)
class Actor:
    """Makes decisions true."""

    database: Database
    desk: Desk
    phrases: Phrases

    async def act(
        self, snapshot: Snapshot, thought: Thought, now: datetime, elapsed_ms: int
    ) -> Acted:
        """Act on one thought. Raises what the database raises; nothing is half done then."""
        contents = await self._contents(thought, now)
        quick = all(isinstance(part, QUICK_PARTS) for part in thought.decision.parts)
        async with self.database.transaction(quick=quick) as session:
            conversation = await repository.lock_conversation(session, snapshot.conversation_id)
            if conversation is None or conversation.handled_seq >= snapshot.seq:
                return Acted(Outcome.STALE, more=True)
            followed = conversation.last_seq > snapshot.seq
            scene = _Scene(session, conversation, snapshot, thought, contents, now, followed)
            if conversation.owner_version != snapshot.owner_version:
                if conversation.owner != Owner.ENGINEER.value:
                    return Acted(Outcome.RETHINK, more=True)
                await self._draft(scene)
                return Acted(Outcome.DRAFTED, await _finish(scene, elapsed_ms, drafted=True))
            if conversation.owner == Owner.ENGINEER.value and not _answers(thought):
                await self._decline(scene)
                return Acted(Outcome.DONE, await _finish(scene, elapsed_ms, drafted=False))
            for part in thought.decision.parts:
                await self._act_on(scene, part)
            conversation.state = to_json(thought.decision.state)
            return Acted(Outcome.DONE, await _finish(scene, elapsed_ms, drafted=False))

    async def _decline(self, scene: _Scene) -> None:
        """The engineer, who gave the bot this turn, learns that it has nothing to say."""
        failed = scene.thought.decision.reason == "failure"
        key = "bot_turn.failed" if failed else "bot_turn.nothing"
        await append(
            scene.session,
            scene.conversation,
            sender=Sender.SYSTEM,
            kind="bot_turn",
            text=self.phrases.say(key),
            audience=Audience.STAFF,
            now=scene.now,
        )

    async def _contents(self, thought: Thought, now: datetime) -> dict[str, AnswerContent | None]:
        """Read before the transaction, so that others need not wait for it meanwhile.

        What was offered yesterday and has expired since counts as withdrawn.
        """
        parts = thought.decision.parts
        wanted = [part.answer_id for part in parts if isinstance(part, ShowAnswer)]
        wanted += [part.collect for part in parts if isinstance(part, RaiseTicket) and part.collect]
        if not wanted:
            return {}
        async with self.database.peek() as session:
            found = {one: await kb_service.answer_card(session, one) for one in wanted}
        today = now.astimezone(LOCAL).date()
        return {
            one: content if content and kb_service.valid_on(content, today) else None
            for one, content in found.items()
        }

    async def _act_on(self, scene: _Scene, part: Part) -> None:  # noqa: C901  # one arm per part
        match part:
            case Say(key=key, values=values):
                await self._say(scene, self.phrases.vary(key, scene.snapshot.seq, **dict(values)))
            case ShowAnswer():
                await self._answer(scene, part)
            case Offer(options=options, lead=lead):
                text = self.phrases.say(lead)
                none = self.phrases.say("offer.none")
                data = {**cards.offer_data(options), "lead": text}
                await self._post(scene, "offer", cards.offer_text(text, options, none), data)
            case Ask(key=key, text=text, options=options):
                words = text or self.phrases.say(key)
                shown = options or self.phrases.below(key.replace(".ask.", ".choice."))
                await self._post(scene, "ask", words, {"options": list(shown)})
            case RequestRating(number=number):
                await self._post(
                    scene, "rating_request", self.phrases.say("rating.ask"), {"number": number}
                )
            case RecordFeedback() | RecordRating():
                await record_verdict(scene.session, scene.conversation, part, scene.now)
            case RaiseTicket() | AddToTicket() | UrgeTicket() | ShowTickets() | ConfirmSolved():
                await self._act_on_ticket(scene, part)
            case ShowFault() | FollowFault():
                await self._tell_of_fault(scene, part)
            case LeaveQueue():
                give_to(scene.conversation, Owner.BOT, scene.now)
            case _:
                assert_never(part)

    async def _act_on_ticket(  # noqa: C901  # one arm per part
        self,
        scene: _Scene,
        part: RaiseTicket | AddToTicket | UrgeTicket | ShowTickets | ConfirmSolved,
    ) -> None:
        match part:
            case RaiseTicket():
                await self._raise_ticket(scene, part)
            case AddToTicket():
                await self._add_to_ticket(scene, part)
            case UrgeTicket(number=number):
                await self.desk.urge(scene.session, number, scene.snapshot, scene.now)
                await self._say(scene, self.phrases.say("ticket.urged", number=number))
            case ShowTickets(numbers=numbers, lead=lead):
                if lead:
                    await self._say(scene, self.phrases.say(lead))
                for number in numbers:
                    card = await self.desk.card(scene.session, number, scene.now)
                    await self._ticket_card(scene, card)
            case ConfirmSolved(number=number):
                await self.desk.confirm_solved(scene.session, number, scene.snapshot, scene.now)
                if scene.conversation.owner == Owner.QUEUE.value:
                    give_to(scene.conversation, Owner.BOT, scene.now)
                await self._say(scene, self.phrases.say("ticket.confirmed", number=number))
            case _:
                assert_never(part)

    async def _tell_of_fault(self, scene: _Scene, part: ShowFault | FollowFault) -> None:
        faults = IncidentDesk(self.desk.terms, self.phrases)
        match part:
            case ShowFault(fault=fault):
                card = await faults.show(scene.session, scene.conversation, fault, scene.now)
                await self._post(scene, "fault", card.text, card.data)
            case FollowFault(number=number):
                text = await faults.follow(scene.session, scene.conversation, number, scene.now)
                await self._say(scene, text)

    async def _say(self, scene: _Scene, text: str) -> None:
        await self._post(scene, "text", text, {})

    async def _post(self, scene: _Scene, kind: str, text: str, data: dict[str, Any]) -> None:
        await append(
            scene.session,
            scene.conversation,
            sender=Sender.BOT,
            kind=kind,
            text=text,
            data=data,
            now=scene.now,
        )

    async def _answer(self, scene: _Scene, part: ShowAnswer) -> None:
        content = scene.contents[part.answer_id]
        if content is None:
            # Withdrawn between search and showing: never show it, and leave nobody without help.
            await self._say(scene, self.phrases.say("answer.gone"))
            gone = RaiseTicket(
                problem=scene.thought.decision.state.topic or scene.snapshot.text,
                reason="answer_gone",
                triage=scene.thought.triage,
            )
            await self._raise_ticket(scene, gone)
            return
        data = cards.answer_data(content)
        text = cards.answer_text(content, self.phrases)
        if part.lead:
            data["lead"] = self.phrases.say(part.lead)
            text = f"{data['lead']}\n{text}"
        await self._post(scene, "answer", text, data)

    async def _raise_ticket(self, scene: _Scene, part: RaiseTicket) -> None:
        if part.collect:
            await self._collect(scene, scene.contents.get(part.collect))
        card = await self.desk.open(scene.session, scene.conversation, part, scene.now)
        scene.conversation.ticket_id = card.ticket_id
        await self._post(scene, "ticket", card.text, card.data)
        if part.queue:
            await self._join_queue(scene, card)

    async def _collect(self, scene: _Scene, content: AnswerContent | None) -> None:
        if content is not None:
            await self._post(scene, "text", content.text, {"ref": content.ref})

    async def _join_queue(self, scene: _Scene, card: TicketCard) -> None:
        conversation = scene.conversation
        if conversation.owner == Owner.BOT.value:
            give_to(conversation, Owner.QUEUE, scene.now)
        waiting = await self.desk.waiting(scene.session, conversation, card, scene.now)
        await append(
            scene.session,
            conversation,
            sender=Sender.SYSTEM,
            kind="queue",
            text=waiting.text,
            data=waiting.data,
            now=scene.now,
        )

    async def _add_to_ticket(self, scene: _Scene, part: AddToTicket) -> None:
        added = await self.desk.add_information(scene.session, part, scene.snapshot, scene.now)
        await self._say(scene, added.text)
        if part.queue and scene.conversation.owner == Owner.BOT.value:
            scene.conversation.ticket_id = added.card.ticket_id
            await self._join_queue(scene, added.card)

    async def _ticket_card(self, scene: _Scene, card: TicketCard) -> None:
        await self._post(scene, "ticket", card.text, card.data)
        if scene.conversation.owner == Owner.QUEUE.value and card.is_of(scene.conversation):
            await self._join_queue(scene, card)

    async def _draft(self, scene: _Scene) -> None:
        """What the bot would have said, for the engineer who took over meanwhile."""
        parts = scene.thought.decision.parts
        texts = [text for part in parts if (text := self._words(scene, part))]
        if not texts:
            return
        await append(
            scene.session,
            scene.conversation,
            sender=Sender.BOT,
            kind="draft",
            text="\n".join(texts),
            audience=Audience.STAFF,
            now=scene.now,
        )

    def _words(self, scene: _Scene, part: Part) -> str:
        match part:
            case Say(key=key, values=values):
                return self.phrases.say(key, **dict(values))
            case ShowAnswer(answer_id=answer_id):
                content = scene.contents[answer_id]
                return cards.answer_text(content, self.phrases) if content is not None else ""
            case Offer(options=options, lead=lead):
                return cards.offer_text(
                    self.phrases.say(lead), options, self.phrases.say("offer.none")
                )
            case Ask(key=key, text=text):
                return text or self.phrases.say(key)
            case ShowFault(fault=fault):
                return fault.note
            case _:
                return ""


def _answers(thought: Thought) -> bool:
    """Whether there is something to say, and nothing but that to do."""
    parts = thought.decision.parts
    return bool(parts) and all(isinstance(part, SAID_FOR_ENGINEER) for part in parts)


async def _finish(scene: _Scene, elapsed_ms: int, *, drafted: bool) -> bool:
    """The message is handled: note what was thought; whether another one waits."""
    conversation, thought = scene.conversation, scene.thought
    conversation.handled_seq = scene.snapshot.seq
    if conversation.owner == Owner.ENGINEER.value:
        end_turn(conversation)
    else:
        conversation.pending_seq = await _following(scene) if scene.followed else None
    scene.session.add(
        Turn(
            conversation_id=conversation.id,
            seq=scene.snapshot.seq,
            understanding=understanding_json(thought.understanding, thought.triage),
            search=[found_json(search) for search in thought.searches],
            decision={
                "reason": thought.decision.reason,
                "parts": [type(part).__name__ for part in thought.decision.parts],
                "drafted": drafted,
            },
            elapsed_ms=elapsed_ms,
            at=scene.now,
        )
    )
    return conversation.pending_seq is not None


async def _following(scene: _Scene) -> int | None:
    found = await repository.next_user_message(
        scene.session, scene.conversation.id, after=scene.snapshot.seq
    )
    return found.seq if found else None

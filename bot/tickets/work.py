"""A ticket and its conversation held by one transaction, for whatever an engineer does to them.

Refuses to know any verb; ``bot.tickets.engineers`` and ``bot.tickets.dispatching`` have them.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot import repository
from bot.accounts.service import Principal
from bot.cards import local_time
from bot.clock import Clock
from bot.conversations.live import STAFF, Live
from bot.conversations.ownership import give_to
from bot.conversations.recording import append
from bot.errors import Change, TicketChanged, TicketNotFound
from bot.phrases import Phrases
from bot.tables import Conversation, Owner, Sender
from handoff import errors as refusals
from handoff import relations
from handoff import repository as rows
from handoff.contract import Terms
from handoff.settings import HandoffSettings
from handoff.tables import Ticket
from handoff.ticket import Actor, ActorKind, Level, Status
from store.session import Database

#: Beyond these the user does not wait in the chat: it takes days, and the answer is pushed.
_FAR = frozenset({Level.CITY, Level.PROVINCE})


@dataclass(frozen=True, slots=True)
class Work:
    """One ticket and its conversation, both held by this transaction."""

    session: AsyncSession
    ticket: Ticket
    conversation: Conversation | None
    actor: Actor
    now: datetime

    def state(self) -> dict[str, Any]:
        """What a verb answers: the ticket as it is now."""
        return {
            "number": self.ticket.number,
            "status": Status(self.ticket.status).value,
            "severity": self.ticket.severity,
            "level": self.ticket.level,
            "assignee_id": self.ticket.assignee_id,
            "version": self.ticket.version,
            "owner": self.conversation.owner if self.conversation is not None else None,
        }


@dataclass(frozen=True, slots=True)
class TicketWork:
    """What every verb needs, and the way into a ticket."""

    database: Database
    terms: Terms
    settings: HandoffSettings
    phrases: Phrases
    live: Live
    clock: Clock

    @asynccontextmanager
    async def work(
        self, staff: Principal, number: str, expected: int | None = None
    ) -> AsyncIterator[Work]:
        """A transaction on a ticket within the account's scope; wakes whoever waits, after it.

        The conversation is locked before the ticket, as acting does: two orders would deadlock.
        Every verb finds its rows by key, so its statements are executed on the spot: with a trip to
        a thread for each of twenty, a busy process would write no more than a few verbs a second.
        Raises ``TicketChanged`` unless the ticket's version is the ``expected`` one, if given.
        """
        now = self.clock()
        async with self.database.transaction(quick=True) as session:
            conversation = await _held_conversation(session, number)
            ticket = await visible_ticket(session, staff, number, lock=True)
            if expected is not None and ticket.version != expected:
                raise await _changed(session, ticket, expected)
            actor = Actor(ActorKind.ENGINEER, staff.staff_id, staff.name)
            yield Work(session, ticket, conversation, actor, now)
        topics = (conversation.id,) if conversation is not None else ()
        self.live.publish(*topics, STAFF)

    async def hold(self, session: AsyncSession, ticket_id: str, actor: Actor) -> Work:
        """A ticket held for what the system does. Conversation first, as in ``work``."""
        seen = await rows.by_id(session, ticket_id)
        talk = None
        if seen.conversation_id is not None:
            talk = await repository.lock_conversation(session, seen.conversation_id)
        ticket = await rows.by_id(session, ticket_id, lock=True)
        return Work(session, ticket, talk, actor, self.clock())

    async def wait_again(self, work: Work) -> None:
        """Nobody has the ticket now: whoever waits in its chat learns for whom."""
        conversation = work.conversation
        if conversation is None or conversation.owner == Owner.BOT.value:
            return
        if conversation.owner == Owner.ENGINEER.value and conversation.ticket_id != work.ticket.id:
            # An engineer speaks there about another ticket; that goes on.
            return
        far = Level(work.ticket.level) in _FAR
        key = "ticket.moved_far" if far else "ticket.moved"
        text = self.phrases.say(key, number=work.ticket.number, level=work.ticket.level)
        await self.tell(work, conversation, "moved", text)
        if far:
            await self.return_to_bot(work, conversation)
        elif conversation.owner == Owner.ENGINEER.value:
            give_to(conversation, Owner.QUEUE, work.now)

    async def tell(self, work: Work, conversation: Conversation, kind: str, text: str) -> None:
        """A line of the system to the user."""
        await append(
            work.session, conversation, sender=Sender.SYSTEM, kind=kind, text=text, now=work.now
        )

    async def tell_resolved(self, work: Work, by: str | None) -> None:
        """Tell the asker, and those whose tickets were merged into it; the bot speaks again.

        ``by`` is the account that resolved it: what another engineer says goes on.
        """
        for conversation, number in await self._askers(work):
            await self._tell_resolved(work, conversation, number)
        talk = work.conversation
        if talk is not None and (_waits(talk) or (by and talk.staff_id == by)):
            await self.return_to_bot(work, talk)

    async def tell_closed(self, work: Work, key: str) -> None:
        """Tell them that it is over, in the words of ``key``, and ask for stars."""
        for conversation, number in await self._askers(work):
            for kind, text in (
                ("closed", self.phrases.say(key, number=number)),
                ("rating_request", self.phrases.say("rating.ask")),
            ):
                await append(
                    work.session,
                    conversation,
                    sender=Sender.SYSTEM,
                    kind=kind,
                    text=text,
                    data={"number": number},
                    now=work.now,
                )

    @staticmethod
    async def _askers(work: Work) -> list[tuple[Conversation, str]]:
        """Everybody who asked: conversations, held, with the number that each of them knows."""
        found = {} if work.conversation is None else {work.conversation.id: work.conversation}
        numbers = dict.fromkeys(found, work.ticket.number)
        for merged in await relations.merged_from(work.session, work.ticket.id):
            if merged.conversation_id is None or merged.conversation_id in found:
                continue
            other = await repository.lock_conversation(work.session, merged.conversation_id)
            if other is not None:
                found[other.id], numbers[other.id] = other, merged.number
        return [(conversation, numbers[key]) for key, conversation in found.items()]

    async def _tell_resolved(self, work: Work, conversation: Conversation, number: str) -> None:
        ticket, say = work.ticket, self.phrases.say
        until = local_time(ticket.confirm_until or work.now)
        lines = (
            say("ticket.resolved", number=number, solution=ticket.solution),
            say("ticket.resolved_lead", until=until),
        )
        shown = {"cause": ticket.cause, "solution": ticket.solution, "until": until}
        await append(
            work.session,
            conversation,
            sender=Sender.SYSTEM,
            kind="resolved",
            text="\n".join(lines),
            data={"number": number, **shown},
            now=work.now,
        )

    async def return_to_bot(self, work: Work, conversation: Conversation) -> None:
        """The bot speaks again, and the user is told."""
        if conversation.owner == Owner.BOT.value:
            return
        give_to(conversation, Owner.BOT, work.now)
        await self.tell(work, conversation, "returned", self.phrases.say("queue.returned"))


def _waits(conversation: Conversation) -> bool:
    return conversation.owner == Owner.QUEUE.value


async def _held_conversation(session: AsyncSession, number: str) -> Conversation | None:
    try:
        conversation_id = await rows.conversation_of(session, number)
    except refusals.TicketNotFound:
        raise TicketNotFound(number) from None
    if conversation_id is None:
        return None
    return await repository.lock_conversation(session, conversation_id)


async def visible_ticket(
    session: AsyncSession, staff: Principal, number: str, *, lock: bool = False
) -> Ticket:
    """The ticket, if it is in the account's scope. Raises ``TicketNotFound``."""
    try:
        ticket = await rows.by_number(session, number, lock=lock)
    except refusals.TicketNotFound:
        raise TicketNotFound(number) from None
    if not in_scope(staff, ticket):
        raise TicketNotFound(number)
    return ticket


def in_scope(staff: Principal, ticket: Ticket) -> bool:
    """Whether the account may see the ticket."""
    return staff.covers(region=ticket.region or None, module=ticket.module)


async def _changed(session: AsyncSession, ticket: Ticket, expected: int) -> TicketChanged:
    events = await rows.events_of(session, ticket.id)
    news = tuple(
        Change(event.actor.name, event.actor.kind.value, event.action.value, event.at)
        for event in events
        if event.seq > expected
    )
    return TicketChanged(ticket.number, ticket.version, news)

"""What engineers do to a ticket and its conversation, each verb one transaction.

Taking the ticket and taking the word in its conversation is one step, so there is never a
moment with two speakers or none.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot import repository
from bot.accounts import Principal
from bot.clock import Clock
from bot.errors import NotYourConversation, TicketNotFound
from bot.live import STAFF, Live
from bot.masking import mask
from bot.ownership import give_to
from bot.phrases import Phrases
from bot.recording import append
from bot.tables import Audience, Conversation, Owner, Sender
from handoff import errors as refusals
from handoff import repository as rows
from handoff import service
from handoff.contract import Terms
from handoff.settings import HandoffSettings
from handoff.tables import Ticket
from handoff.ticket import Actor, ActorKind, Status
from store import inbox
from store.session import Database
from store.vocabulary import Severity

#: How long "is typing" holds after one sign of it, in seconds.
TYPING_S = 5.0


@dataclass(frozen=True, slots=True)
class _Work:
    """One ticket and its conversation, both held by this transaction."""

    session: AsyncSession
    ticket: Ticket
    conversation: Conversation | None
    actor: Actor
    now: datetime


@dataclass(frozen=True, slots=True)
class Engineers:
    """The engineer's verbs."""

    database: Database
    terms: Terms
    settings: HandoffSettings
    phrases: Phrases
    live: Live
    clock: Clock

    async def claim(self, staff: Principal, number: str) -> dict[str, Any]:
        """Take a ticket and the word in its conversation.

        Of two engineers exactly one succeeds; the other gets ``NotHolder`` or ``StaleTicket``.
        """
        async with self._work(staff, number) as work:
            await service.claim(
                work.session, work.ticket, actor=work.actor, now=work.now, terms=self.terms
            )
            conversation = work.conversation
            if conversation is not None and conversation.owner != Owner.ENGINEER.value:
                give_to(conversation, Owner.ENGINEER, work.now, staff_id=staff.staff_id)
                conversation.ticket_id = work.ticket.id
                key = "queue.claimed" if staff.post else "queue.claimed_plain"
                await append(
                    work.session,
                    conversation,
                    sender=Sender.SYSTEM,
                    kind="joined",
                    text=self.phrases.say(key, name=staff.name, post=staff.post),
                    data={"name": staff.name, "post": staff.post},
                    now=work.now,
                )
            return _state(work)

    async def reply(
        self, staff: Principal, number: str, text: str, *, client_msg_id: str | None = None
    ) -> dict[str, Any]:
        """Say something to the user; the same ``client_msg_id`` is said once."""
        async with self._work(staff, number) as work:
            conversation = self._own_word(work, staff)
            known = await self._known(work, conversation, client_msg_id)
            if known is not None:
                return {**_state(work), **known}
            message = await append(
                work.session,
                conversation,
                sender=Sender.ENGINEER,
                kind="text",
                text=mask(text).text,
                data={"name": staff.name, "post": staff.post},
                staff_id=staff.staff_id,
                client_msg_id=client_msg_id,
                now=work.now,
            )
            await service.record_reply(
                work.session,
                work.ticket,
                actor=work.actor,
                now=work.now,
                terms=self.terms,
                message_id=message.seq,
            )
            result = {"message_id": str(message.id), "seq": message.seq}
            await self._remember(work, conversation, client_msg_id, result)
            return {**_state(work), **result}

    async def note(
        self, staff: Principal, number: str, text: str, *, client_msg_id: str | None = None
    ) -> dict[str, Any]:
        """Write something that only staff sees."""
        async with self._work(staff, number) as work:
            conversation = work.conversation
            known = await self._known(work, conversation, client_msg_id)
            if known is not None:
                return {**_state(work), **known}
            masked = mask(text).text
            await service.note(
                work.session,
                work.ticket,
                actor=work.actor,
                now=work.now,
                terms=self.terms,
                text=masked,
            )
            result: dict[str, Any] = {}
            if conversation is not None:
                message = await append(
                    work.session,
                    conversation,
                    sender=Sender.ENGINEER,
                    kind="note",
                    text=masked,
                    data={"name": staff.name, "post": staff.post},
                    audience=Audience.STAFF,
                    staff_id=staff.staff_id,
                    client_msg_id=client_msg_id,
                    now=work.now,
                )
                result = {"message_id": str(message.id), "seq": message.seq}
                await self._remember(work, conversation, client_msg_id, result)
            return {**_state(work), **result}

    async def resolve(
        self, staff: Principal, number: str, *, cause: str, solution: str
    ) -> dict[str, Any]:
        """Finish: the user is told and asked for stars, and the bot speaks again."""
        async with self._work(staff, number) as work:
            await service.resolve(
                work.session,
                work.ticket,
                actor=work.actor,
                now=work.now,
                terms=self.terms,
                cause=mask(cause).text,
                solution=mask(solution).text,
                confirm_days=self.settings.auto_close_days,
            )
            if work.conversation is not None:
                await self._tell_resolved(work, work.conversation, staff)
            return _state(work)

    async def give_back(self, staff: Principal, number: str) -> dict[str, Any]:
        """Let the bot speak again; the ticket stays with the engineer."""
        async with self._work(staff, number) as work:
            conversation = self._own_word(work, staff)
            await self._return_to_bot(work, conversation)
            return _state(work)

    async def change_severity(
        self, staff: Principal, number: str, *, severity: Severity, why: str
    ) -> dict[str, Any]:
        """Rate the ticket anew, with the reason; deadlines follow."""
        async with self._work(staff, number) as work:
            await service.change_severity(
                work.session,
                work.ticket,
                actor=work.actor,
                now=work.now,
                terms=self.terms,
                severity=severity,
                why=why,
            )
            return _state(work)

    async def typing(self, staff: Principal, number: str) -> None:
        """Tell the user that an answer is being written."""
        async with self.database.reading() as session:
            ticket = await rows.by_number(session, number)
        if ticket.conversation_id and _in_scope(staff, ticket):
            until = asyncio.get_running_loop().time() + TYPING_S
            self.live.set_typing(ticket.conversation_id, Sender.ENGINEER.value, until)

    @asynccontextmanager
    async def _work(self, staff: Principal, number: str) -> AsyncIterator[_Work]:
        """A transaction on a ticket within the account's scope; wakes whoever waits, after it.

        The conversation is locked before the ticket, as acting does: two orders would deadlock.
        """
        now = self.clock()
        async with self.database.transaction() as session:
            ticket = await self._ticket(session, staff, number)
            conversation = None
            if ticket.conversation_id is not None:
                conversation = await repository.lock_conversation(session, ticket.conversation_id)
            ticket = await rows.by_number(session, number, lock=True)
            actor = Actor(ActorKind.ENGINEER, staff.staff_id, staff.name)
            yield _Work(session, ticket, conversation, actor, now)
        topics = (conversation.id,) if conversation is not None else ()
        self.live.publish(*topics, STAFF)

    @staticmethod
    async def _ticket(session: AsyncSession, staff: Principal, number: str) -> Ticket:
        try:
            ticket = await rows.by_number(session, number)
        except refusals.TicketNotFound:
            raise TicketNotFound(number) from None
        if not _in_scope(staff, ticket):
            raise TicketNotFound(number)
        return ticket

    @staticmethod
    def _own_word(work: _Work, staff: Principal) -> Conversation:
        conversation = work.conversation
        if conversation is None or conversation.staff_id != staff.staff_id:
            raise NotYourConversation(conversation.owner if conversation else "")
        return conversation

    @staticmethod
    async def _known(
        work: _Work, conversation: Conversation | None, client_msg_id: str | None
    ) -> dict[str, Any] | None:
        if conversation is None or client_msg_id is None:
            return None
        key = f"{conversation.id}:{client_msg_id}"
        return await inbox.find(work.session, channel="console", external_id=key)

    @staticmethod
    async def _remember(
        work: _Work,
        conversation: Conversation,
        client_msg_id: str | None,
        result: dict[str, Any],
    ) -> None:
        if client_msg_id is not None:
            await inbox.admit(
                work.session,
                channel="console",
                external_id=f"{conversation.id}:{client_msg_id}",
                result=result,
                now=work.now,
            )

    async def _tell_resolved(
        self, work: _Work, conversation: Conversation, staff: Principal
    ) -> None:
        ticket = work.ticket
        lines = (
            self.phrases.say("ticket.resolved", number=ticket.number, solution=ticket.solution),
            self.phrases.say("ticket.resolved_lead"),
        )
        await append(
            work.session,
            conversation,
            sender=Sender.SYSTEM,
            kind="resolved",
            text="\n".join(lines),
            data={"number": ticket.number, "cause": ticket.cause, "solution": ticket.solution},
            now=work.now,
        )
        await append(
            work.session,
            conversation,
            sender=Sender.SYSTEM,
            kind="rating_request",
            text=self.phrases.say("rating.ask"),
            data={"number": ticket.number},
            now=work.now,
        )
        if conversation.staff_id == staff.staff_id or conversation.owner == Owner.QUEUE.value:
            await self._return_to_bot(work, conversation)

    async def _return_to_bot(self, work: _Work, conversation: Conversation) -> None:
        give_to(conversation, Owner.BOT, work.now)
        await append(
            work.session,
            conversation,
            sender=Sender.SYSTEM,
            kind="returned",
            text=self.phrases.say("queue.returned"),
            now=work.now,
        )


def _in_scope(staff: Principal, ticket: Ticket) -> bool:
    return staff.covers(region=ticket.region or None, module=ticket.module)


def _state(work: _Work) -> dict[str, Any]:
    ticket, conversation = work.ticket, work.conversation
    return {
        "number": ticket.number,
        "status": Status(ticket.status).value,
        "severity": ticket.severity,
        "assignee_id": ticket.assignee_id,
        "version": ticket.version,
        "owner": conversation.owner if conversation is not None else None,
    }

"""What engineers say in a ticket's conversation and do with it, each verb one transaction.

Taking the ticket and taking the word in its conversation is one step, so there is never a
moment with two speakers or none. Who works on a ticket is decided in ``bot.tickets.dispatching``.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from bot import repository
from bot.accounts.service import Principal
from bot.attachments import stored
from bot.attachments.stored import Enclosure
from bot.conversations.ownership import give_to, lend_turn, take_turn_back
from bot.conversations.recording import append
from bot.errors import NothingToAnswer, NotYourConversation
from bot.masking import mask
from bot.tables import Audience, Conversation, Owner, Sender
from bot.tickets.work import TicketWork, Work, in_scope
from bot.workbench.ticket_drafts import draft_of_ticket
from handoff import repository as rows
from handoff import service
from store import audit, inbox
from store.vocabulary import Severity

#: How long "is typing" holds after one sign of it, in seconds.
TYPING_S = 5.0


@dataclass(frozen=True, slots=True)
class Engineers(TicketWork):
    """The engineer's verbs."""

    async def claim(
        self, staff: Principal, number: str, *, expected: int | None = None
    ) -> dict[str, Any]:
        """Take a ticket and the word in its conversation.

        Of two engineers exactly one succeeds; the other gets ``NotHolder`` or ``StaleTicket``.
        """
        async with self.work(staff, number, expected) as work:
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
            return work.state()

    async def reply(
        self,
        staff: Principal,
        number: str,
        text: str,
        *,
        client_msg_id: str | None = None,
        enclosure: Enclosure | None = None,
    ) -> dict[str, Any]:
        """Say something to the user; the same ``client_msg_id`` is said once.

        Raises ``TooManyAttachments`` for an enclosure that is one too many.
        """
        async with self.work(staff, number) as work:
            conversation = self._own_word(work, staff)
            known = await self._known(work, conversation, client_msg_id)
            if known is not None:
                return {**work.state(), **known}
            take_turn_back(conversation)
            message = await append(
                work.session,
                conversation,
                sender=Sender.ENGINEER,
                kind=stored.KIND if enclosure is not None else "text",
                text=mask(text).text,
                data={"name": staff.name, "post": staff.post} | _listed(enclosure),
                staff_id=staff.staff_id,
                client_msg_id=client_msg_id,
                now=work.now,
            )
            if enclosure is not None:
                place = stored.Place(conversation.id, message.seq, work.now, staff.staff_id)
                await stored.attach(work.session, enclosure, place)
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
            return {**work.state(), **result}

    async def note(
        self, staff: Principal, number: str, text: str, *, client_msg_id: str | None = None
    ) -> dict[str, Any]:
        """Write something that only staff sees."""
        async with self.work(staff, number) as work:
            conversation = work.conversation
            known = await self._known(work, conversation, client_msg_id)
            if known is not None:
                return {**work.state(), **known}
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
            return {**work.state(), **result}

    async def resolve(
        self,
        staff: Principal,
        number: str,
        *,
        cause: str,
        solution: str,
        draft: bool = False,
        expected: int | None = None,
    ) -> dict[str, Any]:
        """Finish: the user is told and asked for stars, and the bot speaks again.

        With ``draft`` an answer is drafted of it, in the same transaction: the ticket stays open
        when the workbench refuses the words (``InvalidInput``).
        """
        async with self.work(staff, number, expected) as work:
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
            await self.tell_resolved(work, staff.staff_id)
            if not draft:
                return work.state()
            article_id = await draft_of_ticket(work.session, staff, work.ticket, work.now)
            return {**work.state(), "draft_id": article_id}

    async def give_back(self, staff: Principal, number: str) -> dict[str, Any]:
        """Let the bot speak again; the ticket stays with the engineer."""
        async with self.work(staff, number) as work:
            conversation = self._own_word(work, staff)
            await self.return_to_bot(work, conversation)
            return work.state()

    async def lend_turn(self, staff: Principal, number: str) -> str:
        """Let the bot answer what the user said last, once; the word stays with the engineer.

        The conversation, which the caller wakes. Asking again while it thinks changes nothing.
        Raises ``NotYourConversation`` and ``NothingToAnswer``.
        """
        async with self.work(staff, number) as work:
            conversation = self._own_word(work, staff)
            if conversation.pending_seq is None:
                seq = await repository.unanswered_by_bot(work.session, conversation.id)
                if seq is None:
                    raise NothingToAnswer(number)
                lend_turn(conversation, seq)
                await audit.record(
                    work.session,
                    actor=work.actor.reference,
                    action="conversation.turn_lent",
                    subject=f"ticket:{number}",
                    detail={"seq": seq},
                    now=work.now,
                )
            return conversation.id

    async def change_severity(
        self,
        staff: Principal,
        number: str,
        *,
        severity: Severity,
        why: str,
        expected: int | None = None,
    ) -> dict[str, Any]:
        """Rate the ticket anew, with the reason; deadlines follow."""
        async with self.work(staff, number, expected) as work:
            await service.change_severity(
                work.session,
                work.ticket,
                actor=work.actor,
                now=work.now,
                terms=self.terms,
                severity=severity,
                why=why,
            )
            return work.state()

    async def typing(self, staff: Principal, number: str) -> None:
        """Tell the user that an answer is being written."""
        async with self.database.peek() as session:
            ticket = await rows.by_number(session, number)
        if ticket.conversation_id and in_scope(staff, ticket):
            until = asyncio.get_running_loop().time() + TYPING_S
            self.live.set_typing(ticket.conversation_id, Sender.ENGINEER.value, until)

    @staticmethod
    def _own_word(work: Work, staff: Principal) -> Conversation:
        conversation = work.conversation
        if conversation is None or conversation.staff_id != staff.staff_id:
            raise NotYourConversation(conversation.owner if conversation else "")
        return conversation

    @staticmethod
    async def _known(
        work: Work, conversation: Conversation | None, client_msg_id: str | None
    ) -> dict[str, Any] | None:
        if conversation is None or client_msg_id is None:
            return None
        key = f"{conversation.id}:{client_msg_id}"
        return await inbox.find(work.session, channel="console", external_id=key)

    @staticmethod
    async def _remember(
        work: Work,
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


def _listed(enclosure: Enclosure | None) -> dict[str, Any]:
    return enclosure.data() if enclosure is not None else {}

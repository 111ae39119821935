"""Record: one transaction that makes a message ours, before anybody is told that we have it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot import repository
from bot.errors import ConversationNotFound
from bot.masking import mask
from bot.tables import Audience, Conversation, Message, Owner, Sender
from store import inbox, outbox
from store.session import Database

#: Channels whose people read straight from the database; nothing has to be sent to them.
PULLING_CHANNELS = frozenset({"web", "terminal"})


@dataclass(frozen=True, slots=True)
class Recorded:
    """A message of ours. ``duplicate`` tells that an earlier delivery of it was recorded."""

    message_id: str
    seq: int
    conversation_id: str
    duplicate: bool
    to_think: bool


async def append(
    session: AsyncSession,
    conversation: Conversation,
    *,
    sender: Sender,
    kind: str,
    text: str,
    now: datetime,
    data: Mapping[str, Any] | None = None,
    audience: Audience = Audience.ALL,
    staff_id: str | None = None,
    client_msg_id: str | None = None,
) -> Message:
    """Add the next message to a conversation that the caller has locked.

    What others must see in a channel that has to be sent to goes to the outbox with it.
    """
    conversation.last_seq += 1
    conversation.updated_at = now
    message = Message(
        conversation_id=conversation.id,
        seq=conversation.last_seq,
        sender=sender.value,
        kind=kind,
        audience=audience.value,
        text=text,
        data=dict(data or {}),
        staff_id=staff_id,
        client_msg_id=client_msg_id,
        created_at=now,
    )
    session.add(message)
    await session.flush()
    if (
        sender is not Sender.USER
        and audience is Audience.ALL
        and conversation.channel not in PULLING_CHANNELS
    ):
        await _enqueue_delivery(session, conversation, message, now)
    return message


async def _enqueue_delivery(
    session: AsyncSession, conversation: Conversation, message: Message, now: datetime
) -> None:
    await outbox.enqueue(
        session,
        kind="deliver",
        payload={"conversation_id": conversation.id, "seq": message.seq},
        dedupe_key=f"deliver:{conversation.id}:{message.seq}",
        conversation_id=conversation.id,
        available_at=now,
    )


class Recorder:
    """Records what users send. Commits before it returns: only then may a channel be told."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(
        self,
        conversation_id: str,
        *,
        external_id: str,
        text: str,
        action: Mapping[str, Any] | None,
        now: datetime,
    ) -> Recorded:
        """Record one user message; a repeated ``external_id`` returns the first one's result.

        Raises :class:`ConversationNotFound`.
        """
        async with self._database.transaction() as session:
            conversation = await repository.lock_conversation(session, conversation_id)
            if conversation is None:
                raise ConversationNotFound(conversation_id)
            key = f"{conversation_id}:{external_id}"
            known = await inbox.find(session, channel=conversation.channel, external_id=key)
            if known is not None:
                return _again(conversation_id, known)
            message = await self._add(
                session, conversation, external_id, text=text, action=action, now=now
            )
            result = {"message_id": str(message.id), "seq": message.seq}
            await inbox.admit(
                session, channel=conversation.channel, external_id=key, result=result, now=now
            )
            to_think = conversation.owner != Owner.ENGINEER.value
            return Recorded(str(message.id), message.seq, conversation_id, False, to_think)

    async def _add(
        self,
        session: AsyncSession,
        conversation: Conversation,
        external_id: str,
        *,
        text: str,
        action: Mapping[str, Any] | None,
        now: datetime,
    ) -> Message:
        masked = mask(text)
        data: dict[str, Any] = {"action": dict(action)} if action else {}
        if masked.found:
            data["masked"] = sorted(masked.found)
        message = await append(
            session,
            conversation,
            sender=Sender.USER,
            kind="text",
            text=masked.text,
            data=data,
            now=now,
            client_msg_id=external_id,
        )
        if conversation.owner == Owner.ENGINEER.value:
            conversation.handled_seq = message.seq
        elif conversation.pending_seq is None:
            conversation.pending_seq = message.seq
        return message


def _again(conversation_id: str, known: Mapping[str, Any]) -> Recorded:
    return Recorded(str(known["message_id"]), int(known["seq"]), conversation_id, True, False)

"""Record: one transaction that makes a message ours, before anybody is told that we have it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.attachments import stored
from bot.attachments.stored import Enclosure
from bot.conversations import message_repository
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

    The message of a member of staff has its id afterwards; the bot's, which are many, wait for
    the commit. What must be sent to a channel goes to the outbox with it.
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
    if sender is not Sender.BOT:
        await session.flush()
    if (
        sender is not Sender.USER
        and audience is Audience.ALL
        and conversation.channel not in PULLING_CHANNELS
    ):
        # The outbox row refers to the conversation, which may be new itself.
        await session.flush()
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
        enclosure: Enclosure | None = None,
    ) -> Recorded:
        """Record one user message; a repeated ``external_id`` returns the first one's result.

        Raises :class:`ConversationNotFound`, and ``TooManyAttachments`` for an enclosure.
        """
        async with self._database.transaction(quick=True) as session:
            place = await message_repository.place_to_record(session, conversation_id)
            if place is None:
                raise ConversationNotFound(conversation_id)
            seq = place.last_seq + 1
            result = {"message_id": f"{conversation_id}-{seq}", "seq": seq}
            known = await inbox.admit(
                session,
                channel=place.channel,
                external_id=f"{conversation_id}:{external_id}",
                result=result,
                now=now,
            )
            if known is not None:
                return _recorded(conversation_id, known, duplicate=True, to_think=False)
            is_engineers = place.owner == Owner.ENGINEER.value
            # While the bot answers a turn for the engineer, what it answers is not passed over.
            to_engineer = is_engineers and place.pending_seq is None
            if enclosure is not None:
                await stored.attach(session, enclosure, stored.Place(conversation_id, seq, now))
            await message_repository.write_user_message(
                session,
                {"conversation_id": conversation_id, "seq": seq, "client_msg_id": external_id}
                | _said(text, action, enclosure)
                | {"created_at": now},
                # What is said to an engineer is not for the bot to answer.
                handled=seq if to_engineer else place.handled_seq,
                pending=place.pending_seq if is_engineers else place.pending_seq or seq,
            )
            return _recorded(conversation_id, result, duplicate=False, to_think=not is_engineers)


def _said(
    text: str, action: Mapping[str, Any] | None, enclosure: Enclosure | None
) -> dict[str, Any]:
    """A user's words as they may rest."""
    masked = mask(text)
    data: dict[str, Any] = {"action": dict(action)} if action else {}
    if enclosure is not None:
        data |= enclosure.data()
    if masked.found:
        data["masked"] = sorted(masked.found)
    return {
        "sender": Sender.USER.value,
        "kind": stored.KIND if enclosure is not None else "text",
        "audience": Audience.ALL.value,
        "text": masked.text,
        "data": data,
        "staff_id": None,
    }


def _recorded(
    conversation_id: str, result: Mapping[str, Any], *, duplicate: bool, to_think: bool
) -> Recorded:
    return Recorded(
        message_id=str(result["message_id"]),
        seq=int(result["seq"]),
        conversation_id=conversation_id,
        duplicate=duplicate,
        to_think=to_think,
    )

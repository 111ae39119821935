"""What happens to outbox rows: messages go to their channel, tickets' news to staff pages."""

from collections.abc import Mapping
from typing import Protocol, cast

from bot import repository
from bot.attachments import repository as attachments
from bot.attachments.tables import Attachment
from bot.channels.desk import check_open
from bot.channels.kinds import LINES
from bot.channels.menus import menu_of
from bot.conversations import message_repository
from bot.conversations.live import STAFF, Live
from bot.phrases import Phrases
from bot.tables import Message, Sender
from bot.web.schemas import MessageOut
from connectors.base import Channel, Delivery, Enclosed, Held, PermanentError
from connectors.relay import Handler
from store import outbox
from store.outbox import Claimed, OutboxStatus
from store.session import Database

#: A pressed card whose buttons give way to what was chosen.
CARD_KIND = "wecom_card"
#: How often what waits for a channel that is switched off looks whether it may go.
_OFF_S = 30.0


class _Cards(Protocol):
    async def replace_buttons(self, user: str, response_code: str, label: str) -> None: ...


def handlers(
    database: Database, live: Live, channels: Mapping[str, Channel], phrases: Phrases
) -> dict[str, Handler]:
    """The handlers of messages and reminders; what tickets write is for ``bot.incidents.news``."""

    async def deliver(row: Claimed) -> None:
        sent = await _deliver(database, channels, phrases, row)
        if sent.sender == Sender.ENGINEER.value:
            await _note_received(database, live, sent)

    async def announce(_row: Claimed) -> None:
        live.publish(STAFF)

    async def settle_card(row: Claimed) -> None:
        channel = channels.get("wecom")
        if hasattr(channel, "replace_buttons"):
            told = {name: str(row.payload[name]) for name in ("user", "response_code", "label")}
            await cast("_Cards", channel).replace_buttons(**told)

    return {"deliver": deliver, "urged": announce, CARD_KIND: settle_card}


async def _deliver(
    database: Database, channels: Mapping[str, Channel], phrases: Phrases, row: Claimed
) -> Message:
    conversation_id, seq = str(row.payload["conversation_id"]), int(row.payload["seq"])
    async with database.reading() as session:
        conversation = await repository.conversation(session, conversation_id)
        message = await repository.message_at(session, conversation_id, seq)
        if conversation is None or message is None:
            raise PermanentError("the message is gone")
        users = await repository.users_by_id(session, [conversation.user_id])
        files = await attachments.of_message(session, conversation_id, seq)
    channel = channels.get(conversation.channel)
    if channel is None:
        if conversation.channel in LINES:
            # It is switched off, or was not set up again yet: nothing of it is given up.
            raise Held(f"the channel {conversation.channel} is off", _OFF_S)
        raise PermanentError(f"no channel {conversation.channel}")
    await check_open(database, conversation.channel)
    data = MessageOut.of(message).data
    await channel.send(
        Delivery(
            dedupe_key=row.dedupe_key,
            external_user=users[conversation.user_id].external_user,
            kind=message.kind,
            text=message.text,
            data=data,
            seq=seq,
            menu=menu_of(message.kind, message.text, data, seq, phrases),
            files=tuple(_enclosed(file, phrases) for file in files if file.removed_at is None),
            captioned=bool(data.get("captioned", True)),
        )
    )
    return message


async def _note_received(database: Database, live: Live, sent: Message) -> None:
    """The platform has taken it: that is all it tells, so nothing becomes read here.

    How far words have come is one number. While an earlier one was given up, it stays where it is.
    """
    async with database.transaction(quick=True) as session:
        if await outbox.has(session, sent.conversation_id, OutboxStatus.FAILED):
            return
        moved = await message_repository.acknowledge(
            session, sent.conversation_id, received=sent.seq, read=0
        )
    if moved:
        live.publish(sent.conversation_id)


def _enclosed(file: Attachment, phrases: Phrases) -> Enclosed:
    instead = phrases.say("channel.file_not_taken", name=file.name)
    return Enclosed(file.sha256, file.name, file.media_type, file.size, instead)

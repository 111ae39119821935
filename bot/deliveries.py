"""What happens to outbox rows: messages go to their channel, tickets' news to staff pages."""

from collections.abc import Mapping

from bot import repository
from bot.live import STAFF, Live
from bot.web.schemas import MessageOut
from connectors.base import Channel, Delivery, PermanentError
from connectors.relay import Handler
from store.outbox import Claimed
from store.session import Database


def handlers(database: Database, live: Live, channels: Mapping[str, Channel]) -> dict[str, Handler]:
    """The handlers of messages and reminders; what tickets write is for ``bot.incident_news``."""

    async def deliver(row: Claimed) -> None:
        await _deliver(database, channels, row)

    async def announce(_row: Claimed) -> None:
        live.publish(STAFF)

    return {"deliver": deliver, "urged": announce}


async def _deliver(database: Database, channels: Mapping[str, Channel], row: Claimed) -> None:
    conversation_id, seq = str(row.payload["conversation_id"]), int(row.payload["seq"])
    async with database.reading() as session:
        conversation = await repository.conversation(session, conversation_id)
        message = await repository.message_at(session, conversation_id, seq)
        if conversation is None or message is None:
            raise PermanentError("the message is gone")
        users = await repository.users_by_id(session, [conversation.user_id])
    channel = channels.get(conversation.channel)
    if channel is None:
        raise PermanentError(f"no channel {conversation.channel}")
    await channel.send(
        Delivery(
            dedupe_key=row.dedupe_key,
            external_user=users[conversation.user_id].external_user,
            kind=message.kind,
            text=message.text,
            data=MessageOut.of(message).data,
            seq=seq,
        )
    )

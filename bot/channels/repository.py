"""Queries about how channels do."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels.tables import ChannelAccount, ChannelPause
from bot.tables import Conversation, Message, Sender
from store.outbox import OutboxRow, OutboxStatus

#: The last word of a channel is looked for in this many conversations that changed last.
_NEWEST = 20


async def pause(session: AsyncSession, channel: str) -> ChannelPause | None:
    """Who stopped a channel, if somebody did."""
    return await session.get(ChannelPause, channel)


async def pauses(session: AsyncSession) -> Mapping[str, ChannelPause]:
    """Every channel that is stopped."""
    return {row.channel: row for row in (await session.scalars(select(ChannelPause))).all()}


async def resume(session: AsyncSession, channel: str) -> None:
    """Let a channel go on."""
    await session.execute(delete(ChannelPause).where(ChannelPause.channel == channel))


async def last_heard(session: AsyncSession, channel: str) -> datetime | None:
    """When somebody last said something in a channel."""
    newest = (
        select(Conversation.id)
        .where(Conversation.channel == channel)
        .order_by(Conversation.updated_at.desc())
        .limit(_NEWEST)
    )
    query = select(func.max(Message.created_at)).where(
        Message.conversation_id.in_(newest), Message.sender == Sender.USER.value
    )
    return await session.scalar(query)


async def deliveries(
    session: AsyncSession, channel: str, *, since: datetime
) -> Sequence[tuple[str, int, datetime | None, datetime]]:
    """Status, count, newest settlement and oldest creation of what was to go out.

    What waits or failed counts whenever it is from; what was sent, only ``since``.
    """
    kept = (OutboxStatus.PENDING.value, OutboxStatus.FAILED.value)
    query = (
        select(
            OutboxRow.status,
            func.count(),
            func.max(OutboxRow.settled_at),
            func.min(OutboxRow.created_at),
        )
        .join(Conversation, Conversation.id == OutboxRow.conversation_id)
        .where(
            OutboxRow.kind == "deliver",
            Conversation.channel == channel,
            OutboxRow.status.in_(kept)
            | ((OutboxRow.status == OutboxStatus.SENT.value) & (OutboxRow.available_at > since)),
        )
        .group_by(OutboxRow.status)
    )
    found = (await session.execute(query)).all()
    return [(status, count, newest, oldest) for status, count, newest, oldest in found]


async def accounts(session: AsyncSession) -> Sequence[ChannelAccount]:
    """Everything that pages keep of channels."""
    query = select(ChannelAccount).order_by(ChannelAccount.channel)
    return (await session.scalars(query)).all()


async def account_versions(session: AsyncSession) -> Mapping[str, int]:
    """Whether anything has changed, in a few numbers."""
    found = await session.execute(select(ChannelAccount.channel, ChannelAccount.version))
    return {channel: version for channel, version in found.all()}


async def account(
    session: AsyncSession, channel: str, *, lock: bool = False
) -> ChannelAccount | None:
    """What a page keeps of one channel."""
    query = select(ChannelAccount).where(ChannelAccount.channel == channel)
    return (await session.scalars(query.with_for_update() if lock else query)).one_or_none()

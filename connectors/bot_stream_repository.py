"""Queries about replies that a platform comes to fetch."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.bot_stream_tables import BotStream, BotStreamPart


async def stream(session: AsyncSession, stream_id: str, *, lock: bool = False) -> BotStream | None:
    """One stream; ``lock`` keeps it from others until the transaction ends."""
    query = select(BotStream).where(BotStream.id == stream_id)
    return (await session.scalars(query.with_for_update() if lock else query)).one_or_none()


async def of_message(session: AsyncSession, message_id: str) -> BotStream | None:
    """The stream that a question opened before."""
    query = select(BotStream).where(BotStream.message_id == message_id)
    return (await session.scalars(query)).one_or_none()


async def newest(session: AsyncSession, person: str, *, lock: bool = False) -> BotStream | None:
    """A person's latest stream, open or closed; words that answer nothing are no stream."""
    query = (
        select(BotStream)
        .where(BotStream.person == person, BotStream.push.is_(False))
        .order_by(BotStream.opened_at.desc(), BotStream.id.desc())
        .limit(1)
    )
    return (await session.scalars(query.with_for_update() if lock else query)).one_or_none()


async def with_address(session: AsyncSession, person: str, after: datetime) -> BotStream | None:
    """The latest stream of a person whose address for one more message was not used."""
    query = (
        select(BotStream)
        .where(
            BotStream.person == person,
            BotStream.response_url != "",
            BotStream.opened_at > after,
        )
        .order_by(BotStream.opened_at.desc())
        .limit(1)
        .with_for_update()
    )
    return (await session.scalars(query)).one_or_none()


async def parts(session: AsyncSession, stream_id: str) -> Sequence[BotStreamPart]:
    """What lies in a stream, in its order."""
    query = (
        select(BotStreamPart)
        .where(BotStreamPart.stream_id == stream_id)
        .order_by(BotStreamPart.put_at, BotStreamPart.id)
    )
    return (await session.scalars(query)).all()


async def part(session: AsyncSession, delivery_key: str, number: int) -> BotStreamPart | None:
    """A part that was laid out before."""
    query = select(BotStreamPart).where(
        BotStreamPart.delivery_key == delivery_key, BotStreamPart.part == number
    )
    return (await session.scalars(query)).one_or_none()


async def to_send(session: AsyncSession, limit: int) -> Sequence[BotStream]:
    """Open streams that the holder of the long connection sends, oldest first."""
    query = (
        select(BotStream)
        .where(
            BotStream.closed_at.is_(None),
            (BotStream.request_id != "") | BotStream.push.is_(True),
        )
        .order_by(BotStream.opened_at)
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def parts_of(
    session: AsyncSession, stream_ids: Collection[str]
) -> Mapping[str, Sequence[BotStreamPart]]:
    """What lies in several streams, each in its order."""
    query = (
        select(BotStreamPart)
        .where(BotStreamPart.stream_id.in_(stream_ids))
        .order_by(BotStreamPart.put_at, BotStreamPart.id)
    )
    found: dict[str, list[BotStreamPart]] = {one: [] for one in stream_ids}
    for part in (await session.scalars(query)).all():
        found[part.stream_id].append(part)
    return found


async def latest_opening(session: AsyncSession, people: Collection[str]) -> Mapping[str, datetime]:
    """When each person's latest stream was opened."""
    query = (
        select(BotStream.person, func.max(BotStream.opened_at))
        .where(BotStream.person.in_(people), BotStream.push.is_(False))
        .group_by(BotStream.person)
    )
    return {person: at for person, at in (await session.execute(query)).all()}


async def mark_shown(session: AsyncSession, part_ids: Collection[int], now: datetime) -> None:
    """The platform has taken these parts."""
    statement = (
        update(BotStreamPart)
        .where(BotStreamPart.id.in_(part_ids), BotStreamPart.shown_at.is_(None))
        .values(shown_at=now)
    )
    await session.execute(statement)


async def refuse_parts(session: AsyncSession, stream_id: str, reason: str) -> None:
    """The platform takes what was not shown of a stream never."""
    statement = (
        update(BotStreamPart)
        .where(BotStreamPart.stream_id == stream_id, BotStreamPart.shown_at.is_(None))
        .values(refusal=reason)
    )
    await session.execute(statement)


async def give_back(session: AsyncSession, stream_id: str, address: str) -> None:
    """An address was not used after all."""
    statement = update(BotStream).where(BotStream.id == stream_id).values(response_url=address)
    await session.execute(statement)


async def forget_before(session: AsyncSession, moment: datetime) -> None:
    """Streams that nobody asks about any more, with their parts."""
    old = select(BotStream.id).where(BotStream.opened_at < moment)
    await session.execute(delete(BotStreamPart).where(BotStreamPart.stream_id.in_(old)))
    await session.execute(delete(BotStream).where(BotStream.opened_at < moment))

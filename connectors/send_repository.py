"""Queries about what was sent."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.send_tables import ChannelSend


async def one_at_a_time(session: AsyncSession, *, channel: str, person: str) -> None:
    """Until this transaction ends no other counts sends to this person.

    Otherwise two processes could each see the last free place and both take it. SQLite has one
    writer anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        lock = func.pg_advisory_xact_lock(func.hashtextextended(f"{channel}:{person}", 0))
        await session.execute(select(lock))


async def nth_newest(
    session: AsyncSession, *, channel: str, person: str, after: datetime, n: int
) -> datetime | None:
    """When the ``n``-th newest send to a person was, if it was after that moment."""
    query = (
        select(ChannelSend.sent_at)
        .where(
            ChannelSend.channel == channel,
            ChannelSend.person == person,
            ChannelSend.sent_at > after,
        )
        .order_by(ChannelSend.sent_at.desc())
        .offset(n - 1)
        .limit(1)
    )
    return (await session.scalars(query)).first()


async def slot_of(
    session: AsyncSession, *, channel: str, delivery_key: str, part: int
) -> int | None:
    """The slot of a send that was tried before."""
    query = select(ChannelSend.slot).where(*_part(channel, delivery_key, part))
    return (await session.scalars(query)).one_or_none()


async def is_slot_taken(
    session: AsyncSession, *, channel: str, person: str, after: datetime, slot: int
) -> bool:
    """Whether something that was sent to a person since has this slot."""
    query = (
        select(ChannelSend.id)
        .where(
            ChannelSend.channel == channel,
            ChannelSend.person == person,
            ChannelSend.sent_at > after,
            ChannelSend.slot == slot,
        )
        .limit(1)
    )
    return (await session.scalars(query)).first() is not None


async def write(session: AsyncSession, values: dict[str, Any]) -> None:
    """Write a send down; a repeated one counts from now."""
    postgresql = session.get_bind().dialect.name == "postgresql"
    insert = postgresql_insert if postgresql else sqlite_insert
    statement = (
        insert(ChannelSend)
        .values(**values, arrived=False)
        .on_conflict_do_update(
            index_elements=["channel", "delivery_key", "part"],
            set_={"sent_at": values["sent_at"]},
        )
    )
    await session.execute(statement)


async def mark_late(
    session: AsyncSession, *, channel: str, delivery_key: str, part: int, now: datetime
) -> None:
    """Count a send from now on."""
    statement = update(ChannelSend).where(*_part(channel, delivery_key, part)).values(sent_at=now)
    await session.execute(statement)


async def mark_arrived(
    session: AsyncSession, *, channel: str, delivery_key: str, part: int
) -> None:
    """The platform has taken this part."""
    statement = update(ChannelSend).where(*_part(channel, delivery_key, part)).values(arrived=True)
    await session.execute(statement)


async def arrived(session: AsyncSession, *, channel: str, delivery_key: str) -> set[int]:
    """The parts of a delivery that the platform has taken."""
    query = select(ChannelSend.part).where(
        ChannelSend.channel == channel,
        ChannelSend.delivery_key == delivery_key,
        ChannelSend.arrived,
    )
    return set((await session.scalars(query)).all())


async def forget_before(session: AsyncSession, moment: datetime) -> None:
    """Delete what no limit asks about any more."""
    await session.execute(delete(ChannelSend).where(ChannelSend.sent_at < moment))


def _part(channel: str, delivery_key: str, part: int) -> tuple[ColumnElement[bool], ...]:
    """The one row of a part of a delivery."""
    return (
        ChannelSend.channel == channel,
        ChannelSend.delivery_key == delivery_key,
        ChannelSend.part == part,
    )

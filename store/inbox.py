"""Every delivery that a channel was told we have, once.

A channel may deliver the same thing several times and concurrently. The unique pair
``(channel, external_id)`` decides which delivery is the first; the others get its result.
"""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import String, Table, UniqueConstraint, bindparam, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, BigInt


class InboxEntry(Base):
    """One delivery and what was answered to it."""

    __tablename__ = "inbox_entries"
    __table_args__ = (UniqueConstraint("channel", "external_id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    channel: Mapped[str] = mapped_column(String(40))
    external_id: Mapped[str] = mapped_column(String(200))
    received_at: Mapped[datetime]
    result: Mapped[dict[str, Any]]


#: The table itself: the mapped class would take the way of bulk inserts.
_ENTRIES = cast(Table, InboxEntry.__table__)
_KNOWN = select(InboxEntry.result).where(
    InboxEntry.channel == bindparam("channel"), InboxEntry.external_id == bindparam("external_id")
)
#: By database; written once, because it runs for every message.
_CLAIMS = {
    name: insert(_ENTRIES)
    .values(
        {field: bindparam(field) for field in ("channel", "external_id", "received_at", "result")}
    )
    .on_conflict_do_nothing(index_elements=["channel", "external_id"])
    .returning(_ENTRIES.c.id)
    for name, insert in (("postgresql", postgresql_insert), ("sqlite", sqlite_insert))
}


async def admit(
    session: AsyncSession,
    *,
    channel: str,
    external_id: str,
    result: dict[str, Any],
    now: datetime,
) -> dict[str, Any] | None:
    """Claim ``(channel, external_id)`` for the caller's transaction.

    Returns ``None`` when this delivery is the first, else the first delivery's result.
    A concurrent second delivery waits for the first transaction to end, on both databases.
    """
    values = {
        "channel": channel,
        "external_id": external_id,
        "received_at": now,
        "result": result,
    }
    claim = _CLAIMS[session.get_bind().dialect.name]
    if (await session.execute(claim, values)).scalar_one_or_none() is not None:
        return None
    return await find(session, channel=channel, external_id=external_id)


async def find(session: AsyncSession, *, channel: str, external_id: str) -> dict[str, Any] | None:
    """The result of the first delivery, or ``None`` when there was none."""
    values = {"channel": channel, "external_id": external_id}
    return (await session.execute(_KNOWN, values)).scalar_one_or_none()

"""Which process does what only one may do at a time: a row per such work, with an end.

A holder that dies is followed by another when its time is over; one that lives renews it. Clocks
of all processes must agree within a few seconds. Refuses to know what the work is.
"""

from datetime import datetime

from sqlalchemy import String, delete
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base


class Lease(Base):
    """Who does this work, and until when if it is not renewed."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(String(32))
    until: Mapped[datetime]


async def hold(
    session: AsyncSession, name: str, *, holder: str, now: datetime, until: datetime
) -> bool:
    """Take the work, or keep it; ``False`` while somebody else has it."""
    postgresql = session.get_bind().dialect.name == "postgresql"
    insert = postgresql_insert if postgresql else sqlite_insert
    statement = (
        insert(Lease)
        .values(name=name, holder=holder, until=until)
        .on_conflict_do_update(
            index_elements=["name"],
            set_={"holder": holder, "until": until},
            where=(Lease.holder == holder) | (Lease.until <= now),
        )
        .returning(Lease.name)
    )
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def release(session: AsyncSession, name: str, *, holder: str) -> None:
    """Give the work up, if it is this holder's."""
    await session.execute(delete(Lease).where(Lease.name == name, Lease.holder == holder))

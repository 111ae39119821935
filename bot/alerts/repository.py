"""Queries on alert sources, deliveries, instances and silences."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts.health import AlertGroup
from bot.alerts.tables import (
    AlertDelivery,
    AlertInstance,
    AlertSilence,
    AlertSource,
    AlertStatus,
)
from bot.notifications.errors import NotificationGone
from store.base import new_id

#: Fingerprints of one query; databases limit the number of parameters.
_BATCH = 500


async def sources(session: AsyncSession) -> Sequence[AlertSource]:
    """All sources by name."""
    query = select(AlertSource).order_by(AlertSource.name, AlertSource.id)
    return (await session.scalars(query)).all()


async def source(session: AsyncSession, source_id: str, *, lock: bool = False) -> AlertSource:
    """One source as it is now. Raises :class:`NotificationGone`."""
    query = select(AlertSource).where(AlertSource.id == source_id)
    query = query.execution_options(populate_existing=True)
    found = await session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotificationGone(source_id)
    return found


async def note_delivery(session: AsyncSession, delivery: AlertDelivery) -> bool:
    """Write a body down; ``False`` when the same one came before, which is then counted."""
    insert = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    values = {
        name: getattr(delivery, name)
        for name in (
            "source_id",
            "digest",
            "body",
            "flaw",
            "truncated",
            "alerts",
            "times",
            "first_at",
            "last_at",
        )
    }
    statement = (
        insert(AlertDelivery)
        .values(id=new_id(), **values)
        .on_conflict_do_update(
            index_elements=["source_id", "digest"],
            set_={"times": AlertDelivery.times + 1, "last_at": delivery.last_at},
        )
        .returning(AlertDelivery.times)
    )
    return (await session.execute(statement)).scalar_one() == 1


async def instances_of(
    session: AsyncSession, source_id: str, fingerprints: Collection[str]
) -> Sequence[AlertInstance]:
    """Every instance of these fingerprints, oldest first."""
    wanted, found = sorted(set(fingerprints)), list[AlertInstance]()
    for start in range(0, len(wanted), _BATCH):
        query = (
            select(AlertInstance)
            .where(
                AlertInstance.source_id == source_id,
                AlertInstance.fingerprint.in_(wanted[start : start + _BATCH]),
            )
            .order_by(AlertInstance.starts_at)
        )
        found += (await session.scalars(query)).all()
    return found


async def firing(session: AsyncSession, *, limit: int = 200) -> Sequence[AlertInstance]:
    """What goes on, newest first."""
    query = (
        select(AlertInstance)
        .where(AlertInstance.status == AlertStatus.FIRING.value)
        .order_by(AlertInstance.starts_at.desc(), AlertInstance.id.desc())
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def count_firing(session: AsyncSession) -> int:
    """How much goes on."""
    query = select(func.count()).where(AlertInstance.status == AlertStatus.FIRING.value)
    return (await session.scalar(query)) or 0


async def of_module(session: AsyncSession, module: str, *, limit: int) -> Sequence[AlertInstance]:
    """What goes on in a module and is not muted, newest first."""
    query = (
        select(AlertInstance)
        .where(
            AlertInstance.status == AlertStatus.FIRING.value,
            AlertInstance.module == module,
            AlertInstance.muted.is_(False),
        )
        .order_by(AlertInstance.starts_at.desc(), AlertInstance.id.desc())
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def groups(session: AsyncSession, *, over_since: datetime) -> list[AlertGroup]:
    """What goes on and what was over since then, counted; nothing that is muted."""
    kind = (
        AlertInstance.module,
        AlertInstance.region,
        AlertInstance.severity,
        AlertInstance.status,
    )
    query = (
        select(
            *kind,
            func.count(),
            func.min(AlertInstance.starts_at),
            func.max(AlertInstance.last_at),
        )
        .where(
            AlertInstance.muted.is_(False),
            (AlertInstance.status == AlertStatus.FIRING.value)
            | (AlertInstance.last_at >= over_since),
        )
        .group_by(*kind)
    )
    return [AlertGroup(*row) for row in await session.execute(query)]


async def over(session: AsyncSession, *, limit: int = 50) -> Sequence[AlertInstance]:
    """What is over, the latest first."""
    query = (
        select(AlertInstance)
        .where(AlertInstance.status == AlertStatus.RESOLVED.value)
        .order_by(AlertInstance.last_at.desc(), AlertInstance.id.desc())
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def flawed(session: AsyncSession, *, limit: int = 20) -> Sequence[AlertDelivery]:
    """Bodies that could not be read, or that their sender had cut, the latest first."""
    query = (
        select(AlertDelivery)
        .where((AlertDelivery.flaw != "") | (AlertDelivery.truncated > 0))
        .order_by(AlertDelivery.last_at.desc())
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def silences(session: AsyncSession, now: datetime) -> Sequence[AlertSilence]:
    """Silences that hold or will hold, the next to end first."""
    query = select(AlertSilence).where(AlertSilence.ends_at > now).order_by(AlertSilence.ends_at)
    return (await session.scalars(query)).all()


async def silence(session: AsyncSession, silence_id: str) -> AlertSilence:
    """One silence. Raises :class:`NotificationGone`."""
    found = await session.get(AlertSilence, silence_id)
    if found is None:
        raise NotificationGone(silence_id)
    return found


async def forget_before(session: AsyncSession, moment: datetime) -> None:
    """Drop bodies that were last seen before, and what was over by then."""
    await session.execute(delete(AlertDelivery).where(AlertDelivery.last_at < moment))
    await session.execute(
        delete(AlertInstance).where(
            AlertInstance.status == AlertStatus.RESOLVED.value, AlertInstance.last_at < moment
        )
    )

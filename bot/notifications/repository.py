"""Queries on channels, rules, notifications and their attempts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.notifications.errors import NotificationGone
from bot.notifications.tables import (
    Notification,
    NotificationAttempt,
    NotificationChannel,
    NotificationCursor,
    NotificationRule,
    NotificationStatus,
)
from connectors.notify_pacing import Past
from store.vocabulary import Severity

#: What an attempt that succeeded ended as.
SENT = "sent"


@dataclass(frozen=True, slots=True)
class Traffic:
    """Attempts of one channel in a span of time."""

    sent: int
    failed: int

    @property
    def error_rate(self) -> float | None:
        """Failed among all, ``None`` without any."""
        total = self.sent + self.failed
        return self.failed / total if total else None


async def channels(session: AsyncSession) -> Sequence[NotificationChannel]:
    """All channels by name."""
    query = select(NotificationChannel).order_by(NotificationChannel.name, NotificationChannel.id)
    return (await session.scalars(query)).all()


async def channel(
    session: AsyncSession, channel_id: str, *, lock: bool = False
) -> NotificationChannel:
    """One channel as it is now. Raises :class:`NotificationGone`."""
    query = select(NotificationChannel).where(NotificationChannel.id == channel_id)
    query = query.execution_options(populate_existing=True)
    found = await session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotificationGone(channel_id)
    return found


async def rules(session: AsyncSession, *, enabled: bool = False) -> Sequence[NotificationRule]:
    """Rules in the order in which they were made; the first that fits a target counts."""
    query = select(NotificationRule).order_by(NotificationRule.id)
    if enabled:
        query = query.where(NotificationRule.enabled.is_(True))
    return (await session.scalars(query)).all()


async def rule(session: AsyncSession, rule_id: str, *, lock: bool = False) -> NotificationRule:
    """One rule as it is now. Raises :class:`NotificationGone`."""
    query = select(NotificationRule).where(NotificationRule.id == rule_id)
    query = query.execution_options(populate_existing=True)
    found = await session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotificationGone(rule_id)
    return found


async def add_notification(session: AsyncSession, values: Mapping[str, Any]) -> bool:
    """Keep a notification; ``False`` when the event was noted for this target before."""
    insert = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    statement = (
        insert(Notification)
        .values(dict(values))
        .on_conflict_do_nothing(index_elements=["dedupe_key"])
        .returning(Notification.id)
    )
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def notification_by_key(session: AsyncSession, dedupe_key: str) -> Notification | None:
    """The notification of a dedupe key."""
    query = select(Notification).where(Notification.dedupe_key == dedupe_key)
    return (await session.scalars(query)).one_or_none()


async def gathered(session: AsyncSession, digest_id: str) -> Sequence[Notification]:
    """What leaves in a digest, oldest first."""
    query = (
        select(Notification).where(Notification.digest_id == digest_id).order_by(Notification.id)
    )
    return (await session.scalars(query)).all()


async def settle(
    session: AsyncSession, ids: Collection[str], status: NotificationStatus, now: datetime
) -> None:
    """Note what became of these."""
    statement = (
        update(Notification)
        .where(Notification.id.in_(list(ids)))
        .values(status=status.value, settled_at=now)
        .execution_options(synchronize_session=False)
    )
    await session.execute(statement)


async def recent(session: AsyncSession, *, limit: int = 50) -> Sequence[Notification]:
    """The newest notifications."""
    query = select(Notification).order_by(Notification.id.desc()).limit(limit)
    return (await session.scalars(query)).all()


async def traffic_since(session: AsyncSession, since: datetime) -> dict[str, Traffic]:
    """Attempts by channel."""
    sent = func.sum(case((NotificationAttempt.outcome == SENT, 1), else_=0))
    query = (
        select(NotificationAttempt.channel_id, sent, func.count())
        .where(NotificationAttempt.at >= since)
        .group_by(NotificationAttempt.channel_id)
    )
    rows = await session.execute(query)
    return {
        channel_id: Traffic(int(good or 0), total - int(good or 0))
        for channel_id, good, total in rows
    }


async def sends_since(session: AsyncSession, channel_id: str, since: datetime) -> Sequence[Past]:
    """What was tried on a channel, oldest first; what was held back was not."""
    query = (
        select(NotificationAttempt.at, Notification.recipient, Notification.severity)
        .join(Notification, Notification.id == NotificationAttempt.notification_id)
        .where(NotificationAttempt.channel_id == channel_id, NotificationAttempt.at > since)
        .order_by(NotificationAttempt.at, NotificationAttempt.id)
    )
    return [
        Past(at, recipient, severity == Severity.MAJOR.value)
        for at, recipient, severity in (await session.execute(query)).all()
    ]


async def cursor(session: AsyncSession, name: str) -> NotificationCursor | None:
    """How far something was looked at, as it is in the database now."""
    query = select(NotificationCursor).where(NotificationCursor.name == name)
    return (await session.scalars(query.execution_options(populate_existing=True))).one_or_none()


async def move_cursor(session: AsyncSession, name: str, *, position: int, now: datetime) -> None:
    """Note how far something was looked at; a position never goes back."""
    found = await cursor(session, name)
    if found is None:
        session.add(NotificationCursor(name=name, position=position, at=now))
    else:
        found.position, found.at = max(found.position, position), max(found.at, now)
    await session.flush()

"""Tables of notifications: where they go, which ones, and what became of each."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, BigInt


class ChannelState(StrEnum):
    """Whether a channel is sent to. What waits for one that is not is kept."""

    ON = "on"
    OFF = "off"
    BROKEN = "broken"


class NotificationStatus(StrEnum):
    """What became of a notification; ``gathering`` ones leave inside a digest."""

    PENDING = "pending"
    GATHERING = "gathering"
    SENT = "sent"
    FAILED = "failed"


class NotificationChannel(Base):
    """One robot, relay, receiver or gateway. ``secrets`` are sealed, by the field's name.

    ``retry_at`` is when a broken channel is tried again by itself.
    """

    __tablename__ = "notification_channels"
    __table_args__ = (CheckConstraint("state IN ('on', 'off', 'broken')", name="state"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(20))
    config: Mapped[dict[str, Any]]
    secrets: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(10))
    retry_at: Mapped[datetime | None]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    last_ok_at: Mapped[datetime | None]
    last_error_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(String(120), default="")


class NotificationRule(Base):
    """Which events go to which channel, when, and how. Empty lists narrow nothing.

    Times of day are ``HH:MM`` of the region, empty for none; days count from Monday as 0.
    """

    __tablename__ = "notification_rules"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    enabled: Mapped[bool]
    channel_id: Mapped[str] = mapped_column(ForeignKey("notification_channels.id"), index=True)
    recipients: Mapped[list[Any]]
    events: Mapped[list[Any]]
    severities: Mapped[list[Any]]
    regions: Mapped[list[Any]]
    days: Mapped[list[Any]]
    active_from: Mapped[str] = mapped_column(String(5))
    active_until: Mapped[str] = mapped_column(String(5))
    quiet_from: Mapped[str] = mapped_column(String(5))
    quiet_until: Mapped[str] = mapped_column(String(5))
    major_breaks_quiet: Mapped[bool]
    digest_minutes: Mapped[int]
    repeat_minutes: Mapped[int]
    repeat_times: Mapped[int]
    repeat_channel_id: Mapped[str | None] = mapped_column(ForeignKey("notification_channels.id"))
    repeat_recipients: Mapped[list[Any]]
    title_template: Mapped[str] = mapped_column(Text)
    text_template: Mapped[str] = mapped_column(Text)
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Notification(Base):
    """One event for one target. ``dedupe_key`` makes a second one impossible."""

    __tablename__ = "notifications"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'gathering', 'sent', 'failed')", name="status"),
        Index(None, "channel_id", "created_at"),
        Index(None, "digest_id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(String(64), unique=True)
    event_key: Mapped[str] = mapped_column(String(160))
    event: Mapped[str] = mapped_column(String(30))
    severity: Mapped[str] = mapped_column(String(10))
    region: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(String(80))
    rule_id: Mapped[str] = mapped_column(String(32))
    channel_id: Mapped[str] = mapped_column(ForeignKey("notification_channels.id"))
    recipient: Mapped[str] = mapped_column(String(200))
    mentions: Mapped[list[Any]]
    title: Mapped[str] = mapped_column(String(300))
    text: Mapped[str] = mapped_column(Text)
    link: Mapped[str] = mapped_column(String(600))
    thread: Mapped[str] = mapped_column(String(80))
    values: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(String(10))
    digest_id: Mapped[str | None] = mapped_column(ForeignKey("notifications.id"))
    send_at: Mapped[datetime]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class NotificationAttempt(Base):
    """One try to send, with its outcome. Tests have no notification."""

    __tablename__ = "notification_attempts"
    __table_args__ = (Index(None, "channel_id", "at"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    channel_id: Mapped[str] = mapped_column(ForeignKey("notification_channels.id"))
    notification_id: Mapped[str | None] = mapped_column(ForeignKey("notifications.id"))
    at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(String(20))
    error: Mapped[str] = mapped_column(String(120))
    elapsed_ms: Mapped[int]


class NotificationCursor(Base):
    """How far one kind of event has been looked at."""

    __tablename__ = "notification_cursors"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    position: Mapped[int] = mapped_column(BigInt)
    at: Mapped[datetime]

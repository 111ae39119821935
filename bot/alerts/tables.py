"""Tables of alerts: who may send them, what was sent, what is the matter, what is mute."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, BigInt


class AlertStatus(StrEnum):
    """Whether the matter goes on."""

    FIRING = "firing"
    RESOLVED = "resolved"


class AlertSource(Base):
    """One monitoring system. ``secrets`` are sealed, by name; ``config`` is by kind."""

    __tablename__ = "alert_sources"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(20))
    enabled: Mapped[bool]
    config: Mapped[dict[str, Any]]
    secrets: Mapped[dict[str, Any]]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    last_in_at: Mapped[datetime | None]
    last_flaw_at: Mapped[datetime | None]
    last_flaw: Mapped[str] = mapped_column(String(20), default="")
    accepted: Mapped[int] = mapped_column(BigInt, default=0)


class AlertDelivery(Base):
    """One body as it came, once; repeats are counted. ``flaw`` says what could not be read."""

    __tablename__ = "alert_deliveries"
    __table_args__ = (UniqueConstraint("source_id", "digest"), Index(None, "last_at"))

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    source_id: Mapped[str] = mapped_column(ForeignKey("alert_sources.id"))
    digest: Mapped[str] = mapped_column(String(64))
    body: Mapped[str] = mapped_column(Text)
    flaw: Mapped[str] = mapped_column(String(20))
    truncated: Mapped[int]
    alerts: Mapped[int]
    times: Mapped[int]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]


class AlertInstance(Base):
    """One matter: a fingerprint since a start. ``known`` is false when only its end was told.

    ``flaps`` counts how often it came back shortly after it was over; ``muted`` is whether a
    silence covered it when it began, ``told`` whether staff was told of it.
    """

    __tablename__ = "alert_instances"
    __table_args__ = (
        CheckConstraint("status IN ('firing', 'resolved')", name="status"),
        UniqueConstraint("source_id", "fingerprint", "starts_at"),
        Index(None, "status", "last_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    source_id: Mapped[str] = mapped_column(ForeignKey("alert_sources.id"))
    fingerprint: Mapped[str] = mapped_column(String(64))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(Text)
    severity: Mapped[str] = mapped_column(String(10))
    region: Mapped[str] = mapped_column(String(80))
    module: Mapped[str] = mapped_column(String(80))
    labels: Mapped[dict[str, Any]]
    link: Mapped[str] = mapped_column(String(600))
    known: Mapped[bool]
    muted: Mapped[bool]
    told: Mapped[bool]
    flaps: Mapped[int]
    times: Mapped[int]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]


class AlertSilence(Base):
    """A time in which alerts with these labels are only written down. ``labels`` empty: all."""

    __tablename__ = "alert_silences"
    __table_args__ = (Index(None, "ends_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    labels: Mapped[dict[str, Any]]
    comment: Mapped[str] = mapped_column(String(300))
    author: Mapped[str] = mapped_column(String(80))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    created_at: Mapped[datetime]

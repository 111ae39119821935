"""Incidents at rest: the row, its immutable events, its tickets, who asked about it, measures."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from handoff.incident import Belonging, IncidentStatus
from store.base import Base, BigInt
from store.vocabulary import Severity


def _one_of(column: str, values: type[StrEnum]) -> str:
    words = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({words})"


class Incident(Base):
    """One fault that many tickets tell of.

    ``version`` is the number of events. ``began_at`` is when the first of its tickets was opened.
    ``evidence`` is what it was proposed on: see ``handoff.incident_matching.Evidence``. ``note``
    and ``meanwhile`` are what users are told; ``code`` is an error code that names the fault.
    """

    __tablename__ = "incidents"
    __table_args__ = (
        CheckConstraint(_one_of("status", IncidentStatus), name="status"),
        CheckConstraint(_one_of("severity", Severity), name="severity"),
        Index(None, "status", "updated_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(10))
    version: Mapped[int]
    severity: Mapped[str] = mapped_column(String(10))
    module: Mapped[str | None] = mapped_column(String(80))
    code: Mapped[str] = mapped_column(String(60), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    meanwhile: Mapped[str] = mapped_column(Text, default="")
    evidence: Mapped[dict[str, Any]]
    cause: Mapped[str] = mapped_column(Text, default="")
    solution: Mapped[str] = mapped_column(Text, default="")
    review: Mapped[dict[str, Any]]
    began_at: Mapped[datetime]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class IncidentEvent(Base):
    """One thing done to an incident, by whom, when. Never changed, never deleted."""

    __tablename__ = "incident_events"
    __table_args__ = (UniqueConstraint("incident_id", "seq"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    incident_id: Mapped[str] = mapped_column(ForeignKey("incidents.id"))
    seq: Mapped[int]
    at: Mapped[datetime]
    action: Mapped[str] = mapped_column(String(20))
    actor_kind: Mapped[str] = mapped_column(String(10))
    actor_id: Mapped[str] = mapped_column(String(64))
    actor_name: Mapped[str] = mapped_column(String(80))
    from_status: Mapped[str | None] = mapped_column(String(10))
    to_status: Mapped[str] = mapped_column(String(10))
    detail: Mapped[dict[str, Any]]


class IncidentTicket(Base):
    """A ticket that tells of the incident. One that was taken out stays, with ``detached_at``."""

    __tablename__ = "incident_tickets"
    __table_args__ = (
        CheckConstraint(_one_of("belonging", Belonging), name="belonging"),
        Index(None, "ticket_id"),
    )

    incident_id: Mapped[str] = mapped_column(ForeignKey("incidents.id"), primary_key=True)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    belonging: Mapped[str] = mapped_column(String(10))
    likeness: Mapped[float | None] = mapped_column(Float)
    attached_at: Mapped[datetime]
    detached_at: Mapped[datetime | None]


class IncidentAsker(Base):
    """A conversation that was told of the incident, and whether it wants to hear of its end.

    Who they are is kept as it was then: it tells how far the incident reaches.
    """

    __tablename__ = "incident_askers"

    incident_id: Mapped[str] = mapped_column(ForeignKey("incidents.id"), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    unit: Mapped[str] = mapped_column(String(120), default="")
    region: Mapped[str] = mapped_column(String(80), default="")
    follows: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime]


class IncidentMeasure(Base):
    """What is to be done so that it does not happen again: by whom, until when."""

    __tablename__ = "incident_measures"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    incident_id: Mapped[str] = mapped_column(ForeignKey("incidents.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    owner: Mapped[str] = mapped_column(String(80))
    due: Mapped[date]
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(Text, default="")

"""Tickets at rest: the row, its immutable events, and the day's counter of numbers."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from handoff.ticket import Level, PauseReason, Status
from store.base import Base, BigInt
from store.vocabulary import Category, Severity


def _one_of(column: str, values: type[StrEnum]) -> str:
    words = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({words})"


class Ticket(Base):
    """One request, from opening to closing.

    The columns from ``status`` on are what ``handoff.lifecycle.Snapshot`` holds: they are written
    only by the verbs in ``handoff.service``, and replaying the events gives them again.
    ``version`` is the number of events. A deadline is null while its time stands still.
    ``next_due`` is the earliest deadline that runs. ``queued_at`` is set while nobody has the
    ticket, ``assigned_at`` while somebody has.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        CheckConstraint(_one_of("status", Status), name="status"),
        CheckConstraint(_one_of("severity", Severity), name="severity"),
        CheckConstraint(_one_of("category", Category), name="category"),
        CheckConstraint(_one_of("level", Level), name="level"),
        CheckConstraint(
            f"pause_reason IS NULL OR {_one_of('pause_reason', PauseReason)}", name="pause_reason"
        ),
        CheckConstraint("(status = '挂起') = (pause_reason IS NOT NULL)", name="suspended"),
        CheckConstraint("status <> '处理中' OR assignee_id IS NOT NULL", name="held"),
        Index(None, "status", "next_due"),
        Index(None, "assignee_id", "status"),
        Index(None, "assigned_at"),
        Index(None, "level", "queued_at"),
        Index(None, "requester_id", "status"),
        # Lists of what is over, and solved tickets of a module: the newest first, without sorting.
        Index("ix_tickets_over", "status", "opened_at", "id"),
        Index(None, "module", "opened_at"),
        # Everything that a search by parts of names looks at: rows are read of what it finds only.
        Index(
            "ix_tickets_named",
            "opened_at",
            "id",
            "region",
            "module",
            "unit",
            "status",
            "severity",
        ),
        # Everything that counts of lists look at.
        Index("ix_tickets_counted", "status", "severity", "region", "module", "assignee_id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(String(40))
    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversations.id"), index=True)
    requester_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    unit: Mapped[str] = mapped_column(String(120), default="")
    severity_reasons: Mapped[list[Any]]
    opened_at: Mapped[datetime] = mapped_column(index=True)

    status: Mapped[str] = mapped_column(String(10))
    version: Mapped[int]
    updated_at: Mapped[datetime]
    severity: Mapped[str] = mapped_column(String(10))
    category: Mapped[str] = mapped_column(String(10))
    module: Mapped[str | None] = mapped_column(String(80))
    level: Mapped[str] = mapped_column(String(20))
    region: Mapped[str] = mapped_column(String(80), default="")
    contract_id: Mapped[str] = mapped_column(String(40))
    calendar_id: Mapped[str] = mapped_column(String(40))
    sla_revision: Mapped[str] = mapped_column(String(32), default="")
    assignee_id: Mapped[str | None] = mapped_column(ForeignKey("staff.id"))
    assigned_at: Mapped[datetime | None]
    queued_at: Mapped[datetime | None]
    pause_reason: Mapped[str | None] = mapped_column(String(20))
    resume_at: Mapped[datetime | None]
    cause: Mapped[str | None] = mapped_column(Text)
    solution: Mapped[str | None] = mapped_column(Text)
    merged_into_id: Mapped[str | None] = mapped_column(ForeignKey("tickets.id"))
    reopened: Mapped[int] = mapped_column(default=0)
    responded_at: Mapped[datetime | None]
    arranged_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    reported_at: Mapped[datetime | None]
    confirm_until: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    respond_due: Mapped[datetime | None]
    arrange_due: Mapped[datetime | None]
    resolve_due: Mapped[datetime | None]
    report_due: Mapped[datetime | None]
    next_due: Mapped[datetime | None]
    respond_breached_at: Mapped[datetime | None]
    arrange_breached_at: Mapped[datetime | None]
    resolve_breached_at: Mapped[datetime | None]
    report_breached_at: Mapped[datetime | None]


class TicketEvent(Base):
    """One thing done to a ticket, by whom, when. Never changed, never deleted.

    The unique pair makes two writers that slipped past each other impossible.
    """

    __tablename__ = "ticket_events"
    __table_args__ = (
        UniqueConstraint("ticket_id", "seq"),
        Index(None, "action", "at"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.id"))
    seq: Mapped[int]
    at: Mapped[datetime]
    action: Mapped[str] = mapped_column(String(20))
    actor_kind: Mapped[str] = mapped_column(String(10))
    actor_id: Mapped[str] = mapped_column(String(64))
    actor_name: Mapped[str] = mapped_column(String(80))
    from_status: Mapped[str | None] = mapped_column(String(10))
    to_status: Mapped[str] = mapped_column(String(10))
    detail: Mapped[dict[str, Any]]


class TicketCounter(Base):
    """The last number given out on one local day; incidents are counted apart, under ``I``."""

    __tablename__ = "ticket_counters"

    day: Mapped[str] = mapped_column(String(8), primary_key=True)
    last: Mapped[int]

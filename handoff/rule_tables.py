"""Rules at rest: the rules themselves, what each did to which ticket, and trials of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base


class TicketRule(Base):
    """One rule. ``active_since``: only what happens from then on is its business."""

    __tablename__ = "ticket_rules"
    __table_args__ = (
        CheckConstraint("occasion IN ('opened', 'changed', 'time')", name="occasion"),
        CheckConstraint("matching IN ('all', 'any')", name="matching"),
        CheckConstraint("NOT enabled OR active_since IS NOT NULL", name="active"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    position: Mapped[int]
    enabled: Mapped[bool]
    active_since: Mapped[datetime | None]
    occasion: Mapped[str] = mapped_column(String(10))
    matching: Mapped[str] = mapped_column(String(5))
    conditions: Mapped[list[Any]]
    steps: Mapped[list[Any]]
    stop: Mapped[bool]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class RuleFiring(Base):
    """That a rule acted on a ticket, why, and what came of each step.

    The unique triple is what makes a rule act once: ``episode`` counts reopenings.
    """

    __tablename__ = "ticket_rule_firings"
    __table_args__ = (
        UniqueConstraint("rule_id", "ticket_id", "episode"),
        Index(None, "ticket_id", "at"),
        Index(None, "rule_id", "at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    rule_id: Mapped[str] = mapped_column(String(32))
    rule_name: Mapped[str] = mapped_column(String(80))
    rule_version: Mapped[int]
    occasion: Mapped[str] = mapped_column(String(10))
    stop: Mapped[bool]
    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.id"))
    episode: Mapped[int]
    at: Mapped[datetime]
    reasons: Mapped[list[Any]]
    outcomes: Mapped[list[Any]]


class RuleTrial(Base):
    """A rule tried on past tickets: how far it has got, and what it would have done.

    ``beat_at`` moves while somebody works on it; one that stands still was interrupted.
    """

    __tablename__ = "ticket_rule_trials"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'done', 'failed')", name="state"),
        Index(None, "started_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(80))
    staff_id: Mapped[str] = mapped_column(String(32))
    since: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10))
    started_at: Mapped[datetime]
    beat_at: Mapped[datetime]
    looked_at: Mapped[int]
    total: Mapped[int]
    matched: Mapped[int]
    rule: Mapped[dict[str, Any]]
    result: Mapped[dict[str, Any]]
    error: Mapped[str] = mapped_column(Text, default="")

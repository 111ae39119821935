"""Tags and custom fields at rest: what is marked on which ticket, and which fields there are."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base


class TicketMark(Base):
    """One tag (``name`` empty) or the value of one custom field (``name`` its key).

    Written with the ``mark`` event that says so, for lists and searches; the event is the truth.
    """

    __tablename__ = "ticket_marks"
    __table_args__ = (Index(None, "name", "value"),)

    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(String(200), primary_key=True)


class TicketField(Base):
    """A custom field that an administrator made. Without categories it is for every ticket."""

    __tablename__ = "ticket_fields"
    __table_args__ = (CheckConstraint("kind IN ('line', 'choice', 'number', 'date')", name="kind"),)

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    label: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(10))
    choices: Mapped[list[Any]]
    categories: Mapped[list[Any]]
    position: Mapped[int]
    active: Mapped[bool]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

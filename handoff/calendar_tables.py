"""Calendars as an administrator edited them: the newest row of a calendar leads over its file."""

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, BigInt


class CalendarEdit(Base):
    """One saved state of a calendar, as a whole. Never changed, never deleted."""

    __tablename__ = "calendar_edits"
    __table_args__ = (Index(None, "calendar_id", "id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    calendar_id: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)
    editor: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]

"""Call-backs at rest: one row per ticket that is asked about."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from handoff.callbacks import Result, Why
from store.base import Base


def _one_of(column: str, values: type[Why | Result]) -> str:
    words = ", ".join(f"'{value.value}'" for value in values)
    return f"{column} IN ({words})"


class CallBack(Base):
    """A call to make or made. ``done_at`` is null while there is something left to do."""

    __tablename__ = "call_backs"
    __table_args__ = (
        CheckConstraint(_one_of("why", Why), name="why"),
        CheckConstraint(f"result IS NULL OR {_one_of('result', Result)}", name="result"),
        CheckConstraint("done_at IS NULL OR result IS NOT NULL", name="done"),
        Index(None, "done_at", "due_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.id"), unique=True)
    why: Mapped[str] = mapped_column(String(10))
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    result: Mapped[str | None] = mapped_column(String(12))
    note: Mapped[str] = mapped_column(Text, default="")
    staff_id: Mapped[str | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]

"""The table of pictures and files. The bytes lie in the workspace, under their content's hash."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base


class Reading(StrEnum):
    """What became of the text in it."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    NONE = "none"  # nothing is read of this kind, or of anything


class Attachment(Base):
    """One file of one message. ``text`` and ``cues`` are masked; both go when the file goes."""

    __tablename__ = "attachments"
    __table_args__ = (
        UniqueConstraint("conversation_id", "seq", "position"),
        CheckConstraint("reading IN ('pending', 'done', 'failed', 'none')", name="reading"),
        Index("ix_attachments_unread", "reading", "id"),
        Index("ix_attachments_sha256", "sha256"),
        Index("ix_attachments_kept", "removed_at", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    seq: Mapped[int]
    position: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    media_type: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(120))
    size: Mapped[int]
    width: Mapped[int | None]
    height: Mapped[int | None]
    staff_id: Mapped[str | None] = mapped_column(ForeignKey("staff.id"))
    scanned: Mapped[bool]
    reading: Mapped[str] = mapped_column(String(10))
    reading_error: Mapped[str] = mapped_column(String(20), default="")
    attempts: Mapped[int] = mapped_column(default=0)
    text: Mapped[str] = mapped_column(Text, default="")
    cues: Mapped[str] = mapped_column(Text, default="")
    shows_error: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]

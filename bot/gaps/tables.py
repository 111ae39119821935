"""Tables of what the knowledge base lacks: questions it did not answer, grouped by subject."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, new_id


class GapStatus(StrEnum):
    """What editors have decided about a gap; ``answered`` is read off its article."""

    OPEN = "open"
    DRAFTED = "drafted"
    DISMISSED = "dismissed"


class GapReason(StrEnum):
    """How we know that a question was not answered."""

    NO_ANSWER = "no_answer"
    NONE_OF_THESE = "none_of_these"
    UNHELPFUL = "unhelpful"
    NOT_SOLVED = "not_solved"
    HUMAN_REQUESTED = "human_requested"
    UNCHOSEN = "unchosen"  # candidates were shown, nobody chose one
    ASKED_AGAIN = "asked_again"  # the next question got the same answer


class GapRow(Base):
    """One subject that people ask about in vain. ``title`` is the most typical question."""

    __tablename__ = "gaps"
    __table_args__ = (Index("ix_gaps_status", "status", "last_asked_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    title: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(16), default=GapStatus.OPEN.value)
    article_id: Mapped[str | None] = mapped_column(ForeignKey("articles.id", ondelete="SET NULL"))
    note: Mapped[str] = mapped_column(Text, default="")
    first_asked_at: Mapped[datetime]
    last_asked_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class GapQuestionRow(Base):
    """One user's question that was not answered; ``turn_id`` is the turn that showed it."""

    __tablename__ = "gap_questions"
    __table_args__ = (
        UniqueConstraint("conversation_id", "seq"),
        Index("ix_gap_questions_gap", "gap_id", "asked_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    seq: Mapped[int]
    turn_id: Mapped[int]
    gap_id: Mapped[str | None] = mapped_column(ForeignKey("gaps.id", ondelete="SET NULL"))
    text: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(String(20))
    unit: Mapped[str] = mapped_column(String(200), default="")
    region: Mapped[str] = mapped_column(String(100), default="")
    asked_at: Mapped[datetime]
    told_at: Mapped[datetime | None]


class GapMarkRow(Base):
    """How far turns have been looked through, by each of the readers in `repository`."""

    __tablename__ = "gap_marks"

    id: Mapped[int] = mapped_column(primary_key=True)
    last_turn_id: Mapped[int]

"""Tables of questions that led to an answer, and of proposals that editors did not want."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, new_id


class LedHow(StrEnum):
    """How a question came to its answer."""

    ANSWERED = "answered"  # the bot gave it at once
    CHOSEN = "chosen"  # the user picked it among several


class LedQuestionRow(Base):
    """One user's question, as it rests masked, and the answer that it led to."""

    __tablename__ = "led_questions"
    __table_args__ = (
        UniqueConstraint("conversation_id", "seq"),
        Index("ix_led_questions_answer", "answer_id", "asked_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    seq: Mapped[int]
    answer_id: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)
    how: Mapped[str] = mapped_column(String(10))
    asked_at: Mapped[datetime]


class DeclinedQuestionRow(Base):
    """A proposed similar question that an editor declined; `form` is what search reads of it."""

    __tablename__ = "declined_questions"
    __table_args__ = (UniqueConstraint("article_id", "form"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    article_id: Mapped[str] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"))
    form: Mapped[str] = mapped_column(String(500))
    declined_by: Mapped[str] = mapped_column(String(100))
    declined_at: Mapped[datetime]

"""Tables of golden questions and of the runs over them."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, new_id


class GoldenQuestionRow(Base):
    """A question with the answer it must get; without one it must not be answered directly."""

    __tablename__ = "golden_questions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    text: Mapped[str] = mapped_column(Text)
    answer_id: Mapped[str | None] = mapped_column(
        ForeignKey("articles.id", ondelete="CASCADE"), index=True
    )
    module: Mapped[str] = mapped_column(String(200), default="")
    region: Mapped[str] = mapped_column(String(100), default="")
    author: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime]


class GoldenRunRow(Base):
    """One run over all golden questions; ``results`` by question id."""

    __tablename__ = "golden_runs"
    __table_args__ = (Index("ix_golden_runs_order", "at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    at: Mapped[datetime]
    revision: Mapped[str] = mapped_column(String(100))
    cause: Mapped[str] = mapped_column(String(20))
    article_id: Mapped[str | None] = mapped_column(String(32))
    actor: Mapped[str] = mapped_column(String(100))
    blocked: Mapped[bool]
    override: Mapped[str] = mapped_column(Text, default="")
    summary: Mapped[dict[str, Any]]
    results: Mapped[dict[str, Any]]

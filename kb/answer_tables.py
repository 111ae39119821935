"""Tables of the work on answers: where each stands, all its versions, what reviewers said.

The published content itself rests in `articles`; an answer without a row here has never been
worked on since it was imported.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, new_id


class AnswerWorkRow(Base):
    """Where an answer stands. `version` counts every change and is what callers compare.

    `head` is the newest version's number, `live` that of the version users are shown, if any, and
    `held` that of the version whose content the article's own row has.
    """

    __tablename__ = "answer_work"
    __table_args__ = (Index("ix_answer_work_state", "state", "publish_at"),)

    article_id: Mapped[str] = mapped_column(
        ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True
    )
    state: Mapped[str] = mapped_column(String(16))
    version: Mapped[int]
    head: Mapped[int]
    live: Mapped[int | None]
    held: Mapped[int]
    owner: Mapped[str] = mapped_column(String(100), index=True)
    publish_at: Mapped[datetime | None]
    locked_by_id: Mapped[str | None] = mapped_column(String(32))
    locked_by: Mapped[str] = mapped_column(String(100))
    locked_since: Mapped[datetime | None]
    locked_until: Mapped[datetime | None]
    updated_at: Mapped[datetime]


class AnswerVersionRow(Base):
    """An answer as it was once saved, whole; never changed but for the day it went live."""

    __tablename__ = "answer_versions"
    __table_args__ = (UniqueConstraint("article_id", "number"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    article_id: Mapped[str] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"))
    number: Mapped[int]
    content: Mapped[dict[str, Any]]
    author_id: Mapped[str] = mapped_column(String(32))
    author: Mapped[str] = mapped_column(String(100))
    note: Mapped[str] = mapped_column(Text)
    restored_from: Mapped[int | None]
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]


class AnswerCommentRow(Base):
    """What somebody said to the author about a version."""

    __tablename__ = "answer_comments"
    __table_args__ = (Index("ix_answer_comments_order", "article_id", "id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    article_id: Mapped[str] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"))
    number: Mapped[int]
    author_id: Mapped[str] = mapped_column(String(32))
    author: Mapped[str] = mapped_column(String(100))
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]

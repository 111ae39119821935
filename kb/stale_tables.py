"""Tables of what made answers doubtful, where their sources stand now, and release notes.

They state what is kept; `kb.stale` decides when a doubt arises and when it is settled.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, new_id


class StaleMarkRow(Base):
    """One reason to look at an answer again; open until it has a `cleared_at`.

    `old_section_id` is what the answer was written from, `new_section_id` what stands there now,
    `evidence` the heading or the function that was named.
    """

    __tablename__ = "stale_marks"
    __table_args__ = (
        Index("ix_stale_marks_article", "article_id", "cleared_at"),
        Index("ix_stale_marks_open", "cleared_at", "since"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    article_id: Mapped[str] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"))
    reason: Mapped[str] = mapped_column(String(32))
    guide_id: Mapped[str | None] = mapped_column(
        ForeignKey("guides.id", ondelete="SET NULL"), index=True
    )
    old_section_id: Mapped[str | None] = mapped_column(
        ForeignKey("guide_sections.id", ondelete="SET NULL")
    )
    new_section_id: Mapped[str | None] = mapped_column(
        ForeignKey("guide_sections.id", ondelete="SET NULL")
    )
    note_id: Mapped[str | None] = mapped_column(ForeignKey("release_notes.id", ondelete="SET NULL"))
    evidence: Mapped[str] = mapped_column(Text, default="")
    since: Mapped[datetime]
    cleared_at: Mapped[datetime | None]
    cleared_by: Mapped[str] = mapped_column(String(100), default="")
    cleared_how: Mapped[str] = mapped_column(String(16), default="")


class AnswerSourceRow(Base):
    """Where an answer's source section stands in the guide's newest published version.

    `base_section_id` is the section that the answer itself names; when that changes, this row
    starts anew. A section that vanished stays as it was last.
    """

    __tablename__ = "answer_sources"

    article_id: Mapped[str] = mapped_column(
        ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True
    )
    base_section_id: Mapped[str | None] = mapped_column(String(32))
    section_id: Mapped[str] = mapped_column(
        ForeignKey("guide_sections.id", ondelete="CASCADE"), index=True
    )
    updated_at: Mapped[datetime]


class ReleaseNoteRow(Base):
    """What the platform's makers announced; answers of what it names were flagged."""

    __tablename__ = "release_notes"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    author_id: Mapped[str] = mapped_column(String(32))
    author: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime]

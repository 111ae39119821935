"""Tables of the knowledge base: guides and their versions, passages, articles, media, index builds.

They state what is kept and how rows relate. Nothing here decides what may be published or found.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, new_id


class Status(StrEnum):
    """Whether the bot may answer with it; only published rows are ever searched."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class GuideRow(Base):
    """A document through all its versions; `source_key` is its file name without version marks."""

    __tablename__ = "guides"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    title: Mapped[str] = mapped_column(String(500), index=True)
    source_key: Mapped[str] = mapped_column(String(500), index=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class GuideVersionRow(Base):
    """One imported state of a guide; at most one version of a guide is published.

    From `document_number` to `audience` are what an editor says about it: it answers only from
    `effective_from` to `effective_until`, and only in `regions` (empty: everywhere).
    """

    __tablename__ = "guide_versions"
    __table_args__ = (UniqueConstraint("guide_id", "number"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    guide_id: Mapped[str] = mapped_column(ForeignKey("guides.id", ondelete="CASCADE"), index=True)
    number: Mapped[int]
    content_hash: Mapped[str] = mapped_column(String(64), index=True)
    status: Mapped[str] = mapped_column(String(16), index=True)
    source_name: Mapped[str] = mapped_column(String(500))
    fmt: Mapped[str] = mapped_column(String(16))
    version: Mapped[str | None] = mapped_column(String(200))
    issued: Mapped[str | None] = mapped_column(String(10))
    document_number: Mapped[str] = mapped_column(String(100), default="")
    effective_from: Mapped[date | None] = mapped_column(Date())
    effective_until: Mapped[date | None] = mapped_column(Date())
    fiscal_year: Mapped[int | None]
    regions: Mapped[list[Any]] = mapped_column(default=list)
    audience: Mapped[list[Any]] = mapped_column(default=list)
    warnings: Mapped[list[Any]]
    meta: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]

    def holds_on(self, day: date) -> bool:
        """Whether it answers on that day, as far as its dates say."""
        begun = self.effective_from is None or self.effective_from <= day
        return begun and (self.effective_until is None or day <= self.effective_until)


class GuideSectionRow(Base):
    """A heading of a guide version; `path` are the headings from the top, its own last."""

    __tablename__ = "guide_sections"
    __table_args__ = (Index("ix_guide_sections_order", "version_id", "position"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    version_id: Mapped[str] = mapped_column(ForeignKey("guide_versions.id", ondelete="CASCADE"))
    parent_id: Mapped[str | None] = mapped_column(
        ForeignKey("guide_sections.id", ondelete="CASCADE")
    )
    heading: Mapped[str] = mapped_column(Text)
    number: Mapped[str] = mapped_column(String(50))
    path: Mapped[list[Any]]
    level: Mapped[int]
    page: Mapped[int | None]
    position: Mapped[int]


class PassageRow(Base):
    """A searchable chunk of a section.

    `answer_id` is the id that answers, ratings and tickets refer to; it is carried over to the
    next version of the guide while the passage keeps its place there.
    """

    __tablename__ = "passages"
    __table_args__ = (
        UniqueConstraint("version_id", "answer_id"),
        Index("ix_passages_order", "version_id", "position"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    answer_id: Mapped[str] = mapped_column(String(32), index=True)
    version_id: Mapped[str] = mapped_column(ForeignKey("guide_versions.id", ondelete="CASCADE"))
    section_id: Mapped[str | None] = mapped_column(
        ForeignKey("guide_sections.id", ondelete="CASCADE"), index=True
    )
    heading: Mapped[str] = mapped_column(Text)
    path: Mapped[list[Any]]
    text: Mapped[str] = mapped_column(Text)
    blocks: Mapped[list[Any]]
    images: Mapped[list[Any]]
    page: Mapped[int | None]
    position: Mapped[int]


class ArticleRow(Base):
    """A curated answer to a standard question; its id is the answer id.

    A change that waits for review beside the published article is a row of its own: `draft_of`.
    """

    __tablename__ = "articles"
    __table_args__ = (
        Index("ix_articles_source_ref", "source_name", "ref"),
        Index("ix_articles_status_kind", "status", "kind"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    question: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text)
    module: Mapped[str] = mapped_column(String(200))
    category: Mapped[str] = mapped_column(String(32))
    ref: Mapped[str] = mapped_column(String(64), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    valid_from: Mapped[date | None] = mapped_column(Date())
    valid_until: Mapped[date | None] = mapped_column(Date())
    regions: Mapped[list[Any]]
    fiscal_year: Mapped[int | None]
    #: One group a line, so that the list can be narrowed by one.
    audience: Mapped[str] = mapped_column(Text, default="")
    source_name: Mapped[str] = mapped_column(String(500))
    source_title: Mapped[str] = mapped_column(String(500))
    source_section_id: Mapped[str | None] = mapped_column(
        ForeignKey("guide_sections.id", ondelete="SET NULL"), index=True
    )
    draft_of: Mapped[str | None] = mapped_column(
        ForeignKey("articles.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    published_at: Mapped[datetime | None]


class SimilarQuestionRow(Base):
    """Another way of asking an article's question."""

    __tablename__ = "similar_questions"
    __table_args__ = (Index("ix_similar_questions_order", "article_id", "position"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    article_id: Mapped[str] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"))
    text: Mapped[str] = mapped_column(Text)
    position: Mapped[int]


class MediaRow(Base):
    """A picture whose bytes are the file `media/ab/<sha256>.<ext>` of the workspace."""

    __tablename__ = "media"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    media_type: Mapped[str] = mapped_column(String(100))
    extension: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(500))
    size: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime]


class IndexBuildRow(Base):
    """One finished build of the search index."""

    __tablename__ = "index_builds"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    revision: Mapped[str] = mapped_column(String(64), index=True)
    model: Mapped[str] = mapped_column(String(500))
    answers: Mapped[int]
    built_at: Mapped[datetime]
    seconds: Mapped[float]

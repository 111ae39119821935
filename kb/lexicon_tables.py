"""Tables of what editors changed in the lexicon; the shipped entries stay in their files.

An entry with the kind and word of a shipped one stands in its place, also when it is switched off.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, new_id


class LexiconEntryRow(Base):
    """One entry as it stands. `version` counts every change and is what callers compare."""

    __tablename__ = "lexicon_entries"
    __table_args__ = (UniqueConstraint("kind", "word"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(16))
    word: Mapped[str] = mapped_column(String(200))
    content: Mapped[dict[str, Any]]
    active: Mapped[bool]
    version: Mapped[int]
    updated_by: Mapped[str] = mapped_column(String(100))
    updated_at: Mapped[datetime]


class LexiconVersionRow(Base):
    """An entry as it once was; never changed."""

    __tablename__ = "lexicon_versions"
    __table_args__ = (UniqueConstraint("entry_id", "number"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    entry_id: Mapped[str] = mapped_column(ForeignKey("lexicon_entries.id", ondelete="CASCADE"))
    number: Mapped[int]
    content: Mapped[dict[str, Any]]
    active: Mapped[bool]
    author_id: Mapped[str] = mapped_column(String(32))
    author: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime]

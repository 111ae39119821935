"""Canned phrases of engineers at rest."""

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base


class CannedPhrase(Base):
    """One phrase. Empty ``module`` or ``category``: for all of them."""

    __tablename__ = "canned_phrases"
    __table_args__ = (Index(None, "position"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    title: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(String(10))
    module: Mapped[str] = mapped_column(String(80))
    position: Mapped[int]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

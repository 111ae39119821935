"""Canned phrases of engineers at rest."""

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bot.changes.tables import KeptRow
from store.base import Base


class CannedPhrase(KeptRow, Base):
    """One phrase. Empty ``module`` or ``category``: for all of them."""

    __tablename__ = "canned_phrases"
    __table_args__ = (Index(None, "position"),)

    title: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(String(10))
    module: Mapped[str] = mapped_column(String(80))

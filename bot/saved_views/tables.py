"""The table of saved views: ways of looking at a list, under names."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, new_id


class SavedViewRow(Base):
    """One way of looking at the list of ``place``; `query` is its address after the mark."""

    __tablename__ = "saved_views"
    __table_args__ = (
        UniqueConstraint("staff_id", "place", "name"),
        Index(None, "place", "shared"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    place: Mapped[str] = mapped_column(String(20))
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"))
    staff_name: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(40))
    query: Mapped[str] = mapped_column(Text)
    shared: Mapped[bool]
    created_at: Mapped[datetime]

"""What administrators changed, as it was after each change, so that it can be read and restored."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base


class KeptRow:
    """The columns of every list that administrators keep in order (see ``keeping``)."""

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    position: Mapped[int]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    if TYPE_CHECKING:

        def __init__(self, **columns: Any) -> None:
            """Columns by name, as every mapped class takes them."""


class ChangeRow(Base):
    """One change of one thing, by whom. ``content`` is the whole after it, empty once removed."""

    __tablename__ = "configuration_changes"
    __table_args__ = (Index(None, "kind", "subject_id", "at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(30))
    subject_id: Mapped[str] = mapped_column(String(40))
    action: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime]
    staff_id: Mapped[str] = mapped_column(String(32))
    staff_name: Mapped[str] = mapped_column(String(80))
    content: Mapped[dict[str, Any]]

"""Tables of guide imports: a job is what somebody uploaded at once, with one row per file."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, BigInt, new_id


class GuideImportRow(Base):
    """One job. A running one whose `beat_at` is old lost its process and may be run again."""

    __tablename__ = "guide_imports"
    __table_args__ = (Index("ix_guide_imports_order", "created_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    status: Mapped[str] = mapped_column(String(16))
    publish: Mapped[bool]
    guide_id: Mapped[str | None] = mapped_column(ForeignKey("guides.id", ondelete="SET NULL"))
    owner_id: Mapped[str] = mapped_column(String(32))
    owner: Mapped[str] = mapped_column(String(100))
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    beat_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class GuideImportFileRow(Base):
    """One uploaded file; `record` says what came of it once it was read."""

    __tablename__ = "guide_import_files"
    __table_args__ = (Index("ix_guide_import_files_order", "import_id", "position"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    import_id: Mapped[str] = mapped_column(ForeignKey("guide_imports.id", ondelete="CASCADE"))
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(500))
    size: Mapped[int] = mapped_column(BigInt)
    status: Mapped[str] = mapped_column(String(16))
    record: Mapped[dict[str, Any]]
    guide_id: Mapped[str | None] = mapped_column(ForeignKey("guides.id", ondelete="SET NULL"))

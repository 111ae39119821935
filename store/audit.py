"""Who did what to which thing, when: append-only rows.

Refuses to interpret them; reading is for administrators' pages and reports.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, BigInt


class AuditEntry(Base):
    """One action by one actor on one subject."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index(None, "subject", "id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(120))
    action: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(String(120))
    detail: Mapped[dict[str, Any]]


async def record(
    session: AsyncSession,
    *,
    actor: str,
    action: str,
    subject: str,
    detail: dict[str, Any],
    now: datetime,
) -> None:
    """Add one entry to the caller's transaction: it rests exactly when the action does."""
    session.add(AuditEntry(at=now, actor=actor, action=action, subject=subject, detail=detail))
    await session.flush()


async def entries_of(
    session: AsyncSession, subject: str, *, limit: int = 200
) -> Sequence[AuditEntry]:
    """Entries about ``subject``, oldest first."""
    query = (
        select(AuditEntry).where(AuditEntry.subject == subject).order_by(AuditEntry.id).limit(limit)
    )
    return (await session.scalars(query)).all()

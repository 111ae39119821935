"""Queries of what administrators changed."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.changes.tables import ChangeRow


async def of(
    session: AsyncSession, kind: str, subject_id: str, *, limit: int = 200
) -> Sequence[ChangeRow]:
    """The newest changes of one thing, longest ago first."""
    query = (
        select(ChangeRow)
        .where(ChangeRow.kind == kind, ChangeRow.subject_id == subject_id)
        .order_by(ChangeRow.at.desc(), ChangeRow.id.desc())
        .limit(limit)
    )
    return (await session.scalars(query)).all()[::-1]


async def one(session: AsyncSession, kind: str, change_id: str) -> ChangeRow | None:
    """One change of this kind."""
    query = select(ChangeRow).where(ChangeRow.id == change_id, ChangeRow.kind == kind)
    return await session.scalar(query)

"""Queries of what administrators changed."""

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.changes.tables import ChangeRow, KeptRow

RowT = TypeVar("RowT", bound=KeptRow)


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


async def kept(session: AsyncSession, table: type[RowT]) -> Sequence[RowT]:
    """All rows of a kept list in their order."""
    return (await session.scalars(select(table).order_by(table.position, table.id))).all()


async def kept_row(session: AsyncSession, table: type[RowT], row_id: str) -> RowT | None:
    """One of them, held until the transaction ends."""
    query = select(table).where(table.id == row_id).with_for_update()
    return await session.scalar(query.execution_options(populate_existing=True))

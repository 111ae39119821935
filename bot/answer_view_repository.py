"""Every query about saved views."""

from collections.abc import Sequence

from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.answer_view_tables import AnswerViewRow


async def seen_by(session: AsyncSession, staff_id: str) -> Sequence[AnswerViewRow]:
    """A person's own views and the shared ones, by name."""
    query = select(AnswerViewRow).where(
        or_(AnswerViewRow.staff_id == staff_id, AnswerViewRow.shared.is_(True))
    )
    return (await session.scalars(query.order_by(AnswerViewRow.name, AnswerViewRow.id))).all()


async def named(session: AsyncSession, staff_id: str, name: str) -> AnswerViewRow | None:
    """A person's view of this name."""
    query = select(AnswerViewRow).where(
        AnswerViewRow.staff_id == staff_id, AnswerViewRow.name == name
    )
    return (await session.scalars(query)).one_or_none()


async def view(session: AsyncSession, view_id: str) -> AnswerViewRow | None:
    """One view."""
    return await session.get(AnswerViewRow, view_id)


async def count(session: AsyncSession, staff_id: str) -> int:
    """How many views a person has."""
    query = select(func.count()).where(AnswerViewRow.staff_id == staff_id)
    return await session.scalar(query) or 0


async def remove(session: AsyncSession, view_id: str) -> None:
    """Forget one."""
    await session.execute(delete(AnswerViewRow).where(AnswerViewRow.id == view_id))

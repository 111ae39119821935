"""Every query about saved views."""

from collections.abc import Sequence

from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.saved_views.tables import SavedViewRow


async def seen_by(session: AsyncSession, place: str, staff_id: str) -> Sequence[SavedViewRow]:
    """A person's own views of a list and the shared ones, by name."""
    query = select(SavedViewRow).where(
        SavedViewRow.place == place,
        or_(SavedViewRow.staff_id == staff_id, SavedViewRow.shared.is_(True)),
    )
    return (await session.scalars(query.order_by(SavedViewRow.name, SavedViewRow.id))).all()


async def named(session: AsyncSession, place: str, staff_id: str, name: str) -> SavedViewRow | None:
    """A person's view of this name."""
    query = select(SavedViewRow).where(
        SavedViewRow.place == place,
        SavedViewRow.staff_id == staff_id,
        SavedViewRow.name == name,
    )
    return (await session.scalars(query)).one_or_none()


async def view(session: AsyncSession, place: str, view_id: str) -> SavedViewRow | None:
    """One view of a list."""
    found = await session.get(SavedViewRow, view_id)
    return found if found is not None and found.place == place else None


async def count(session: AsyncSession, place: str, staff_id: str) -> int:
    """How many views of a list a person has."""
    query = select(func.count()).where(
        SavedViewRow.place == place, SavedViewRow.staff_id == staff_id
    )
    return await session.scalar(query) or 0


async def remove(session: AsyncSession, view_id: str) -> None:
    """Forget one."""
    await session.execute(delete(SavedViewRow).where(SavedViewRow.id == view_id))

"""People who have asked before, as an engineer on the telephone looks for them."""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.tables import User


async def find_users(
    session: AsyncSession, *, words: str, phone: str, regions: Sequence[str], limit: int
) -> Sequence[User]:
    """People whose name or unit has ``words``, or whose masked number is ``phone``; newest first.

    Numbers rest masked, so a number finds everybody whose visible digits are the same.
    """
    named = or_(
        User.phone == phone,
        User.name.icontains(words, autoescape=True),
        User.unit.icontains(words, autoescape=True),
    )
    query = select(User).where(named).order_by(User.id.desc()).limit(limit)
    if regions:
        query = query.where(or_(User.region.in_(regions), User.region.is_(None)))
    return (await session.scalars(query)).all()

"""Queries of canned phrases."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.tickets.canned_tables import CannedPhrase


async def phrases(session: AsyncSession) -> Sequence[CannedPhrase]:
    """All of them in their order."""
    query = select(CannedPhrase).order_by(CannedPhrase.position, CannedPhrase.id)
    return (await session.scalars(query)).all()


async def phrase(session: AsyncSession, phrase_id: str) -> CannedPhrase | None:
    """One of them, held until the transaction ends."""
    query = select(CannedPhrase).where(CannedPhrase.id == phrase_id).with_for_update()
    return await session.scalar(query.execution_options(populate_existing=True))

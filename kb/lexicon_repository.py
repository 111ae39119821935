"""Queries of the lexicon's entries."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from kb.lexicon_tables import LexiconEntryRow, LexiconVersionRow


async def entries(session: AsyncSession) -> Sequence[LexiconEntryRow]:
    """Everything that editors have changed, by word."""
    query = select(LexiconEntryRow).order_by(LexiconEntryRow.kind, LexiconEntryRow.word)
    return (await session.scalars(query)).all()


async def locked_entry(session: AsyncSession, kind: str, word: str) -> LexiconEntryRow | None:
    """One entry, held until the transaction ends."""
    query = select(LexiconEntryRow).where(
        LexiconEntryRow.kind == kind, LexiconEntryRow.word == word
    )
    return (await session.scalars(query.with_for_update())).one_or_none()


async def versions(session: AsyncSession, entry_id: str) -> Sequence[LexiconVersionRow]:
    """An entry's history, newest first."""
    query = select(LexiconVersionRow).where(LexiconVersionRow.entry_id == entry_id)
    return (await session.scalars(query.order_by(LexiconVersionRow.number.desc()))).all()

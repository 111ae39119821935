"""Every query about golden questions and their runs."""

from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.golden.tables import GoldenQuestionRow, GoldenRunRow
from kb.tables import ArticleRow


async def questions(session: AsyncSession) -> Sequence[GoldenQuestionRow]:
    """All of them, oldest first."""
    query = select(GoldenQuestionRow).order_by(GoldenQuestionRow.created_at, GoldenQuestionRow.id)
    return (await session.scalars(query)).all()


async def question(session: AsyncSession, question_id: str) -> GoldenQuestionRow | None:
    """One of them."""
    return await session.get(GoldenQuestionRow, question_id)


async def same_question(session: AsyncSession, text: str) -> GoldenQuestionRow | None:
    """One with exactly this text."""
    query = select(GoldenQuestionRow).where(GoldenQuestionRow.text == text).limit(1)
    return (await session.scalars(query)).one_or_none()


async def count(session: AsyncSession) -> int:
    """How many there are."""
    return (await session.scalar(select(func.count(GoldenQuestionRow.id)))) or 0


async def remove(session: AsyncSession, question_id: str) -> None:
    """Forget one."""
    await session.execute(delete(GoldenQuestionRow).where(GoldenQuestionRow.id == question_id))


async def runs(session: AsyncSession, *, limit: int = 20) -> Sequence[GoldenRunRow]:
    """The newest runs first."""
    query = select(GoldenRunRow).order_by(GoldenRunRow.at.desc(), GoldenRunRow.id.desc())
    return (await session.scalars(query.limit(limit))).all()


async def titles(session: AsyncSession, article_ids: Sequence[str]) -> dict[str, str]:
    """Standard questions of these articles, by id."""
    query = select(ArticleRow.id, ArticleRow.question).where(ArticleRow.id.in_(article_ids))
    return {row.id: row.question for row in await session.execute(query)}


async def article_ids_by_ref(session: AsyncSession) -> dict[str, str]:
    """The published article of every ref that only one has."""
    query = (
        select(ArticleRow.ref, func.min(ArticleRow.id))
        .where(ArticleRow.status == "published", ArticleRow.ref != "")
        .group_by(ArticleRow.ref)
        .having(func.count() == 1)
    )
    return {ref: article_id for ref, article_id in await session.execute(query)}

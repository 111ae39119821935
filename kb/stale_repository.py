"""Every query about doubts on answers and their sources. Returns rows; never decides."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from kb.repository import ID_BATCH
from kb.stale_tables import AnswerSourceRow, ReleaseNoteRow, StaleMarkRow
from kb.tables import ArticleRow, GuideSectionRow, GuideVersionRow, Status

#: Answers that are searched for one guide or release note; more would be a broken source title.
MANY = 50_000


def is_doubted() -> ColumnElement[bool]:
    """The condition for answers with an open doubt."""
    open_ones = select(StaleMarkRow.article_id).where(StaleMarkRow.cleared_at.is_(None))
    return ArticleRow.id.in_(open_ones) & (ArticleRow.status != Status.ARCHIVED)


async def marks(
    session: AsyncSession, article_id: str, *, only_open: bool = True
) -> Sequence[StaleMarkRow]:
    """The doubts about one answer, newest first."""
    query = select(StaleMarkRow).where(StaleMarkRow.article_id == article_id)
    if only_open:
        query = query.where(StaleMarkRow.cleared_at.is_(None))
    return (await session.scalars(query.order_by(StaleMarkRow.id.desc()))).all()


async def open_marks_of_guide(session: AsyncSession, guide_id: str) -> Sequence[StaleMarkRow]:
    """Open doubts that one guide raised, oldest first."""
    query = select(StaleMarkRow).where(
        StaleMarkRow.guide_id == guide_id, StaleMarkRow.cleared_at.is_(None)
    )
    return (await session.scalars(query.order_by(StaleMarkRow.id))).all()


async def doubted(session: AsyncSession, article_ids: Sequence[str]) -> set[str]:
    """Those of the answers that have an open doubt."""
    found: set[str] = set()
    for start in range(0, len(article_ids), ID_BATCH):
        query = select(StaleMarkRow.article_id).where(
            StaleMarkRow.cleared_at.is_(None),
            StaleMarkRow.article_id.in_(article_ids[start : start + ID_BATCH]),
        )
        found.update(await session.scalars(query.distinct()))
    return found


async def count_doubted(session: AsyncSession) -> int:
    """How many answers in use have an open doubt."""
    query = select(func.count()).select_from(ArticleRow).where(is_doubted())
    return await session.scalar(query.where(ArticleRow.draft_of.is_(None))) or 0


async def sources_in_guide(
    session: AsyncSession, guide_id: str
) -> Sequence[tuple[ArticleRow, AnswerSourceRow | None, GuideSectionRow]]:
    """Answers drawn from a section of the guide, with where that section stands.

    The section is that of the source row, or without one the section that the answer names.
    """
    query = (
        select(ArticleRow, AnswerSourceRow, GuideSectionRow)
        .outerjoin(AnswerSourceRow, AnswerSourceRow.article_id == ArticleRow.id)
        .join(
            GuideSectionRow,
            GuideSectionRow.id
            == func.coalesce(AnswerSourceRow.section_id, ArticleRow.source_section_id),
        )
        .join(GuideVersionRow, GuideVersionRow.id == GuideSectionRow.version_id)
        .where(GuideVersionRow.guide_id == guide_id, ArticleRow.draft_of.is_(None))
    )
    rows = await session.execute(query)
    return [(row[0], row[1], row[2]) for row in rows]


async def without_section(session: AsyncSession, title: str) -> Sequence[ArticleRow]:
    """Answers that name the guide by its title, and no section of any."""
    query = (
        select(ArticleRow)
        .outerjoin(AnswerSourceRow, AnswerSourceRow.article_id == ArticleRow.id)
        .where(
            ArticleRow.source_section_id.is_(None),
            AnswerSourceRow.article_id.is_(None),
            ArticleRow.draft_of.is_(None),
            ArticleRow.source_title.icontains(title, autoescape=True),
        )
        .limit(MANY)
    )
    return (await session.scalars(query)).all()


async def source(session: AsyncSession, article_id: str) -> AnswerSourceRow | None:
    """Where the answer's source stands, if it was ever followed."""
    return await session.get(AnswerSourceRow, article_id)


async def last_published(
    session: AsyncSession, guide_id: str, *, besides: str
) -> GuideVersionRow | None:
    """The version of the guide that answered until another one did."""
    query = select(GuideVersionRow).where(
        GuideVersionRow.guide_id == guide_id,
        GuideVersionRow.id != besides,
        GuideVersionRow.published_at.is_not(None),
    )
    order = (GuideVersionRow.published_at.desc(), GuideVersionRow.number.desc())
    return (await session.scalars(query.order_by(*order).limit(1))).first()


async def in_use(session: AsyncSession) -> Sequence[ArticleRow]:
    """Every answer that is not archived, oldest first."""
    query = select(ArticleRow).where(
        ArticleRow.status != Status.ARCHIVED, ArticleRow.draft_of.is_(None)
    )
    return (await session.scalars(query.order_by(ArticleRow.id))).all()


async def source_paths(session: AsyncSession) -> dict[str, tuple[str, ...]]:
    """The headings that lead to the source section of each answer that has one."""
    query = (
        select(ArticleRow.id, GuideSectionRow.path)
        .outerjoin(AnswerSourceRow, AnswerSourceRow.article_id == ArticleRow.id)
        .join(
            GuideSectionRow,
            GuideSectionRow.id
            == func.coalesce(AnswerSourceRow.section_id, ArticleRow.source_section_id),
        )
    )
    return {str(article_id): tuple(path) for article_id, path in await session.execute(query)}


async def release_notes(session: AsyncSession, limit: int = 20) -> Sequence[ReleaseNoteRow]:
    """The newest release notes."""
    query = select(ReleaseNoteRow).order_by(ReleaseNoteRow.id.desc()).limit(limit)
    return (await session.scalars(query)).all()


async def release_note(session: AsyncSession, note_id: str) -> ReleaseNoteRow | None:
    """One release note."""
    return await session.get(ReleaseNoteRow, note_id)


async def open_since(
    session: AsyncSession, article_id: str, moment: datetime, *, cleared_as: str
) -> Sequence[StaleMarkRow]:
    """Doubts that arose after that moment and were settled in this way."""
    query = select(StaleMarkRow).where(
        StaleMarkRow.article_id == article_id,
        StaleMarkRow.since > moment,
        StaleMarkRow.cleared_how == cleared_as,
    )
    return (await session.scalars(query)).all()

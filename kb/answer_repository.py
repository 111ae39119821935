"""Every query of the work on answers. Returns rows; never decides, never commits."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from kb.answer_tables import AnswerCommentRow, AnswerVersionRow, AnswerWorkRow
from kb.answer_workflow import AnswerState
from kb.stale_repository import is_doubted
from kb.tables import ArticleRow

#: The author of what nobody has written.
SYSTEM = "system"
#: An answer that was never worked on stands as its import left it.
STATE = func.coalesce(AnswerWorkRow.state, ArticleRow.status)
_OWNER = func.coalesce(AnswerWorkRow.owner, "")
_WAS_TOUCHED = func.coalesce(AnswerWorkRow.updated_at, ArticleRow.updated_at)


async def locked_article(session: AsyncSession, article_id: str) -> ArticleRow | None:
    """The article, held against everybody else until the transaction ends."""
    query = select(ArticleRow).where(ArticleRow.id == article_id).with_for_update()
    return (await session.scalars(query.execution_options(populate_existing=True))).one_or_none()


async def work(session: AsyncSession, article_id: str) -> AnswerWorkRow | None:
    """Where an answer stands, if it was ever worked on."""
    query = select(AnswerWorkRow).where(AnswerWorkRow.article_id == article_id)
    return (await session.scalars(query.execution_options(populate_existing=True))).one_or_none()


async def version(session: AsyncSession, article_id: str, number: int) -> AnswerVersionRow | None:
    """One version."""
    query = select(AnswerVersionRow).where(
        AnswerVersionRow.article_id == article_id, AnswerVersionRow.number == number
    )
    return (await session.scalars(query)).one_or_none()


async def versions(session: AsyncSession, article_id: str) -> Sequence[AnswerVersionRow]:
    """All versions, newest first."""
    query = select(AnswerVersionRow).where(AnswerVersionRow.article_id == article_id)
    return (await session.scalars(query.order_by(AnswerVersionRow.number.desc()))).all()


async def authors_after(session: AsyncSession, article_id: str, number: int) -> set[str]:
    """Ids of everybody who wrote a version after this one."""
    query = select(AnswerVersionRow.author_id).where(
        AnswerVersionRow.article_id == article_id, AnswerVersionRow.number > number
    )
    return set(await session.scalars(query))


async def comments(session: AsyncSession, article_id: str) -> Sequence[AnswerCommentRow]:
    """All comments, oldest first."""
    query = select(AnswerCommentRow).where(AnswerCommentRow.article_id == article_id)
    return (await session.scalars(query.order_by(AnswerCommentRow.id))).all()


async def due(session: AsyncSession, *, now: datetime, limit: int) -> Sequence[AnswerWorkRow]:
    """Answers whose moment of publication has come, the longest waiting first."""
    query = select(AnswerWorkRow).where(
        AnswerWorkRow.state == AnswerState.SCHEDULED, AnswerWorkRow.publish_at <= now
    )
    return (await session.scalars(query.order_by(AnswerWorkRow.publish_at).limit(limit))).all()


async def held_back(
    session: AsyncSession, *, limit: int
) -> Sequence[tuple[ArticleRow, AnswerWorkRow]]:
    """Answers in review whose newest version was not published at its date, the latest first."""
    told = select(AnswerCommentRow.id).where(
        AnswerCommentRow.article_id == AnswerWorkRow.article_id,
        AnswerCommentRow.number == AnswerWorkRow.head,
        AnswerCommentRow.author_id == SYSTEM,
    )
    query = (
        select(ArticleRow, AnswerWorkRow)
        .join(AnswerWorkRow, AnswerWorkRow.article_id == ArticleRow.id)
        .where(AnswerWorkRow.state == AnswerState.IN_REVIEW, told.exists())
        .order_by(AnswerWorkRow.updated_at.desc(), ArticleRow.id)
    )
    return [(row[0], row[1]) for row in await session.execute(query.limit(limit))]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which answers of the list are asked for; empty fields ask for all."""

    state: str = ""
    module: str = ""
    owner: str = ""
    text: str = ""
    after: tuple[datetime, str] | None = None
    oldest_first: bool = False
    limit: int = 50
    stale: bool = False
    fiscal_year: int = 0
    audience: str = ""
    #: Answers whose last day is before this one.
    expired_on: date | None = None


async def listed(
    session: AsyncSession, wanted: Wanted
) -> Sequence[tuple[ArticleRow, AnswerWorkRow | None]]:
    """A page of the list, by the moment of the last change; `after` is the last row's key."""
    query = (
        select(ArticleRow, AnswerWorkRow)
        .outerjoin(AnswerWorkRow, AnswerWorkRow.article_id == ArticleRow.id)
        .where(*_conditions(wanted))
    )
    key = tuple_(_WAS_TOUCHED, ArticleRow.id)
    if wanted.after is not None:
        last = tuple_(*wanted.after)
        query = query.where(key > last if wanted.oldest_first else key < last)
    if wanted.oldest_first:
        query = query.order_by(_WAS_TOUCHED, ArticleRow.id)
    else:
        query = query.order_by(_WAS_TOUCHED.desc(), ArticleRow.id.desc())
    rows = await session.execute(query.limit(wanted.limit))
    return [(row[0], row[1]) for row in rows]


async def named(
    session: AsyncSession, article_ids: Collection[str]
) -> Sequence[tuple[ArticleRow, AnswerWorkRow]]:
    """These answers, as far as they are there, in no order."""
    query = (
        select(ArticleRow, AnswerWorkRow)
        .join(AnswerWorkRow, AnswerWorkRow.article_id == ArticleRow.id)
        .where(ArticleRow.id.in_(article_ids))
    )
    return [(row[0], row[1]) for row in await session.execute(query)]


async def counts(session: AsyncSession) -> dict[str, int]:
    """How many answers stand in each state."""
    query = (
        select(STATE, func.count())
        .select_from(ArticleRow)
        .outerjoin(AnswerWorkRow, AnswerWorkRow.article_id == ArticleRow.id)
        .where(ArticleRow.draft_of.is_(None))
        .group_by(STATE)
    )
    return {str(state): int(count) for state, count in await session.execute(query)}


async def modules(session: AsyncSession) -> Sequence[str]:
    """The modules that answers belong to."""
    query = select(ArticleRow.module).where(ArticleRow.module != "").distinct()
    return (await session.scalars(query.order_by(ArticleRow.module))).all()


async def fiscal_years(session: AsyncSession) -> Sequence[int]:
    """The fiscal years that answers are for, the latest first."""
    query = select(ArticleRow.fiscal_year).where(ArticleRow.fiscal_year.is_not(None)).distinct()
    found = await session.scalars(query.order_by(ArticleRow.fiscal_year.desc()))
    return [year for year in found if year is not None]


async def audiences(session: AsyncSession) -> Sequence[str]:
    """The groups that answers are for."""
    query = select(ArticleRow.audience).where(ArticleRow.audience != "").distinct()
    found = {group for some in await session.scalars(query) for group in some.splitlines()}
    return sorted(found)


async def owners(session: AsyncSession) -> Sequence[str]:
    """The owners of answers."""
    query = select(AnswerWorkRow.owner).where(AnswerWorkRow.owner != "").distinct()
    return (await session.scalars(query.order_by(AnswerWorkRow.owner))).all()


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [ArticleRow.draft_of.is_(None)]
    if wanted.state:
        conditions.append(STATE.is_not_distinct_from(wanted.state))
    if wanted.module:
        conditions.append(ArticleRow.module == wanted.module)
    if wanted.owner:
        conditions.append(_OWNER.is_not_distinct_from(wanted.owner))
    if wanted.stale:
        conditions.append(is_doubted())
    if wanted.fiscal_year:
        conditions.append(ArticleRow.fiscal_year == wanted.fiscal_year)
    if wanted.audience:
        lines = literal("\n") + ArticleRow.audience + literal("\n")
        conditions.append(lines.contains(f"\n{wanted.audience}\n", autoescape=True))
    if wanted.expired_on is not None:
        conditions.append(ArticleRow.valid_until < wanted.expired_on)
    conditions.extend(_holds(word) for word in wanted.text.split())
    return [and_(*conditions)]


def _holds(word: str) -> ColumnElement[bool]:
    return or_(
        ArticleRow.question.icontains(word, autoescape=True),
        ArticleRow.answer.icontains(word, autoescape=True),
        ArticleRow.ref == word,
    )

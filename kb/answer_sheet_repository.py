"""The newest versions of many answers at once, for workbooks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from kb import repository
from kb.answer_repository import Wanted, listed
from kb.answer_sheet import MAX_ROWS, Exported
from kb.answer_tables import AnswerVersionRow, AnswerWorkRow
from kb.answer_text import AnswerText
from kb.answer_versions import Author, text_of
from kb.answer_workflow import AnswerState
from kb.tables import ArticleRow

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Current:
    """How an answer stands now."""

    version: int
    text: AnswerText
    state: AnswerState
    locked_by: str
    locker: str
    locked_until: datetime | None

    @property
    def is_in_review(self) -> bool:
        """Whether it has to be withdrawn before it can be changed."""
        return self.state in (AnswerState.IN_REVIEW, AnswerState.SCHEDULED)

    def is_locked_for(self, who: Author, now: datetime) -> bool:
        """Whether somebody else holds it."""
        held = self.locked_until is not None and self.locked_until > now
        return held and self.locker != who.id


async def exported(session: AsyncSession, wanted: Wanted) -> list[Exported]:
    """Answers of the list, all pages of it."""
    found: list[Exported] = []
    asked = replace(wanted, after=None, limit=_PAGE)
    while len(found) < MAX_ROWS:
        rows = await listed(session, asked)
        articles = [article for article, _ in rows]
        texts = await _texts(session, articles, [work for _, work in rows if work is not None])
        found += [
            Exported(article.id, work.version if work else 0, texts[article.id])
            for article, work in rows
        ]
        if len(rows) < _PAGE:
            break
        last, work = rows[-1]
        asked = replace(asked, after=(work.updated_at if work else last.updated_at, last.id))
    return found


async def current_texts(session: AsyncSession, article_ids: Sequence[str]) -> dict[str, Current]:
    """Answers by id; unknown ones are absent."""
    found: dict[str, Current] = {}
    wanted = sorted({one for one in article_ids if one})
    for start in range(0, len(wanted), _PAGE):
        query = (
            select(ArticleRow, AnswerWorkRow)
            .outerjoin(AnswerWorkRow, AnswerWorkRow.article_id == ArticleRow.id)
            .where(ArticleRow.id.in_(wanted[start : start + _PAGE]), ArticleRow.draft_of.is_(None))
        )
        found_rows = await session.execute(query)
        rows: list[tuple[ArticleRow, AnswerWorkRow | None]] = [(r[0], r[1]) for r in found_rows]
        texts = await _texts(
            session, [one for one, _ in rows], [w for _, w in rows if w is not None]
        )
        found |= {article.id: _current(article, work, texts[article.id]) for article, work in rows}
    return found


def _current(article: ArticleRow, work: AnswerWorkRow | None, text: AnswerText) -> Current:
    if work is None:
        return Current(0, text, AnswerState(article.status), "", "", None)
    return Current(
        work.version,
        text,
        AnswerState(work.state),
        work.locked_by,
        work.locked_by_id or "",
        work.locked_until,
    )


async def _texts(
    session: AsyncSession, articles: Sequence[ArticleRow], works: Sequence[AnswerWorkRow]
) -> dict[str, AnswerText]:
    """The newest version's text of each, or the article's own where nobody has worked on it."""
    heads = await _heads(session, [work.article_id for work in works])
    owners = {work.article_id: work.owner for work in works}
    similar = await repository.similar_questions(session, [one.id for one in articles])
    return {
        one.id: heads.get(one.id)
        or text_of(one, similar.get(one.id, ()), owner=owners.get(one.id, ""))
        for one in articles
    }


async def _heads(session: AsyncSession, article_ids: Sequence[str]) -> dict[str, AnswerText]:
    is_head = and_(
        AnswerVersionRow.article_id == AnswerWorkRow.article_id,
        AnswerVersionRow.number == AnswerWorkRow.head,
    )
    query = (
        select(AnswerVersionRow.article_id, AnswerVersionRow.content)
        .join(AnswerWorkRow, is_head)
        .where(AnswerVersionRow.article_id.in_(article_ids))
    )
    return {row[0]: AnswerText.from_json(row[1]) for row in await session.execute(query)}

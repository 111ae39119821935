"""The versions of an answer, and what it takes to bring an imported one under them.

Every state of the content is kept whole. Refuses to decide who may write one.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from kb import answer_repository as rows
from kb import repository
from kb.answer_tables import AnswerVersionRow, AnswerWorkRow
from kb.answer_text import AnswerText
from kb.answer_workflow import AnswerState
from kb.articles import AnswerKind
from kb.errors import AnswerMissing
from kb.tables import ArticleRow, SimilarQuestionRow, Status
from store.base import new_id


@dataclass(frozen=True, slots=True)
class Author:
    """Who works: an account's id and the name that colleagues know."""

    id: str
    name: str


#: Who is named for content that came from a file.
IMPORT = Author("import", "import")


@dataclass(slots=True)
class Opened:
    """An answer taken up for a change: its article, where it stands, its newest content."""

    article: ArticleRow
    work: AnswerWorkRow
    text: AnswerText


async def open_answer(session: AsyncSession, article_id: str, *, now: datetime) -> Opened:
    """Take up an answer; one that was imported, or imported anew, gets a version of that first.

    Raises AnswerMissing. The article is held until the transaction ends.
    """
    article = await rows.locked_article(session, article_id)
    if article is None:
        raise AnswerMissing(article_id)
    work = await rows.work(session, article_id)
    if work is None:
        work = _first_work(article, now)
        session.add(work)
    imported = await article_text(session, article, owner=work.owner)
    if await _is_news(session, work, article, imported):
        await _adopt(session, work, article, imported, now)
    await session.flush()
    found = await rows.version(session, article_id, work.head)
    if found is None:
        raise AnswerMissing(article_id, work.head)
    return Opened(article, work, AnswerText.from_json(found.content))


async def article_text(session: AsyncSession, article: ArticleRow, *, owner: str) -> AnswerText:
    """The content of the article's own row."""
    similar = await repository.similar_questions(session, [article.id])
    return text_of(article, similar.get(article.id, ()), owner=owner)


def text_of(article: ArticleRow, similar: tuple[str, ...], *, owner: str) -> AnswerText:
    """The content of an article's row with its similar questions."""
    return AnswerText(
        question=article.question,
        answer=article.answer,
        similar=similar,
        module=article.module,
        category=article.category,
        kind=AnswerKind(article.kind),
        ref=article.ref,
        regions=tuple(article.regions),
        valid_from=article.valid_from,
        valid_until=article.valid_until,
        source_title=article.source_title,
        source_section_id=article.source_section_id,
        owner=owner,
        fiscal_year=article.fiscal_year,
        audience=tuple(article.audience.splitlines()),
    )


async def append(
    session: AsyncSession,
    work: AnswerWorkRow,
    text: AnswerText,
    author: Author,
    *,
    now: datetime,
    note: str = "",
    restored_from: int | None = None,
) -> AnswerVersionRow:
    """Keep the content as the newest version."""
    work.head += 1
    row = AnswerVersionRow(
        id=new_id(),
        article_id=work.article_id,
        number=work.head,
        content=text.to_json(),
        author_id=author.id,
        author=author.name,
        note=note,
        restored_from=restored_from,
        created_at=now,
        published_at=None,
    )
    session.add(row)
    await session.flush()
    return row


async def first_written(session: AsyncSession, version: AnswerVersionRow) -> datetime:
    """When the words of this version were written: that of the version that it restores."""
    while version.restored_from is not None:
        restored = await rows.version(session, version.article_id, version.restored_from)
        if restored is None:
            break
        version = restored
    return version.created_at


async def put_into_article(
    session: AsyncSession, article: ArticleRow, work: AnswerWorkRow, text: AnswerText
) -> None:
    """Make the article's own row say what the newest version says, which is `text`."""
    work.held = work.head
    content: dict[str, Any] = text.to_json()
    for name in ("question", "answer", "module", "category", "ref", "regions", "source_title"):
        setattr(article, name, content[name])
    article.kind = text.kind.value
    article.valid_from, article.valid_until = text.valid_from, text.valid_until
    article.source_section_id = text.source_section_id
    article.fiscal_year, article.audience = text.fiscal_year, "\n".join(text.audience)
    await session.flush()
    await repository.delete_similar_questions(session, [article.id])
    similar = [
        {"id": new_id(), "article_id": article.id, "text": one, "position": position}
        for position, one in enumerate(text.similar)
    ]
    await repository.insert_rows(session, SimilarQuestionRow, similar)


def _first_work(article: ArticleRow, now: datetime) -> AnswerWorkRow:
    return AnswerWorkRow(
        article_id=article.id,
        state=AnswerState(article.status).value,
        version=0,
        head=0,
        live=None,
        held=0,
        owner="",
        publish_at=None,
        locked_by_id=None,
        locked_by="",
        locked_since=None,
        locked_until=None,
        updated_at=now,
    )


async def _is_news(
    session: AsyncSession, work: AnswerWorkRow, article: ArticleRow, imported: AnswerText
) -> bool:
    """Whether a file has changed the article behind the versions' back."""
    if work.head == 0:
        return True
    held = await rows.version(session, work.article_id, work.held)
    if held is None:
        return True
    known = AnswerText.from_json(held.content)
    return _without_owner(known) != _without_owner(imported) or (
        (article.status == Status.PUBLISHED) != (work.live is not None)
    )


def _without_owner(text: AnswerText) -> dict[str, Any]:
    return {name: value for name, value in text.to_json().items() if name != "owner"}


async def _adopt(
    session: AsyncSession,
    work: AnswerWorkRow,
    article: ArticleRow,
    imported: AnswerText,
    now: datetime,
) -> None:
    """The import becomes a version. A draft that was in work stays the newest one after it."""
    unfinished = await _unfinished(session, work)
    # The words are as old as their file, however late somebody first works on them.
    row = await append(session, work, imported, IMPORT, now=article.updated_at)
    published = article.status == Status.PUBLISHED
    row.published_at = (article.published_at or now) if published else None
    work.live, work.held = row.number if published else None, row.number
    work.version += 1
    if unfinished is None:
        work.state = AnswerState(article.status).value
        return
    author = Author(unfinished.author_id, unfinished.author)
    text = AnswerText.from_json(unfinished.content)
    await append(session, work, text, author, now=now, restored_from=unfinished.number)
    work.state, work.publish_at = AnswerState.DRAFT.value, None


async def _unfinished(session: AsyncSession, work: AnswerWorkRow) -> AnswerVersionRow | None:
    if work.head in (0, work.live):
        return None
    in_work = (AnswerState.DRAFT, AnswerState.IN_REVIEW, AnswerState.SCHEDULED)
    return (
        await rows.version(session, work.article_id, work.head) if work.state in in_work else None
    )

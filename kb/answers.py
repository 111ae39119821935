"""Reads what is published: the corpus that search is built from, and the content of one answer.

A draft or withdrawn answer is never returned for showing to users.
"""

from dataclasses import replace
from datetime import date
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from kb import repository, stale_repository
from kb.answer_markup import answer_blocks, attachments, plain_text
from kb.answer_text import AnswerText
from kb.articles import (
    AnswerContent,
    AnswerKind,
    AnswerOrigin,
    Corpus,
    IndexedAnswer,
    Source,
)
from kb.blocks import blocks_from_json, image_from_json
from kb.tables import ArticleRow, GuideRow, GuideVersionRow, PassageRow, Status


async def load_corpus(session: AsyncSession) -> Corpus:
    """Every published answer: articles first, then passages.

    The order depends on what they say, not on their random ids, so that the same content trains
    the same model in any workspace.
    """
    articles = sorted(
        await repository.published_articles(session),
        key=lambda row: (row.source_name, row.ref, row.question, row.id),
    )
    similar = await repository.similar_questions(session, [row.id for row in articles])
    answers = [_indexed_article(row, similar.get(row.id, ())) for row in articles]
    answers += [_indexed_passage(*row) for row in await repository.published_passages(session)]
    return Corpus(tuple(answers))


async def indexed_article(session: AsyncSession, article_id: str) -> IndexedAnswer | None:
    """One article as search keeps it, or None when it is not published."""
    row = await repository.article(session, article_id)
    if row is None or row.status != Status.PUBLISHED:
        return None
    similar = await repository.similar_questions(session, [row.id])
    return _indexed_article(row, similar.get(row.id, ()))


async def guide_changes(session: AsyncSession, version_id: str) -> dict[str, IndexedAnswer | None]:
    """What publishing a version of a guide would change: its passages, and those that go."""
    rows = await repository.passages_beside(session, version_id)
    old = {p.answer_id for p, version, _ in rows if version.id != version_id}
    new = {row[0].answer_id: _indexed_passage(*row) for row in rows if row[1].id == version_id}
    return {**dict.fromkeys(old), **new}


def indexed_text(answer_id: str, text: AnswerText) -> IndexedAnswer:
    """What search would keep of this text, were it published."""
    return IndexedAnswer(
        answer_id=answer_id,
        origin=AnswerOrigin.ARTICLE,
        kind=text.kind,
        title=text.question,
        text=plain_text(text.answer),
        source=Source(guide=text.source_title),
        questions=(text.question, *text.similar),
        ref=text.ref,
        module=text.module,
        category=text.category,
        regions=text.regions,
        valid_from=text.valid_from,
        valid_until=text.valid_until,
        fiscal_year=text.fiscal_year,
        audience=text.audience,
    )


async def answer_card(
    session: AsyncSession, answer_id: str, *, include_withdrawn: bool = False
) -> AnswerContent | None:
    """The content of one answer, or None when there is none that users may see.

    `include_withdrawn` is for editors and for the transcript of what was shown earlier.
    """
    row = await repository.article(session, answer_id)
    if row is not None:
        visible = include_withdrawn or row.status == Status.PUBLISHED
        return await _article_content(session, row) if visible else None
    found = await repository.passage(session, answer_id, published_only=not include_withdrawn)
    return _passage_content(*found) if found is not None else None


def _indexed_article(row: ArticleRow, similar: tuple[str, ...]) -> IndexedAnswer:
    return IndexedAnswer(
        answer_id=row.id,
        origin=AnswerOrigin.ARTICLE,
        kind=AnswerKind(row.kind),
        title=row.question,
        text=plain_text(row.answer),
        source=_table_source(row),
        questions=(row.question, *similar),
        ref=row.ref,
        module=row.module,
        category=row.category,
        regions=tuple(row.regions),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        fiscal_year=row.fiscal_year,
        audience=tuple(row.audience.splitlines()),
    )


def _indexed_passage(
    passage: PassageRow, version: GuideVersionRow, guide: GuideRow
) -> IndexedAnswer:
    return IndexedAnswer(
        answer_id=passage.answer_id,
        origin=AnswerOrigin.PASSAGE,
        kind=AnswerKind.ANSWER,
        title=passage.heading or guide.title,
        text=passage.text,
        source=_guide_source(passage, version, guide),
        regions=tuple(version.regions),
        valid_from=version.effective_from,
        valid_until=version.effective_until,
        fiscal_year=version.fiscal_year,
        audience=tuple(version.audience),
    )


def _table_source(row: ArticleRow) -> Source:
    return Source(guide=row.source_title, file=Path(row.source_name).name)


def _guide_source(passage: PassageRow, version: GuideVersionRow, guide: GuideRow) -> Source:
    return Source(
        guide=guide.title,
        section=tuple(passage.path),
        version=version.version,
        issued=version.issued,
        page=passage.page,
        file=Path(version.source_name).name,
    )


async def _article_content(session: AsyncSession, row: ArticleRow) -> AnswerContent:
    return AnswerContent(
        answer_id=row.id,
        origin=AnswerOrigin.ARTICLE,
        kind=AnswerKind(row.kind),
        title=row.question,
        text=plain_text(row.answer),
        blocks=answer_blocks(row.answer),
        images=(),
        source=await _article_source(session, row),
        ref=row.ref,
        module=row.module,
        category=row.category,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        attachments=attachments(row.answer),
    )


async def _article_source(session: AsyncSession, row: ArticleRow) -> Source:
    # A table has no date of its own: the answer is as old as its last publication.
    issued = row.published_at.date().isoformat() if row.published_at else None
    own = replace(_table_source(row), issued=issued)
    # The guide may have a newer version since the answer was drawn from it.
    followed = await stale_repository.source(session, row.id)
    current = followed is not None and followed.base_section_id == row.source_section_id
    section_id = followed.section_id if followed and current else row.source_section_id
    if section_id is None:
        return own
    found = await repository.section_source(session, section_id)
    if found is None:
        return own
    section, version, guide = found
    return Source(
        guide=guide.title,
        section=tuple(section.path),
        version=version.version,
        issued=version.issued,
        page=section.page,
        file=Path(version.source_name).name,
    )


def _passage_content(
    passage: PassageRow, version: GuideVersionRow, guide: GuideRow
) -> AnswerContent:
    return AnswerContent(
        answer_id=passage.answer_id,
        origin=AnswerOrigin.PASSAGE,
        kind=AnswerKind.ANSWER,
        title=passage.heading or guide.title,
        text=passage.text,
        blocks=blocks_from_json(passage.blocks),
        images=tuple(image_from_json(image) for image in passage.images),
        source=_guide_source(passage, version, guide),
        ref="",
        module="",
        category="",
        valid_from=version.effective_from,
        valid_until=version.effective_until,
    )


def valid_on(content: AnswerContent, today: date) -> bool:
    """Whether the answer may be shown on that day."""
    after_start = content.valid_from is None or content.valid_from <= today
    return after_start and (content.valid_until is None or today <= content.valid_until)

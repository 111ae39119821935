"""Keeps an imported table of questions and answers as articles.

A table imported again updates its own articles: the same question, or a reference that is unique
in both, is the same article and keeps its id. An entry that is gone from the table is archived.
A change that is not to be published waits beside the published article as its draft.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from kb import repository
from kb.answer_pictures import keep_picture
from kb.articles import AnswerKind
from kb.sections import FaqEntry, FaqTable
from kb.stored_text import storable
from kb.tables import ArticleRow, SimilarQuestionRow, Status
from store.base import new_id


@dataclass(frozen=True, slots=True)
class StoredFaq:
    """The outcome of storing one table: how many articles were touched in which way."""

    entries: int
    created: int
    updated: int
    unchanged: int
    archived: int
    similar: int
    warnings: int


@dataclass(slots=True)
class _Plan:
    """What is to be done to the database, decided before anything is written."""

    new: list[tuple[FaqEntry, str | None]] = field(default_factory=list)
    changed: list[tuple[FaqEntry, ArticleRow]] = field(default_factory=list)
    unchanged: list[ArticleRow] = field(default_factory=list)
    gone: list[ArticleRow] = field(default_factory=list)


async def store_faq(
    session: AsyncSession,
    table: FaqTable,
    *,
    source_name: str,
    publish: bool,
    now: datetime,
    media_dir: Path | None = None,
) -> StoredFaq:
    """Keep the table's entries as drafts, or published; `source_name` is the key of the table.

    `media_dir` receives the pictures of answers; tables without any need none.
    """
    if media_dir is not None:
        for content in table.images.values():
            await keep_picture(session, content, name=source_name, media_dir=media_dir, now=now)
    source_name = storable(source_name)[:500]
    entries = distinct_entries(table.entries)
    rows = await repository.articles_of_source(session, source_name)
    similar = await repository.similar_questions(session, [row.id for row in rows])
    plan = _plan(entries, rows, similar, publish=publish)
    fresh = [
        _new_row(entry, draft_of, source_name=source_name, source_title=table.title, now=now)
        for entry, draft_of in plan.new
    ]
    for entry, row in plan.changed:
        _copy(entry, row, now)
    await _write(session, plan, fresh, publish=publish, now=now)
    return StoredFaq(
        entries=len(entries),
        created=len(plan.new),
        updated=len(plan.changed),
        unchanged=len(plan.unchanged),
        archived=len(plan.gone),
        similar=sum(len(entry.similar) for entry in entries),
        warnings=len(table.warnings),
    )


async def _write(
    session: AsyncSession,
    plan: _Plan,
    fresh: Sequence[dict[str, Any]],
    *,
    publish: bool,
    now: datetime,
) -> None:
    if publish:
        for row in (*(row for _entry, row in plan.changed), *plan.unchanged):
            _publish(row, now)
        for values in fresh:
            values |= {"status": Status.PUBLISHED, "published_at": now}
    for row in plan.gone:
        row.status, row.updated_at = Status.ARCHIVED, now
    await session.flush()
    await repository.insert_rows(session, ArticleRow, fresh)
    await repository.delete_similar_questions(session, [row.id for _entry, row in plan.changed])
    pairs = [(values["id"], entry) for values, (entry, _) in zip(fresh, plan.new, strict=True)]
    pairs += [(row.id, entry) for entry, row in plan.changed]
    await repository.insert_rows(session, SimilarQuestionRow, _similar_rows(pairs))


def distinct_entries(entries: Sequence[FaqEntry]) -> list[FaqEntry]:
    """Entries as they can be stored; of equal questions the last one, as in a corrected table."""
    kept: dict[str, FaqEntry] = {}
    for entry in entries:
        question = storable(entry.question).strip()
        if question:
            kept[question] = FaqEntry(
                question=question,
                answer=storable(entry.answer).strip(),
                similar=_distinct_similar(entry, question),
                module=storable(entry.module).strip()[:200],
                ref=storable(entry.ref).strip()[:64],
                category=storable(entry.category).strip()[:32],
                kind=AnswerKind(entry.kind).value,
            )
    return list(kept.values())


def _distinct_similar(entry: FaqEntry, question: str) -> tuple[str, ...]:
    texts = dict.fromkeys(storable(text).strip() for text in entry.similar)
    return tuple(text for text in texts if text and text != question)


def _plan(
    entries: Sequence[FaqEntry],
    rows: Sequence[ArticleRow],
    similar: Mapping[str, tuple[str, ...]],
    *,
    publish: bool,
) -> _Plan:
    plan = _Plan()
    drafts = {row.draft_of: row for row in rows if row.draft_of is not None}
    matched: set[str] = set()
    for entry, match in matches(entries, [row for row in rows if row.draft_of is None]):
        row = match
        if row is not None:
            matched.update({row.id, drafts[row.id].id} if row.id in drafts else {row.id})
        if row is not None and not publish and row.status == Status.PUBLISHED:
            if _same(entry, row, similar):
                plan.unchanged.append(row)
                continue
            row = drafts.get(row.id)
        elif row is not None and publish and row.id in drafts:
            plan.gone.append(drafts[row.id])
        if row is None:
            plan.new.append((entry, match.id if match is not None else None))
        elif _same(entry, row, similar):
            plan.unchanged.append(row)
        else:
            plan.changed.append((entry, row))
    plan.gone += [row for row in rows if row.id not in matched and row.status != Status.ARCHIVED]
    return plan


def matches(
    entries: Sequence[FaqEntry], rows: Sequence[ArticleRow]
) -> list[tuple[FaqEntry, ArticleRow | None]]:
    """Each entry with the article it is: by question first, then by a reference unique in both."""
    by_question = {row.question: row for row in rows}
    questions = {entry.question for entry in entries}
    refs = Counter(entry.ref for entry in entries if entry.ref)
    row_refs = Counter(row.ref for row in rows if row.ref)
    by_ref = {
        row.ref: row
        for row in rows
        if row_refs[row.ref] == 1 and refs[row.ref] == 1 and row.question not in questions
    }
    return [(entry, by_question.get(entry.question) or by_ref.get(entry.ref)) for entry in entries]


def _same(entry: FaqEntry, row: ArticleRow, similar: Mapping[str, tuple[str, ...]]) -> bool:
    return row.status != Status.ARCHIVED and (
        entry.question,
        entry.answer,
        entry.similar,
        entry.module,
        entry.ref,
        entry.category,
        entry.kind,
    ) == (
        row.question,
        row.answer,
        similar.get(row.id, ()),
        row.module,
        row.ref,
        row.category,
        row.kind,
    )


def _copy(entry: FaqEntry, row: ArticleRow, now: datetime) -> None:
    row.question, row.answer = entry.question, entry.answer
    row.module, row.category = entry.module, entry.category
    row.ref, row.kind = entry.ref, entry.kind
    row.updated_at = now
    if row.status == Status.ARCHIVED:
        row.status = Status.DRAFT


def _publish(row: ArticleRow, now: datetime) -> None:
    if row.status != Status.PUBLISHED:
        row.status, row.published_at = Status.PUBLISHED, now


def _new_row(
    entry: FaqEntry, draft_of: str | None, *, source_name: str, source_title: str, now: datetime
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "question": entry.question,
        "answer": entry.answer,
        "module": entry.module,
        "category": entry.category,
        "ref": entry.ref,
        "kind": entry.kind,
        "status": Status.DRAFT,
        "regions": [],
        "audience": "",
        "source_name": source_name,
        "source_title": storable(source_title)[:500],
        "draft_of": draft_of,
        "created_at": now,
        "updated_at": now,
        "published_at": None,
    }


def _similar_rows(pairs: Sequence[tuple[str, FaqEntry]]) -> list[dict[str, Any]]:
    return [
        {"id": new_id(), "article_id": article_id, "text": text, "position": position}
        for article_id, entry in pairs
        for position, text in enumerate(entry.similar)
    ]

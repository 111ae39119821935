"""An imported table of questions and answers through the same review as every other answer.

Each entry becomes a version of its answer by the verbs of `kb.answer_editing`, so that what users
see changes only when somebody else has approved it. One entry at a time: what cannot be kept says
so and holds up no other. Refuses to know roles.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from kb import answer_editing as editing
from kb import repository
from kb.answer_editing import Done, Step
from kb.answer_text import AnswerText
from kb.answer_versions import Author, open_answer
from kb.answer_workflow import AnswerState, AnswerVerb, verbs_of
from kb.articles import AnswerKind
from kb.errors import AnswerInvalid, AnswerLocked
from kb.faq_store import distinct_entries, matches
from kb.sections import FaqEntry, FaqTable
from kb.stored_text import storable
from kb.tables import Status


class EntryFate(StrEnum):
    """What became of an entry, or of an answer that is gone from the table."""

    DRAFTED = "drafted"
    CONTESTED = "contested"  # a draft: it would take questions from other answers
    SUBMITTED = "submitted"
    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    BUSY = "busy"  # in review, or somebody is editing it
    REFUSED = "refused"
    ARCHIVED = "archived"
    LEFT = "left"  # gone from the table, and still answered


@dataclass(frozen=True, slots=True)
class Review:
    """How far the table goes: `submit` hands it to a reviewer, `approve` publishes at once.

    `approve` is for teams of one and is audited as a review of one's own work.
    """

    who: Author
    submit: bool
    approve: bool


@dataclass(frozen=True, slots=True)
class FaqPlan:
    """Each entry with the answer that it is, and answers of the table before that it lacks."""

    source_name: str
    source_title: str
    entries: Sequence[tuple[FaqEntry, str | None]]
    gone: Sequence[str]


async def plan_faq(session: AsyncSession, table: FaqTable, source_name: str) -> FaqPlan:
    """Which entry is which answer; `source_name` is the key of the table."""
    source_name = storable(source_name)[:500]
    rows = [
        row
        for row in await repository.articles_of_source(session, source_name)
        if row.draft_of is None
    ]
    matched = matches(distinct_entries(table.entries), rows)
    known = {row.id for _, row in matched if row is not None}
    return FaqPlan(
        source_name=source_name,
        source_title=storable(table.title)[:500],
        entries=[(entry, row.id if row is not None else None) for entry, row in matched],
        gone=[row.id for row in rows if row.id not in known and row.status != Status.ARCHIVED],
    )


async def keep_entry(
    session: AsyncSession,
    plan: FaqPlan,
    entry: FaqEntry,
    article_id: str | None,
    *,
    review: Review,
    now: datetime,
) -> EntryFate:
    """One entry as a new version of its answer, as far as the review goes."""
    try:
        if article_id is None:
            text = over(AnswerText("", "", source_title=plan.source_title), entry)
            made = await editing.create(
                session, text, review.who, now=now, source_name=plan.source_name
            )
            return await _forward(session, made, review, now)
        return await _keep_known(session, entry, article_id, review, now)
    except AnswerInvalid:
        return EntryFate.REFUSED
    except AnswerLocked:
        return EntryFate.BUSY


async def let_go(
    session: AsyncSession, article_id: str, *, review: Review, now: datetime
) -> EntryFate:
    """An answer that its table no longer has: archived by who may publish, else left and told."""
    opened = await open_answer(session, article_id, now=now)
    if not review.submit or AnswerVerb.ARCHIVE not in verbs_of(AnswerState(opened.work.state)):
        return EntryFate.LEFT
    try:
        await editing.archive(session, Step(article_id, opened.work.version, review.who, now))
    except AnswerLocked:
        return EntryFate.BUSY
    return EntryFate.ARCHIVED


async def _keep_known(
    session: AsyncSession, entry: FaqEntry, article_id: str, review: Review, now: datetime
) -> EntryFate:
    opened = await open_answer(session, article_id, now=now)
    state, text = AnswerState(opened.work.state), over(opened.text, entry).checked()
    is_waiting = state in (AnswerState.IN_REVIEW, AnswerState.SCHEDULED)
    if text == opened.text and (is_waiting or state is AnswerState.PUBLISHED):
        return EntryFate.UNCHANGED
    if is_waiting:
        return EntryFate.BUSY
    step = Step(article_id, opened.work.version, review.who, now)
    saved = await editing.save(session, step, text)
    if saved.version == step.seen and not review.submit:
        return EntryFate.UNCHANGED  # A draft that said so before.
    return await _forward(session, saved, review, now)


async def _forward(session: AsyncSession, kept: Done, review: Review, now: datetime) -> EntryFate:
    if not review.submit:
        return EntryFate.DRAFTED
    step = Step(kept.article_id, kept.version, review.who, now)
    submitted = await editing.submit(session, step)
    if not review.approve:
        return EntryFate.SUBMITTED
    await editing.approve(session, replace(step, seen=submitted.version), allow_own=True)
    return EntryFate.PUBLISHED


def over(before: AnswerText, entry: FaqEntry) -> AnswerText:
    """The entry over what its table does not say."""
    return replace(
        before,
        question=entry.question,
        answer=entry.answer,
        similar=entry.similar,
        module=entry.module,
        category=entry.category,
        kind=AnswerKind(entry.kind),
        ref=entry.ref,
    )

"""The verbs on answers: each compares the version seen, follows the table, and is audited.

Each takes the caller's session and never commits. Refuses to know roles; the caller has asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from kb import answer_repository as rows
from kb import stale
from kb.answer_tables import AnswerCommentRow, AnswerWorkRow
from kb.answer_text import AnswerText
from kb.answer_versions import (
    Author,
    Opened,
    append,
    first_written,
    open_answer,
    put_into_article,
)
from kb.answer_workflow import AnswerState, AnswerVerb, after
from kb.errors import (
    AnswerChanged,
    AnswerInvalid,
    AnswerLocked,
    AnswerMissing,
    AnswerOwnReview,
)
from kb.stored_text import storable
from kb.tables import ArticleRow, Status
from store import audit
from store.base import new_id

#: An editor who has gone away stops holding the answer after this long.
LOCK_FOR = timedelta(minutes=10)
MAX_NOTE = 2_000
#: Answers that one round of scheduled publishing takes on.
DUE_BATCH = 100
#: Who does what nobody presses a button for.
CLOCKWORK = Author(rows.SYSTEM, rows.SYSTEM)


@dataclass(frozen=True, slots=True)
class Step:
    """One person's action on one answer, at the version that they saw."""

    article_id: str
    seen: int
    who: Author
    now: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """How the answer stands afterwards; `is_live_changed` when users must see something else."""

    article_id: str
    version: int
    number: int
    state: AnswerState
    is_live_changed: bool


async def create(
    session: AsyncSession, text: AnswerText, who: Author, *, now: datetime, source_name: str = ""
) -> Done:
    """A new answer as a draft; raises AnswerInvalid."""
    text = text.checked()
    article = ArticleRow(
        id=new_id(),
        question=text.question,
        answer=text.answer,
        module=text.module,
        category=text.category,
        ref=text.ref,
        kind=text.kind.value,
        status=Status.DRAFT.value,
        regions=[],
        audience="",
        source_name=source_name,
        source_title=text.source_title,
        created_at=now,
        updated_at=now,
    )
    session.add(article)
    work = AnswerWorkRow(
        article_id=article.id,
        state=AnswerState.DRAFT.value,
        version=1,
        head=0,
        held=0,
        owner=text.owner or who.name,
        locked_by="",
        updated_at=now,
    )
    await session.flush()
    session.add(work)
    await append(session, work, replace(text, owner=work.owner), who, now=now)
    await put_into_article(session, article, work, text)
    await _audit(session, Step(article.id, 0, who, now), "created", {"number": 1})
    return _done(work, is_live_changed=False)


async def save(session: AsyncSession, step: Step, text: AnswerText) -> Done:
    """Keep the text as a new version, a draft; what users see stays as it is."""
    opened = await _opened(session, step)
    text = text.checked()
    state = after(AnswerState(opened.work.state), AnswerVerb.SAVE)
    if text == opened.text and state.value == opened.work.state:
        return _done(opened.work, is_live_changed=False)
    await append(session, opened.work, text, step.who, now=step.now, note=_note(step))
    opened.work.owner = text.owner
    if opened.work.live is None:
        await put_into_article(session, opened.article, opened.work, text)
        opened.article.status = Status.DRAFT.value
    return await _finish(session, step, opened, AnswerVerb.SAVE)


async def submit(session: AsyncSession, step: Step) -> Done:
    """Hand the draft to a reviewer."""
    opened = await _opened(session, step)
    return await _finish(session, step, opened, AnswerVerb.SUBMIT)


async def withdraw(session: AsyncSession, step: Step) -> Done:
    """Take it back from the reviewer, or from its date."""
    opened = await _opened(session, step)
    return await _finish(session, step, opened, AnswerVerb.WITHDRAW)


async def send_back(session: AsyncSession, step: Step) -> Done:
    """Return it to the author; the note says why and may not be empty."""
    opened = await _opened(session, step)
    if not _note(step):
        raise AnswerInvalid("note", "empty")
    session.add(_comment(step, opened.work.head))
    return await _finish(session, step, opened, AnswerVerb.SEND_BACK)


async def approve(
    session: AsyncSession,
    step: Step,
    *,
    allow_own: bool,
    publish_at: datetime | None = None,
) -> Done:
    """Publish what was submitted, or have it published at that moment.

    Raises AnswerOwnReview when the reviewer wrote any of what is new, unless `allow_own`.
    """
    opened = await _opened(session, step)
    is_later = publish_at is not None and publish_at > step.now
    verb = AnswerVerb.SCHEDULE if is_later else AnswerVerb.APPROVE
    after(AnswerState(opened.work.state), verb)
    authors = await rows.authors_after(session, step.article_id, opened.work.live or 0)
    is_own = step.who.id in authors
    if is_own and not allow_own:
        raise AnswerOwnReview
    detail: dict[str, Any] = {"own_review": True} if is_own else {}
    if is_later and publish_at is not None:
        opened.work.publish_at = publish_at
        detail |= {"publish_at": publish_at.isoformat()}
        return await _finish(session, step, opened, verb, detail)
    await _go_live(session, opened, opened.text, step)
    return await _finish(session, step, opened, verb, detail)


async def archive(session: AsyncSession, step: Step) -> Done:
    """Withdraw the answer from users, and with it any draft of it."""
    opened = await _opened(session, step)
    opened.article.status = Status.ARCHIVED.value
    was_live, opened.work.live = opened.work.live is not None, None
    return await _finish(session, step, opened, AnswerVerb.ARCHIVE, is_live_changed=was_live)


async def roll_back(session: AsyncSession, step: Step, number: int, *, may_publish: bool) -> Done:
    """Make an older version the newest again.

    A version that users have seen has been reviewed before: whoever may publish brings it back
    at once. Any other goes through review as a draft.
    """
    opened = await _opened(session, step)
    wanted = await rows.version(session, step.article_id, number)
    if wanted is None:
        raise AnswerMissing(step.article_id, number)
    at_once = may_publish and wanted.published_at is not None
    verb = AnswerVerb.ROLL_BACK_LIVE if at_once else AnswerVerb.ROLL_BACK
    after(AnswerState(opened.work.state), verb)
    text = AnswerText.from_json(wanted.content)
    await append(
        session,
        opened.work,
        text,
        step.who,
        now=step.now,
        note=_note(step),
        restored_from=number,
    )
    opened.work.owner = text.owner
    if at_once:
        await _go_live(session, opened, text, step)
    elif opened.work.live is None:
        await put_into_article(session, opened.article, opened.work, text)
        opened.article.status = Status.DRAFT.value
    return await _finish(session, step, opened, verb, {"restored": number})


async def comment(session: AsyncSession, step: Step) -> None:
    """Say something to the author; changes nothing else."""
    opened = await open_answer(session, step.article_id, now=step.now)
    if not _note(step):
        raise AnswerInvalid("note", "empty")
    session.add(_comment(step, opened.work.head))
    await _audit(session, step, "commented", {"number": opened.work.head})


async def lock(session: AsyncSession, step: Step, *, take_over: bool = False) -> Opened:
    """Hold the answer for editing for a while; raises AnswerLocked while somebody else does."""
    opened = await open_answer(session, step.article_id, now=step.now)
    work = opened.work
    if not take_over:
        _require_unlocked(work, step)
    if work.locked_by_id != step.who.id or not _is_locked(work, step.now):
        taken = work.locked_by if _is_locked(work, step.now) else ""
        work.locked_by_id, work.locked_by = step.who.id, step.who.name
        work.locked_since = step.now
        if taken:
            await _audit(session, step, "lock_taken_over", {"from": taken})
    work.locked_until = step.now + LOCK_FOR
    await session.flush()
    return opened


async def release(session: AsyncSession, step: Step) -> None:
    """Stop holding it; somebody else's lock stays."""
    opened = await open_answer(session, step.article_id, now=step.now)
    if opened.work.locked_by_id == step.who.id:
        _unlock(opened.work)


async def due(session: AsyncSession, *, now: datetime) -> Sequence[Step]:
    """What the clock has to do: publish these, or hold them back, as they stand now."""
    found = await rows.due(session, now=now, limit=DUE_BATCH)
    return [Step(one.article_id, one.version, CLOCKWORK, now) for one in found]


async def publish_due(session: AsyncSession, steps: Sequence[Step]) -> Sequence[Done]:
    """Publish those whose moment has come; each exactly once, whoever asks and how often."""
    done = []
    for step in steps:
        opened = await _still_due(session, step)
        if opened is not None:
            await _go_live(session, opened, opened.text, step)
            done.append(await _finish(session, step, opened, AnswerVerb.PUBLISH_DUE))
    return done


async def hold_back(session: AsyncSession, step: Step, detail: dict[str, Any]) -> Done | None:
    """Give what is due back to its reviewer, the note as a comment; None when it is due no more."""
    opened = await _still_due(session, step)
    if opened is None:
        return None
    session.add(_comment(step, opened.work.head))
    return await _finish(session, step, opened, AnswerVerb.HOLD_BACK, detail)


async def _still_due(session: AsyncSession, step: Step) -> Opened | None:
    """None when another process was faster, or somebody has changed the answer meanwhile."""
    opened = await open_answer(session, step.article_id, now=step.now)
    publish_at = opened.work.publish_at
    is_due = publish_at is not None and publish_at <= step.now
    is_seen = opened.work.version == step.seen and opened.work.state == AnswerState.SCHEDULED
    return opened if is_due and is_seen else None


async def _opened(session: AsyncSession, step: Step) -> Opened:
    opened = await open_answer(session, step.article_id, now=step.now)
    if opened.work.version != step.seen:
        raise AnswerChanged(step.article_id, seen=step.seen, found=opened.work.version)
    _require_unlocked(opened.work, step)
    return opened


async def _go_live(session: AsyncSession, opened: Opened, text: AnswerText, step: Step) -> None:
    row = await rows.version(session, opened.article.id, opened.work.head)
    if row is None:
        raise AnswerMissing(opened.article.id, opened.work.head)
    await put_into_article(session, opened.article, opened.work, text)
    row.published_at = opened.article.published_at = step.now
    opened.article.status = Status.PUBLISHED.value
    opened.work.live = opened.work.head
    written_at = await first_written(session, row)
    await stale.settle(session, opened.article, written_at=written_at, who=step.who, now=step.now)


_LIVE = (AnswerVerb.APPROVE, AnswerVerb.PUBLISH_DUE, AnswerVerb.ROLL_BACK_LIVE)


async def _finish(
    session: AsyncSession,
    step: Step,
    opened: Opened,
    verb: AnswerVerb,
    detail: dict[str, Any] | None = None,
    *,
    is_live_changed: bool = False,
) -> Done:
    work = opened.work
    before = AnswerState(work.state)
    work.state = after(before, verb).value
    work.version += 1
    work.updated_at = opened.article.updated_at = step.now
    if work.state != AnswerState.SCHEDULED:
        work.publish_at = None
    _unlock(work)
    about = {"number": work.head, "from": before.value, "to": work.state, **(detail or {})}
    await _audit(session, step, verb.value, about)
    return _done(work, is_live_changed=is_live_changed or verb in _LIVE)


def _done(work: AnswerWorkRow, *, is_live_changed: bool) -> Done:
    state = AnswerState(work.state)
    return Done(work.article_id, work.version, work.head, state, is_live_changed)


def _note(step: Step) -> str:
    note = storable(step.note).strip()
    if len(note) > MAX_NOTE:
        raise AnswerInvalid("note", "too_long")
    return note


def _comment(step: Step, number: int) -> AnswerCommentRow:
    return AnswerCommentRow(
        id=new_id(),
        article_id=step.article_id,
        number=number,
        author_id=step.who.id,
        author=step.who.name,
        text=_note(step),
        created_at=step.now,
    )


def _is_locked(work: AnswerWorkRow, now: datetime) -> bool:
    return work.locked_by_id is not None and (work.locked_until or now) > now


def _require_unlocked(work: AnswerWorkRow, step: Step) -> None:
    if _is_locked(work, step.now) and work.locked_by_id != step.who.id:
        since, until = work.locked_since or step.now, work.locked_until or step.now
        raise AnswerLocked(work.locked_by, since, until)


def _unlock(work: AnswerWorkRow) -> None:
    work.locked_by_id, work.locked_by = None, ""
    work.locked_since = work.locked_until = None


async def _audit(session: AsyncSession, step: Step, action: str, detail: dict[str, Any]) -> None:
    is_person = step.who.id not in (rows.SYSTEM, "import")
    await audit.record(
        session,
        actor=f"staff:{step.who.id}" if is_person else step.who.id,
        action=f"answer.{action}",
        subject=f"answer:{step.article_id}",
        detail=detail,
        now=step.now,
    )

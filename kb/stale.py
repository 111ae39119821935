"""Doubts about answers: when one arises, and what settles it.

A guide's new version raises one for every answer whose section it changed; writing the answer
anew and publishing it, or a person's word, settles it. Refuses to change or withdraw an answer.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from kb import guide_repository
from kb import stale_repository as rows
from kb.answer_versions import Author
from kb.errors import AnswerInvalid
from kb.guide_sections import section_text, section_texts
from kb.section_matching import Fate, SectionMatch, SectionText
from kb.stale_ahead import Ahead, Fates, Named, fates_of, find_sections, unchanged
from kb.stale_tables import AnswerSourceRow, StaleMarkRow
from kb.stored_text import storable
from kb.tables import ArticleRow, GuideRow, GuideVersionRow
from store import audit
from store.base import new_id

MAX_NOTE = 2_000


class StaleReason(StrEnum):
    """Why an answer may be wrong."""

    SECTION_CHANGED = "section_changed"
    SECTION_SPLIT = "section_split"
    SECTION_VANISHED = "section_vanished"
    GUIDE_WITHDRAWN = "guide_withdrawn"
    RELEASE_NOTE = "release_note"


class Cleared(StrEnum):
    """What settled a doubt."""

    REWRITTEN = "rewritten"  # the answer was written after the doubt arose, and published
    STILL_RIGHT = "still_right"  # a person has looked
    RESTORED = "restored"  # the source says again what it said


_OF_SECTIONS = (
    StaleReason.SECTION_CHANGED,
    StaleReason.SECTION_SPLIT,
    StaleReason.SECTION_VANISHED,
    StaleReason.GUIDE_WITHDRAWN,
)


async def guide_published(
    session: AsyncSession,
    guide: GuideRow,
    version: GuideVersionRow,
    *,
    now: datetime,
    ahead: Ahead | None = None,
) -> int:
    """Follow the sources of answers into this version, which answers from now on.

    Returns how many answers are newly in doubt. `ahead` is what was compared before the
    transaction; what it lacks is compared here.
    """
    ahead = ahead or Ahead()
    before = await rows.last_published(session, guide.id, besides=version.id)
    if before is not None:
        await _resolve(session, guide, before.id, now, ahead)
    marks = await _open_marks(session, guide.id)
    raised = 0
    for version_id, sources in (await _sources(session, guide.id, now)).items():
        fates = await _fates(session, version_id, version.id, ahead)
        for source in sources:
            fate = fates[source.section_id]
            if fate.fate is Fate.VANISHED and before is not None and version_id != before.id:
                continue  # It was missed when it went; what was said then still holds.
            mark = marks.get(source.article_id)
            raised += await _follow(session, guide.id, source, fate, mark=mark, now=now)
    await session.flush()
    return raised


async def guide_withdrawn(session: AsyncSession, guide_id: str, *, now: datetime) -> int:
    """The guide answers no longer: everything drawn from it is in doubt. How many that is."""
    marks = await _open_marks(session, guide_id)
    raised = 0
    for sources in (await _sources(session, guide_id, now)).values():
        for source in sources:
            if source.article_id in marks:
                continue
            section = await guide_repository.section(session, source.section_id)
            heading = section.heading if section else ""
            reason = StaleReason.GUIDE_WITHDRAWN
            mark = _mark(source.article_id, reason, guide_id, heading, now)
            mark.old_section_id = source.section_id
            session.add(mark)
            raised += 1
    await session.flush()
    return raised


async def settle(
    session: AsyncSession, article: ArticleRow, *, written_at: datetime, who: Author, now: datetime
) -> None:
    """An answer written at `written_at` is what users see from now on.

    What arose before it was written is settled; what arose later, and an even later wording had
    settled, is open again: somebody has gone back to the words before.
    """
    article_id = article.id
    source = await rows.source(session, article_id)
    if source is not None and source.base_section_id != article.source_section_id:
        await session.delete(source)  # It is drawn from elsewhere now.
    cleared = [one for one in await rows.marks(session, article_id) if one.since <= written_at]
    for mark in cleared:
        _clear(mark, Cleared.REWRITTEN, who, now)
    again = await rows.open_since(session, article_id, written_at, cleared_as=Cleared.REWRITTEN)
    for mark in again:
        mark.cleared_at, mark.cleared_by, mark.cleared_how = None, "", ""
    for action, marks in (("stale_settled", cleared), ("stale_again", again)):
        if marks:
            detail = {"marks": [one.id for one in marks], "how": Cleared.REWRITTEN.value}
            await _audit(session, article_id, action, who, detail, now=now)
    await session.flush()


async def still_right(
    session: AsyncSession, article_id: str, who: Author, note: str, *, now: datetime
) -> int:
    """A person has looked, and nothing needs to change; how many doubts that settles.

    Raises AnswerInvalid for a note that is too long.
    """
    note = storable(note).strip()
    if len(note) > MAX_NOTE:
        raise AnswerInvalid("note", "too_long")
    marks = await rows.marks(session, article_id)
    for mark in marks:
        _clear(mark, Cleared.STILL_RIGHT, who, now)
    if marks:
        detail = {"marks": [one.id for one in marks], "note": note}
        await _audit(session, article_id, "still_right", who, detail, now=now)
    await session.flush()
    return len(marks)


async def _resolve(
    session: AsyncSession, guide: GuideRow, version_id: str, now: datetime, ahead: Ahead
) -> None:
    """Find the sections of answers whose source is only a line of text."""
    named = [Named.of(one) for one in await rows.without_section(session, guide.title)]
    found = {one: ahead.found[version_id, one] for one in named if (version_id, one) in ahead.found}
    news = [one for one in named if one not in found]
    if news:
        sections = await section_texts(session, version_id)
        found |= await asyncio.to_thread(find_sections, guide.title, sections, news)
    session.add_all(
        _source(one.article_id, section_id, base=None, now=now)
        for one, section_id in found.items()
        if section_id is not None
    )
    await session.flush()


async def _sources(
    session: AsyncSession, guide_id: str, now: datetime
) -> Mapping[str, Sequence[AnswerSourceRow]]:
    """Where each answer's source stands, by the version it stands in."""
    found: defaultdict[str, list[AnswerSourceRow]] = defaultdict(list)
    for article, known, section in await rows.sources_in_guide(session, guide_id):
        source = known
        if source is None:
            source = _source(article.id, section.id, base=article.source_section_id, now=now)
            session.add(source)
        found[section.version_id].append(source)
    return found


async def _fates(session: AsyncSession, old_id: str, new_id_: str, ahead: Ahead) -> Fates:
    """What became of each section of one version in another; in itself, nothing."""
    known = ahead.fates.get((old_id, new_id_))
    if known is not None:
        return known
    old = await section_texts(session, old_id)
    if old_id == new_id_:
        return unchanged(old)
    return await asyncio.to_thread(fates_of, old, await section_texts(session, new_id_))


async def _follow(
    session: AsyncSession,
    guide_id: str,
    source: AnswerSourceRow,
    match: SectionMatch,
    *,
    mark: StaleMarkRow | None,
    now: datetime,
) -> int:
    """One answer's source into the new version; 1 if the answer is newly in doubt."""
    before, after = source.section_id, match.new[0].id if match.new else None
    if after is not None:
        source.section_id, source.updated_at = after, now
    if mark is None:
        if not match.is_changed:
            return 0
        heading = match.old.heading if match.old else ""
        fresh = _mark(source.article_id, _reason(match), guide_id, heading, now)
        fresh.old_section_id, fresh.new_section_id = before, after
        session.add(fresh)
        return 1
    if await _says_again(session, mark, match):
        _clear(mark, Cleared.RESTORED, Author("system", "system"), now)
        return 0
    mark.new_section_id = after
    if match.is_changed:
        mark.reason, mark.since = _reason(match).value, now
    return 0


async def _says_again(session: AsyncSession, mark: StaleMarkRow, match: SectionMatch) -> bool:
    """Whether the source is back at what the answer was written from."""
    if mark.old_section_id is None or len(match.new) != 1:
        return False
    old = await section_by_id(session, mark.old_section_id)
    return old is not None and not SectionMatch(Fate.SAME, old, match.new).is_changed


async def section_by_id(session: AsyncSession, section_id: str | None) -> SectionText | None:
    """A section of any version as a value; None when there is none."""
    row = await guide_repository.section(session, section_id) if section_id else None
    if row is None:
        return None
    return section_text(row, await guide_repository.passages_of_section(session, row.id))


async def _open_marks(session: AsyncSession, guide_id: str) -> dict[str, StaleMarkRow]:
    marks = await rows.open_marks_of_guide(session, guide_id)
    return {one.article_id: one for one in marks if one.reason in _OF_SECTIONS}


def _reason(match: SectionMatch) -> StaleReason:
    if match.fate is Fate.VANISHED:
        return StaleReason.SECTION_VANISHED
    if match.fate is Fate.SPLIT:
        return StaleReason.SECTION_SPLIT
    return StaleReason.SECTION_CHANGED


def _mark(
    article_id: str, reason: StaleReason, guide_id: str | None, evidence: str, now: datetime
) -> StaleMarkRow:
    return StaleMarkRow(
        id=new_id(),
        article_id=article_id,
        reason=reason.value,
        guide_id=guide_id,
        evidence=evidence,
        since=now,
        cleared_by="",
        cleared_how="",
    )


def _source(
    article_id: str, section_id: str, *, base: str | None, now: datetime
) -> AnswerSourceRow:
    return AnswerSourceRow(
        article_id=article_id, base_section_id=base, section_id=section_id, updated_at=now
    )


def _clear(mark: StaleMarkRow, how: Cleared, who: Author, now: datetime) -> None:
    mark.cleared_at, mark.cleared_by, mark.cleared_how = now, who.name, how.value


async def _audit(
    session: AsyncSession,
    article_id: str,
    action: str,
    who: Author,
    detail: Mapping[str, object],
    *,
    now: datetime,
) -> None:
    await audit.record(
        session,
        actor=f"staff:{who.id}" if who.id != "system" else who.id,
        action=f"answer.{action}",
        subject=f"answer:{article_id}",
        detail=dict(detail),
        now=now,
    )

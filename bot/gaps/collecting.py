"""Finds questions that were not answered in what the bot did, and groups them by subject.

Reads turns after the last one it has seen, so that running it twice adds nothing. Refuses to judge
whether a gap is worth an answer; editors do.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

import numpy as np
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.dialogue.queries import has_words
from bot.gaps import repository as rows
from bot.gaps.tables import GapQuestionRow, GapReason, GapRow
from bot.gaps.unchosen import PATIENCE, judge
from bot.tables import Feedback, Turn, User
from kb.clustering import NEARER_THAN, Floats, groups, likenesses, most_typical
from nlu.types import Intent
from store.session import Database

log = structlog.get_logger("bot.gaps")

#: Turns that one round looks through, questions it groups, and gaps that may take them in.
TURNS, QUESTIONS, GAPS = 2_000, 600, 400
#: So many of a gap's newest questions speak for it when a new one is compared.
SPEAKERS = 5
MIN_CHARS = 4
_REASONS = frozenset(reason.value for reason in GapReason)
_TALK = frozenset(
    intent.value
    for intent in (
        Intent.GREET,
        Intent.THANKS,
        Intent.GOODBYE,
        Intent.PRAISE,
        Intent.ABUSE,
        Intent.OUT_OF_SCOPE,
        Intent.ASK_CAPABILITY,
    )
)

#: Unit vectors of questions, a row of zeros where nothing is known of one.
Encode = Callable[[Sequence[str]], Floats]


@dataclass(frozen=True, slots=True)
class Collected:
    """What one round found."""

    questions: int
    gaps: int


async def collect(database: Database, encode: Encode, *, now: datetime) -> Collected:
    """Take in new turns and group what they left unanswered."""
    async with database.transaction() as session:
        found = await _take_in(session) + await _take_in_silent(session, now)
    made = await _group(database, encode, now)
    if found or made:
        log.info("gaps_collected", questions=found, gaps=made)
    return Collected(found, made)


async def _take_in(session: AsyncSession) -> int:
    mark = await rows.mark(session)
    found = 0
    for turn, user in await rows.turns_after(session, mark.last_turn_id, limit=TURNS):
        mark.last_turn_id = turn.id
        reason = str(turn.decision.get("reason", ""))
        if reason in _REASONS:
            found += await _note(session, turn, user, GapReason(reason))
    return found


async def _take_in_silent(session: AsyncSession, now: datetime) -> int:
    """Questions whose askers said nothing to what they got, once they had time to."""
    mark = await rows.mark(session, rows.UNCHOSEN)
    seen = await rows.turns_after(session, mark.last_turn_id, limit=TURNS)
    ripe = list(takewhile(lambda one: one[0].at + PATIENCE <= now, seen))
    if not ripe:
        return 0
    talks = {turn.conversation_id for turn, _ in ripe}
    later, verdicts = defaultdict[str, list[Turn]](list), defaultdict[str, list[Feedback]](list)
    for turn in await rows.turns_of(session, talks, after=ripe[0][0].id):
        later[turn.conversation_id].append(turn)
    for verdict in await rows.verdicts_of(session, talks):
        verdicts[verdict.conversation_id].append(verdict)
    found = 0
    for turn, user in ripe:
        mark.last_turn_id = turn.id
        judged = judge(turn, later[turn.conversation_id], verdicts[turn.conversation_id])
        if judged is not None and not await _is_noted(session, turn):
            found += await _put_down(session, turn, judged[1], user, judged[0])
    return found


async def _is_noted(session: AsyncSession, turn: Turn) -> bool:
    """What a person said about an answer outweighs what is read off their silence."""
    return await rows.question_at(session, turn.conversation_id, turn.seq) is not None


async def _note(session: AsyncSession, turn: Turn, user: User, reason: GapReason) -> int:
    """Note the question that a turn left unanswered; 1 when it is a new one."""
    asked = turn if reason is GapReason.NO_ANSWER else await _question_before(session, turn)
    return 0 if asked is None else await _put_down(session, asked, turn, user, reason)


async def _put_down(
    session: AsyncSession, asked: Turn, turn: Turn, user: User, reason: GapReason
) -> int:
    if asked.understanding.get("intent") in _TALK:
        return 0
    text = (await rows.message_text(session, asked.conversation_id, asked.seq)).strip()
    if len(text) < MIN_CHARS or not has_words(text):
        return 0
    known = await rows.question_at(session, asked.conversation_id, asked.seq)
    if known is not None:
        known.reason = reason.value
        return 0
    session.add(
        GapQuestionRow(
            conversation_id=asked.conversation_id,
            seq=asked.seq,
            turn_id=turn.id,
            text=text[:500],
            reason=reason.value,
            unit=user.unit or "",
            region=user.region or "",
            asked_at=asked.at,
        )
    )
    await session.flush()
    return 1


async def _question_before(session: AsyncSession, turn: Turn) -> Turn | None:
    """The turn whose answer was refused: the last one before that searched for something."""
    for earlier in await rows.turns_until(session, turn.conversation_id, turn.seq - 1):
        if earlier.search and earlier.decision.get("reason") not in _REASONS - {"no_answer"}:
            return earlier
    return None


@dataclass(frozen=True, slots=True)
class _Loose:
    """Questions without a gap, and the newest questions of every gap that may take them in."""

    questions: Sequence[GapQuestionRow]
    speakers: Mapping[str, Sequence[GapQuestionRow]]

    def texts(self) -> list[str]:
        """All texts: the loose ones first, then gap by gap."""
        spoken = [one.text for speaking in self.speakers.values() for one in speaking]
        return [*(one.text for one in self.questions), *spoken]

    def places(self) -> dict[str, list[int]]:
        """Rows of each gap's speakers among `texts`."""
        found, start = dict[str, list[int]](), len(self.questions)
        for gap_id, speaking in self.speakers.items():
            found[gap_id] = list(range(start, start + len(speaking)))
            start += len(speaking)
        return found


async def _group(database: Database, encode: Encode, now: datetime) -> int:
    """Put questions without a gap into the nearest one, or into new ones; how many are new.

    Reckons with no transaction open: others write meanwhile.
    """
    loose = await _read_loose(database)
    if not loose.questions:
        return 0
    alike = await asyncio.to_thread(_alike, loose.texts(), encode)
    joined, left = _join(len(loose.questions), loose.places(), alike)
    new = groups(alike[np.ix_(left, left)]) if left else []
    async with database.transaction() as session:
        for row, gap_id in joined.items():
            await _put(session, loose.questions[row], gap_id)
        for members in new:
            at = [left[member] for member in members]
            gap = _new_gap([loose.questions[row] for row in at], now)
            gap.title = loose.questions[most_typical(alike, at)].text
            session.add(gap)
            await session.flush()
            for row in at:
                await _put(session, loose.questions[row], gap.id)
    return len(new)


async def _read_loose(database: Database) -> _Loose:
    async with database.reading() as session:
        questions = await rows.ungrouped(session, limit=QUESTIONS)
        known = await rows.latest_gaps(session, limit=GAPS) if questions else ()
        speakers = {
            gap.id: await rows.questions_of(session, gap.id, limit=SPEAKERS) for gap in known
        }
        return _Loose(questions, speakers)


def _alike(texts: Sequence[str], encode: Encode) -> Floats:
    return likenesses(texts, np.asarray(encode(texts), dtype=np.float32))


def _join(
    count: int, places: Mapping[str, Sequence[int]], alike: Floats
) -> tuple[dict[int, str], list[int]]:
    """The nearest gap of each question, as far as one is near enough; the rows that are left."""
    joined: dict[int, str] = {}
    left = []
    for row in range(count):
        near = [(float(alike[row, at].mean()), gap_id) for gap_id, at in places.items() if at]
        likeness, gap_id = max(near, default=(0.0, ""))
        if likeness >= NEARER_THAN:
            joined[row] = gap_id
        else:
            left.append(row)
    return joined, left


def _new_gap(members: Sequence[GapQuestionRow], now: datetime) -> GapRow:
    return GapRow(
        first_asked_at=min(one.asked_at for one in members),
        last_asked_at=max(one.asked_at for one in members),
        updated_at=now,
    )


async def _put(session: AsyncSession, question: GapQuestionRow, gap_id: str) -> None:
    await rows.put_into_gap(session, question.id, gap_id, asked_at=question.asked_at)

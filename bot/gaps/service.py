"""Closing gaps: what people asked in vain, a draft from the engineers' own words, telling them.

Refuses to publish anything: a draft made here goes the way of every answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot import cards, repository
from bot.accounts.service import Principal
from bot.clock import Clock
from bot.conversations.live import Live
from bot.conversations.recording import append
from bot.dialogue.turn import Band
from bot.errors import GapChanged, GapNotFound
from bot.gaps import repository as rows
from bot.gaps.collecting import Collected, collect
from bot.gaps.repository import Counted
from bot.gaps.tables import GapQuestionRow, GapReason, GapRow, GapStatus
from bot.knowledge import SearchedKnowledge
from bot.phrases import Phrases
from bot.tables import Owner, Role, Sender
from kb import answer_editing
from kb import repository as kb_rows
from kb import service as kb_service
from kb.answer_text import MAX_SIMILAR, AnswerText
from kb.answer_versions import Author
from kb.articles import AnswerContent
from store import audit
from store.session import Database

EDIT_ROLES = (Role.EDITOR, Role.REVIEWER)
#: Periods that are compared, and what counts as many units in a short time.
RECENT, SURGE, SURGE_UNITS = timedelta(days=7), timedelta(hours=24), 3
#: Questions that are asked again after publishing, and people told at once.
REPLAYED, TOLD = 50, 200
MAX_NOTE = 500


@dataclass(frozen=True, slots=True)
class ListedGap:
    """A gap in the list. ``surge``: many units within a day."""

    counted: Counted
    surge: bool


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a question of the gap gets now. ``rank`` is its answer's place, 0 when absent."""

    question: GapQuestionRow
    band: Band
    top: str
    rank: int


@dataclass(frozen=True, slots=True)
class OpenedGap:
    """One gap with everything its page shows."""

    gap: GapRow
    article_status: str
    questions: Sequence[GapQuestionRow]
    reasons: Mapping[GapReason, int]
    words: Sequence[str]
    tickets: Sequence[str]
    untold: int


@dataclass(frozen=True, slots=True)
class Gaps:
    """The gap loop's verbs."""

    database: Database
    knowledge: SearchedKnowledge
    phrases: Phrases
    live: Live
    clock: Clock

    async def collect(self) -> Collected:
        """Look through what happened since the last time."""
        return await collect(self.database, self.knowledge.vectors, now=self.clock())

    async def listed(self, *, statuses: Sequence[GapStatus], least: int) -> Sequence[ListedGap]:
        """Gaps of these statuses with at least so many questions, the most asked first."""
        now = self.clock()
        async with self.database.reading() as session:
            found = await rows.counted(
                session,
                statuses=statuses,
                recent_from=now - RECENT,
                before_from=now - 2 * RECENT,
                least=least,
            )
            ids = [one.gap.id for one in found]
            surging = await rows.surges(session, ids, since=now - SURGE, units=SURGE_UNITS)
        return [ListedGap(one, one.gap.id in surging) for one in found]

    async def opened(self, gap_id: str) -> OpenedGap:
        """One gap; raises :class:`GapNotFound`."""
        async with self.database.reading() as session:
            gap = await _gap(session, gap_id)
            questions = await rows.questions_of(session, gap_id)
            words, tickets = await _engineers(session, questions)
            article = await kb_rows.article(session, gap.article_id) if gap.article_id else None
            return OpenedGap(
                gap=gap,
                article_status=article.status if article is not None else "",
                questions=questions,
                reasons=await rows.reasons_of(session, gap_id),
                words=words,
                tickets=tickets,
                untold=sum(one.told_at is None for one in questions),
            )

    async def draft(self, staff: Principal, gap_id: str) -> str:
        """A draft from the questions and the engineers' words; its article id.

        A gap that has a draft already gives that one. Raises :class:`GapNotFound`.
        """
        staff.require(*EDIT_ROLES)
        now = self.clock()
        async with self.database.transaction() as session:
            gap = await _gap(session, gap_id, lock=True)
            if gap.article_id is not None:
                return gap.article_id
            questions = await rows.questions_of(session, gap_id)
            words, tickets = await _engineers(session, questions)
            text = AnswerText(
                question=gap.title,
                answer="\n\n".join(words) or self.phrases.say("workbench.gaps.no_words"),
                similar=_similar(gap, questions),
                source_title="、".join(tickets[:5]),
                owner=staff.name,
            )
            author = Author(staff.staff_id, staff.name)
            done = await answer_editing.create(session, text, author, now=now)
            gap.article_id, gap.status = done.article_id, GapStatus.DRAFTED.value
            await _note(session, staff, gap, "gap.drafted", now)
            return done.article_id

    async def dismiss(self, staff: Principal, gap_id: str, note: str) -> None:
        """Nothing is to be answered here; the note says why."""
        await self._decide(staff, gap_id, GapStatus.DISMISSED, note)

    async def reopen(self, staff: Principal, gap_id: str) -> None:
        """Take a dismissed gap up again."""
        await self._decide(staff, gap_id, GapStatus.OPEN, "")

    async def _decide(self, staff: Principal, gap_id: str, status: GapStatus, note: str) -> None:
        staff.require(*EDIT_ROLES)
        async with self.database.transaction() as session:
            gap = await _gap(session, gap_id, lock=True)
            if gap.article_id is not None:
                raise GapChanged(gap_id)
            gap.status, gap.note = status.value, note.strip()[:MAX_NOTE]
            await _note(session, staff, gap, f"gap.{status.value}", self.clock())

    def replay(self, opened: OpenedGap) -> list[Replayed]:
        """Ask the gap's questions again, as their users would. Synchronous: call in a thread."""
        found = []
        for question in opened.questions[:REPLAYED]:
            search = self.knowledge.search(
                question.text, region=question.region or None, now=self.clock()
            )
            ids = [one.answer_id for one in search.found]
            rank = ids.index(opened.gap.article_id) + 1 if opened.gap.article_id in ids else 0
            top = search.found[0].title if search.found else ""
            found.append(Replayed(question, search.band, top, rank))
        return found

    async def tell(self, staff: Principal, gap_id: str) -> int:
        """Tell those who asked that there is an answer now; how many conversations.

        Each is told once. A conversation in an engineer's hands is left to the engineer. Raises
        :class:`GapChanged` while the answer is not published.
        """
        staff.require(*EDIT_ROLES)
        now = self.clock()
        async with self.database.transaction() as session:
            gap = await _gap(session, gap_id, lock=True)
            content = gap.article_id and await kb_service.answer_card(session, gap.article_id)
            if not content:
                raise GapChanged(gap_id)
            told = await self._tell(session, gap, content, now)
            await _note(session, staff, gap, "gap.told", now, told=len(told))
        self.live.publish(*told)
        return len(told)

    async def _tell(
        self, session: AsyncSession, gap: GapRow, content: AnswerContent, now: datetime
    ) -> set[str]:
        told: set[str] = set()
        for question in await rows.questions_of(session, gap.id, limit=TOLD):
            if question.told_at is not None:
                continue
            talk = await repository.lock_conversation(session, question.conversation_id)
            if talk is None or talk.owner == Owner.ENGINEER.value:
                continue
            question.told_at = now
            if talk.id in told:
                continue
            told.add(talk.id)
            lead = self.phrases.say("workbench.gaps.told_user", question=question.text[:60])
            await append(
                session,
                talk,
                sender=Sender.BOT,
                kind="answer",
                text=f"{lead}\n{cards.answer_text(content, self.phrases)}",
                data={**cards.answer_data(content), "lead": lead},
                now=now,
            )
            await session.flush()
        return told


async def _gap(session: AsyncSession, gap_id: str, *, lock: bool = False) -> GapRow:
    found = await rows.gap(session, gap_id, lock=lock)
    if found is None:
        raise GapNotFound(gap_id)
    return found


async def _engineers(
    session: AsyncSession, questions: Sequence[GapQuestionRow]
) -> tuple[list[str], list[str]]:
    """What engineers have said to these questions, solutions first; and the ticket numbers."""
    talks = {one.conversation_id: one.seq for one in reversed(questions)}
    tickets = await rows.tickets_of(session, list(talks))
    words = [ticket.solution for ticket in tickets if ticket.solution]
    if not words:
        for conversation_id, seq in talks.items():
            words += await rows.engineers_words(session, conversation_id, after=seq)
    return list(dict.fromkeys(words)), [ticket.number for ticket in tickets]


def _similar(gap: GapRow, questions: Sequence[GapQuestionRow]) -> tuple[str, ...]:
    others = dict.fromkeys(one.text for one in questions if one.text != gap.title)
    return tuple(others)[: min(20, MAX_SIMILAR)]


async def _note(
    session: AsyncSession,
    staff: Principal,
    gap: GapRow,
    action: str,
    now: datetime,
    **detail: object,
) -> None:
    gap.updated_at = now
    await audit.record(
        session,
        actor=f"staff:{staff.staff_id}",
        action=action,
        subject=f"gap:{gap.id}",
        detail={"article_id": gap.article_id, "note": gap.note, **detail},
        now=now,
    )

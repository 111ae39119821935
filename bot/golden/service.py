"""Golden questions: kept by editors, asked before anything is published, and whenever they like.

Runs on the live index, or on a candidate that nobody else searches. Refuses to publish; it says
whether a change may go live, and keeps what it found.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.accounts.service import Principal
from bot.clock import Clock
from bot.conversations.greeting import LOCAL
from bot.errors import GoldenGateClosed, GoldenQuestionInvalid
from bot.golden import repository as rows
from bot.golden.tables import GoldenQuestionRow, GoldenRunRow
from bot.tables import Role
from bot.workbench.service import author
from kb import answer_repository as answer_rows
from kb import repository as kb_rows
from kb.answer_text import AnswerText
from kb.answer_versions import Author
from kb.answers import guide_changes
from kb.articles import IndexedAnswer
from kb.errors import IndexMissing
from kb.fresh_index import FreshIndex
from kb.fusion import Band
from kb.golden import (
    Comparison,
    GoldenQuestion,
    GoldenResult,
    GoldenSummary,
    OneIndex,
    ask,
    compare,
    summary,
)
from kb.search_index import SearchIndex
from kb.service import indexed_text
from kb.tables import ArticleRow, Status
from store import audit
from store.session import Database

EDIT_ROLES = (Role.EDITOR, Role.REVIEWER)
MAX_CHARS, MAX_QUESTIONS = 500, 5_000
_ID = re.compile(r"\b[0-9a-f]{32}\b")
#: Characters that the audit trail keeps of what an entry is about.
SUBJECT = 120
#: The action of asking whether something may go live.
GATE = "golden.gate"


@dataclass(frozen=True, slots=True)
class Gate:
    """What a change would do. ``blocked``: more got worse than the settings allow."""

    questions: Mapping[str, GoldenQuestionRow]
    comparison: Comparison
    limit: float

    @property
    def blocked(self) -> bool:
        """Whether only a reviewer with a reason may publish it."""
        return self.comparison.worst_drop() > self.limit + 1e-9

    def texts(self, keys: Sequence[str]) -> tuple[str, ...]:
        """What these questions say."""
        return tuple(self.questions[key].text for key in keys)


@dataclass(frozen=True, slots=True)
class Overview:
    """What the page shows: questions with their newest results, and the newest runs."""

    questions: Sequence[GoldenQuestionRow]
    titles: Mapping[str, str]
    results: Mapping[str, GoldenResult]
    runs: Sequence[GoldenRunRow]


@dataclass(frozen=True, slots=True)
class Golden:
    """The verbs on golden questions."""

    database: Database
    index: FreshIndex
    clock: Clock
    limit: float

    async def overview(self) -> Overview:
        """Everything, with the results of the newest run."""
        async with self.database.reading() as session:
            questions = await rows.questions(session)
            runs = await rows.runs(session)
            ids = [one.answer_id for one in questions if one.answer_id]
            titles = await rows.titles(session, ids)
        newest = runs[0].results if runs else {}
        results = {key: _result(key, one) for key, one in newest.items()}
        return Overview(questions, titles, results, runs)

    async def add(
        self, staff: Principal, text: str, *, answer_id: str, region: str = ""
    ) -> GoldenQuestionRow:
        """Keep a question. An empty ``answer_id`` says that it must not be answered.

        People may give the answer's address, its number or its question instead of its id.
        Raises :class:`GoldenQuestionInvalid` for an empty, long or known question, or an answer
        that is not published.
        """
        staff.require(*EDIT_ROLES)
        text = text.strip()
        if not text or len(text) > MAX_CHARS:
            raise GoldenQuestionInvalid("text")
        async with self.database.transaction() as session:
            if await rows.count(session) >= MAX_QUESTIONS:
                raise GoldenQuestionInvalid("many")
            if await rows.same_question(session, text) is not None:
                raise GoldenQuestionInvalid("known")
            module = ""
            if answer_id:
                article = await _meant(session, answer_id)
                if article is None or article.status != Status.PUBLISHED.value:
                    raise GoldenQuestionInvalid("answer")
                answer_id, module = article.id, article.module
            row = GoldenQuestionRow(
                text=text,
                answer_id=answer_id or None,
                module=module,
                region=region.strip()[:100],
                author=staff.name,
                created_at=self.clock(),
            )
            session.add(row)
            await session.flush()
            await self._note(
                session, author(staff), "golden.added", row.id, {"answer_id": answer_id}
            )
            return row

    async def remove(self, staff: Principal, question_id: str) -> None:
        """Forget a question; nothing happens when it is gone already."""
        staff.require(*EDIT_ROLES)
        async with self.database.transaction() as session:
            if await rows.question(session, question_id) is not None:
                await rows.remove(session, question_id)
                await self._note(session, author(staff), "golden.removed", question_id, {})

    async def run(self, staff: Principal) -> GoldenRunRow:
        """Ask all of them of what is live now, and keep the results. Raises IndexMissing."""
        staff.require(*EDIT_ROLES)
        index = await asyncio.to_thread(self.index.current)
        questions = await self._questions()
        results = await self._ask(index, list(questions.values()))
        golden = [golden_question(one) for one in questions.values()]
        counted = summary_json(summary(golden, results))
        return await self._keep(staff, index, results, counted, cause="run")

    async def check(self, changes: Mapping[str, IndexedAnswer | None]) -> Gate:
        """What these changes would do, without letting anybody see them."""
        questions = await self._questions()
        asked = list(questions.values())
        try:
            live = await asyncio.to_thread(self.index.current)
        except IndexMissing:
            nothing = GoldenSummary(0, 0, 0, 0, 0)
            return Gate({}, Comparison(nothing, nothing, (), ()), self.limit)
        candidate = await asyncio.to_thread(self.index.candidate, changes)
        before = await self._ask(live, asked)
        after = await self._ask(candidate, asked)
        found = compare([golden_question(one) for one in asked], before, after)
        return Gate(questions, found, self.limit)

    async def foresee(self, article_id: str) -> Gate:
        """What publishing the newest version of an answer would do."""
        async with self.database.reading() as session:
            candidate = await _as_published(session, article_id)
        return await self.check({article_id: candidate} if candidate else {})

    async def foresee_all(self, article_ids: Sequence[str]) -> Gate:
        """What publishing the newest versions of these answers together would do."""
        async with self.database.reading() as session:
            found = {one: await _as_published(session, one) for one in article_ids}
        return await self.check({key: one for key, one in found.items() if one is not None})

    async def foresee_guide(self, version_id: str) -> Gate:
        """What answering from a version of a guide would do."""
        async with self.database.reading() as session:
            changes = await guide_changes(session, version_id)
        return await self.check(changes)

    async def pass_gate(self, who: Author, article_id: str, override: str = "") -> Gate:
        """Publishing the newest version of an answer: as `guard`."""
        async with self.database.reading() as session:
            candidate = await _as_published(session, article_id)
        changes = {article_id: candidate} if candidate else {}
        return await self.guard(who, article_id, changes, override)

    async def pass_version(self, who: Author, article_id: str, number: int, override: str) -> Gate:
        """Bringing an older version of an answer back: as `guard`."""
        async with self.database.reading() as session:
            row = await answer_rows.version(session, article_id, number)
        changes = {}
        if row is not None:
            changes[article_id] = indexed_text(article_id, AnswerText.from_json(row.content))
        return await self.guard(who, article_id, changes, override)

    async def pass_guide(self, who: Author, version_id: str, override: str = "") -> Gate:
        """Answering from a version of a guide, and from its earlier one no longer: as `guard`."""
        async with self.database.reading() as session:
            changes = await guide_changes(session, version_id)
        return await self.guard(who, version_id, changes, override)

    async def guard(
        self,
        who: Author,
        subject: str,
        changes: Mapping[str, IndexedAnswer | None],
        override: str = "",
    ) -> Gate:
        """Ask what these changes would do, and keep what was found.

        Raises :class:`GoldenGateClosed` when too much gets worse and no reason is given to
        publish all the same.
        """
        gate = await self.check(changes)
        override = override.strip()[:MAX_CHARS]
        stopped = gate.blocked and not override
        if gate.comparison.improved or gate.comparison.broken:
            await self._keep_gate(who, subject, gate, stopped=stopped, override=override)
        if stopped:
            raise GoldenGateClosed(gate.texts(gate.comparison.broken), gate.comparison.worst_drop())
        return gate

    async def _keep_gate(
        self, who: Author, subject: str, gate: Gate, *, stopped: bool, override: str
    ) -> None:
        found = gate.comparison
        detail = {
            "article_id": subject,
            "blocked": stopped,
            "override": override,
            "improved": list(found.improved),
            "broken": list(found.broken),
            "before": summary_json(found.before),
            "after": summary_json(found.after),
        }
        async with self.database.transaction() as session:
            await self._note(session, who, GATE, subject, detail)

    async def _questions(self) -> dict[str, GoldenQuestionRow]:
        async with self.database.glance() as session:
            return {one.id: one for one in await rows.questions(session)}

    async def _ask(
        self, index: SearchIndex, questions: Sequence[GoldenQuestionRow]
    ) -> dict[str, GoldenResult]:
        golden = [golden_question(one) for one in questions]
        today = self.clock().astimezone(LOCAL).date()
        return await asyncio.to_thread(ask, OneIndex(index), golden, today=today)

    async def _keep(
        self,
        staff: Principal,
        index: SearchIndex,
        results: Mapping[str, GoldenResult],
        counted: dict[str, Any],
        *,
        cause: str,
    ) -> GoldenRunRow:
        async with self.database.transaction() as session:
            row = GoldenRunRow(
                at=self.clock(),
                revision=index.manifest.revision[:100],
                cause=cause,
                actor=staff.name,
                blocked=False,
                summary=counted,
                results={key: asdict(one) for key, one in results.items()},
            )
            session.add(row)
            await session.flush()
            await self._note(session, author(staff), "golden.run", row.id, counted)
            return row

    async def _note(
        self,
        session: AsyncSession,
        who: Author,
        action: str,
        subject: str,
        detail: Mapping[str, Any],
    ) -> None:
        now: datetime = self.clock()
        await audit.record(
            session,
            actor=f"staff:{who.id}",
            action=action,
            subject=gate_subject(subject),
            detail=dict(detail),
            now=now,
        )


async def _meant(session: AsyncSession, answer: str) -> ArticleRow | None:
    named = _ID.search(answer)
    if named:
        return await kb_rows.article(session, named[0])
    return await kb_rows.article_called(session, answer)


def gate_subject(about: str) -> str:
    """Under what the audit trail keeps what golden questions said of it."""
    return f"golden:{about}"[:SUBJECT]


async def _as_published(session: AsyncSession, article_id: str) -> IndexedAnswer | None:
    """What search would keep of the newest version of an answer; None when there is none."""
    article = await kb_rows.article(session, article_id)
    work = await answer_rows.work(session, article_id)
    head = await answer_rows.version(session, article_id, work.head) if work else None
    if article is None or head is None:
        return None
    return indexed_text(article_id, AnswerText.from_json(head.content))


def golden_question(row: GoldenQuestionRow) -> GoldenQuestion:
    """The question as the search is asked it."""
    expected = frozenset({row.answer_id}) if row.answer_id else frozenset[str]()
    return GoldenQuestion(row.id, row.text, expected, row.region or None)


def _result(question_id: str, stored: Mapping[str, Any]) -> GoldenResult:
    return GoldenResult(
        question_id, int(stored["rank"]), Band(stored["band"]), stored["top"], stored["score"]
    )


def summary_json(counted: GoldenSummary) -> dict[str, Any]:
    """The counts and their shares."""
    return {
        **asdict(counted),
        "hit1": round(counted.hit1, 4),
        "hit3": round(counted.hit3, 4),
        "refusal": round(counted.refusal, 4),
    }

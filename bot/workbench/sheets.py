"""Answers out as a workbook, and back as new versions: first what it would do, then doing it.

Nothing is published by a workbook: every changed row becomes a draft of its answer, to be
reviewed as any other. A row made from an older version is refused, so nobody's work is lost.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bot.accounts.service import Principal
from bot.clock import Clock
from bot.phrases import Phrases
from bot.workbench.service import EDITING_ROLES, LOOKING_ROLES, Workbench, author
from kb import answer_sheet
from kb.answer_repository import Wanted
from kb.answer_sheet import COLUMNS, SheetRow, Words
from kb.answer_sheet_repository import Current, current_texts, exported
from kb.answer_text import AnswerText
from kb.answers import indexed_text
from kb.errors import (
    AnswerChanged,
    AnswerInvalid,
    AnswerLocked,
    AnswerMissing,
    AnswerVerbRefused,
    ImportRefused,
    RefusalReason,
)
from kb.question_thefts import Fresh, Theft
from store import audit
from store.session import Database
from store.vocabulary import Category

#: Uploaded workbooks wait this long for somebody to say yes.
KEPT_S = 24 * 3600
_NOTHING = AnswerText("", "")
#: Stands before the line of a row that is no answer yet while its questions are tried.
_NEW_ROW = "row:"


class Fate(StrEnum):
    """What becomes of a row."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    OUTDATED = "outdated"
    MISSING = "missing"
    LOCKED = "locked"
    BUSY = "busy"
    INVALID = "invalid"
    TWICE = "twice"


#: Fates of rows that are carried out.
DOING = frozenset({Fate.NEW, Fate.CHANGED})


@dataclass(frozen=True, slots=True)
class Planned:
    """A row and what becomes of it; ``fields`` are those that change, or the one at fault."""

    line: int
    article_id: str
    title: str
    fate: Fate
    fields: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RowTheft:
    """A question that a row would take from another answer, or from another row.

    `article_id` is the other answer's; empty for a row that is no answer yet.
    """

    line: int
    theft: Theft
    article_id: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a workbook would do. ``key`` names the kept file.

    ``unasked`` new questions were too many to be tried against the other answers.
    """

    key: str
    rows: Sequence[Planned]
    thefts: Sequence[RowTheft] = ()
    unasked: int = 0

    def count(self, fate: Fate) -> int:
        """Rows of this fate."""
        return sum(row.fate is fate for row in self.rows)

    @property
    def doing(self) -> int:
        """Rows that would be carried out."""
        return sum(row.fate in DOING for row in self.rows)


@dataclass(frozen=True, slots=True)
class _Row:
    """A row with the answer that it makes, and what that was before."""

    planned: Planned
    text: AnswerText = _NOTHING
    before: AnswerText = _NOTHING

    @property
    def fresh(self) -> Sequence[str]:
        """Questions that the answer did not have."""
        known = {self.before.question, *self.before.similar}
        return [one for one in (self.text.question, *self.text.similar) if one not in known]


@dataclass(frozen=True, slots=True)
class AnswerSheets:
    """Workbooks of answers."""

    database: Database
    workbench: Workbench
    phrases: Phrases
    clock: Clock
    folder: Path

    @property
    def words(self) -> Words:
        """Headings and kinds as people read them."""
        say = self.phrases.say
        return Words(
            {name: say(f"workbench.sheet.column.{name}") for name in COLUMNS},
            {kind: say(f"workbench.kind.{kind}") for kind in ("answer", "collect")},
        )

    async def export(self, staff: Principal, wanted: Wanted) -> bytes:
        """The newest versions of the answers asked for, as a workbook."""
        staff.require(*LOOKING_ROLES)
        async with self.database.reading() as session:
            answers = await exported(session, wanted)
        content = await asyncio.to_thread(answer_sheet.write, answers, self.words)
        async with self.database.transaction() as session:
            await audit.record(
                session,
                actor=f"staff:{staff.staff_id}",
                action="answers.exported",
                subject="answers",
                detail={"count": len(answers)},
                now=self.clock(),
            )
        return content

    async def look(self, staff: Principal, data: bytes) -> Plan:
        """Keep a workbook and say what it would do. Raises ImportRefused."""
        staff.require(*EDITING_ROLES)
        key = hashlib.sha256(data).hexdigest()
        rows = await asyncio.to_thread(answer_sheet.read, data, self.words)
        await asyncio.to_thread(self._keep, key, data)
        found = await self._planned(staff, rows)
        thefts, unasked = await self._thefts(found)
        return Plan(key, [one.planned for one in found], thefts, unasked)

    async def carry_out(self, staff: Principal, key: str, *, submit: bool) -> Plan:
        """Save every new and changed row as a draft, and hand it to a reviewer if asked to.

        Each row by itself: what cannot be saved any more says why, and holds up no other.
        Raises ImportRefused when the workbook is no longer kept.
        """
        staff.require(*EDITING_ROLES)
        data = await asyncio.to_thread(self._kept, key)
        rows = await asyncio.to_thread(answer_sheet.read, data, self.words)
        done = [
            await self._carry_out(staff, one.planned, one.text, submit=submit)
            for one in await self._planned(staff, rows)
        ]
        await asyncio.to_thread(self._path(key).unlink, missing_ok=True)
        return Plan("", done)

    async def _thefts(self, found: Sequence[_Row]) -> tuple[list[RowTheft], int]:
        """What the new questions of the rows to be carried out take from other answers."""
        doing = {_name(one.planned): one for one in found if one.planned.fate in DOING}
        changed = [Fresh(indexed_text(name, one.text), one.fresh) for name, one in doing.items()]
        thefts = await self.workbench.thefts_of(changed)
        told = [
            RowTheft(
                doing[one.taker].planned.line,
                one,
                "" if one.answer_id.startswith(_NEW_ROW) else one.answer_id,
            )
            for one in thefts.found
        ]
        return sorted(told, key=lambda one: one.line), thefts.unasked

    async def _planned(self, staff: Principal, rows: Sequence[SheetRow]) -> list[_Row]:
        async with self.database.reading() as session:
            known = await current_texts(session, [row.article_id for row in rows])
        seen: set[str] = set()
        found = []
        for row in rows:
            if row.article_id and row.article_id in seen:
                found.append(_Row(_fated(row, Fate.TWICE)))
                continue
            seen.add(row.article_id)
            found.append(self._plan(staff, row, known.get(row.article_id)))
        return found

    def _plan(self, staff: Principal, row: SheetRow, current: Current | None) -> _Row:
        if row.article_id and current is None:
            return _Row(_fated(row, Fate.MISSING))
        before = current.text if current else _NOTHING
        try:
            text = row.over(before, self.words)
            if text.category not in ("", before.category, *(c.value for c in Category)):
                raise AnswerInvalid("category", "unknown")
            version = row.version
        except AnswerInvalid as invalid:
            return _Row(_fated(row, Fate.INVALID, (invalid.field,), invalid.reason))
        if current is None:
            return _Row(_fated(row, Fate.NEW), text)
        changed = _changed(before, text)
        fate = self._fate(staff, current, version) if changed else Fate.SAME
        reason = current.locked_by if fate is Fate.LOCKED else ""
        return _Row(_fated(row, fate, changed, reason), text, before)

    def _fate(self, staff: Principal, current: Current, version: int) -> Fate:
        if version != current.version:
            return Fate.OUTDATED
        if current.is_locked_for(author(staff), self.clock()):
            return Fate.LOCKED
        return Fate.BUSY if current.is_in_review else Fate.CHANGED

    async def _carry_out(
        self, staff: Principal, row: Planned, text: AnswerText, *, submit: bool
    ) -> Planned:
        if row.fate not in DOING:
            return row
        note = self.phrases.say("workbench.sheet.note", line=row.line)
        try:
            if row.fate is Fate.NEW:
                done = await self.workbench.create(staff, text)
            else:
                seen = await self._version(row.article_id)
                done = await self.workbench.save(staff, row.article_id, seen, text, note)
            if submit:
                await self.workbench.act(staff, "submit", done.article_id, done.version)
        except AnswerLocked:
            return _with(row, Fate.LOCKED)
        except (AnswerChanged, AnswerMissing):
            return _with(row, Fate.OUTDATED)
        except AnswerVerbRefused:
            return _with(row, Fate.BUSY)
        except AnswerInvalid as invalid:
            return _with(row, Fate.INVALID, invalid.reason)
        return Planned(row.line, done.article_id, row.title, row.fate, row.fields)

    async def _version(self, article_id: str) -> int:
        """What the plan has just been checked against."""
        async with self.database.reading() as session:
            known = await current_texts(session, [article_id])
        if article_id not in known:
            raise AnswerMissing(article_id)
        return known[article_id].version

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.xlsx"

    def _keep(self, key: str, data: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        oldest = self.clock().timestamp() - KEPT_S
        for old in self.folder.glob("*.xlsx"):
            if old.stat().st_mtime < oldest:
                old.unlink(missing_ok=True)
        self._path(key).write_bytes(data)

    def _kept(self, key: str) -> bytes:
        if len(key) != 64 or not set(key) <= set("0123456789abcdef"):
            raise ImportRefused(RefusalReason.NO_TEXT, "not kept")
        try:
            return self._path(key).read_bytes()
        except OSError:
            raise ImportRefused(RefusalReason.NO_TEXT, "not kept") from None


def _fated(row: SheetRow, fate: Fate, fields: tuple[str, ...] = (), reason: str = "") -> Planned:
    title = row.cells.get("question", "")
    return Planned(row.line, row.article_id, title[:200], fate, fields, reason)


def _name(row: Planned) -> str:
    """What stands for the row's answer while its questions are tried."""
    return row.article_id or f"{_NEW_ROW}{row.line}"


def _with(row: Planned, fate: Fate, reason: str = "") -> Planned:
    return Planned(row.line, row.article_id, row.title, fate, row.fields, reason)


def _changed(before: AnswerText, after: AnswerText) -> tuple[str, ...]:
    old, new = before.to_json(), after.to_json()
    return tuple(name for name in new if old[name] != new[name])

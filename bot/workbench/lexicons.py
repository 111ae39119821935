"""The lexicon of a workspace: shipped files with the editors' entries over them, live at once.

What is in force is one small file in the workspace, replaced in one step; every process follows
it, so a change needs no restart. Questions feel it at once; texts of the knowledge base are indexed
with it at the next training. Refuses to know pages.
"""

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.accounts.service import Principal
from bot.clock import Clock
from bot.dialogue import clarifications
from bot.dialogue.clarifications import Clarifications, Pair
from bot.dialogue.turn import Clarification
from bot.workbench.service import EDITING_ROLES, LOOKING_ROLES
from kb import lexicon_repository as rows
from kb.fresh_index import FreshIndex
from kb.lexicon import (
    Lexicon,
    lexicon_to_json,
    load_lexicon,
    shipped_groups,
)
from kb.lexicon_entries import (
    REPLACING,
    Entry,
    Kind,
    LexiconInvalid,
    merged,
    require_harmony,
    searched,
)
from kb.lexicon_store import lexicon_file
from kb.lexicon_tables import LexiconEntryRow, LexiconVersionRow
from store import audit
from store.base import new_id
from store.session import Database


class LexiconChanged(Exception):
    """Somebody changed the entry in the meantime."""


@dataclass(frozen=True, slots=True)
class Known:
    """An entry with where it comes from."""

    entry: Entry
    shipped: bool
    row: LexiconEntryRow | None

    @property
    def seen(self) -> int:
        """The version that was seen."""
        return self.row.version if self.row else 0


@dataclass(frozen=True, slots=True)
class Shipped:
    """What comes with the product: entries, and the colloquial forms below them."""

    base: Lexicon
    entries: Sequence[Entry]


def shipped(data: Path) -> Shipped:
    """The shipped lexicon and mix-ups."""
    folder = data / "lexicon"
    found = [
        Entry(Kind(kind), word.lower(), tuple(v.lower() for v in variants))
        for kind, groups in shipped_groups(folder).items()
        for word, variants in groups
    ]
    pairs = clarifications.load(data / "dialogue" / "clarifications.yml").pairs
    found += [
        Entry(
            Kind.PAIR,
            pair.clarification.key,
            pair.triggers,
            question=pair.clarification.question,
            options=pair.clarification.options,
            decided_by=pair.decided_by,
        )
        for pair in pairs
    ]
    whole = load_lexicon(folder)
    found += [
        Entry(Kind.DISTINCT, one.words[0], one.words[1:], decided_by=one.neutral)
        for one in whole.distinct
    ]
    replacing = [one for one in found if one.kind in REPLACING]
    forms = {form for one in replacing for form in (one.word, *one.variants)}
    below = {form: term for form, term in whole.replacements.items() if form not in forms}
    return Shipped(Lexicon(below, everyday=whole.everyday), tuple(found))


async def entries_of(session: AsyncSession, known: Shipped) -> list[Entry]:
    """Everything, the editors' over the shipped."""
    own = [_entry(row) for row in await rows.entries(session)]
    return merged(known.entries, own)


def in_force(entries: Sequence[Entry], base: Lexicon) -> dict[str, Any]:
    """What processes follow, as JSON."""
    active = [one for one in entries if one.active]
    return {
        "lexicon": lexicon_to_json(searched(entries, base)),
        "pairs": [{"word": p.word, **p.to_json()} for p in active if p.kind is Kind.PAIR],
        "blocked": [one.word for one in active if one.kind is Kind.BLOCK],
    }


@dataclass(frozen=True, slots=True)
class Lexicons:
    """The editors' side."""

    database: Database
    shipped: Shipped
    index: FreshIndex
    home: Path
    clock: Clock

    async def known(self, staff: Principal, kind: Kind, text: str = "") -> list[Known]:
        """Entries of a kind that hold a text, by word."""
        staff.require(*LOOKING_ROLES)
        async with self.database.reading() as session:
            own = {(row.kind, row.word): row for row in await rows.entries(session)}
        keys = {one.key for one in self.shipped.entries}
        everything = merged(self.shipped.entries, map(_entry, own.values()))
        wanted = text.strip().lower()
        found = [
            Known(one, one.key in keys, own.get((one.kind.value, one.word)))
            for one in everything
            if one.kind is kind and any(wanted in word for word in (one.word, *one.variants))
        ]
        return sorted(found, key=lambda one: one.entry.word)

    async def history(
        self, staff: Principal, kind: Kind, word: str
    ) -> tuple[Known | None, Sequence[LexiconVersionRow]]:
        """One entry with what it was before, newest first."""
        found = {one.entry.word: one for one in await self.known(staff, kind)}
        chosen = found.get(word)
        if chosen is None or chosen.row is None:
            return chosen, ()
        async with self.database.reading() as session:
            return chosen, await rows.versions(session, chosen.row.id)

    async def save(self, staff: Principal, entry: Entry, seen: int) -> None:
        """Keep an entry, and put it in force. Raises LexiconInvalid and LexiconChanged."""
        staff.require(*EDITING_ROLES)
        entry = entry.checked()
        now = self.clock()
        async with self.database.transaction() as session:
            require_harmony(entry, await entries_of(session, self.shipped))
            row = await rows.locked_entry(session, entry.kind.value, entry.word)
            if (row.version if row else 0) != seen:
                raise LexiconChanged
            row = await _keep(session, row, entry, staff, now)
            await audit.record(
                session,
                actor=f"staff:{staff.staff_id}",
                action="lexicon.saved",
                subject=f"lexicon:{row.id}",
                detail={"kind": row.kind, "word": row.word, "active": row.active},
                now=now,
            )
        await self.refresh()

    async def switch(self, staff: Principal, kind: Kind, word: str, seen: int, *, on: bool) -> None:
        """Put an entry in or out of force. Raises as `save`, and KeyError for an unknown one."""
        found = {one.entry.word: one for one in await self.known(staff, kind)}
        await self.save(staff, replace(found[word].entry, active=on), seen)

    async def restore(
        self, staff: Principal, kind: Kind, word: str, seen: int, number: int
    ) -> None:
        """Bring an earlier version back. Raises as `save`, and KeyError for an unknown one."""
        _, versions = await self.history(staff, kind, word)
        content = {row.number: row for row in versions}[number]
        entry = Entry.from_json(kind.value, word, content.content, active=content.active)
        await self.save(staff, entry, seen)

    async def refresh(self) -> None:
        """Write what is in force, so that every process follows it."""
        async with self.database.reading() as session:
            entries = await entries_of(session, self.shipped)
        content = in_force(entries, self.shipped.base)
        await asyncio.to_thread(_write, lexicon_file(self.home), content)
        await asyncio.to_thread(self.index.follow)


class LiveRules:
    """Mix-ups and blocked words as they are in force, following the workspace's file."""

    def __init__(self, home: Path, shipped_pairs: Clarifications) -> None:
        self._path = lexicon_file(home)
        self._stamp: tuple[int, int] | None = None
        self._pairs = self._shipped = shipped_pairs
        self._blocked: tuple[str, ...] = ()

    def match(self, text: str) -> Clarification | None:
        """The first mix-up that applies to a message, if any."""
        self._follow()
        return self._pairs.match(text)

    def is_blocked(self, text: str) -> bool:
        """Whether a message is for people, whatever the knowledge base says."""
        self._follow()
        lowered = text.lower()
        return any(word in lowered for word in self._blocked)

    def _follow(self) -> None:
        try:
            found = self._path.stat()
        except OSError:
            return
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            self._pairs = Clarifications(tuple(map(_pair, content["pairs"])))
            self._blocked = tuple(str(word) for word in content["blocked"])
        except (OSError, ValueError, KeyError, TypeError):
            self._pairs, self._blocked = self._shipped, ()


def _pair(row: Mapping[str, Any]) -> Pair:
    entry = Entry.from_json(Kind.PAIR.value, str(row["word"]), row, active=True)
    told = Clarification(entry.word, entry.question, entry.options)
    return Pair(told, entry.variants, entry.decided_by)


def _entry(row: LexiconEntryRow) -> Entry:
    return Entry.from_json(row.kind, row.word, row.content, active=row.active)


async def _keep(
    session: AsyncSession,
    row: LexiconEntryRow | None,
    entry: Entry,
    staff: Principal,
    now: datetime,
) -> LexiconEntryRow:
    if row is None:
        row = LexiconEntryRow(id=new_id(), kind=entry.kind.value, word=entry.word, version=0)
        session.add(row)
    row.content, row.active = entry.to_json(), entry.active
    row.version += 1
    row.updated_by, row.updated_at = staff.name, now
    await session.flush()
    session.add(
        LexiconVersionRow(
            entry_id=row.id,
            number=row.version,
            content=row.content,
            active=row.active,
            author_id=staff.staff_id,
            author=staff.name,
            created_at=now,
        )
    )
    return row


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(f".{os.getpid()}.tmp")
    with written.open("w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    written.replace(path)


__all__ = ["LexiconInvalid", "Lexicons", "LiveRules"]

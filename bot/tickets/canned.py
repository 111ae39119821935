"""Canned phrases: what engineers say often, kept by administrators, filled for each ticket.

Placeholders are checked when a phrase is saved, so that none can fail in front of a user; what a
ticket does not have is left out. Until an administrator makes the first phrase, those of the
catalogue are offered. Refuses to send anything.
"""

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.accounts.service import Principal
from bot.changes import service as changes
from bot.changes.service import Change, ChangedKind, Verb
from bot.clock import Clock
from bot.errors import InvalidInput
from bot.phrases import placeholders
from bot.tickets import canned_repository as rows
from bot.tickets.canned_tables import CannedPhrase
from store.base import new_id
from store.session import Database
from store.vocabulary import Category

#: What may stand in braces.
PLACEHOLDERS = ("number", "title", "name", "unit", "module", "severity", "engineer")
MAX_TITLE, MAX_TEXT, MAX_MODULE, MAX_PHRASES = 40, 500, 80, 200


@dataclass(frozen=True, slots=True)
class PhraseForm:
    """A phrase's form as it was typed; ``id`` is empty for a new one."""

    id: str = ""
    title: str = ""
    text: str = ""
    category: str = ""
    module: str = ""
    position: str = "0"
    version: int = 0

    @classmethod
    def of(cls, row: CannedPhrase) -> "PhraseForm":
        """The form that shows this phrase."""
        return cls(
            id=row.id,
            title=row.title,
            text=row.text,
            category=row.category,
            module=row.module,
            position=str(row.position),
            version=row.version,
        )

    def columns(self) -> dict[str, Any]:
        """The row's values. Raises :class:`InvalidInput`."""
        title = " ".join(self.title.split())
        if not title or len(title) > MAX_TITLE or not title.isprintable():
            raise InvalidInput("title", "canned.error.title")
        if self.category and self.category not in {one.value for one in Category}:
            raise InvalidInput("category", "canned.error.category")
        if len(self.module) > MAX_MODULE:
            raise InvalidInput("module", "canned.error.module")
        plain = self.position.isascii() and self.position.isdecimal() and len(self.position) < 5
        if not plain:
            raise InvalidInput("position", "canned.error.position")
        return {
            "title": title,
            "text": _checked(self.text.strip()),
            "category": self.category,
            "module": self.module,
            "position": int(self.position),
        }


def _checked(text: str) -> str:
    if not text or len(text) > MAX_TEXT:
        raise InvalidInput("text", "canned.error.text")
    try:
        named = placeholders(text)
        # A width would let a short text fill the memory.
        formatted = any(spec or how for _, _, spec, how in string.Formatter().parse(text))
    except ValueError:
        raise InvalidInput("text", "canned.error.braces") from None
    if formatted:
        raise InvalidInput("text", "canned.error.braces")
    if not named <= set(PLACEHOLDERS):
        raise InvalidInput("text", "canned.error.placeholder")
    return text


def offered(
    phrases: Sequence[CannedPhrase], ticket: Mapping[str, Any], engineer: str
) -> Sequence[str]:
    """Phrases for this ticket, filled, in their order."""
    person = ticket["requester"] or {}
    values = {name: str(ticket.get(name) or "") for name in PLACEHOLDERS}
    values |= {"name": person.get("name") or "", "engineer": engineer}
    values["unit"] = values["unit"] or person.get("unit") or ""
    return [
        one.text.format_map(values)
        for one in phrases
        if one.category in ("", ticket["category"]) and one.module in ("", ticket["module"])
    ]


@dataclass(frozen=True, slots=True)
class CannedPhrases:
    """The verbs."""

    database: Database
    clock: Clock

    async def all(self, staff: Principal) -> Sequence[CannedPhrase]:
        """All phrases in their order."""
        staff.require()
        async with self.database.reading() as session:
            return await rows.phrases(session)

    async def history(self, staff: Principal, phrase_id: str) -> Sequence[Change]:
        """What was changed about a phrase, the newest first."""
        staff.require()
        async with self.database.reading() as session:
            return await changes.history(session, ChangedKind.CANNED_PHRASE, phrase_id)

    async def save(self, staff: Principal, form: PhraseForm) -> None:
        """Make or change a phrase. Raises :class:`InvalidInput`."""
        staff.require()
        columns, now = form.columns(), self.clock()
        async with self.database.transaction() as session:
            if form.id:
                row = await rows.phrase(session, form.id)
                if row is None or row.version != form.version:
                    raise InvalidInput("version", "canned.error.overtaken")
            else:
                if len(await rows.phrases(session)) >= MAX_PHRASES:
                    raise InvalidInput("title", "canned.error.many")
                row = CannedPhrase(id=new_id(), version=0, created_at=now)
                session.add(row)
            for name, value in columns.items():
                setattr(row, name, value)
            row.version, row.updated_at = row.version + 1, now
            verb = Verb.CHANGED if form.id else Verb.ADDED
            kind = ChangedKind.CANNED_PHRASE
            await changes.note(session, staff, kind, row.id, verb, content=columns, now=now)

    async def remove(self, staff: Principal, phrase_id: str) -> None:
        """Remove a phrase; nothing when it is gone."""
        staff.require()
        now = self.clock()
        async with self.database.transaction() as session:
            row = await rows.phrase(session, phrase_id)
            if row is None:
                return
            await session.delete(row)
            kind = ChangedKind.CANNED_PHRASE
            await changes.note(session, staff, kind, phrase_id, Verb.REMOVED, content={}, now=now)

"""Canned phrases: what engineers say often, kept by administrators, filled for each ticket.

Placeholders are checked when a phrase is saved, so that none can fail in front of a user; what a
ticket does not have is left out. Until an administrator makes the first phrase, those of the
catalogue are offered. Refuses to send anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.changes.keeping import Keeper, Kept
from bot.changes.service import ChangedKind
from bot.clock import Clock
from bot.errors import InvalidInput
from bot.tickets.canned_tables import CannedPhrase
from bot.tickets.placeholder_texts import checked_position, checked_text
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
        return {
            "title": title,
            "text": checked_text(self.text.strip(), PLACEHOLDERS, MAX_TEXT, "canned.error"),
            "category": self.category,
            "module": self.module,
            "position": checked_position(self.position, "canned.error"),
        }


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


def canned_phrases(database: Database, clock: Clock) -> Keeper[CannedPhrase]:
    """The verbs on canned phrases."""
    kept = Kept(CannedPhrase, ChangedKind.CANNED_PHRASE, MAX_PHRASES, "canned.error")
    return Keeper(database, clock, kept)

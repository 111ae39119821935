"""Tags and custom fields of a ticket: as its events tell them, and what may stand in them.

Pure. Each ``mark`` event holds everything that is marked after it, so the newest one says all;
the rows that searches look at are written beside it. Refuses values that a field does not allow;
what a field that has since been switched off holds is kept as it was.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from handoff.errors import InvalidMark
from handoff.lifecycle import Event
from handoff.texts import clean
from handoff.ticket import Action

MAX_TAGS, MAX_FIELD_CHARS = 20, 200
_MAX_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Marks:
    """Tags in the order of the alphabet, and values by the key of their field."""

    tags: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def detail(self) -> dict[str, Any]:
        """As an event keeps them."""
        return {"tags": list(self.tags), "fields": dict(self.fields)}


NONE = Marks()


def marked(event: Event, before: Marks) -> Marks:
    """What is marked after one event."""
    if event.action is not Action.MARK:
        return before
    return Marks(tuple(event.detail["tags"]), dict(event.detail["fields"]))


def marks_of(events: Iterable[Event]) -> Marks:
    """What is marked after all events."""
    marks = NONE
    for event in events:
        marks = marked(event, marks)
    return marks


class FieldKind(StrEnum):
    """What a custom field holds."""

    LINE = "line"
    CHOICE = "choice"
    NUMBER = "number"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class CustomField:
    """One field. Without ``categories`` it is for tickets of all of them."""

    key: str
    label: str
    kind: FieldKind
    choices: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    def is_for(self, category: str) -> bool:
        """Whether tickets of this category have the field."""
        return not self.categories or category in self.categories

    def checked(self, text: str) -> str:
        """The value as it is kept. Raises ``InvalidMark``."""
        value = clean(text)
        if len(value) > MAX_FIELD_CHARS or not value.isprintable():
            raise InvalidMark(self.key, "long")
        match self.kind:
            case FieldKind.CHOICE if value not in self.choices:
                raise InvalidMark(self.key, "choice")
            case FieldKind.NUMBER if not _is_number(value):
                raise InvalidMark(self.key, "number")
            case FieldKind.DATE if not _is_date(value):
                raise InvalidMark(self.key, "date")
            case _:
                return value


def _is_number(text: str) -> bool:
    whole, point, part = text.removeprefix("-").partition(".")
    digits = whole + part
    plain = whole.isdecimal() and (part.isdecimal() if point else True)
    return plain and digits.isascii() and len(digits) <= _MAX_DIGITS


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def is_tag(text: str) -> bool:
    """Whether a text can be a tag: one short word, for lists are written with spaces between."""
    return 0 < len(text) <= 30 and text.isprintable() and not set(text) & set(" ,;，；、　")


def tags_of(words: Iterable[str]) -> tuple[str, ...]:
    """Tags, each once, in order. Raises ``InvalidMark``."""
    tags = sorted({cleaned for word in words if (cleaned := clean(word))})
    if len(tags) > MAX_TAGS:
        raise InvalidMark("tags", "many")
    if not all(is_tag(tag) for tag in tags):
        raise InvalidMark("tags", "tag")
    return tuple(tags)


def fields_of(
    fields: Sequence[CustomField], category: str, before: Marks, typed: Mapping[str, str]
) -> dict[str, str]:
    """Values by key after what was typed; an empty one is removed. Raises ``InvalidMark``."""
    known = {one.key: one for one in fields if one.is_for(category)}
    found = dict(before.fields)
    for key, text in typed.items():
        if key not in known:
            raise InvalidMark(key[:40], "field")
        if clean(text):
            found[key] = known[key].checked(text)
        else:
            found.pop(key, None)
    return found

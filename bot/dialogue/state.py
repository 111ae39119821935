"""What the dialogue remembers between two messages of a conversation, and its JSON form.

A state written by another release is read as far as it is understood: a conversation must
never break because a field is new or gone.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

#: Remembering more of a question than this helps no search.
MAX_TOPIC_CHARS = 300


class Awaiting(StrEnum):
    """What the bot asked last and still waits for."""

    NOTHING = ""
    CLARIFICATION = "clarification"
    DESCRIPTION = "description"
    SEVERITY = "severity"
    RATING = "rating"


@dataclass(frozen=True, slots=True)
class Option:
    """One thing the user may pick: an answer, or a way to read the question."""

    answer_id: str
    title: str


@dataclass(frozen=True, slots=True)
class DialogueState:
    """Everything that the next decision may lean on."""

    topic: str = ""
    answer_id: str = ""
    tried: tuple[str, ...] = ()
    offered: tuple[Option, ...] = ()
    remaining: tuple[Option, ...] = ()
    awaiting: Awaiting = Awaiting.NOTHING
    asked: tuple[str, ...] = ()
    warned: bool = False
    misses: int = 0
    #: The number of the known fault that was shown last about this matter.
    fault: str = ""

    def about(self, topic: str) -> "DialogueState":
        """A fresh state about a new question; only what holds for the whole conversation stays."""
        return DialogueState(topic=topic[:MAX_TOPIC_CHARS], warned=self.warned)

    def settled(self) -> "DialogueState":
        """Nothing is open any more."""
        return DialogueState(warned=self.warned)

    def waiting_for(self, awaiting: Awaiting, *asked: str) -> "DialogueState":
        """The bot has asked something."""
        return replace(self, awaiting=awaiting, asked=(*self.asked, *asked))


def to_json(state: DialogueState) -> dict[str, Any]:
    """The state as JSON values."""
    return asdict(state)


def from_json(raw: Mapping[str, Any]) -> DialogueState:
    """Read a stored state; what is missing or malformed takes its default."""
    return DialogueState(
        topic=_text(raw.get("topic")),
        answer_id=_text(raw.get("answer_id")),
        tried=_texts(raw.get("tried")),
        offered=_options(raw.get("offered")),
        remaining=_options(raw.get("remaining")),
        awaiting=_awaiting(raw.get("awaiting")),
        asked=_texts(raw.get("asked")),
        warned=raw.get("warned") is True,
        misses=_count(raw.get("misses")),
        fault=_text(raw.get("fault")),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        return ()
    return tuple(item for item in value if isinstance(item, str))


def _options(value: object) -> tuple[Option, ...]:
    if not isinstance(value, list | tuple):
        return ()
    return tuple(
        Option(_text(item.get("answer_id")), _text(item.get("title")))
        for item in value
        if isinstance(item, Mapping)
    )


def _awaiting(value: object) -> Awaiting:
    return next((known for known in Awaiting if known.value == value), Awaiting.NOTHING)

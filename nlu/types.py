"""What understanding a message means here: intents, entities, and the contract of an interpreter.

Refuses to know how a text is understood; that is each interpreter's own business.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

#: Longer texts are cut before they are parsed; their intent is clear long before.
MAX_TEXT_CHARS = 2_000


class Intent(StrEnum):
    """What a user wants with one message."""

    ASK_QUESTION = "ask_question"
    REPORT_FAULT = "report_fault"
    REQUEST_HUMAN = "request_human"
    TICKET_STATUS = "ticket_status"
    URGE = "urge"
    ADD_INFORMATION = "add_information"
    AFFIRM = "affirm"
    DENY = "deny"
    SOLVED = "solved"
    NOT_SOLVED = "not_solved"
    GREET = "greet"
    THANKS = "thanks"
    GOODBYE = "goodbye"
    COMPLAIN = "complain"
    PRAISE = "praise"
    POLICY_QUESTION = "policy_question"
    OUT_OF_SCOPE = "out_of_scope"
    ASK_CAPABILITY = "ask_capability"
    SUGGEST_IMPROVEMENT = "suggest_improvement"
    CHOOSE_CANDIDATE = "choose_candidate"
    ABUSE = "abuse"
    CANCEL = "cancel"


class EntityName(StrEnum):
    """What kind of thing a part of a message names."""

    MODULE = "module"
    DOCUMENT_NUMBER = "document_number"
    TICKET_NUMBER = "ticket_number"
    UNIT = "unit"
    ERROR_TEXT = "error_text"
    FISCAL_YEAR = "fiscal_year"
    BROWSER = "browser"
    PHONE = "phone"
    SCOPE = "scope"
    DEADLINE = "deadline"


@dataclass(frozen=True, slots=True)
class Entity:
    """A named part of a text: ``text[start:end]`` said it, ``value`` is its normal form."""

    name: EntityName
    value: str
    start: int
    end: int
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Understanding:
    """One message understood. ``ranking`` is best first and starts with ``intent``."""

    text: str
    intent: Intent
    confidence: float
    ranking: tuple[tuple[Intent, float], ...]
    entities: tuple[Entity, ...]
    interpreter: str

    def values(self, name: EntityName) -> tuple[str, ...]:
        """The values of every entity of this kind, in the order of the text, without repeats."""
        return tuple(dict.fromkeys(found.value for found in self.entities if found.name == name))


def nothing_said(text: str, interpreter: str) -> Understanding:
    """The understanding of a text without a readable character."""
    ranking = ((Intent.OUT_OF_SCOPE, 0.0),)
    return Understanding(text, Intent.OUT_OF_SCOPE, 0.0, ranking, (), interpreter)


class Interpreter(Protocol):
    """Anything that understands a text.

    ``parse`` takes any text at all (empty, binary-looking, megabytes long) and either answers
    or raises :class:`nlu.errors.InterpreterUnavailable`; it never raises anything else. The
    understanding carries the text exactly as it was given, entity offsets are offsets into it.
    """

    @property
    def name(self) -> str:
        """Which interpreter answered, for measurements."""
        ...

    async def parse(self, text: str) -> Understanding:
        """Understand one message."""
        ...

    async def close(self) -> None:
        """Release connections; closing twice is harmless."""
        ...

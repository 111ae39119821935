"""The values of a triage: who is affected, why it was judged so, and the result.

Refuses to judge; :mod:`nlu.severity`, :mod:`nlu.category` and :mod:`nlu.triage` do.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from store.vocabulary import Category, Severity


class Question(StrEnum):
    """The questions that can decide between two levels, by phrase key."""

    SCOPE = "triage.ask.scope"
    CORE = "triage.ask.core"
    RESTORABLE = "triage.ask.restorable"


class Effect(StrEnum):
    """What a reason did to the result."""

    RAISES = "raises"
    LOWERS = "lowers"
    CATEGORY = "category"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule that was met: its phrase key, the words that met it, and what they did."""

    rule: str
    evidence: str
    effect: Effect


class Scope(IntEnum):
    """Who is affected; a larger number means more people."""

    SELF = 0
    ITEM = 1
    UNKNOWN = 2
    GROUP = 3
    UNIT = 4
    MANY = 5
    CITY = 6


@dataclass(frozen=True, slots=True)
class Similar:
    """An answer of the knowledge base that the matter resembles: its category and score (0-1)."""

    category: Category
    score: float


@dataclass(frozen=True, slots=True)
class Answers:
    """What the user answered to deciding questions; None where nothing was asked."""

    scope: Scope | None = None
    core: bool | None = None
    restorable: bool | None = None


@dataclass(frozen=True, slots=True)
class Triage:
    """A matter judged. ``question`` would decide between two levels that are close."""

    incident: bool
    category: Category
    severity: Severity
    module: str | None
    reasons: tuple[Reason, ...]
    question: Question | None
    confidence: float

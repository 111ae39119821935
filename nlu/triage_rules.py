"""Named rules: what their words say, and where a text says it of now.

One rule is a name (a phrase key), a sign and a pattern over folded text. Rules only report;
weighing signs is the business of :mod:`nlu.severity` and :mod:`nlu.category`. The rules themselves
are in :mod:`nlu.triage_patterns`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Sign(StrEnum):
    """What a rule's words say."""

    SELF = "self"
    ITEM = "item"
    GROUP = "group"
    UNIT = "unit"
    MANY = "many"
    CITY = "city"
    BATCH = "batch"
    PARALYSED = "paralysed"
    STOPPED = "stopped"
    SHARED = "shared"
    SYSTEM_ERROR = "system_error"
    INTERFACE = "interface"
    SLOW = "slow"
    SLOW_SEVERE = "slow_severe"
    DISPLAY = "display"
    NETWORK = "network"
    HARDWARE = "hardware"
    CORE = "core"
    ACCESS = "access"
    NON_CORE = "non_core"
    TERMINAL = "terminal"
    RESTORABLE = "restorable"
    RESTORED = "restored"
    LASTING = "lasting"
    DAYS = "days"
    SUPPOSED = "supposed"
    URGENT_TONE = "urgent_tone"
    DEADLINE = "deadline"
    RECORDS = "records"
    ACCOUNT = "account"
    DATA = "data"
    POLICY = "policy"
    REQUIREMENT = "requirement"
    HOW_TO = "how_to"
    BUSINESS_MESSAGE = "business_message"


@dataclass(frozen=True, slots=True)
class Rule:
    """A named pattern. ``strength`` weighs its sign when categories are compared."""

    key: str
    sign: Sign
    pattern: re.Pattern[str]
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule met by ``text[start:end]``."""

    rule: Rule
    start: int
    end: int


#: Words that claim a present state; in a supposition they claim nothing.
CLAIMS = frozenset(
    {
        Sign.GROUP,
        Sign.UNIT,
        Sign.MANY,
        Sign.CITY,
        Sign.BATCH,
        Sign.PARALYSED,
        Sign.STOPPED,
        Sign.SHARED,
        Sign.SYSTEM_ERROR,
        Sign.INTERFACE,
        Sign.SLOW,
        Sign.SLOW_SEVERE,
        Sign.DISPLAY,
        Sign.NETWORK,
        Sign.HARDWARE,
    }
)
_SENTENCE_END = re.compile(r"[。!?;\n]|$")
_CLAUSE_MARKS = ",。!?;、\n "


def find(folded: str, rules: Sequence[Rule]) -> tuple[Finding, ...]:
    """Every finding of every rule, in the rules' order; claims inside suppositions left out."""
    supposed = tuple(_suppositions(folded, rules))
    return tuple(
        Finding(rule, *found.span())
        for rule in rules
        for found in rule.pattern.finditer(folded)
        if not (rule.sign in CLAIMS and any(found.start() in span for span in supposed))
    )


def clause_start(folded: str, place: int) -> int:
    """Where the clause around a place starts."""
    return max(folded.rfind(mark, 0, place) for mark in _CLAUSE_MARKS) + 1


def _suppositions(folded: str, rules: Sequence[Rule]) -> Iterator[range]:
    """From the clause of a word like "if" to the end of its sentence."""
    for rule in rules:
        for found in rule.pattern.finditer(folded) if rule.sign is Sign.SUPPOSED else ():
            end = _SENTENCE_END.search(folded, found.end())
            yield range(clause_start(folded, found.start()), end.start() if end else len(folded))

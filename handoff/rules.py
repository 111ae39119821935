"""Rules of dispatch and escalation as values: when they look, what they ask, what they do.

Pure. A rule is looked at on one occasion, fits when all or any of its conditions hold, and then
takes its steps in order. What makes a loop impossible is how rules are run: from the top, each
at most once for a ticket and reopening, and what a rule did wakes no rule. Refuses to know
storage and words; whether a rule makes sense is judged in ``handoff.rule_checks``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from handoff.ticket import Level, Status
from store.vocabulary import Category, Severity


class Occasion(StrEnum):
    """When a rule is looked at: once after opening, after every change, or as time passes."""

    OPENED = "opened"
    CHANGED = "changed"
    TIME = "time"


class Match(StrEnum):
    """Whether all conditions must hold, or one is enough."""

    ALL = "all"
    ANY = "any"


class Field(StrEnum):
    """What a condition asks about. Custom fields are named ``custom.<key>`` instead."""

    REGION = "region"
    UNIT = "unit"
    MODULE = "module"
    CATEGORY = "category"
    SEVERITY = "severity"
    STATUS = "status"
    LEVEL = "level"
    CHANNEL = "channel"
    CONTRACT = "contract"
    TAG = "tag"
    TEXT = "text"
    REOPENED = "reopened"
    ASSIGNED = "assigned"
    OUTSIDE_HOURS = "outside_hours"
    OPEN_MINUTES = "open_minutes"
    UNTAKEN_MINUTES = "untaken_minutes"
    IDLE_MINUTES = "idle_minutes"
    RESPOND_PERCENT = "respond_percent"
    RESOLVE_PERCENT = "resolve_percent"


#: How a condition names a custom field.
CUSTOM = "custom."


class Operator(StrEnum):
    """How a condition asks."""

    IS = "is"
    IS_NOT = "is_not"
    FILLED = "filled"
    EMPTY = "empty"
    CONTAINS = "contains"
    CONTAINS_NOT = "contains_not"
    AT_LEAST = "at_least"
    YES = "yes"
    NO = "no"


class Shape(StrEnum):
    """What kind of thing a field is, which decides how it can be asked about.

    ``SPAN`` is working minutes that run on, ``SHARE`` the part of a promised time that is used.
    """

    NAME = "name"
    CHOICE = "choice"
    NAMES = "names"
    TEXT = "text"
    COUNT = "count"
    FLAG = "flag"
    SPAN = "span"
    SHARE = "share"


SHAPES: Mapping[Field, Shape] = MappingProxyType(
    {
        Field.REGION: Shape.NAME,
        Field.UNIT: Shape.NAME,
        Field.MODULE: Shape.NAME,
        Field.CATEGORY: Shape.CHOICE,
        Field.SEVERITY: Shape.CHOICE,
        Field.STATUS: Shape.CHOICE,
        Field.LEVEL: Shape.CHOICE,
        Field.CHANNEL: Shape.NAME,
        Field.CONTRACT: Shape.NAME,
        Field.TAG: Shape.NAMES,
        Field.TEXT: Shape.TEXT,
        Field.REOPENED: Shape.COUNT,
        Field.ASSIGNED: Shape.FLAG,
        Field.OUTSIDE_HOURS: Shape.FLAG,
        Field.OPEN_MINUTES: Shape.SPAN,
        Field.UNTAKEN_MINUTES: Shape.SPAN,
        Field.IDLE_MINUTES: Shape.SPAN,
        Field.RESPOND_PERCENT: Shape.SHARE,
        Field.RESOLVE_PERCENT: Shape.SHARE,
    }
)

_NAMED = (Operator.IS, Operator.IS_NOT, Operator.CONTAINS, Operator.FILLED, Operator.EMPTY)
OPERATORS: Mapping[Shape, Sequence[Operator]] = MappingProxyType(
    {
        Shape.NAME: _NAMED,
        Shape.CHOICE: (Operator.IS, Operator.IS_NOT),
        Shape.NAMES: _NAMED,
        Shape.TEXT: (Operator.CONTAINS, Operator.CONTAINS_NOT),
        Shape.COUNT: (Operator.AT_LEAST,),
        Shape.FLAG: (Operator.YES, Operator.NO),
        Shape.SPAN: (Operator.AT_LEAST,),
        Shape.SHARE: (Operator.AT_LEAST,),
    }
)

#: Every value that a field can have, where they are few.
CHOICES: Mapping[Field, Sequence[str]] = MappingProxyType(
    {
        Field.CATEGORY: tuple(one.value for one in Category),
        Field.SEVERITY: tuple(one.value for one in Severity),
        Field.STATUS: tuple(one.value for one in Status),
        Field.LEVEL: tuple(one.value for one in Level),
    }
)

#: Conditions that come true by waiting.
RUNNING: frozenset[Shape] = frozenset({Shape.SPAN, Shape.SHARE})
#: Operators that ask for nothing more.
BARE: frozenset[Operator] = frozenset({Operator.FILLED, Operator.EMPTY, Operator.YES, Operator.NO})


def shape_of(field: str) -> Shape | None:
    """What kind of thing a field is; ``None`` for no field of ours."""
    if field.startswith(CUSTOM):
        return Shape.NAME
    return SHAPES[Field(field)] if field in set(Field) else None


@dataclass(frozen=True, slots=True)
class Condition:
    """One question about a ticket. ``values``: one of them is enough; numbers are texts too."""

    field: str
    operator: Operator
    values: tuple[str, ...] = ()


class StepKind(StrEnum):
    """What a rule does. The values are phrase keys."""

    QUEUE = "queue"
    ENGINEER = "engineer"
    SKILL = "skill"
    ESCALATE = "escalate"
    SEVERITY = "severity"
    PROPOSE = "propose"
    TAG = "tag"
    UNTAG = "untag"
    NOTE = "note"
    NOTIFY = "notify"
    CALL_BACK = "call_back"


#: Steps that hand the ticket to somebody: one rule has one of them at most.
MOVING: frozenset[StepKind] = frozenset(
    {StepKind.QUEUE, StepKind.ENGINEER, StepKind.SKILL, StepKind.ESCALATE}
)
#: Steps that need words, and those that name something.
WORDED: frozenset[StepKind] = frozenset({StepKind.NOTE, StepKind.NOTIFY})
NAMING: frozenset[StepKind] = frozenset(StepKind) - {StepKind.NOTE, StepKind.CALL_BACK}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. ``target`` is a level, a severity, a tag, a skill, or the id of somebody."""

    kind: StepKind
    target: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """What an administrator made. ``stop``: rules below are left aside for a ticket it acted on."""

    id: str
    name: str
    occasion: Occasion
    match: Match
    conditions: tuple[Condition, ...]
    steps: tuple[Step, ...]
    stop: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """A ticket as conditions see it; ``names`` holds every field that has values."""

    names: Mapping[str, tuple[str, ...]]
    text: str = ""
    reopened: int = 0

    def one(self, field: Field) -> str:
        """The field's value, empty without one."""
        return next(iter(self.names.get(field, ())), "")


def asks(facts: Facts, condition: Condition) -> bool:
    """Whether a condition that time does not change holds."""
    held = tuple(one for one in facts.names.get(condition.field, ()) if one)
    match condition.operator:
        case Operator.IS:
            return any(one in condition.values for one in held)
        case Operator.IS_NOT:
            return not any(one in condition.values for one in held)
        case Operator.FILLED | Operator.YES:
            return bool(held)
        case Operator.EMPTY | Operator.NO:
            return not held
        case Operator.CONTAINS | Operator.CONTAINS_NOT:
            found = _contains(facts, condition, held)
            return found if condition.operator is Operator.CONTAINS else not found
        case Operator.AT_LEAST:
            return facts.reopened >= int(condition.values[0])


def _contains(facts: Facts, condition: Condition, held: Sequence[str]) -> bool:
    texts = (facts.text,) if condition.field == Field.TEXT else held
    wanted = [value.casefold() for value in condition.values]
    return any(value in text.casefold() for value in wanted for text in texts)


class Effect(StrEnum):
    """What a step would do to a ticket as it is. The values are phrase keys."""

    DONE = "done"
    ALREADY = "already"
    REFUSED = "refused"
    NOBODY = "nobody"

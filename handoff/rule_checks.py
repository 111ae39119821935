"""Whether a rule makes sense, judged before it is saved: names, numbers, contradictions, order.

Pure. Refuses what can never fit or never do anything, naming the line, so that an administrator
does not learn of it from tickets that stayed where they were. Endless loops need no check: see
``handoff.rules``.
"""

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from handoff.errors import RuleInvalid
from handoff.marks import is_tag
from handoff.rules import (
    BARE,
    CHOICES,
    CUSTOM,
    MOVING,
    NAMING,
    OPERATORS,
    RUNNING,
    WORDED,
    Condition,
    Field,
    Match,
    Occasion,
    Operator,
    Rule,
    Shape,
    Step,
    StepKind,
    shape_of,
)
from handoff.ticket import Level
from store.vocabulary import Severity

MAX_NAME, MAX_CONDITIONS, MAX_STEPS, MAX_VALUES = 80, 12, 8, 50
MAX_VALUE, MAX_NOTE = 120, 500
#: Working minutes: a year of days of eight hours is far beyond any promise.
MAX_MINUTES, MAX_REOPENED = 120_000, 50
#: What a note or notification of a rule may say of the ticket, in braces.
PLACEHOLDERS = (
    *("number", "title", "unit", "region", "module", "category"),
    *("severity", "status", "level", "rule"),
)
#: Levels that a rule may hand tickets to: the province takes them with a work order of a person.
LEVELS = tuple(level.value for level in Level if level is not Level.PROVINCE)
#: One word of a ticket, so that two different ones cannot hold together.
_SINGLE = frozenset({Shape.NAME, Shape.CHOICE, Shape.FLAG})


@dataclass(frozen=True, slots=True)
class Known:
    """What a rule may name besides the vocabulary: keys and ids of things that exist."""

    fields: frozenset[str] = frozenset()
    engineers: frozenset[str] = frozenset()
    notifications: frozenset[str] = frozenset()


def check(rule: Rule, known: Known) -> None:
    """Raise ``RuleInvalid`` for the first fault."""
    if not rule.name.strip() or len(rule.name) > MAX_NAME or not rule.name.isprintable():
        raise RuleInvalid("name", 0, "name")
    if len(rule.conditions) > MAX_CONDITIONS or len(rule.steps) > MAX_STEPS:
        raise RuleInvalid("conditions", 0, "many")
    for number, condition in enumerate(rule.conditions, 1):
        _check_condition(condition, number, rule.occasion, known)
    for number, step in enumerate(rule.steps, 1):
        _check_step(step, number, known)
    _check_whole(rule)


def _check_condition(one: Condition, number: int, occasion: Occasion, known: Known) -> None:
    shape = shape_of(one.field)
    unknown = one.field.startswith(CUSTOM) and one.field.removeprefix(CUSTOM) not in known.fields
    if shape is None or unknown:
        raise RuleInvalid("conditions", number, "field", one.field[:40])
    if one.operator not in OPERATORS[shape]:
        raise RuleInvalid("conditions", number, "operator", one.operator.value)
    if shape in RUNNING and occasion is not Occasion.TIME:
        raise RuleInvalid("conditions", number, "needs_time")
    if one.operator in BARE:
        if one.values:
            raise RuleInvalid("conditions", number, "bare")
        return
    _check_values(one, number, shape)


def _check_values(one: Condition, number: int, shape: Shape) -> None:
    if not one.values or not all(value.strip() for value in one.values):
        raise RuleInvalid("conditions", number, "empty")
    if len(one.values) > MAX_VALUES or any(len(value) > MAX_VALUE for value in one.values):
        raise RuleInvalid("conditions", number, "many")
    if one.operator is Operator.AT_LEAST:
        _check_number(one, number, shape)
    elif shape is Shape.CHOICE:
        for value in one.values:
            if value not in CHOICES[Field(one.field)]:
                raise RuleInvalid("conditions", number, "value", value)


_MOST: Mapping[Shape, int] = {
    Shape.COUNT: MAX_REOPENED,
    Shape.SPAN: MAX_MINUTES,
    Shape.SHARE: 100,
}


def _check_number(one: Condition, number: int, shape: Shape) -> None:
    text = one.values[0]
    plain = len(one.values) == 1 and text.isascii() and text.isdecimal() and len(text) < 10
    if not plain or not 1 <= int(text) <= _MOST[shape]:
        raise RuleInvalid("conditions", number, "number", text)


def _check_step(step: Step, number: int, known: Known) -> None:
    if (step.kind in NAMING) != bool(step.target.strip()):
        raise RuleInvalid("steps", number, "target")
    if step.text and step.kind not in WORDED:
        raise RuleInvalid("steps", number, "wordless")
    if step.kind is StepKind.NOTE and not step.text.strip():
        raise RuleInvalid("steps", number, "empty")
    if len(step.text) > MAX_NOTE or len(step.target) > MAX_VALUE:
        raise RuleInvalid("steps", number, "many")
    if not _is_known(step, known):
        raise RuleInvalid("steps", number, "value", step.target[:40])
    _check_words(step.text, number)


def _is_known(step: Step, known: Known) -> bool:
    match step.kind:
        case StepKind.QUEUE:
            return step.target in LEVELS
        case StepKind.ESCALATE:
            return step.target in LEVELS[1:]
        case StepKind.SEVERITY | StepKind.PROPOSE:
            return step.target in (Severity.URGENT.value, Severity.MAJOR.value)
        case StepKind.ENGINEER:
            return step.target in known.engineers
        case StepKind.NOTIFY:
            return step.target in known.notifications
        case StepKind.TAG | StepKind.UNTAG:
            return is_tag(step.target)
        case _:
            return True


def _check_words(text: str, number: int) -> None:
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError:
        raise RuleInvalid("steps", number, "braces") from None
    for _, name, spec, conversion in parts:
        if name is not None and name not in PLACEHOLDERS:
            raise RuleInvalid("steps", number, "placeholder", name[:40])
        if spec or conversion:
            raise RuleInvalid("steps", number, "braces")


def _check_whole(rule: Rule) -> None:
    if not rule.steps:
        raise RuleInvalid("steps", 0, "none")
    if not rule.conditions and rule.occasion is not Occasion.OPENED:
        raise RuleInvalid("conditions", 0, "everything")
    shapes = [shape_of(one.field) for one in rule.conditions]
    if rule.occasion is Occasion.TIME and not RUNNING.intersection(shapes):
        raise RuleInvalid("conditions", 0, "no_time")
    if sum(step.kind in MOVING for step in rule.steps) > 1:
        raise RuleInvalid("steps", 0, "two_hands")
    _check_pairs(rule)
    if rule.match is Match.ALL:
        _check_contradictions(rule.conditions)
        _check_futile(rule)


def _check_pairs(rule: Rule) -> None:
    """Steps that undo or repeat each other."""
    seen: set[tuple[StepKind, str]] = set()
    for number, step in enumerate(rule.steps, 1):
        if step.kind in (StepKind.TAG, StepKind.UNTAG):
            other = StepKind.UNTAG if step.kind is StepKind.TAG else StepKind.TAG
            if (other, step.target) in seen:
                raise RuleInvalid("steps", number, "undone", step.target)
        what = "" if step.kind is StepKind.SEVERITY else step.target or step.text
        if (step.kind, what) in seen:
            raise RuleInvalid("steps", number, "twice")
        seen.add((step.kind, what))


def _check_contradictions(conditions: Sequence[Condition]) -> None:
    for number, one in enumerate(conditions, 1):
        for other in conditions[: number - 1]:
            if one.field == other.field and _contradict(one, other):
                raise RuleInvalid("conditions", number, "contradiction")


def _contradict(one: Condition, other: Condition) -> bool:
    """Whether two conditions on one field can never hold together."""
    pair = {one.operator, other.operator}
    if pair in ({Operator.YES, Operator.NO}, {Operator.FILLED, Operator.EMPTY}):
        return True
    if Operator.EMPTY in pair and pair & {Operator.IS, Operator.CONTAINS}:
        return True
    if pair == {Operator.IS} and shape_of(one.field) in _SINGLE:
        return not set(one.values) & set(other.values)
    if pair == {Operator.IS, Operator.IS_NOT}:
        named, barred = (one, other) if one.operator is Operator.IS else (other, one)
        return set(named.values) <= set(barred.values)
    if pair == {Operator.CONTAINS, Operator.CONTAINS_NOT}:
        return set(one.values) == set(other.values)
    if pair == {Operator.IS_NOT} and shape_of(one.field) is Shape.CHOICE:
        return set(CHOICES[Field(one.field)]) <= {*one.values, *other.values}
    return False


def _check_futile(rule: Rule) -> None:
    """A step that finds its work done whenever the rule fits."""
    always = {one.field: set(one.values) for one in rule.conditions if one.operator is Operator.IS}
    for number, step in enumerate(rule.steps, 1):
        if _is_futile(step, always.get(Field.LEVEL), always.get(Field.SEVERITY)):
            raise RuleInvalid("steps", number, "futile")


def _is_futile(step: Step, levels: set[str] | None, severities: set[str] | None) -> bool:
    if step.kind is StepKind.ESCALATE and levels:
        return all(Level(one).rank >= Level(step.target).rank for one in levels)
    if step.kind in (StepKind.SEVERITY, StepKind.PROPOSE) and severities:
        return all(Severity(one).rank >= Severity(step.target).rank for one in severities)
    return False


def shadowed(rules: Sequence[Rule]) -> Mapping[str, str]:
    """Rules that no ticket reaches, by id, with the rule above them that always stops first."""
    found: dict[str, str] = {}
    for number, rule in enumerate(rules):
        for above in rules[:number]:
            if above.stop and above.occasion is rule.occasion and _covers(above, rule):
                found[rule.id] = above.id
                break
    return found


def _covers(above: Rule, below: Rule) -> bool:
    """Whether whatever fits ``below`` fits ``above``, as far as their conditions show."""
    if Match.ANY in (above.match, below.match):
        return above.match is below.match and above.conditions == below.conditions
    return set(above.conditions) <= set(below.conditions)

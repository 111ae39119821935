"""Rules of tickets to begin with: each fills the form of a new rule, which is tried and kept there.

Nothing of it is in force: whoever keeps one has looked at it, and a new rule is switched off.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from bot.phrases import Phrases
from handoff.rules import Condition, Field, Match, Occasion, Operator, Rule, Step, StepKind
from handoff.ticket import Level, Status
from store.vocabulary import Severity

_URGENT = Condition(Field.SEVERITY, Operator.IS, (Severity.URGENT.value, Severity.MAJOR.value))
_TO_SECOND = Step(StepKind.ESCALATE, Level.SECOND.value)


def _at_least(field: Field, number: int) -> Condition:
    return Condition(field, Operator.AT_LEAST, (str(number),))


def _is(field: Field, value: str) -> Condition:
    return Condition(field, Operator.IS, (value,))


def _rule(occasion: Occasion, conditions: tuple[Condition, ...], *steps: Step) -> Rule:
    return Rule("", "", occasion, Match.ALL, conditions, steps)


#: By key; tags and notes are the phrases ``rules.starter.KEY.tag`` and ``.note``.
_STARTERS: Mapping[str, Rule] = MappingProxyType(
    {
        "untaken": _rule(
            Occasion.TIME,
            (_is(Field.LEVEL, Level.FIRST.value), _at_least(Field.UNTAKEN_MINUTES, 30)),
            _TO_SECOND,
        ),
        "urgent_untaken": _rule(
            Occasion.TIME, (_URGENT, _at_least(Field.UNTAKEN_MINUTES, 10)), _TO_SECOND
        ),
        "nearly_late": _rule(
            Occasion.TIME,
            (_at_least(Field.RESOLVE_PERCENT, 80),),
            Step(StepKind.TAG, "tag"),
            Step(StepKind.NOTE, "", "note"),
        ),
        "idle": _rule(
            Occasion.TIME,
            (_is(Field.STATUS, Status.IN_PROGRESS.value), _at_least(Field.IDLE_MINUTES, 240)),
            Step(StepKind.NOTE, "", "note"),
        ),
        "reopened": _rule(
            Occasion.CHANGED,
            (_at_least(Field.REOPENED, 2),),
            Step(StepKind.TAG, "tag"),
            _TO_SECOND,
        ),
        "after_hours": _rule(
            Occasion.OPENED,
            (Condition(Field.OUTSIDE_HOURS, Operator.YES), _URGENT),
            Step(StepKind.TAG, "tag"),
        ),
        "call_back": _rule(
            Occasion.CHANGED,
            (_is(Field.STATUS, Status.RESOLVED.value), _URGENT),
            Step(StepKind.CALL_BACK),
        ),
    }
)


def starters(phrases: Phrases) -> Mapping[str, Rule]:
    """The rules by key, with their names and words."""
    return {key: _worded(phrases, key, rule) for key, rule in _STARTERS.items()}


def _worded(phrases: Phrases, key: str, rule: Rule) -> Rule:
    def said(step: Step) -> Step:
        match step.kind:
            case StepKind.TAG:
                return replace(step, target=phrases.say(f"rules.starter.{key}.{step.target}"))
            case StepKind.NOTE:
                return replace(step, text=phrases.say(f"rules.starter.{key}.{step.text}"))
            case _:
                return step

    name = phrases.say(f"rules.starter.{key}.name")
    return replace(rule, name=name, steps=tuple(said(step) for step in rule.steps))

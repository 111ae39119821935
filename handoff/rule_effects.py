"""What a step of a rule would do to a ticket as it is, and what its words say.

Pure. Running a rule asks here first, so a step that has nothing to do or that the ticket's status
does not allow is told as such instead of failing; trying a rule on past tickets asks the same.
"""

from collections.abc import Mapping

from handoff.rule_checks import PLACEHOLDERS
from handoff.rules import Effect, Facts, Field, Step, StepKind
from handoff.texts import clipped
from handoff.ticket import TRANSITIONS, Action, Level, Status
from store.vocabulary import Severity

_ACTIONS: Mapping[StepKind, Action] = {
    StepKind.QUEUE: Action.TRANSFER,
    StepKind.ENGINEER: Action.ASSIGN,
    StepKind.SKILL: Action.ASSIGN,
    StepKind.ESCALATE: Action.ESCALATE,
    StepKind.SEVERITY: Action.CHANGE_SEVERITY,
    StepKind.PROPOSE: Action.NOTE,
    StepKind.TAG: Action.MARK,
    StepKind.UNTAG: Action.MARK,
    StepKind.NOTE: Action.NOTE,
}

#: Nobody is asked how it was before it is over.
_OVER = frozenset({Status.RESOLVED, Status.CLOSED})


def effect(step: Step, facts: Facts) -> Effect:
    """What the step would do now."""
    if _is_done(step, facts):
        return Effect.ALREADY
    action = _ACTIONS.get(step.kind)
    status = Status(facts.one(Field.STATUS))
    if action is not None and (status, action) not in TRANSITIONS:
        return Effect.REFUSED
    if step.kind is StepKind.CALL_BACK and status not in _OVER:
        return Effect.REFUSED
    return Effect.DONE


def _is_done(step: Step, facts: Facts) -> bool:
    match step.kind:
        case StepKind.QUEUE:
            return facts.one(Field.LEVEL) == step.target and not facts.one(Field.ASSIGNED)
        case StepKind.ENGINEER:
            return facts.one(Field.ASSIGNED) == step.target
        case StepKind.ESCALATE:
            return Level(facts.one(Field.LEVEL)).rank >= Level(step.target).rank
        case StepKind.SEVERITY | StepKind.PROPOSE:
            return Severity(facts.one(Field.SEVERITY)).rank >= Severity(step.target).rank
        case StepKind.TAG:
            return step.target in facts.names.get(Field.TAG, ())
        case StepKind.UNTAG:
            return step.target not in facts.names.get(Field.TAG, ())
        case _:
            return False


def words(step: Step, facts: Facts, *, number: str, title: str, rule: str) -> str:
    """The step's text with its placeholders filled; what has no value is empty."""
    values = {name: facts.one(Field(name)) for name in PLACEHOLDERS if name in set(Field)}
    values |= {"number": number, "title": title, "rule": rule}
    return clipped(step.text.format_map(values), 2_000)

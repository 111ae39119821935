"""A rule tried on a ticket of the past: when it would have fitted, what it would have done.

Pure. Each ticket is read by itself and as it really went: what other rules would have changed is
not guessed at. Beside each step stands what really happened afterwards.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from handoff.rule_effects import effect
from handoff.rule_past import About, Seen, first_in
from handoff.rules import Effect, Facts, Field, Match, Rule, Step, StepKind, asks
from handoff.ticket import Level, Status
from store.vocabulary import Severity

#: What a ticket keeps from its opening to its end.
_FIXED = frozenset({Field.UNIT, Field.CHANNEL, Field.TEXT})
_TAKEN = frozenset({Status.IN_PROGRESS, Status.SUSPENDED, Status.RESOLVED, Status.CLOSED})


@dataclass(frozen=True, slots=True)
class Tried:
    """One step: what it would have done, and after how long it really came to that, if ever."""

    step: Step
    effect: Effect
    really: timedelta | None


@dataclass(frozen=True, slots=True)
class Found:
    """That the rule would have fitted a ticket, when, and how the ticket really went on.

    ``taken``: how long afterwards somebody began with it, zero when somebody had already.
    """

    at: datetime
    steps: tuple[Tried, ...]
    taken: timedelta | None
    level: Level
    severity: Severity
    status: Status


def is_possible(rule: Rule, about: About) -> bool:
    """Whether what never changes about a ticket lets the rule fit at all; read before the rest."""
    if rule.match is Match.ANY:
        return True
    names: dict[str, tuple[str, ...]] = {
        Field.UNIT: (about.unit,),
        Field.CHANNEL: (about.channel,),
    }
    facts = Facts(names, about.text)
    fixed = (one for one in rule.conditions if one.field in _FIXED)
    return all(asks(facts, one) for one in fixed)


def try_on(rule: Rule, history: Sequence[Seen], now: datetime) -> tuple[Found, ...]:
    """Every time between two reopenings that the rule would have fitted before ``now``."""
    last = history[-1].snapshot
    found = []
    for episode in range(last.reopened + 1):
        fit = first_in(rule, history, episode=episode)
        if fit is None or fit.at > now:
            continue
        later = [one for one in history if one.event.seq >= fit.seen.event.seq]
        found.append(
            Found(
                at=fit.at,
                steps=tuple(_tried(step, later, fit.at) for step in rule.steps),
                taken=_until(fit.at, later, lambda one: one.snapshot.status in _TAKEN),
                level=last.level,
                severity=last.severity,
                status=last.status,
            )
        )
    return tuple(found)


def _tried(step: Step, later: Sequence[Seen], at: datetime) -> Tried:
    foreseen = effect(step, later[0].situation.facts)
    if foreseen is not Effect.DONE:
        return Tried(step, foreseen, None)
    return Tried(step, foreseen, _until(at, later[1:], lambda one: _came_to(step, one)))


def _came_to(step: Step, one: Seen) -> bool:
    """Whether a ticket is as the step would have made it."""
    facts = one.situation.facts
    match step.kind:
        case StepKind.QUEUE | StepKind.ESCALATE:
            return one.snapshot.level.rank >= Level(step.target).rank
        case StepKind.SEVERITY | StepKind.PROPOSE:
            return one.snapshot.severity.rank >= Severity(step.target).rank
        case StepKind.ENGINEER:
            return facts.one(Field.ASSIGNED) == step.target
        case StepKind.SKILL:
            return bool(facts.one(Field.ASSIGNED))
        case StepKind.TAG:
            return step.target in facts.names[Field.TAG]
        case StepKind.UNTAG:
            return step.target not in facts.names[Field.TAG]
        case _:
            return False


def _until(at: datetime, later: Sequence[Seen], asked: Callable[[Seen], bool]) -> timedelta | None:
    return next((max(one.event.at - at, timedelta()) for one in later if asked(one)), None)

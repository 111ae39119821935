"""When a rule fits a ticket: now, and since when.

Pure. Between two events a ticket changes only by waiting, and every condition that waiting
changes turns true at one instant, or turns with the working hours. So the first moment at which a
rule fits is found by looking at a few instants instead of at every minute; running rules and
trying them on past tickets both come through here, and cannot disagree.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from handoff.calendar import Calendar
from handoff.contract import Target
from handoff.errors import NoWorkingTime
from handoff.rules import RUNNING, Condition, Facts, Field, Match, Operator, Rule, asks, shape_of

#: How far ahead the next closing of the office is looked for: longer than any run of holidays.
_CLOSING = timedelta(days=30)
_TARGETS: Mapping[str, Target] = MappingProxyType(
    {Field.RESPOND_PERCENT: Target.RESPOND, Field.RESOLVE_PERCENT: Target.RESOLVE}
)


@dataclass(frozen=True, slots=True)
class Situation:
    """A ticket from one event, at ``start``, to the next.

    ``since``: what the spans are counted from; one that is missing does not run. ``due``: when a
    percentage of a promised time is used up, ``None`` while that time does not run.
    """

    start: datetime
    facts: Facts
    since: Mapping[str, datetime]
    calendar: Calendar
    due: Callable[[Target, int], datetime | None]


def turns_true(condition: Condition, situation: Situation) -> datetime | None:
    """When a condition on spans or shares comes true in this situation; ``None`` for never."""
    amount = int(condition.values[0])
    if condition.field in _TARGETS:
        return situation.due(_TARGETS[condition.field], amount)
    since = situation.since.get(condition.field)
    if since is None:
        return None
    try:
        return situation.calendar.add(since, timedelta(minutes=amount)).deadline
    except NoWorkingTime:
        return None


def holds(condition: Condition, situation: Situation, at: datetime) -> bool:
    """Whether a condition holds at ``at``, within the situation."""
    if shape_of(condition.field) in RUNNING:
        moment = turns_true(condition, situation)
        return moment is not None and moment <= at
    if condition.field == Field.OUTSIDE_HOURS:
        return situation.calendar.is_working(at) is (condition.operator is Operator.NO)
    return asks(situation.facts, condition)


def holding(rule: Rule, situation: Situation, at: datetime) -> tuple[Condition, ...]:
    """The conditions that hold: what there is to say of why a rule fits."""
    return tuple(one for one in rule.conditions if holds(one, situation, at))


def fits(rule: Rule, situation: Situation, at: datetime) -> bool:
    """Whether the rule fits at ``at``. Without conditions it fits everything."""
    found = (holds(one, situation, at) for one in rule.conditions)
    if rule.match is Match.ALL or not rule.conditions:
        return all(found)
    return any(found)


def first_fit(rule: Rule, situation: Situation, until: datetime | None) -> datetime | None:
    """The first moment from the situation's start, before ``until``, at which the rule fits."""
    for moment in _instants(rule, situation):
        if until is not None and moment >= until:
            return None
        if fits(rule, situation, moment):
            return moment
    return None


def _instants(rule: Rule, situation: Situation) -> Sequence[datetime]:
    """Where the answer can turn from no to yes, in order.

    What waits turns once. Office hours turn again and again, but the first opening and the first
    closing after each other turn say all there is to say.
    """
    found = {situation.start}
    for condition in rule.conditions:
        if shape_of(condition.field) in RUNNING:
            moment = turns_true(condition, situation)
            if moment is not None and moment > situation.start:
                found.add(moment)
    if any(one.field == Field.OUTSIDE_HOURS for one in rule.conditions):
        found |= set(_office(situation.calendar, tuple(found)))
    return sorted(found)


def _office(calendar: Calendar, moments: Iterable[datetime]) -> Iterable[datetime]:
    """The first opening and the first closing from each moment on."""
    for moment in moments:
        try:
            yield calendar.add(moment, timedelta(0)).deadline
        except NoWorkingTime:
            continue
        closing = _closing(calendar, moment)
        if closing is not None:
            yield closing


def _closing(calendar: Calendar, moment: datetime) -> datetime | None:
    closing: datetime | None = None
    for start, end in calendar.intervals(moment, moment + _CLOSING):
        if closing is not None and start > closing:
            return closing
        # Spans may follow on each other without a break.
        closing = end
    return closing

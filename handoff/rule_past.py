"""A ticket's history as situations, one after each event: what rules look at, then and now.

Pure. The same reading serves a rule that runs and one that is tried on the tickets of last month.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from handoff import history, lifecycle
from handoff.contract import Target, Terms
from handoff.lifecycle import Event, Snapshot
from handoff.marks import NONE, Marks, marked
from handoff.rule_moments import Situation, first_fit, fits
from handoff.rules import CUSTOM, Facts, Field, Occasion, Rule
from handoff.ticket import OPEN_STATUSES, Action, Actor, ActorKind, Status

#: Rules act under this name and their id; what they did wakes no rule.
RULE = "rule:"
#: Waiting for somebody begins anew with these; being offered to one after another is one wait.
_WAIT_BEGINS = frozenset({Action.OPEN, Action.TRANSFER, Action.ESCALATE, Action.REOPEN})
_UNTAKEN = frozenset({Status.NEW, Status.DISPATCHED})


@dataclass(frozen=True, slots=True)
class About:
    """What of a ticket never changes."""

    unit: str
    channel: str
    text: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A ticket after one event: what rules ask about, and the row as it was."""

    event: Event
    snapshot: Snapshot
    situation: Situation
    until: datetime | None


def actor_of(rule: Rule) -> Actor:
    """Who acts when a rule does."""
    return Actor(ActorKind.SYSTEM, f"{RULE}{rule.id}", rule.name)


def by_rule(event: Event) -> bool:
    """Whether a rule did it."""
    return event.actor.kind is ActorKind.SYSTEM and event.actor.id.startswith(RULE)


def seen(about: About, events: Sequence[Event], terms: Terms) -> Iterator[Seen]:
    """The ticket after each event, in order. Raises ``BrokenHistory`` and ``UnknownTerms``."""
    since: dict[str, datetime] = {}
    marks = NONE
    for number, snapshot in enumerate(lifecycle.snapshots(events, terms), 1):
        event = events[number - 1]
        marks = marked(event, marks)
        since = _since(since, event, snapshot, events[number - 2 : number - 1])
        situation = Situation(
            start=event.at,
            facts=_facts(about, snapshot, marks),
            since=since,
            calendar=terms.calendar(terms.contract(snapshot.contract_id).calendar),
            due=_due(events, number, terms),
        )
        yield Seen(event, snapshot, situation, events[number].at if number < len(events) else None)


def _since(
    known: Mapping[str, datetime], event: Event, snapshot: Snapshot, before: Sequence[Event]
) -> dict[str, datetime]:
    found = dict(known)
    if snapshot.status not in OPEN_STATUSES:
        return {}
    found.setdefault(Field.OPEN_MINUTES, event.at)
    if not by_rule(event) or Field.IDLE_MINUTES not in found:
        found[Field.IDLE_MINUTES] = event.at
    taken = bool(before) and before[0].to_status not in _UNTAKEN
    if snapshot.status not in _UNTAKEN:
        found.pop(Field.UNTAKEN_MINUTES, None)
    elif event.action in _WAIT_BEGINS or taken:
        found[Field.UNTAKEN_MINUTES] = event.at
    return found


def _facts(about: About, snapshot: Snapshot, marks: Marks) -> Facts:
    names: dict[str, tuple[str, ...]] = {
        Field.REGION: (snapshot.region,),
        Field.UNIT: (about.unit,),
        Field.MODULE: (snapshot.module or "",),
        Field.CATEGORY: (snapshot.category.value,),
        Field.SEVERITY: (snapshot.severity.value,),
        Field.STATUS: (snapshot.status.value,),
        Field.LEVEL: (snapshot.level.value,),
        Field.CHANNEL: (about.channel,),
        Field.CONTRACT: (snapshot.contract_id,),
        Field.ASSIGNED: (snapshot.assignee_id or "",),
        Field.TAG: marks.tags,
        **{f"{CUSTOM}{key}": (value,) for key, value in marks.fields.items()},
    }
    return Facts(names, about.text, snapshot.reopened)


def _due(
    events: Sequence[Event], number: int, terms: Terms
) -> Callable[[Target, int], datetime | None]:
    """Reckoned only when a condition asks: it is the dear part."""

    def due(target: Target, percent: int) -> datetime | None:
        known = history.history_of(lifecycle.clock_events(events[:number]), terms)
        if target in known.kept or known.stopped is not None:
            return None
        return history.due(known, terms, target, percent)

    return due


@dataclass(frozen=True, slots=True)
class Fit:
    """That a rule fitted: after which event, and when."""

    seen: Seen
    at: datetime


def first_in(rule: Rule, history: Sequence[Seen], *, episode: int) -> Fit | None:
    """The first time that the rule fitted, between two reopenings; ``episode`` counts those."""
    for one in history:
        if one.snapshot.reopened != episode:
            continue
        at = _fit(rule, one)
        if at is not None:
            return Fit(one, at)
    return None


def _fit(rule: Rule, one: Seen) -> datetime | None:
    match rule.occasion:
        case Occasion.TIME:
            if one.snapshot.status not in OPEN_STATUSES:
                return None
            return first_fit(rule, one.situation, one.until)
        case Occasion.OPENED:
            looked_at = one.event.action is Action.OPEN
        case Occasion.CHANGED:
            looked_at = not by_rule(one.event)
    start = one.situation.start
    return start if looked_at and fits(rule, one.situation, start) else None

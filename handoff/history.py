"""Adds clock events up, and says when the time of each promise runs out.

Pure. Refuses to read or write anything; ``handoff.sla`` makes a state of it for one moment, and
``handoff.explanation`` the reckoning line by line. The rules, and why they are so, are in
``docs/adr/0009-sla-clock.md``:

- A promise's time is the working time of its clock since the promise was made, less holds.
- Raising the severity adds a promise that counts from that moment; a promise already made is
  never extended by it, so the earlier deadline binds. Lowering it drops the promises above; the
  promise of the new level counts from when the ticket last rose to that level or beyond.
- A deadline that passed unmet stays breached whatever happens later.
- The first response is not paused: waiting for somebody presupposes having spoken.
- Time between resolving and reopening is nobody's; what was left of the promise goes on.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from handoff.calendar import WorkingTime
from handoff.clock_events import (
    CalendarChanged,
    CategoryChanged,
    ClockEvent,
    Met,
    Paused,
    Reopened,
    Resumed,
    SeverityChanged,
    Started,
    Stopped,
    Transferred,
)
from handoff.contract import Clock, Contract, Origin, Promise, Target, Terms
from handoff.errors import BrokenHistory
from handoff.ticket import PauseReason
from store.vocabulary import Category, Severity


@dataclass(frozen=True, slots=True)
class Hold:
    """A time that does not count against a promise. Without a reason: it was resolved then.

    ``counts`` is false when the contract does not let this reason stop the clock.
    """

    start: datetime
    end: datetime | None
    reason: PauseReason | None
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Held:
    """The ticket has had this severity, or a higher one, since then."""

    severity: Severity
    since: datetime


@dataclass(frozen=True, slots=True)
class CalendarFrom:
    """This calendar holds from then on."""

    calendar: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Bound:
    """One promise that is in force: what was promised, on which clock, counted from when."""

    severity: Severity
    promise: Promise
    clock: Clock
    since: datetime


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch in which a promise's time may pass. An open end: it still runs."""

    start: datetime
    end: datetime | None
    calendar: str


@dataclass(frozen=True, slots=True)
class Kept:
    """When a target was met, and the bound that was in force then."""

    at: datetime
    bound: Bound | None
    deadline: datetime | None


@dataclass(frozen=True, slots=True)
class History:
    """What the events add up to before any deadline is asked for."""

    contract: Contract
    category: Category
    started: datetime
    last: datetime
    severities: tuple[Held, ...]
    calendars: tuple[CalendarFrom, ...]
    holds: tuple[Hold, ...]
    kept: Mapping[Target, Kept]
    breached: Mapping[Target, datetime]
    stopped: datetime | None

    @property
    def severity(self) -> Severity:
        """The severity now."""
        return self.severities[-1].severity

    @property
    def pause(self) -> Hold | None:
        """The pause that has not ended."""
        last = self.holds[-1] if self.holds else None
        return last if last is not None and last.end is None else None


def history_of(events: Iterable[ClockEvent], terms: Terms) -> History:
    """Everything the events say, in order. Raises ``BrokenHistory`` for impossible ones."""
    history: History | None = None
    for event in events:
        if history is None:
            history = _begin(event, terms)
            continue
        if event.at < history.last:
            raise BrokenHistory("clock events are not in the order of time")
        history = _apply(_note_breaches(history, terms, event.at), event, terms)
    if history is None:
        raise BrokenHistory("a clock without events")
    return history


def _begin(event: ClockEvent, terms: Terms) -> History:
    if not isinstance(event, Started):
        raise BrokenHistory("the first clock event is not a start")
    contract = terms.contract(event.contract)
    return History(
        contract=contract,
        category=event.category,
        started=event.at,
        last=event.at,
        severities=(Held(event.severity, event.at),),
        calendars=(CalendarFrom(contract.calendar, event.at),),
        holds=(),
        kept={},
        breached={},
        stopped=None,
    )


def _apply(history: History, event: ClockEvent, terms: Terms) -> History:
    history = replace(history, last=event.at)
    match event:
        case Started():
            raise BrokenHistory("a clock started twice")
        case Paused() | Resumed():
            return _hold(history, event)
        case SeverityChanged() | CategoryChanged():
            return _reclassify(history, event)
        case Transferred() | CalendarChanged():
            return _rebase(history, event, terms)
        case Met():
            return _keep(history, event, terms)
        case Reopened():
            return _reopen(history, event.at)
        case Stopped():
            return replace(end_pause(history, event.at), stopped=event.at)
        case _:
            assert_never(event)


def _hold(history: History, event: Paused | Resumed) -> History:
    match event:
        case Paused() if history.pause is None:
            counts = event.reason in history.contract.pauses
            return replace(
                history, holds=(*history.holds, Hold(event.at, None, event.reason, counts))
            )
        case Resumed() if history.pause is not None:
            return end_pause(history, event.at)
        case _:
            raise BrokenHistory("paused while paused, or resumed while running")


def end_pause(history: History, at: datetime) -> History:
    """The history with its open pause, if any, ended."""
    if history.pause is None:
        return history
    return replace(history, holds=(*history.holds[:-1], replace(history.holds[-1], end=at)))


def _reclassify(history: History, event: SeverityChanged | CategoryChanged) -> History:
    if isinstance(event, CategoryChanged):
        return replace(history, category=event.category)
    return replace(history, severities=_severities(history.severities, event))


def _severities(held: tuple[Held, ...], event: SeverityChanged) -> tuple[Held, ...]:
    """A stack that rises: what is above the new severity goes, and its age passes down."""
    lower = tuple(entry for entry in held if entry.severity.rank <= event.severity.rank)
    above = held[len(lower) :]
    if lower and lower[-1].severity is event.severity:
        return lower
    since = above[0].since if above else event.at
    return (*lower, Held(event.severity, since))


def _rebase(history: History, event: Transferred | CalendarChanged, terms: Terms) -> History:
    if isinstance(event, CalendarChanged):
        calendar = event.calendar
    elif event.contract is None:
        return history
    else:
        history = replace(history, contract=terms.contract(event.contract))
        calendar = history.contract.calendar
    if calendar == history.calendars[-1].calendar:
        return history
    return replace(history, calendars=(*history.calendars, CalendarFrom(calendar, event.at)))


def _keep(history: History, event: Met, terms: Terms) -> History:
    """Resolving ends a pause, and also answers and arranges: nobody owes those any more."""
    resolving = event.target is Target.RESOLVE
    if resolving:
        history = end_pause(history, event.at)
    targets = (Target.RESPOND, Target.ARRANGE, Target.RESOLVE) if resolving else (event.target,)
    kept = dict(history.kept)
    for target in targets:
        if target not in kept:
            bound = binding(history, terms, target, event.at)
            kept[target] = Kept(event.at, bound, due(history, terms, target))
    return replace(history, kept=kept)


def _reopen(history: History, at: datetime) -> History:
    resolved = history.kept.get(Target.RESOLVE)
    if resolved is None:
        raise BrokenHistory("reopened without having been resolved")
    kept = dict(history.kept)
    del kept[Target.RESOLVE]
    return replace(history, kept=kept, holds=(*history.holds, Hold(resolved.at, at, None)))


def _note_breaches(history: History, terms: Terms, until: datetime) -> History:
    found = dict(history.breached)
    for target in Target:
        at = breach(history, terms, target, until)
        if at is not None:
            found.setdefault(target, at)
    return replace(history, breached=found)


def breach(history: History, terms: Terms, target: Target, until: datetime) -> datetime | None:
    """When the promise for ``target`` was broken, if that was before ``until``."""
    if target in history.breached:
        return history.breached[target]
    if target in history.kept or history.stopped is not None:
        return None
    deadline = due(history, terms, target)
    return deadline if deadline is not None and deadline < until else None


def bounds(history: History, target: Target) -> tuple[Bound, ...]:
    """The promises in force for ``target``, the one of the lowest severity first."""
    found = []
    for held in history.severities:
        promise = history.contract.promise(held.severity, target, history.category)
        since = _origin(history, promise, held.since) if promise else None
        if promise is not None and since is not None:
            clock = history.contract.clock(held.severity)
            found.append(Bound(held.severity, promise, clock, since))
    return tuple(found)


def _origin(history: History, promise: Promise, since: datetime) -> datetime | None:
    if promise.origin is Origin.OPENED:
        return since
    resolved = history.kept.get(Target.RESOLVE)
    return max(since, resolved.at) if resolved else None


def runs(history: History, target: Target, since: datetime) -> tuple[Run, ...]:
    """The stretches since ``since`` in which the time of ``target`` may pass, in order."""
    cuts: list[tuple[datetime, datetime | None]] = []
    cursor: datetime | None = since
    for hold in holds(history, target):
        if cursor is None or (hold.end is not None and hold.end <= cursor):
            continue
        if hold.start > cursor:
            cuts.append((cursor, hold.start))
        cursor = hold.end
    if cursor is not None:
        cuts.append((cursor, None))
    return tuple(run for start, end in cuts for run in by_calendar(history, start, end))


def holds(history: History, target: Target) -> tuple[Hold, ...]:
    """The holds that stop the time of ``target``."""
    if target is Target.RESPOND:
        return ()
    return tuple(
        hold
        for hold in history.holds
        if hold.counts and (hold.reason is not None or target is not Target.REPORT)
    )


def by_calendar(history: History, start: datetime, end: datetime | None) -> Iterator[Run]:
    """A stretch of time cut where another calendar begins to hold."""
    ends = [*(entry.since for entry in history.calendars[1:]), None]
    for entry, until in zip(history.calendars, ends, strict=True):
        first = max(start, entry.since)
        last = _earlier(end, until)
        if last is None or first < last:
            yield Run(first, last, entry.calendar)


def _earlier(first: datetime | None, second: datetime | None) -> datetime | None:
    known = [moment for moment in (first, second) if moment is not None]
    return min(known, default=None)


def bound_deadline(
    history: History, terms: Terms, target: Target, bound: Bound, percent: int = 100
) -> datetime | None:
    """When ``percent`` of one promise's time is used up; ``None`` while its time stands still."""
    left = bound.promise.budget * percent / 100
    for run in runs(history, target, bound.since):
        time = _time(terms, bound, run)
        used = time.between(run.start, run.end) if run.end is not None else left
        if used >= left:
            return time.add(run.start, left).deadline
        left -= used
    return None


def due(history: History, terms: Terms, target: Target, percent: int = 100) -> datetime | None:
    """The earliest deadline among the promises in force, or of ``percent`` of their time."""
    deadlines = (
        bound_deadline(history, terms, target, bound, percent) for bound in bounds(history, target)
    )
    return min((moment for moment in deadlines if moment is not None), default=None)


def binding(history: History, terms: Terms, target: Target, now: datetime) -> Bound | None:
    """The promise that falls due first; for those that stand still, as if they ran from ``now``."""

    def key(bound: Bound) -> datetime:
        deadline = bound_deadline(history, terms, target, bound)
        if deadline is not None:
            return deadline
        left = max(bound.promise.budget - used(history, terms, target, bound, now), timedelta(0))
        calendar = history.calendars[-1].calendar
        return terms.working_time(bound.clock, calendar).add(now, left).deadline

    return min(bounds(history, target), key=key, default=None)


def used(
    history: History, terms: Terms, target: Target, bound: Bound, until: datetime
) -> timedelta:
    """Working time of one promise used up to ``until``."""
    total = timedelta(0)
    for run in runs(history, target, bound.since):
        end = until if run.end is None else min(run.end, until)
        total += _time(terms, bound, run).between(run.start, end)
    return total


def _time(terms: Terms, bound: Bound, run: Run) -> WorkingTime:
    return terms.working_time(bound.clock, run.calendar)

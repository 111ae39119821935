"""Why a deadline is what it is: the reckoning line by line.

Pure. A line is a phrase key with typed values; ``render`` words them through a catalogue that the
caller brings, so nothing here is a sentence. The lines are read off the same pieces of time that
the deadline was reckoned from, so they cannot tell another story.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

from handoff.calendar import Counted, Gap, Skipped
from handoff.clock_events import ClockEvent, Met, SeverityChanged, Started
from handoff.contract import Clock, Origin, Target, Terms
from handoff.history import (
    Bound,
    History,
    Hold,
    Run,
    binding,
    bound_deadline,
    bounds,
    breach,
    by_calendar,
    end_pause,
    history_of,
    holds,
    runs,
    used,
)
from handoff.ticket import PauseReason
from store.vocabulary import Severity

Value = str | int | datetime | timedelta | StrEnum

PREFIX = "sla.explain."

#: Every line there is, so that a catalogue can be checked against it.
KEYS: frozenset[str] = frozenset(
    PREFIX + name
    for name in (
        "promise",
        "raised",
        "lowered",
        "not_binding",
        "year_unknown",
        "start",
        "counted",
        "counted_makeup",
        *Gap,
        "paused",
        "paused_outside",
        "paused_now",
        "pause_ignored",
        "resolved_meanwhile",
        "calendar_changed",
        "deadline",
        "standing_still",
        "met_in_time",
        "met_late",
        "stopped",
        "breached",
        "at_once",
        "not_promised",
        "after_resolution",
    )
)


@dataclass(frozen=True, slots=True)
class ExplanationLine:
    """One line: a phrase key below ``sla.explain`` and its named values."""

    key: str
    values: Mapping[str, Value]

    def data(self) -> dict[str, str | int]:
        """The values as JSON: instants in ISO 8601, durations in whole seconds."""
        return {name: _json(value) for name, value in self.values.items()}


class Say(Protocol):
    """A catalogue of phrases: the text of ``key`` with its placeholders filled."""

    def __call__(self, key: str, **values: object) -> str: ...


def explain(
    events: Iterable[ClockEvent], terms: Terms, target: Target, now: datetime
) -> tuple[ExplanationLine, ...]:
    """How the deadline of ``target`` came about, as things stand at ``now``.

    For a target that was met, as things stood then.
    """
    so_far = tuple(events)
    history = history_of(so_far, terms)
    kept = history.kept.get(target)
    if kept is not None:
        history = _until_met(so_far, terms, target)
        bound, until = kept.bound, kept.at
    else:
        bound, until = binding(history, terms, target, now), min(now, history.stopped or now)
    if bound is None:
        return (_unpromised(history, target), *_breached(breach(history, terms, target, now)))
    lines = _Lines(history, terms, target, bound, until)
    return (
        *_ratings(so_far, until),
        *lines.all(),
        *_outcome(history_of(so_far, terms), lines, now),
    )


def _ratings(events: Sequence[ClockEvent], until: datetime) -> Iterator[ExplanationLine]:
    """How the severity moved."""
    severity: Severity | None = None
    for event in events:
        if event.at > until or not isinstance(event, Started | SeverityChanged):
            continue
        if severity is not None:
            raised = event.severity.rank > severity.rank
            yield _line(
                "raised" if raised else "lowered",
                at=event.at,
                before=severity,
                severity=event.severity,
            )
        severity = event.severity


def _until_met(events: Sequence[ClockEvent], terms: Terms, target: Target) -> History:
    """The history just before the target was met for the last time."""
    also = {Target.RESPOND, Target.ARRANGE} if target is not Target.REPORT else set()
    met = [
        index
        for index, event in enumerate(events)
        if isinstance(event, Met)
        and (event.target is target or (event.target is Target.RESOLVE and target in also))
    ]
    index = met[-1] if target is Target.RESOLVE else met[0]
    before = history_of(events[:index], terms)
    event = events[index]
    resolving = isinstance(event, Met) and event.target is Target.RESOLVE
    return end_pause(before, event.at) if resolving else before


def _unpromised(history: History, target: Target) -> ExplanationLine:
    level = history.contract.levels.get(history.severity)
    values: dict[str, Value] = {
        "contract": history.contract.name,
        "severity": history.severity,
        "target": target,
    }
    if level is not None and target in level.at_once:
        return ExplanationLine(PREFIX + "at_once", values)
    promise = history.contract.promise(history.severity, target, history.category)
    if promise is not None and promise.origin is Origin.RESOLVED:
        return ExplanationLine(PREFIX + "after_resolution", values)
    return ExplanationLine(PREFIX + "not_promised", values)


@dataclass(frozen=True, slots=True)
class _Lines:
    """The reckoning of one promise, told in order."""

    history: History
    terms: Terms
    target: Target
    bound: Bound
    until: datetime

    @property
    def deadline(self) -> datetime | None:
        return bound_deadline(self.history, self.terms, self.target, self.bound)

    @property
    def end(self) -> datetime:
        """Where the story ends: at the deadline, or now while the time stands still."""
        return self.deadline or self.until

    def all(self) -> Iterator[ExplanationLine]:
        yield self._promise()
        yield from self._other_promises()
        yield from self._unknown_years()
        yield _line("start", at=self.bound.since)
        yield from self._course()

    def _promise(self) -> ExplanationLine:
        level = self.history.contract.levels[self.bound.severity]
        return _line(
            "promise",
            contract=self.history.contract.name,
            term=level.term,
            target=self.target,
            amount=self.bound.promise.budget,
            clock=self.bound.clock,
        )

    def _other_promises(self) -> Iterator[ExplanationLine]:
        """Promises of other severities that are in force and fall due later."""
        for other in bounds(self.history, self.target):
            at = bound_deadline(self.history, self.terms, self.target, other)
            if other != self.bound and at is not None:
                yield _line("not_binding", severity=other.severity, deadline=at)

    def _unknown_years(self) -> Iterator[ExplanationLine]:
        if self.bound.clock is Clock.AROUND_THE_CLOCK:
            return
        years: set[int] = set()
        for run in self._runs():
            calendar = self.terms.calendar(run.calendar)
            years.update(calendar.unknown_years(run.start, run.end or self.end))
        for year in sorted(years):
            yield _line("year_unknown", year=year)

    def _runs(self) -> list[Run]:
        found = runs(self.history, self.target, self.bound.since)
        return [run for run in found if run.start < self.end]

    def _course(self) -> Iterator[ExplanationLine]:
        """Running stretches and holds, in the order of time."""
        stretches = self._runs()
        pauses = [hold for hold in self._holds() if hold.start < self.end or hold.end is None]
        total = timedelta(0)
        parts: list[Run | Hold] = [*stretches, *pauses]
        for item in sorted(parts, key=lambda part: part.start):
            if isinstance(item, Hold):
                yield self._hold(item)
                continue
            yield from self._switch(item)
            yield from self._run(item, total)
            total = used(self.history, self.terms, self.target, self.bound, item.end or self.end)

    def _run(self, run: Run, total: timedelta) -> Iterator[ExplanationLine]:
        time = self.terms.working_time(self.bound.clock, run.calendar)
        for piece in time.pieces(run.start, min(run.end or self.end, self.end)):
            match piece:
                case Counted():
                    amount = piece.end - piece.start
                    total += amount
                    key = "counted_makeup" if piece.name else "counted"
                    extra = {"name": piece.name} if piece.name else {}
                    yield _line(
                        key, start=piece.start, end=piece.end, amount=amount, total=total, **extra
                    )
                case Skipped():
                    extra = {"name": piece.name} if piece.name else {}
                    yield _line(piece.gap.value, start=piece.start, end=piece.end, **extra)

    def _switch(self, run: Run) -> Iterator[ExplanationLine]:
        for entry in self.history.calendars[1:]:
            if entry.since == run.start:
                name = self.terms.calendar(entry.calendar).name
                yield _line("calendar_changed", at=entry.since, calendar=name)

    def _holds(self) -> list[Hold]:
        """Holds since the promise was made: those that stop the time, and those that do not."""
        stopping = holds(self.history, self.target)
        told = [
            hold
            for hold in self.history.holds
            if hold in stopping or (hold.reason is not None and not hold.counts)
        ]
        if self.target is Target.RESPOND:
            told = [hold for hold in self.history.holds if hold.reason is not None]
        return [hold for hold in told if hold.end is None or hold.end > self.bound.since]

    def _hold(self, hold: Hold) -> ExplanationLine:
        start, end = max(hold.start, self.bound.since), hold.end
        if hold.reason is None:
            return _line("resolved_meanwhile", start=start, end=end or self.until)
        if hold not in holds(self.history, self.target):
            return self._ignored(hold.reason, start, end)
        if end is None:
            return _line("paused_now", start=start, reason=hold.reason)
        amount = self._between(start, end)
        key = "paused" if amount else "paused_outside"
        extra: dict[str, Value] = {"amount": amount} if amount else {}
        return _line(key, start=start, end=end, reason=hold.reason, **extra)

    def _ignored(
        self, reason: PauseReason, start: datetime, end: datetime | None
    ) -> ExplanationLine:
        return _line("pause_ignored", start=start, end=end or self.until, reason=reason)

    def _between(self, start: datetime, end: datetime) -> timedelta:
        total = timedelta(0)
        for part in by_calendar(self.history, start, end):
            time = self.terms.working_time(self.bound.clock, part.calendar)
            total += time.between(part.start, part.end or end)
        return total


def _outcome(history: History, lines: _Lines, now: datetime) -> Iterator[ExplanationLine]:
    """What came of it, from the whole history."""
    target, deadline = lines.target, lines.deadline
    if deadline is not None:
        yield _line("deadline", deadline=deadline)
    else:
        spent = used(lines.history, lines.terms, target, lines.bound, lines.until)
        left = max(lines.bound.promise.budget - spent, timedelta(0))
        yield _line("standing_still", used=spent, remaining=left)
    broken = breach(history, lines.terms, target, now)
    kept = history.kept.get(target)
    if kept is not None:
        yield _line("met_late" if broken else "met_in_time", at=kept.at)
    elif history.stopped is not None:
        yield _line("stopped", at=history.stopped)
    yield from _breached(broken)


def _breached(since: datetime | None) -> Iterator[ExplanationLine]:
    if since is not None:
        yield _line("breached", since=since)


def _line(key: str, **values: Value) -> ExplanationLine:
    return ExplanationLine(PREFIX + key, values)


def render(lines: Iterable[ExplanationLine], *, zone: ZoneInfo, say: Say) -> tuple[str, ...]:
    """The lines in words, with instants in ``zone``.

    Besides the lines' own keys it asks for ``sla.moment``, ``sla.weekday.1`` to ``7``,
    ``sla.duration.*``, ``sla.target.*`` and ``sla.clock.*``.
    """
    return tuple(
        say(line.key, **{name: _words(value, zone, say) for name, value in line.values.items()})
        for line in lines
    )


def moment(at: datetime, *, zone: ZoneInfo, say: Say) -> str:
    """An instant in the region's time, with the weekday."""
    local = at.astimezone(zone)
    # A deadline of 17:29:30 must not read 17:30; one second too early harms nobody.
    return say(
        "sla.moment",
        year=local.year,
        month=local.month,
        day=local.day,
        weekday=say(f"sla.weekday.{local.isoweekday()}"),
        time=local.strftime("%H:%M:%S" if local.second else "%H:%M"),
    )


def duration(amount: timedelta, *, say: Say) -> str:
    """A length of working time in hours, minutes and, when there are any, seconds."""
    seconds = int(abs(amount).total_seconds())
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    parts = [("hours", hours), ("minutes", minutes), ("seconds", rest)]
    told = [say(f"sla.duration.{unit}", count=count) for unit, count in parts if count]
    return "".join(told) or say("sla.duration.minutes", count=0)


def _words(value: Value, zone: ZoneInfo, say: Say) -> str | int:
    match value:
        case datetime():
            return moment(value, zone=zone, say=say)
        case timedelta():
            return duration(value, say=say)
        case Target():
            return say(f"sla.target.{value.value}")
        case Clock():
            return say(f"sla.clock.{value.name.lower()}")
        case _:
            return value


def _json(value: Value) -> str | int:
    match value:
        case datetime():
            return value.isoformat()
        case timedelta():
            return int(value.total_seconds())
        case _:
            return value if isinstance(value, int) else str(value)

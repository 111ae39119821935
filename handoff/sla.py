"""The clock of service levels at one moment: a fold over events.

Pure: the same events and terms always give the same state. Refuses to read or write anything.
The rules of reckoning are in ``handoff.history``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from handoff.clock_events import ClockEvent
from handoff.contract import Target, Terms
from handoff.history import Bound, History, binding, breach, due, history_of, used
from handoff.ticket import PauseReason
from store.vocabulary import Severity


class Phase(StrEnum):
    """Where a target stands."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class TargetState:
    """One promised target.

    ``deadline`` is ``None`` while the time does not run (paused, or not begun). ``used`` and
    ``remaining`` are working time of the binding promise; ``remaining`` is negative when overdue.
    """

    target: Target
    phase: Phase
    bound: Bound | None
    deadline: datetime | None
    met_at: datetime | None
    breached_at: datetime | None
    used: timedelta
    remaining: timedelta | None

    @property
    def breached(self) -> bool:
        """Whether the promise was broken at some time."""
        return self.breached_at is not None

    @property
    def paused(self) -> bool:
        """Whether its time stands still for now."""
        return self.phase is Phase.PAUSED


@dataclass(frozen=True, slots=True)
class ClockState:
    """All targets that the contract states for the ticket, at one moment."""

    contract: str
    calendar: str
    severity: Severity
    paused: PauseReason | None
    targets: Mapping[Target, TargetState]
    written_report_owed: bool

    @property
    def next_due(self) -> datetime | None:
        """The earliest deadline that still runs."""
        running = [
            state.deadline
            for state in self.targets.values()
            if state.phase is Phase.RUNNING and state.deadline is not None
        ]
        return min(running, default=None)


@dataclass(frozen=True, slots=True)
class Milestone:
    """When ``percent`` of a running promise's time is used up; 100 is the deadline."""

    target: Target
    percent: int
    at: datetime


def fold(events: Iterable[ClockEvent], terms: Terms, now: datetime) -> ClockState:
    """The clock's state at ``now``. Raises ``BrokenHistory`` for impossible events."""
    history = history_of(events, terms)
    states = {target: _state(history, terms, target, now) for target in Target}
    pause = history.pause
    return ClockState(
        contract=history.contract.id,
        calendar=history.calendars[-1].calendar,
        severity=history.severity,
        paused=pause.reason if pause else None,
        targets={target: state for target, state in states.items() if state is not None},
        written_report_owed=_written_report_owed(history, terms, now),
    )


def milestones(events: Iterable[ClockEvent], terms: Terms) -> tuple[Milestone, ...]:
    """Warnings of the contract and deadlines of everything that runs, earliest first."""
    history = history_of(events, terms)
    found = []
    for target in Target:
        if target in history.kept or history.stopped is not None:
            continue
        for percent in (*history.contract.warn_at, 100):
            at = due(history, terms, target, percent)
            if at is not None:
                found.append(Milestone(target, percent, at))
    return tuple(sorted(found, key=lambda milestone: milestone.at))


def _state(history: History, terms: Terms, target: Target, now: datetime) -> TargetState | None:
    kept = history.kept.get(target)
    bound = kept.bound if kept else binding(history, terms, target, now)
    broken = breach(history, terms, target, now)
    # A promise that was broken stays on record when another severity or category has none.
    if bound is None and broken is None and not _promised(history, target):
        return None
    until = kept.at if kept else min(now, history.stopped or now)
    spent = used(history, terms, target, bound, until) if bound else timedelta(0)
    deadline = kept.deadline if kept else due(history, terms, target)
    return TargetState(
        target=target,
        phase=_phase(history, target, bound, deadline),
        bound=bound,
        deadline=deadline,
        met_at=kept.at if kept else None,
        breached_at=broken,
        used=spent,
        remaining=bound.promise.budget - spent if bound else None,
    )


def _promised(history: History, target: Target) -> bool:
    promise = history.contract.promise(history.severity, target, history.category)
    return promise is not None and target not in history.kept


def _phase(
    history: History, target: Target, bound: Bound | None, deadline: datetime | None
) -> Phase:
    if target in history.kept:
        return Phase.MET
    if history.stopped is not None:
        return Phase.STOPPED
    if bound is None:
        return Phase.PENDING if _promised(history, target) else Phase.STOPPED
    return Phase.RUNNING if deadline is not None else Phase.PAUSED


def _written_report_owed(history: History, terms: Terms, now: datetime) -> bool:
    level = history.contract.levels.get(history.severity)
    bound = binding(history, terms, Target.RESOLVE, now)
    if level is None or level.written_report_after is None or bound is None:
        return False
    kept = history.kept.get(Target.RESOLVE)
    spent = used(history, terms, Target.RESOLVE, bound, kept.at if kept else now)
    return spent > timedelta(minutes=level.written_report_after)

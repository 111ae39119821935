"""What a ticket's events add up to: the row, and the clock's events.

Pure. A ticket's row holds nothing that its events do not say, so replaying them must give the row
again. Refuses to decide whether an event may happen (``handoff.ticket`` and ``handoff.service``
do) and to reckon time (``handoff.history`` does).

Keys of ``Event.detail`` that this module reads: ``severity``, ``category``, ``module``, ``level``,
``region``, ``contract``, ``calendar``, ``revision``, ``assignee_id``, ``reason``, ``resume_at``,
``cause``, ``solution``, ``confirm_until``, ``into_id``. Instants in it are ISO 8601 texts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

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
from handoff.contract import Target, Terms
from handoff.errors import BrokenHistory
from handoff.sla import ClockState, fold
from handoff.ticket import OPENED, Action, Actor, Level, PauseReason, Status
from store.vocabulary import Category, Severity


@dataclass(frozen=True, slots=True)
class Event:
    """One thing done to a ticket. ``seq`` counts from 1 without holes."""

    seq: int
    at: datetime
    action: Action
    actor: Actor
    from_status: Status | None
    to_status: Status
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything about a ticket that events change. Field names are the row's column names."""

    status: Status
    version: int
    updated_at: datetime
    severity: Severity
    category: Category
    module: str | None
    level: Level
    region: str
    contract_id: str
    calendar_id: str
    sla_revision: str
    assignee_id: str | None = None
    assigned_at: datetime | None = None
    queued_at: datetime | None = None
    pause_reason: PauseReason | None = None
    resume_at: datetime | None = None
    cause: str | None = None
    solution: str | None = None
    merged_into_id: str | None = None
    reopened: int = 0
    responded_at: datetime | None = None
    arranged_at: datetime | None = None
    resolved_at: datetime | None = None
    reported_at: datetime | None = None
    confirm_until: datetime | None = None
    closed_at: datetime | None = None
    respond_due: datetime | None = None
    arrange_due: datetime | None = None
    resolve_due: datetime | None = None
    report_due: datetime | None = None
    next_due: datetime | None = None
    respond_breached_at: datetime | None = None
    arrange_breached_at: datetime | None = None
    resolve_breached_at: datetime | None = None
    report_breached_at: datetime | None = None


def replay(events: Sequence[Event], terms: Terms) -> Snapshot:
    """The ticket after its events. Raises ``BrokenHistory`` for events that cannot be."""
    *_, snapshot = snapshots(events, terms)
    state = fold(clock_events(events), terms, events[-1].at)
    return replace(snapshot, calendar_id=state.calendar, **_clock_columns(state))


def snapshots(events: Sequence[Event], terms: Terms) -> Iterator[Snapshot]:
    """The ticket after each of its events, without what the clock says. Raises as ``replay``."""
    if not events or events[0].action is not Action.OPEN:
        raise BrokenHistory("the first event of a ticket is not its opening")
    snapshot = _opened(events[0], terms)
    yield snapshot
    for event in events[1:]:
        if event.seq != snapshot.version + 1 or event.from_status is not snapshot.status:
            raise BrokenHistory(f"event {event.seq} does not follow from the one before")
        snapshot = _after(snapshot, event)
        yield snapshot


def _opened(event: Event, terms: Terms) -> Snapshot:
    detail = event.detail
    return Snapshot(
        status=OPENED,
        version=event.seq,
        updated_at=event.at,
        severity=Severity(detail["severity"]),
        category=Category(detail["category"]),
        module=detail.get("module"),
        level=Level(detail.get("level", Level.FIRST)),
        region=detail.get("region", ""),
        contract_id=detail["contract"],
        calendar_id=terms.contract(detail["contract"]).calendar,
        sla_revision=detail.get("revision", ""),
        queued_at=event.at,
    )


def _after(snapshot: Snapshot, event: Event) -> Snapshot:
    return replace(
        snapshot,
        status=event.to_status,
        version=event.seq,
        updated_at=event.at,
        **_classification(event),
        **_hands(snapshot, event),
        **_waiting(event),
        **_outcome(snapshot, event),
    )


def _classification(event: Event) -> dict[str, Any]:
    """What it is about and what holds for it."""
    detail = event.detail
    match event.action:
        case Action.CHANGE_SEVERITY:
            return {"severity": Severity(detail["severity"])}
        case Action.CLASSIFY:
            return {"category": Category(detail["category"]), "module": detail.get("module")}
        case Action.TRANSFER if detail.get("contract"):
            return {"contract_id": detail["contract"], "sla_revision": detail.get("revision", "")}
        case Action.RECALCULATE:
            return {"sla_revision": detail["revision"]}
        case _:
            return {}


#: These put a waiting ticket at the end of another queue; the others leave it where it waits.
_MOVES = frozenset({Action.TRANSFER, Action.ESCALATE})


def _hands(snapshot: Snapshot, event: Event) -> dict[str, Any]:
    """Who has it, at which level, and since when it waits in a queue."""
    detail = event.detail
    changes: dict[str, Any] = {
        "level": Level(detail.get("level", snapshot.level)),
        "region": detail.get("region", snapshot.region),
        "assignee_id": snapshot.assignee_id,
    }
    match event.action:
        case Action.CLAIM:
            changes["assignee_id"] = event.actor.id
        case Action.RELEASE:
            changes["assignee_id"] = None
        case Action.ASSIGN | Action.TRANSFER | Action.ESCALATE:
            changes["assignee_id"] = detail.get("assignee_id")
        case _:
            pass
    holder = changes["assignee_id"]
    queued = event.to_status in (Status.NEW, Status.DISPATCHED) and holder is None
    since = event.at if event.action in _MOVES else snapshot.queued_at or event.at
    changes["queued_at"] = since if queued else None
    kept = snapshot.assigned_at if holder == snapshot.assignee_id else event.at
    changes["assigned_at"] = kept if holder is not None else None
    return changes


def _waiting(event: Event) -> dict[str, Any]:
    """For whom or what it waits."""
    if event.action is Action.PAUSE:
        return {
            "pause_reason": PauseReason(event.detail["reason"]),
            "resume_at": _instant(event.detail.get("resume_at")),
        }
    if event.to_status is Status.SUSPENDED:
        return {}
    return {"pause_reason": None, "resume_at": None}


def _outcome(snapshot: Snapshot, event: Event) -> dict[str, Any]:
    """What was reached, and when."""
    detail, at = event.detail, event.at
    match event.action:
        case Action.REPLY:
            return {"responded_at": snapshot.responded_at or at}
        case Action.ARRANGE:
            return {"arranged_at": snapshot.arranged_at or at}
        case Action.REPORT:
            return {"reported_at": snapshot.reported_at or at}
        case Action.RESOLVE:
            return _resolved(snapshot, event)
        case Action.REOPEN:
            reopened = snapshot.reopened + 1
            return {"resolved_at": None, "confirm_until": None, "reopened": reopened}
        case Action.MERGE:
            return {"merged_into_id": detail["into_id"], "closed_at": at}
        case Action.CLOSE | Action.WITHDRAW:
            return {"closed_at": at, "confirm_until": None}
        case _:
            return {}


def _resolved(snapshot: Snapshot, event: Event) -> dict[str, Any]:
    return {
        "responded_at": snapshot.responded_at or event.at,
        "resolved_at": event.at,
        "cause": event.detail.get("cause"),
        "solution": event.detail.get("solution"),
        "confirm_until": _instant(event.detail.get("confirm_until")),
    }


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _clock_columns(state: ClockState) -> dict[str, Any]:
    columns: dict[str, Any] = {"next_due": state.next_due}
    for target in Target:
        found = state.targets.get(target)
        columns[f"{target}_due"] = found.deadline if found else None
        columns[f"{target}_breached_at"] = found.breached_at if found else None
    return columns


_MEETS: Mapping[Action, Target] = {
    Action.REPLY: Target.RESPOND,
    Action.ARRANGE: Target.ARRANGE,
    Action.REPORT: Target.REPORT,
    Action.RESOLVE: Target.RESOLVE,
}


def clock_events(events: Iterable[Event]) -> Iterator[ClockEvent]:
    """The clock's events among a ticket's events, in order.

    Of many replies only the first is one: a long talk costs the clock nothing.
    """
    met: set[Target] = set()
    for event in events:
        target = _MEETS.get(event.action)
        if target is None:
            yield from _clock_event(event)
        elif target is Target.RESOLVE or target not in met:
            met.add(target)
            yield Met(event.at, target)


def _clock_event(event: Event) -> Iterator[ClockEvent]:
    if event.from_status is Status.SUSPENDED and event.to_status in _RESUMING:
        yield Resumed(event.at)
    match event.action:
        case Action.OPEN | Action.CHANGE_SEVERITY | Action.CLASSIFY:
            yield _classified(event)
        case Action.PAUSE:
            yield Paused(event.at, PauseReason(event.detail["reason"]))
        case Action.ASSIGN | Action.CLAIM | Action.TRANSFER | Action.ESCALATE | Action.RELEASE:
            yield Transferred(event.at, event.detail.get("contract"))
        case Action.RECALCULATE if event.detail.get("calendar"):
            yield CalendarChanged(event.at, event.detail["calendar"])
        case Action.REOPEN:
            yield Reopened(event.at)
        case Action.CLOSE | Action.WITHDRAW | Action.MERGE:
            yield Stopped(event.at)
        case _:
            return


#: Leaving 挂起 for one of these sets the clock going; the other ways out stop it themselves.
_RESUMING = frozenset({Status.NEW, Status.DISPATCHED, Status.IN_PROGRESS})


def _classified(event: Event) -> Started | SeverityChanged | CategoryChanged:
    detail = event.detail
    match event.action:
        case Action.OPEN:
            severity, category = Severity(detail["severity"]), Category(detail["category"])
            return Started(event.at, severity, category, detail["contract"])
        case Action.CHANGE_SEVERITY:
            return SeverityChanged(event.at, Severity(detail["severity"]))
        case _:
            return CategoryChanged(event.at, Category(detail["category"]))

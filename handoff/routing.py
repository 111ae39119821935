"""Whose turn it is: places in the queue, the expected wait, and who gets a ticket.

Pure functions over values; the numbers behind them come from ``handoff.repository``. Refuses to
know where presence comes from and to assign anything.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from handoff.repository import QueueEntry
from handoff.ticket import Level
from store.vocabulary import Severity

#: Fewer recent claims than this tell nothing about the rate.
MIN_CLAIMS = 2


class Presence(StrEnum):
    """Whether an engineer can be given work."""

    ONLINE = "online"
    AWAY = "away"
    ON_CALL = "on_call"
    OFF = "off"


class Method(StrEnum):
    """How to choose among engineers who could all take a ticket."""

    LEAST_LOADED = "least_loaded"
    ROUND_ROBIN = "round_robin"


@dataclass(frozen=True, slots=True)
class Engineer:
    """One who can be given tickets. Empty ``regions`` or ``modules``: all of them."""

    id: str
    level: Level
    presence: Presence
    open_tickets: int
    capacity: int
    regions: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()
    last_assigned_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What of a ticket decides who can take it."""

    level: Level
    severity: Severity
    region: str
    module: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """A ticket's place in its queue. ``wait`` is ``None`` when recent work does not tell."""

    position: int
    length: int
    wait: timedelta | None


def in_order(entries: Iterable[QueueEntry]) -> list[QueueEntry]:
    """The order in which a queue is served: due first, then more severe, then longer waiting."""
    return sorted(
        entries,
        key=lambda entry: (
            entry.due is None,
            entry.due.timestamp() if entry.due else 0.0,
            -entry.severity.rank,
            entry.queued_at,
            entry.ticket_id,
        ),
    )


def place(
    entries: Sequence[QueueEntry],
    ticket_id: str,
    *,
    claims: Sequence[datetime],
    now: datetime,
    window: timedelta,
    cap: timedelta,
) -> Place | None:
    """Where the ticket is in its queue and how long it may take; ``None`` when not in it."""
    order = [entry.ticket_id for entry in in_order(entries)]
    if ticket_id not in order:
        return None
    position = order.index(ticket_id) + 1
    wait = expected_wait(position, claims=claims, now=now, window=window, cap=cap)
    return Place(position, len(order), wait)


def expected_wait(
    position: int, *, claims: Sequence[datetime], now: datetime, window: timedelta, cap: timedelta
) -> timedelta | None:
    """How long until the ``position``-th in the queue is taken, in whole minutes.

    The rate is that of recent claims: their number over the time since the first of them, which
    does not count an idle morning against a busy hour. ``None`` for fewer than two claims within
    ``window``, and for a wait beyond ``cap``: a wrong number is worse than none.
    """
    recent = [claim for claim in claims if now - window <= claim <= now]
    if len(recent) < MIN_CLAIMS:
        return None
    spacing = (now - min(recent)) / len(recent)
    minutes = max(1, math.ceil(position * spacing / timedelta(minutes=1)))
    wait = timedelta(minutes=minutes)
    return wait if wait <= cap else None


def pick_engineer(
    engineers: Iterable[Engineer], work: Work, *, method: Method = Method.LEAST_LOADED
) -> Engineer | None:
    """Who gets the ticket, or ``None`` when nobody can take it now.

    People on call are disturbed only when nobody is online, and never for 一般. Who is named for
    the module goes before who takes all modules.
    """
    able = [engineer for engineer in engineers if _can_take(engineer, work)]
    present = [engineer for engineer in able if engineer.presence is Presence.ONLINE]
    if not present and work.severity is not Severity.GENERAL:
        present = [engineer for engineer in able if engineer.presence is Presence.ON_CALL]
    experts = [engineer for engineer in present if work.module in engineer.modules]
    return _first(experts or present, method)


def _can_take(engineer: Engineer, work: Work) -> bool:
    return (
        engineer.level is work.level
        and engineer.open_tickets < engineer.capacity
        and _in_scope(engineer.regions, work.region)
        and (work.module is None or _in_scope(engineer.modules, work.module))
    )


def _in_scope(scope: Collection[str], wanted: str) -> bool:
    return not scope or wanted in scope


def _first(engineers: Sequence[Engineer], method: Method) -> Engineer | None:
    def turn(engineer: Engineer) -> tuple[float, float, str]:
        load = engineer.open_tickets / engineer.capacity
        waited = engineer.last_assigned_at.timestamp() if engineer.last_assigned_at else -math.inf
        return (load if method is Method.LEAST_LOADED else 0.0, waited, engineer.id)

    return min(engineers, key=turn, default=None)

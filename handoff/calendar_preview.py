"""What a corrected calendar would do to open tickets, before anybody saves it.

Pure: each ticket's own history is replayed under both terms, which is exactly what the worker does
afterwards. Refuses to move anything.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from handoff.contract import Target, Terms
from handoff.lifecycle import Event, Snapshot, replay


@dataclass(frozen=True, slots=True)
class Move:
    """One deadline that would change. ``None``: it does not run."""

    target: Target
    before: datetime | None
    after: datetime | None


def moves(events: Sequence[Event], now: Terms, then: Terms) -> tuple[Move, ...]:
    """The deadlines of one ticket that differ between two sets of terms."""
    return tuple(_moves(replay(events, now), replay(events, then)))


def _moves(before: Snapshot, after: Snapshot) -> Iterator[Move]:
    for target in Target:
        name = f"{target}_due"
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield Move(target, old, new)

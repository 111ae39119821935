"""How fast one person may be sent to: the platform drops the excess without a word, so we wait.

Kept in memory; who knows what was sent before a restart can tell it.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.base import PersonHeld

#: People remembered; the longest silent are forgotten first.
MOST_PEOPLE = 20_000


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``count`` within ``span``."""

    count: int
    span: timedelta


class Pace:
    """Counts sends per person in sliding windows."""

    def __init__(self, limits: Sequence[Limit]) -> None:
        self._limits = tuple(limits)
        self._longest = max(limit.span for limit in limits)
        self._sent: OrderedDict[str, deque[datetime]] = OrderedDict()

    def recall(self, past: Iterable[tuple[str, datetime]]) -> None:
        """Go on from these sends, oldest first, and forget what was counted."""
        self._sent.clear()
        for person, at in past:
            self._sent.setdefault(person, deque()).append(at)

    def take(self, person: str, now: datetime) -> None:
        """Count one send now. Raises :class:`PersonHeld` until the person may be sent to again."""
        sent = self._sent.setdefault(person, deque())
        self._sent.move_to_end(person)
        while sent and sent[0] <= now - self._longest:
            sent.popleft()
        for limit in self._limits:
            if len(sent) >= limit.count and sent[-limit.count] > now - limit.span:
                wait = sent[-limit.count] + limit.span - now
                raise PersonHeld("pace of one person", wait.total_seconds())
        sent.append(now)
        if len(self._sent) > MOST_PEOPLE:
            self._sent.popitem(last=False)

"""Rests a channel that keeps failing, so that a dead peer costs neither time nor attempts."""

from datetime import datetime, timedelta

from connectors.base import Held

#: Failures in a row before the channel rests.
FAILURES = 5
FIRST_REST, LONGEST_REST = timedelta(seconds=30), timedelta(minutes=10)


class Breaker:
    """One channel's failures in a row. Kept in memory: a restart tries again at once."""

    def __init__(self) -> None:
        self._failures = 0
        self._until: datetime | None = None

    def enter(self, now: datetime) -> None:
        """Go through, or raise :class:`Held`. When the rest is over one send goes to see."""
        if self._until is not None and now < self._until:
            raise Held("the channel rests", (self._until - now).total_seconds())
        if self._failures >= FAILURES:
            self._until = now + self._rest()

    def succeeded(self) -> None:
        """The other side answered."""
        self._failures, self._until = 0, None

    def failed(self, now: datetime) -> None:
        """The other side did not answer, or not sensibly."""
        self._failures += 1
        if self._failures >= FAILURES:
            self._until = now + self._rest()

    @property
    def resting_until(self) -> datetime | None:
        """When the next send is tried, while the channel rests."""
        return self._until

    def _rest(self) -> timedelta:
        doubled: timedelta = FIRST_REST * (1 << min(self._failures - FAILURES, 10))
        return min(doubled, LONGEST_REST)

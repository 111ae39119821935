"""A circuit breaker: after repeated failures a service is left alone for a while, then probed.

The states and their transitions are pure values and functions; :class:`CircuitBreaker` only adds
a clock. Refuses to know what is being called or why it failed. Closed: everything passes, failures
in a row are counted. Open: nothing passes until a moment. Half-open: one probe is out; its success
closes, its failure opens again for twice as long, and a probe that never reports is given up.

Times are seconds of a monotonic clock.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never


@dataclass(frozen=True, slots=True)
class Limits:
    """When to open and for how long. ``probe_s`` is how long a probe may stay silent."""

    failures: int = 5
    open_s: float = 2.0
    max_open_s: float = 30.0
    probe_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Closed:
    """Calls pass; so many have failed in a row."""

    failures: int = 0


@dataclass(frozen=True, slots=True)
class Open:
    """Calls are refused until ``until``; ``pause_s`` is how long this pause was meant to be."""

    until: float
    pause_s: float


@dataclass(frozen=True, slots=True)
class HalfOpen:
    """One probe is out and must report before ``until``."""

    until: float
    pause_s: float


State = Closed | Open | HalfOpen


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to make one call. A result counts only if the state that gave leave still stands."""

    probe: bool


def ask(state: State, limits: Limits, *, now: float) -> tuple[State, Permit | None]:
    """May a call be made now? The state afterwards, and a permit or None."""
    match state:
        case Closed():
            return state, Permit(probe=False)
        case Open(until, pause_s) | HalfOpen(until, pause_s):
            if now < until:
                return state, None
            return HalfOpen(now + limits.probe_s, pause_s), Permit(probe=True)
        case _:
            assert_never(state)


def succeed(state: State, permit: Permit) -> State:
    """A permitted call succeeded. Late news from before the breaker opened changes nothing."""
    match state:
        case Closed():
            return Closed()
        case HalfOpen():
            return Closed() if permit.probe else state
        case Open():
            return state
        case _:
            assert_never(state)


def fail(state: State, permit: Permit, limits: Limits, *, now: float) -> State:
    """A permitted call failed."""
    match state:
        case Closed(failures):
            if failures + 1 < limits.failures:
                return Closed(failures + 1)
            return Open(now + limits.open_s, limits.open_s)
        case HalfOpen(_, pause_s):
            if not permit.probe:
                return state
            longer = min(pause_s * 2, limits.max_open_s)
            return Open(now + longer, longer)
        case Open():
            return state
        case _:
            assert_never(state)


class CircuitBreaker:
    """The state of one service's breaker, moved along by a clock. Not for use across threads."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self.state: State = Closed()

    def ask(self) -> Permit | None:
        """Leave to make one call, or None. Every permit must be settled or it ages out."""
        self.state, permit = ask(self.state, self._limits, now=self._clock())
        return permit

    def settle(self, permit: Permit, *, ok: bool) -> None:
        """Report how a permitted call went."""
        if ok:
            self.state = succeed(self.state, permit)
        else:
            self.state = fail(self.state, permit, self._limits, now=self._clock())

"""What can happen to a service-level clock, as values.

Nothing here reckons; ``handoff.history`` adds events up. Instants are aware.
"""

from dataclasses import dataclass
from datetime import datetime

from handoff.contract import Target
from handoff.ticket import PauseReason
from store.vocabulary import Category, Severity


@dataclass(frozen=True, slots=True)
class Started:
    """The ticket was opened."""

    at: datetime
    severity: Severity
    category: Category
    contract: str


@dataclass(frozen=True, slots=True)
class Paused:
    """Work waits for somebody else."""

    at: datetime
    reason: PauseReason


@dataclass(frozen=True, slots=True)
class Resumed:
    """The waiting is over."""

    at: datetime


@dataclass(frozen=True, slots=True)
class SeverityChanged:
    """The ticket was found to be more, or less, severe."""

    at: datetime
    severity: Severity


@dataclass(frozen=True, slots=True)
class CategoryChanged:
    """The ticket was found to be of another category; some promises cover only some of them."""

    at: datetime
    category: Category


@dataclass(frozen=True, slots=True)
class Transferred:
    """The ticket went to other hands. Only another contract changes what is promised."""

    at: datetime
    contract: str | None = None


@dataclass(frozen=True, slots=True)
class CalendarChanged:
    """From now on another calendar's working time counts; what was counted stays counted."""

    at: datetime
    calendar: str


@dataclass(frozen=True, slots=True)
class Met:
    """A promise was kept, or broken late."""

    at: datetime
    target: Target


@dataclass(frozen=True, slots=True)
class Reopened:
    """The resolution did not hold."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Stopped:
    """Nothing more is owed: closed, withdrawn, or merged into another ticket."""

    at: datetime


ClockEvent = (
    Started
    | Paused
    | Resumed
    | SeverityChanged
    | CategoryChanged
    | Transferred
    | CalendarChanged
    | Met
    | Reopened
    | Stopped
)

"""What a service contract promises: minutes per severity, and which clock they run on.

Pure values. A promise that a contract does not state is absent, never a guess. Refuses to read
files (``handoff.terms`` does) and to reckon deadlines (``handoff.sla`` does).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from handoff.calendar import AroundTheClock, Calendar, WorkingTime
from handoff.errors import UnknownTerms
from handoff.ticket import PauseReason
from store.vocabulary import Category, Severity


class Target(StrEnum):
    """What is promised within a time."""

    RESPOND = "respond"
    ARRANGE = "arrange"
    RESOLVE = "resolve"
    REPORT = "report"


class Clock(StrEnum):
    """When a promise's time runs."""

    AROUND_THE_CLOCK = "7x24"
    WORKING_HOURS = "working_hours"


class Origin(StrEnum):
    """What a promise's time is counted from."""

    OPENED = "opened"
    RESOLVED = "resolved"


class SeverityTable(StrEnum):
    """Which of the two definitions of severity a contract uses."""

    HANDLING = "handling"
    SHORT = "short"


@dataclass(frozen=True, slots=True)
class Promise:
    """``minutes`` for one target. With ``categories``, only for tickets of those categories."""

    minutes: int
    origin: Origin = Origin.OPENED
    categories: frozenset[Category] = frozenset()

    @property
    def budget(self) -> timedelta:
        """The promised time."""
        return timedelta(minutes=self.minutes)

    def covers(self, category: Category) -> bool:
        """Whether tickets of ``category`` have this promise."""
        return not self.categories or category in self.categories


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """What is promised for one severity.

    ``term`` is the contract's own word for it. ``at_once`` lists targets that the contract wants
    met at once without naming minutes. ``written_report_after``: minutes of handling beyond
    which a written report is owed.
    """

    term: str
    clock: Clock
    promises: Mapping[Target, Promise]
    at_once: frozenset[Target] = frozenset()
    written_report_after: int | None = None


@dataclass(frozen=True, slots=True)
class PhoneService:
    """Minutes within which a call is answered or returned, in and outside working hours."""

    in_hours: int
    outside_hours: int


@dataclass(frozen=True, slots=True)
class Contract:
    """One service contract. ``warn_at`` are percentages of a promise's time, ascending."""

    id: str
    name: str
    calendar: str
    levels: Mapping[Severity, ServiceLevel]
    pauses: frozenset[PauseReason]
    warn_at: tuple[int, ...]
    severity_table: SeverityTable
    averages: Mapping[str, int]
    phone: PhoneService | None = None

    def promise(self, severity: Severity, target: Target, category: Category) -> Promise | None:
        """The promise for one target, or ``None`` when the contract states none."""
        level = self.levels.get(severity)
        promise = level.promises.get(target) if level else None
        return promise if promise and promise.covers(category) else None

    def clock(self, severity: Severity) -> Clock:
        """The clock of a severity; working hours where the contract says nothing."""
        level = self.levels.get(severity)
        return level.clock if level else Clock.WORKING_HOURS


@dataclass(frozen=True, slots=True)
class Terms:
    """All contracts and calendars in force, by id.

    ``revisions`` gives each contract a digest of everything that its deadlines depend on: the
    contract, its calendar, and the edition of the public holidays.
    """

    contracts: Mapping[str, Contract]
    calendars: Mapping[str, Calendar]
    revisions: Mapping[str, str]

    def contract(self, contract_id: str) -> Contract:
        """Raises ``UnknownTerms``."""
        try:
            return self.contracts[contract_id]
        except KeyError:
            raise UnknownTerms("contract", contract_id) from None

    def calendar(self, calendar_id: str) -> Calendar:
        """Raises ``UnknownTerms``."""
        try:
            return self.calendars[calendar_id]
        except KeyError:
            raise UnknownTerms("calendar", calendar_id) from None

    def working_time(self, clock: Clock, calendar_id: str) -> WorkingTime:
        """The time that ``clock`` counts where ``calendar_id`` holds."""
        if clock is Clock.AROUND_THE_CLOCK:
            return AroundTheClock()
        return self.calendar(calendar_id)

"""Working time: which instants count when a promise runs in working hours.

Pure. A calendar cuts time into pieces that count and pieces that do not, each with its reason;
everything else here (deadlines, durations, explanations) is read off those pieces. Refuses to
know tickets, contracts or files. Instants are aware; results are in UTC. Pieces are half open:
the end belongs to the next piece, so a promise that is used up at 12:00 is due at 12:00.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

from handoff.errors import NoWorkingTime

#: A deadline further away than this means a calendar without working time, not a long promise.
HORIZON_DAYS = 3_660

MINUTES_PER_DAY = 24 * 60


class DayKind(StrEnum):
    """What sort of day it is, before looking at the hours."""

    WORKDAY = "workday"
    MAKEUP = "makeup"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    CLOSED = "closed"
    ALWAYS = "always"


class Gap(StrEnum):
    """Why a piece of time does not count."""

    OFF_HOURS = "off_hours"
    BREAK = "break"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    CLOSED = "closed"


_GAP_OF_DAY: Mapping[DayKind, Gap] = {
    DayKind.WEEKEND: Gap.WEEKEND,
    DayKind.HOLIDAY: Gap.HOLIDAY,
    DayKind.CLOSED: Gap.CLOSED,
}


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Working minutes of one day, counted from local midnight: ``0 <= start < end <= 1440``."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end <= MINUTES_PER_DAY:
            raise ValueError(f"not a span of one day: {self.start}-{self.end}")


@dataclass(frozen=True, slots=True)
class Day:
    """One local day: its kind, the holiday's or exception's name, and its working spans."""

    date: date
    kind: DayKind
    name: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """A piece of working time."""

    start: datetime
    end: datetime
    day_kind: DayKind
    name: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A piece of time that does not count, and why."""

    start: datetime
    end: datetime
    gap: Gap
    name: str = ""


Piece = Counted | Skipped


@dataclass(frozen=True, slots=True)
class Reckoning:
    """A deadline and the pieces from the start to it, in order and without holes."""

    deadline: datetime
    pieces: tuple[Piece, ...]


class ExceptionKind(StrEnum):
    """What an exception does to the days it names."""

    CLOSED = "closed"
    WORK = "work"
    HOURS = "hours"


@dataclass(frozen=True, slots=True)
class CalendarException:
    """A deviation entered by hand for the days ``first`` to ``last``.

    ``CLOSED``: nobody works. ``WORK``: worked whatever the week says, in ``spans`` or, when there
    are none, in the make-up hours. ``HOURS``: other hours on days that are worked anyway.
    Among exceptions for one day the last one listed wins.
    """

    first: date
    last: date
    kind: ExceptionKind
    name: str
    spans: tuple[Span, ...] = ()

    def applies(self, day: date) -> bool:
        """Whether ``day`` is among the days named."""
        return self.first <= day <= self.last


class Holidays(Protocol):
    """A source of public holidays. See ``handoff.holidays``."""

    @property
    def edition(self) -> str: ...

    def covers(self, year: int) -> bool: ...

    def day_off(self, day: date) -> str | None: ...

    def makeup_day(self, day: date) -> str | None: ...


class WorkingTime(Protocol):
    """What a clock needs to know about time. ``Calendar`` and ``AroundTheClock`` are the two."""

    def pieces(self, start: datetime, end: datetime) -> Iterator[Piece]:
        """Time from ``start`` to ``end`` cut into pieces, in order and without holes."""
        ...

    def add(self, start: datetime, amount: timedelta) -> Reckoning:
        """When ``amount`` of working time has passed since ``start``."""
        ...

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Working time from ``start`` to ``end``; zero when ``end`` is not later."""
        ...


@dataclass(frozen=True, slots=True)
class AroundTheClock:
    """7x24: every minute counts."""

    def pieces(self, start: datetime, end: datetime) -> Iterator[Piece]:
        """One piece."""
        if start < end:
            yield Counted(start.astimezone(UTC), end.astimezone(UTC), DayKind.ALWAYS)

    def add(self, start: datetime, amount: timedelta) -> Reckoning:
        """``start + amount``."""
        end = start.astimezone(UTC) + amount
        return Reckoning(end, tuple(self.pieces(start, end)))

    def between(self, start: datetime, end: datetime) -> timedelta:
        """The difference."""
        return max(end - start, timedelta(0))


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working hours of one region.

    ``week`` holds the spans of Monday to Sunday; ``makeup`` those of a make-up workday.
    ``entered_years`` are years whose holidays were entered by hand as exceptions, so that the
    public source need not have them.
    """

    id: str
    name: str
    zone: ZoneInfo
    week: tuple[tuple[Span, ...], ...]
    makeup: tuple[Span, ...]
    holidays: Holidays | None = None
    exceptions: tuple[CalendarException, ...] = ()
    entered_years: frozenset[int] = frozenset()
    #: Days that have been cut already: every reckoning walks over the same few.
    _cut_days: dict[date, tuple[Piece, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def knows_holidays_of(self, year: int) -> bool:
        """Whether holidays and make-up days of ``year`` are loaded or entered."""
        if self.holidays is None or year in self.entered_years:
            return True
        return self.holidays.covers(year)

    def unknown_years(self, start: datetime, end: datetime) -> tuple[int, ...]:
        """Years touched by ``start`` to ``end`` for which only the week is known."""
        first, last = (moment.astimezone(self.zone).year for moment in (start, end))
        return tuple(y for y in range(first, last + 1) if not self.knows_holidays_of(y))

    def day(self, day: date) -> Day:
        """What ``day`` is. Exceptions lead, then make-up days, holidays and the week."""
        spans: tuple[Span, ...] | None = None
        for exception in reversed(self.exceptions):
            if not exception.applies(day):
                continue
            if exception.kind is ExceptionKind.CLOSED:
                return Day(day, DayKind.CLOSED, exception.name, ())
            if exception.kind is ExceptionKind.WORK:
                own = exception.spans or spans or self.makeup
                return Day(day, DayKind.MAKEUP, exception.name, own)
            spans = spans or exception.spans
        return self._published_day(day, spans)

    def _published_day(self, day: date, spans: tuple[Span, ...] | None) -> Day:
        if self.holidays is not None:
            makeup = self.holidays.makeup_day(day)
            if makeup is not None:
                return Day(day, DayKind.MAKEUP, makeup, spans or self.makeup)
            holiday = self.holidays.day_off(day)
            if holiday is not None:
                return Day(day, DayKind.HOLIDAY, holiday, ())
        if not self.week[day.weekday()]:
            return Day(day, DayKind.WEEKEND, "", ())
        return Day(day, DayKind.WORKDAY, "", spans or self.week[day.weekday()])

    def is_working(self, instant: datetime) -> bool:
        """Whether ``instant`` lies in working time."""
        local = instant.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        return any(span.start <= minute < span.end for span in self.day(local.date()).spans)

    def pieces(self, start: datetime, end: datetime) -> Iterator[Piece]:
        """Time from ``start`` to ``end`` cut into pieces, in order and without holes."""
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        for piece in self._pieces_from(start):
            if piece.start >= end:
                return
            yield piece if piece.end <= end else replace(piece, end=end)

    def intervals(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The working pieces only, as pairs of instants."""
        for piece in self.pieces(start, end):
            if isinstance(piece, Counted):
                yield piece.start, piece.end

    def add(self, start: datetime, amount: timedelta) -> Reckoning:
        """When ``amount`` of working time has passed since ``start``.

        With nothing to add, the first working instant from ``start`` on. Raises
        ``NoWorkingTime`` when the horizon is reached first.
        """
        start = start.astimezone(UTC)
        left = amount
        used: list[Piece] = []
        for piece in self._pieces_from(start):
            if isinstance(piece, Skipped):
                used.append(piece)
                continue
            if piece.end - piece.start >= left:
                deadline = piece.start + left
                if left:
                    used.append(replace(piece, end=deadline))
                return Reckoning(deadline, tuple(used))
            used.append(piece)
            left -= piece.end - piece.start
        raise NoWorkingTime(self.id)

    def add_working_minutes(self, start: datetime, minutes: int) -> Reckoning:
        """``add`` for whole minutes."""
        return self.add(start, timedelta(minutes=minutes))

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Working time from ``start`` to ``end``; zero when ``end`` is not later."""
        return sum((b - a for a, b in self.intervals(start, end)), timedelta(0))

    def working_minutes_between(self, start: datetime, end: datetime) -> int:
        """``between`` in whole minutes, rounded down."""
        return self.between(start, end) // timedelta(minutes=1)

    def end_of_working_day(self, start: datetime, days: int) -> datetime:
        """The end of the ``days``-th working day after the local day of ``start``."""
        today = start.astimezone(self.zone).date()
        left = days
        for offset in range(1, HORIZON_DAYS):
            day = self.day(today + timedelta(days=offset))
            left -= 1 if day.spans else 0
            if day.spans and left <= 0:
                return self._instant(day.date, day.spans[-1].end)
        raise NoWorkingTime(self.id)

    def _pieces_from(self, start: datetime) -> Iterator[Piece]:
        """Pieces from ``start`` to the horizon; neighbouring gaps of one reason are joined."""
        pending: Skipped | None = None
        for piece in self._day_pieces(start.astimezone(self.zone).date()):
            if piece.end <= start:
                continue
            clipped = piece if piece.start >= start else replace(piece, start=start)
            if isinstance(clipped, Counted):
                if pending is not None:
                    yield pending
                pending = None
                yield clipped
            elif pending is not None and (pending.gap, pending.name) == (clipped.gap, clipped.name):
                pending = replace(pending, end=clipped.end)
            else:
                if pending is not None:
                    yield pending
                pending = clipped

    def _day_pieces(self, first: date) -> Iterator[Piece]:
        for offset in range(HORIZON_DAYS):
            day = first + timedelta(days=offset)
            pieces = self._cut_days.get(day)
            if pieces is None:
                pieces = self._cut_days[day] = tuple(self._cut(self.day(day)))
            yield from pieces

    def _cut(self, day: Day) -> Iterator[Piece]:
        if not day.spans:
            gap = _GAP_OF_DAY.get(day.kind, Gap.CLOSED)
            yield self._skipped(day, 0, MINUTES_PER_DAY, gap)
            return
        cursor = 0
        for span in day.spans:
            if span.start > cursor:
                yield self._skipped(day, cursor, span.start, Gap.BREAK if cursor else Gap.OFF_HOURS)
            start, end = self._instant(day.date, span.start), self._instant(day.date, span.end)
            yield Counted(start, end, day.kind, day.name)
            cursor = span.end
        if cursor < MINUTES_PER_DAY:
            yield self._skipped(day, cursor, MINUTES_PER_DAY, Gap.OFF_HOURS)

    def _skipped(self, day: Day, start: int, end: int, gap: Gap) -> Skipped:
        name = day.name if gap in (Gap.HOLIDAY, Gap.CLOSED) else ""
        return Skipped(self._instant(day.date, start), self._instant(day.date, end), gap, name)

    def _instant(self, day: date, minute: int) -> datetime:
        days, minute = divmod(minute, MINUTES_PER_DAY)
        local = time(*divmod(minute, 60), tzinfo=self.zone)
        return datetime.combine(day + timedelta(days=days), local).astimezone(UTC)

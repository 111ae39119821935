"""Writes a calendar as the text that ``handoff.terms`` reads: one form for files and edits.

What is written is read back by the same strict reader, so an edit can be nothing that a file
could not be. Refuses to judge whether a calendar makes sense; the reader does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

from handoff.calendar import Calendar, CalendarException, ExceptionKind, Span
from handoff.terms import WEEKDAYS


@dataclass(frozen=True, slots=True)
class ExceptionDraft:
    """A line of exceptions as it was typed; ``last`` is empty for a single day."""

    first: str
    last: str
    kind: str
    hours: str
    name: str

    @classmethod
    def of(cls, one: CalendarException) -> "ExceptionDraft":
        """The line that says the same as ``one``."""
        last = one.last.isoformat() if one.last != one.first else ""
        return cls(one.first.isoformat(), last, one.kind.value, hours_text(one.spans), one.name)

    def entry(self) -> dict[str, object]:
        """The files' entry. What is wrong with it the reader finds."""
        days: dict[str, object] = {"date": self.first}
        if self.last:
            days = {"from": self.first, "to": self.last}
        hours = {"hours": self.hours.split()} if self.hours else {}
        if self.kind == ExceptionKind.HOURS:
            return {**days, **hours, "note": self.name}
        return {**days, self.kind: self.name, **hours}


@dataclass(frozen=True, slots=True)
class CalendarDraft:
    """A calendar as it was typed. Hours as ``08:30-12:00 14:00-17:30``; none for a day off."""

    week: Mapping[str, str]
    makeup: str
    exceptions: tuple[ExceptionDraft, ...]
    entered_years: str = ""

    @classmethod
    def of(cls, calendar: Calendar) -> "CalendarDraft":
        """What the form of ``calendar`` says."""
        hours = [hours_text(spans) for spans in calendar.week]
        return cls(
            week=dict(zip(WEEKDAYS, hours, strict=True)),
            makeup=hours_text(calendar.makeup),
            exceptions=tuple(ExceptionDraft.of(one) for one in calendar.exceptions),
            entered_years=" ".join(str(year) for year in sorted(calendar.entered_years)),
        )

    def text(self, calendar: Calendar) -> str:
        """The file of ``calendar`` with what was typed. The reader refuses what is malformed."""
        content = {
            "id": calendar.id,
            "name": calendar.name,
            "zone": calendar.zone.key,
            "holidays": "china" if calendar.holidays is not None else "none",
            "week": {day: self.week.get(day, "").split() for day in WEEKDAYS},
            "makeup": self.makeup.split(),
            "exceptions": [one.entry() for one in self.exceptions],
            "entered_years": [_number(year) for year in self.entered_years.split()],
        }
        return yaml.safe_dump(content, allow_unicode=True, sort_keys=False)


def hours_text(spans: Sequence[Span]) -> str:
    """Spans as people type them; nothing for a day off."""
    return " ".join(f"{_clock(span.start)}-{_clock(span.end)}" for span in spans)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() and len(text) == 4 else text

"""A pasted notice of days off on a calendar's form: each day, what was not understood, the lines.

Nothing is kept here: the lines stand in the form, to be looked at, tried and saved as any other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.assembly import Services
from bot.errors import InvalidInput
from handoff.calendar import Calendar
from handoff.calendar_text import CalendarDraft
from handoff.holiday_notice import Doubt, Notice, read_notice
from handoff.terms import WEEKDAYS

#: The first and the last year that anybody could paste a notice of.
_FIRST_YEAR, _LAST_YEAR = 2000, 2100


@dataclass(frozen=True, slots=True)
class DayRow:
    """One day of the notice in words."""

    date: str
    weekday: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class PastedNotice:
    """What was pasted, and what was made of it. ``known``: years that need no notice."""

    text: str = ""
    year: str = ""
    days: Sequence[DayRow] = ()
    doubts: Sequence[str] = ()
    entered: Sequence[int] = ()
    known: Sequence[int] = ()
    read: bool = False


def paste(
    app: Services, calendar: Calendar, draft: CalendarDraft, text: str, year: str
) -> tuple[CalendarDraft, PastedNotice]:
    """The form with the notice's days in it. Raises :class:`InvalidInput` for no year."""
    found = read_notice(text, year=_year(year), unnamed=app.phrases.say("calendar_admin.day_off"))
    fresh = [line for line in found.lines() if line not in draft.exceptions]
    years = [*draft.entered_years.split(), *(str(one) for one in sorted(found.complete))]
    filled = replace(
        draft,
        exceptions=(*draft.exceptions, *fresh),
        entered_years=" ".join(dict.fromkeys(years)),
    )
    return filled, _pasted(app, calendar, found, text, year)


def _pasted(app: Services, calendar: Calendar, found: Notice, text: str, year: str) -> PastedNotice:
    known = {one.date.year for one in found.days if _is_published(calendar, one.date.year)}
    return PastedNotice(
        text=text,
        year=year,
        days=[
            DayRow(
                one.date.isoformat(),
                WEEKDAYS[one.date.weekday()],
                app.phrases.say(f"calendar_admin.kind.{one.kind.value}"),
                one.name,
            )
            for one in found.days
        ],
        doubts=[_words(app, one) for one in found.doubts],
        entered=sorted(found.complete),
        known=sorted(known),
        read=True,
    )


def _is_published(calendar: Calendar, year: int) -> bool:
    return calendar.holidays is not None and calendar.holidays.covers(year)


def _words(app: Services, doubt: Doubt) -> str:
    told = app.phrases.say(f"calendar_admin.doubt.{doubt.reason.value}")
    if not doubt.line:
        return told
    return app.phrases.say("calendar_admin.doubt_at", line=doubt.line, told=told, text=doubt.text)


def _year(text: str) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdecimal() and _FIRST_YEAR <= int(text[:9]) <= _LAST_YEAR:
        return int(text)
    raise InvalidInput("notice_year", "calendar_admin.error.notice_year")

"""Public holidays and make-up workdays (调休) of the mainland, as the State Council publishes them.

The only importer of ``chinese_calendar``. It says which years its data covers and refuses to
guess a year it has not: the caller sees ``covers(year) == False`` and must say so to people.
For such a year only the days that the law itself fixes to a date are known as holidays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version

import chinese_calendar

#: 《全国年节及纪念日放假办法》 Art. 2 as revised on 10 November 2024, in force from 2025 on:
#: the holidays with a date in the solar calendar. The lunar ones and every swapped weekend are
#: known only from the yearly notice.
STATUTORY_DAYS: Mapping[tuple[int, int], str] = {
    (1, 1): "元旦",
    (5, 1): "劳动节",
    (5, 2): "劳动节",
    (10, 1): "国庆节",
    (10, 2): "国庆节",
    (10, 3): "国庆节",
}


@dataclass(frozen=True, slots=True)
class PublishedHolidays:
    """Days off and make-up workdays by date, with the name of the holiday they belong to.

    ``years`` are those for which the yearly notice is in the data; ``edition`` names the data,
    so that a deadline reckoned with an older edition can be found and reckoned again.
    """

    edition: str
    years: frozenset[int]
    days_off: Mapping[date, str]
    makeup_days: Mapping[date, str]

    def covers(self, year: int) -> bool:
        """Whether the notice for ``year`` is in the data."""
        return year in self.years

    def day_off(self, day: date) -> str | None:
        """The holiday's name when ``day`` is a day off because of it."""
        if self.covers(day.year):
            return self.days_off.get(day)
        return STATUTORY_DAYS.get((day.month, day.day))

    def makeup_day(self, day: date) -> str | None:
        """The holiday's name when ``day``, a weekend by the week, is worked because of it."""
        return self.makeup_days.get(day)


def published_holidays() -> PublishedHolidays:
    """The table that the installed ``chinese_calendar`` carries."""
    names = {holiday.value: str(holiday.chinese) for holiday in chinese_calendar.Holiday}
    days_off = {day: names.get(key, key) for day, key in chinese_calendar.holidays.items()}
    makeup = {day: names.get(key, key) for day, key in chinese_calendar.workdays.items()}
    return PublishedHolidays(
        edition=f"chinesecalendar {version('chinesecalendar')}",
        years=frozenset(day.year for day in days_off),
        days_off=days_off,
        makeup_days=makeup,
    )

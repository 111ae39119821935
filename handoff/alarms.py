"""Which yearly notices are missing, so that somebody loads them before deadlines lean on a guess.

Pure. Refuses to guess: until a year is loaded its deadlines follow the week and the law's fixed
days, and every explanation that touches it says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from handoff.contract import Terms


@dataclass(frozen=True, slots=True)
class MissingYear:
    """A calendar in use that does not know the holidays of ``year``, which begins in ``days``.

    Not positive: it has begun.
    """

    calendar_id: str
    calendar_name: str
    year: int
    days: int


def missing_years(terms: Terms, *, now: datetime, ahead: timedelta) -> tuple[MissingYear, ...]:
    """Years not loaded among the current one and those that begin within ``ahead``."""
    used = sorted({contract.calendar for contract in terms.contracts.values()})
    return tuple(found for name in used for found in _missing(terms, name, now, ahead))


def _missing(
    terms: Terms, calendar_id: str, now: datetime, ahead: timedelta
) -> Iterator[MissingYear]:
    calendar = terms.calendar(calendar_id)
    for year in calendar.unknown_years(now, now + ahead):
        begins = datetime(year, 1, 1, tzinfo=calendar.zone)
        days = (begins.date() - now.astimezone(calendar.zone).date()).days
        yield MissingYear(calendar_id, calendar.name, year, days)

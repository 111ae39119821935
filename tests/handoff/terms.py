"""The shipped contracts and calendars, and small ways to write instants in local time."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from handoff.contract import Terms
from handoff.holidays import published_holidays
from handoff.terms import load_terms

ZONE = ZoneInfo("Asia/Shanghai")
DATA = Path(__file__).resolve().parents[2] / "data"


@cache
def shipped_terms() -> Terms:
    """The terms as they ship. Immutable, so one copy serves all tests."""
    return load_terms(DATA / "contracts", DATA / "calendars", holidays=published_holidays())


def at(text: str) -> datetime:
    """``2026-03-10 09:00`` in Shanghai as an aware UTC instant."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


def local(moment: datetime | None) -> str:
    """An instant as ``at`` reads it; ``-`` for none."""
    if moment is None:
        return "-"
    shown = moment.astimezone(ZONE)
    return shown.strftime("%Y-%m-%d %H:%M:%S" if shown.second else "%Y-%m-%d %H:%M")

"""回访: which closed tickets are asked about afterwards, when, and how often it is tried.

Pure. All 重大 tickets and those that had to be opened again are asked about, and a sample of the
others that is drawn from the ticket's id: the same ticket is always in it or never, whoever asks
and however often. Refuses to store anything and to ask anybody.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from handoff.calendar import Calendar
from store.vocabulary import Severity

#: After so many attempts in vain it is over.
ATTEMPTS = 3


class Why(StrEnum):
    """Why a ticket is asked about."""

    MAJOR = "major"
    REOPENED = "reopened"
    SAMPLE = "sample"
    RULE = "rule"


class Result(StrEnum):
    """What came of a call."""

    SATISFIED = "satisfied"
    ACCEPTABLE = "acceptable"
    UNSATISFIED = "unsatisfied"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Finished:
    """What of a closed ticket decides."""

    ticket_id: str
    severity: Severity
    reopened: int


def wanted(ticket: Finished, *, sample_percent: int) -> Why | None:
    """Why the ticket is asked about, or ``None``."""
    if ticket.severity is Severity.MAJOR:
        return Why.MAJOR
    if ticket.reopened:
        return Why.REOPENED
    drawn = int.from_bytes(hashlib.sha256(ticket.ticket_id.encode()).digest()[:4], "big") % 100
    return Why.SAMPLE if drawn < sample_percent else None


def due(calendar: Calendar, since: datetime, days: int) -> datetime:
    """The end of the ``days``-th working day after ``since``."""
    return calendar.end_of_working_day(since, days)


def is_over(result: Result, attempts: int) -> bool:
    """Whether nothing more is tried after this result of the ``attempts``-th call."""
    return result is not Result.UNREACHABLE or attempts >= ATTEMPTS

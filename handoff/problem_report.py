"""问题处理报告: what a fault was, what it did, and what keeps it from coming back.

The report of a ticket is its newest ``report`` event; the timeline comes from the events
themselves. Refuses to lay out pages and to know words.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handoff.contract import Terms
from handoff.lifecycle import Event, clock_events
from handoff.sla import fold
from handoff.tables import Ticket
from handoff.texts import LONG_LIMIT, required
from handoff.ticket import Action
from store.vocabulary import Severity

#: What moves a ticket, or tells of its handling; talk and bookkeeping are left out.
_TOLD = frozenset(Action) - {
    Action.REPLY,
    Action.NOTE,
    Action.ADD_INFORMATION,
    Action.RECALCULATE,
    Action.CLASSIFY,
    Action.MARK,
    Action.REPORT,
    Action.LINK,
}


@dataclass(frozen=True, slots=True)
class ProblemReport:
    """What people write; every part is needed."""

    cause: str
    impact: str
    measures: str
    prevention: str

    def detail(self) -> dict[str, Any]:
        """As an event keeps it. Raises ``InvalidText``."""
        return {
            "cause": required("cause", self.cause, LONG_LIMIT),
            "impact": required("impact", self.impact, LONG_LIMIT),
            "measures": required("measures", self.measures, LONG_LIMIT),
            "prevention": required("prevention", self.prevention, LONG_LIMIT),
        }


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A report, who wrote it, and when."""

    report: ProblemReport
    author: str
    at: datetime


def is_required(ticket: Ticket, events: Iterable[Event], terms: Terms, now: datetime) -> bool:
    """Whether the ticket may not be closed before its report is handed in.

    That is so for every 重大, and where handling took longer than the contract lets pass without
    a written report.
    """
    if ticket.reported_at is not None:
        return False
    if ticket.severity == Severity.MAJOR:
        return True
    return fold(clock_events(events), terms, now).written_report_owed


def latest(events: Iterable[Event]) -> HandedIn | None:
    """The report that holds; an early one may lack parts, which are then empty."""
    found = None
    for event in events:
        if event.action is Action.REPORT:
            parts = {
                name: str(event.detail.get(name) or "")
                for name in ("cause", "impact", "measures", "prevention")
            }
            found = HandedIn(ProblemReport(**parts), event.actor.name, event.at)
    return found


def timeline(events: Iterable[Event]) -> tuple[Event, ...]:
    """The events that tell how it went, in order; of many replies only the first."""
    told: list[Event] = []
    answered = False
    for event in events:
        if event.action in _TOLD or (event.action is Action.REPLY and not answered):
            told.append(event)
        answered = answered or event.action is Action.REPLY
    return tuple(told)

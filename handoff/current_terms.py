"""The terms in force, which an administrator can edit while the product runs.

``terms`` is one value for the whole life of the process, so everybody who was given it at start
sees an edit; its mappings are replaced entry by entry in one step of the event loop, calendar and
revisions together, so no deadline is reckoned by half of an edit. Each edit changes the revision of
every contract that uses the calendar, by which unfinished tickets are found and reckoned again.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace

from handoff.calendar import Calendar
from handoff.contract import Terms
from handoff.holidays import PublishedHolidays
from handoff.terms import read_calendar


class CurrentTerms:
    """Terms from files, with edits laid over them."""

    def __init__(self, shipped: Terms, holidays: PublishedHolidays) -> None:
        self._shipped = shipped
        self._holidays = holidays
        self._calendars = dict(shipped.calendars)
        self._revisions = dict(shipped.revisions)
        self.terms = Terms(shipped.contracts, self._calendars, self._revisions)

    def read(self, text: str, *, source: str) -> Calendar:
        """An edit as a value. Raises ``InvalidTerms``."""
        return read_calendar(text, source=source, holidays=self._holidays)

    def lay_over(self, edits: Iterable[tuple[str, str]]) -> None:
        """Make the newest edits hold: pairs of calendar and text.

        Raises ``InvalidTerms``, and has then changed nothing.
        """
        read = {name: (self.read(text, source=name), text) for name, text in edits}
        calendars = {**self._shipped.calendars, **{k: value for k, (value, _) in read.items()}}
        texts = {name: text for name, (_, text) in read.items()}
        revisions = {
            contract_id: _revision(revision, texts.get(self._calendar_of(contract_id)))
            for contract_id, revision in self._shipped.revisions.items()
        }
        self._calendars.update(calendars)
        self._revisions.update(revisions)

    def with_calendar(self, calendar: Calendar) -> Terms:
        """The terms as they would be; nothing changes."""
        return replace(self.terms, calendars={**self.terms.calendars, calendar.id: calendar})

    def _calendar_of(self, contract_id: str) -> str:
        return self._shipped.contracts[contract_id].calendar


def _revision(shipped: str, text: str | None) -> str:
    if text is None:
        return shipped
    return hashlib.sha256(f"{shipped}\0{text}".encode()).hexdigest()[:16]

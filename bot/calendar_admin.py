"""Calendars in an administrator's hands: looked at, tried on open tickets, saved, in force at once.

An edit rests as a whole in the database and is laid over the calendar's file, in this process at
once and in every other within seconds; the worker then reckons unfinished tickets again, each with
an event. Refuses to read what the strict reader of files would refuse.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog

from bot.accounts.service import Principal
from bot.clock import Clock
from bot.errors import CalendarChanged, CalendarNotFound, InvalidInput
from handoff import calendar_repository, repository
from handoff.alarms import MissingYear, missing_years
from handoff.calendar import Calendar, Day, DayKind, ExceptionKind
from handoff.calendar_preview import Move, moves
from handoff.calendar_tables import CalendarEdit
from handoff.calendar_text import CalendarDraft, ExceptionDraft
from handoff.contract import Terms
from handoff.current_terms import CurrentTerms
from handoff.errors import InvalidTerms, NoWorkingTime
from handoff.lifecycle import Event
from handoff.settings import HandoffSettings
from handoff.tables import Ticket
from store import audit
from store.session import Database

#: Tickets that a preview looks at; those due first.
PREVIEW_LIMIT = 200
#: How often edits of other processes are looked for.
LOOK_S = 5.0
#: Days ahead whose holidays and make-up days are shown.
AHEAD_DAYS = 120
_SPECIAL = frozenset({DayKind.MAKEUP, DayKind.HOLIDAY, DayKind.CLOSED})

log = structlog.get_logger("bot.calendar_admin")


@dataclass(frozen=True, slots=True)
class Moved:
    """A ticket whose deadlines would change."""

    number: str
    title: str
    severity: str
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What saving would do. ``more``: there are tickets beyond those looked at."""

    looked_at: int
    moved: Sequence[Moved]
    more: bool


@dataclass(frozen=True, slots=True)
class CalendarView:
    """A calendar, who uses it, what is special soon, and who edited it."""

    calendar: Calendar
    contracts: Sequence[str]
    special: Sequence[Day]
    edits: Sequence[CalendarEdit]

    @property
    def version(self) -> int:
        """Changes with every edit of this calendar; 0 for the file's."""
        return self.edits[0].id if self.edits else 0


class CalendarAdmin:
    """The administrator's verbs on calendars."""

    def __init__(
        self, database: Database, current: CurrentTerms, settings: HandoffSettings, clock: Clock
    ) -> None:
        self._database = database
        self._current = current
        self._settings = settings
        self._clock = clock
        self._seen = 0

    @property
    def terms(self) -> Terms:
        """The terms in force."""
        return self._current.terms

    async def refresh(self) -> bool:
        """Lay newer edits over the files; whether there were any.

        An edit that cannot be read any more (its calendar is gone from the files, or a release
        reads more strictly) leaves the terms as they are, and is logged.
        """
        async with self._database.glance() as session:
            newest = await calendar_repository.newest_edit_id(session)
            if newest == self._seen:
                return False
            edits = await calendar_repository.newest_edits(session)
        known = [(one.calendar_id, one.text) for one in edits if one.calendar_id in self._known]
        try:
            self._current.lay_over(known)
        except InvalidTerms as error:
            log.exception("calendar_edit_unreadable", source=error.source)
        self._seen = newest
        return True

    @property
    def _known(self) -> Mapping[str, Calendar]:
        return self.terms.calendars

    async def run(self) -> None:
        """Follow edits of other processes, until cancelled."""
        while True:
            try:
                await self.refresh()
            except Exception:
                log.exception("calendar_refresh_failed")
            await asyncio.sleep(LOOK_S)

    def missing(self) -> Sequence[MissingYear]:
        """Years whose holidays should be loaded by now and are not."""
        ahead = timedelta(days=self._settings.holiday_warning_days)
        return missing_years(self.terms, now=self._clock(), ahead=ahead)

    async def calendars(self, admin: Principal) -> list[CalendarView]:
        """Every calendar, by name."""
        admin.require()
        found = [await self.calendar(admin, one) for one in self.terms.calendars]
        return sorted(found, key=lambda view: view.calendar.name)

    async def calendar(self, admin: Principal, calendar_id: str) -> CalendarView:
        """One calendar. Raises :class:`CalendarNotFound`."""
        admin.require()
        calendar = self._calendar(calendar_id)
        async with self._database.glance() as session:
            edits = await calendar_repository.edits_of(session, calendar_id)
        contracts = [
            one.name for one in self.terms.contracts.values() if one.calendar == calendar_id
        ]
        today = self._clock().astimezone(calendar.zone).date()
        days = (calendar.day(today + timedelta(days=n)) for n in range(AHEAD_DAYS))
        special = [day for day in days if day.kind in _SPECIAL]
        return CalendarView(calendar, contracts, special, edits)

    def _calendar(self, calendar_id: str) -> Calendar:
        try:
            return self.terms.calendars[calendar_id]
        except KeyError:
            raise CalendarNotFound(calendar_id) from None

    def read(self, calendar_id: str, draft: CalendarDraft) -> Calendar:
        """What was typed as a calendar. Raises :class:`InvalidInput` naming the field."""
        for number, line in enumerate(draft.exceptions, 1):
            _check_line(number, line)
        text = draft.text(self._calendar(calendar_id))
        try:
            found = self._current.read(text, source=calendar_id)
            found.end_of_working_day(self._clock(), 1)
        except InvalidTerms as error:
            raise InvalidInput(_field(error.detail), _reason(error.detail)) from None
        except NoWorkingTime:
            raise InvalidInput("week", "calendar_admin.error.nobody_works") from None
        return found

    async def preview(self, admin: Principal, calendar_id: str, draft: CalendarDraft) -> Preview:
        """How the deadlines of open tickets would move. Raises :class:`InvalidInput`."""
        admin.require()
        then = self._current.with_calendar(self.read(calendar_id, draft))
        async with self._database.reading() as session:
            tickets = await calendar_repository.unfinished_on(
                session, calendar_id, limit=PREVIEW_LIMIT + 1
            )
            looked_at = tickets[:PREVIEW_LIMIT]
            histories = [
                (ticket, await repository.events_of(session, ticket.id)) for ticket in looked_at
            ]
        moved = await asyncio.to_thread(_moved, histories, self.terms, then)
        return Preview(len(looked_at), moved, len(tickets) > PREVIEW_LIMIT)

    async def save(
        self, admin: Principal, calendar_id: str, draft: CalendarDraft, *, expected: int
    ) -> None:
        """Make it hold from now on. Raises :class:`InvalidInput` or :class:`CalendarChanged`."""
        admin.require()
        self.read(calendar_id, draft)
        text, now = draft.text(self._calendar(calendar_id)), self._clock()
        async with self._database.transaction() as session:
            known = await calendar_repository.edits_of(session, calendar_id, limit=1)
            if (known[0].id if known else 0) != expected:
                raise CalendarChanged(calendar_id)
            session.add(CalendarEdit(calendar_id=calendar_id, text=text, editor=admin.name, at=now))
            await session.flush()
            await audit.record(
                session,
                actor=f"staff:{admin.staff_id}",
                action="calendar.edited",
                subject=f"calendar:{calendar_id}",
                detail={"text": text},
                now=now,
            )
        await self.refresh()


def _moved(
    histories: Sequence[tuple[Ticket, Sequence[Event]]], now: Terms, then: Terms
) -> list[Moved]:
    found = []
    for ticket, events in histories:
        changed = moves(events, now, then)
        if changed:
            found.append(Moved(ticket.number, ticket.title, ticket.severity, changed))
    return found


def _check_line(number: int, line: ExceptionDraft) -> None:
    """What the reader would refuse without saying where."""
    field = f"exceptions.{number}"
    first, last = _date(line.first), _date(line.last or line.first)
    if first is None or last is None or last < first:
        raise InvalidInput(field, "calendar_admin.error.days")
    if line.kind not in {kind.value for kind in ExceptionKind}:
        raise InvalidInput(field, "calendar_admin.error.kind")
    if line.kind == ExceptionKind.HOURS and not line.hours:
        raise InvalidInput(field, "calendar_admin.error.no_hours")
    if line.kind == ExceptionKind.CLOSED and line.hours:
        raise InvalidInput(field, "calendar_admin.error.closed_hours")
    if line.kind != ExceptionKind.HOURS and not line.name:
        raise InvalidInput(field, "calendar_admin.error.no_name")


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


_REASONS: Mapping[str, str] = {
    "week": "calendar_admin.error.week",
    "makeup": "calendar_admin.error.makeup",
    "exceptions": "calendar_admin.error.line",
    "entered_years": "calendar_admin.error.years",
}


def _field(detail: str) -> str:
    """The part of the form that the reader's fault is in; lines are counted from 1."""
    part, _, where = detail.partition(":")[0].partition(".")
    where = where.partition(".")[0]
    return f"{part}.{int(where) + 1 if where.isdecimal() else where}"


def _reason(detail: str) -> str:
    """The phrase for a refusal of the reader, by the part of the file that it names."""
    part = detail.partition(":")[0].partition(".")[0]
    return _REASONS.get(part, "calendar_admin.error.nobody_works")


def parse_time(text: str, calendar: Calendar) -> datetime | None:
    """A local time as a browser's form gives it, aware; ``None`` for what is none."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=calendar.zone)
    except ValueError:
        return None

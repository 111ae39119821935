"""What time does to tickets, and what must not be taken for a loaded year."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from handoff import repository, service, timers
from handoff.alarms import missing_years
from handoff.contract import Terms
from handoff.errors import BrokenHistory
from handoff.holidays import published_holidays
from handoff.lifecycle import Event, replay
from handoff.repository import columns_of, stored
from handoff.terms import load_terms
from handoff.ticket import Action, PauseReason, Status
from tests.handoff.people import ASKER, BOT, CHEN, NOW, Desk
from tests.handoff.terms import DATA, at, local, shipped_terms


async def run(desk: Desk, now: str, terms: Terms | None = None) -> timers.Ran:
    return await timers.run_due(desk.database, terms=terms or shipped_terms(), now=at(now))


class TestClosing:
    async def test_silence_closes_once_the_time_is_over(self, desk: Desk) -> None:
        ticket = await desk.do(service.claim, await desk.open(), CHEN)
        await desk.do(service.resolve, ticket, CHEN, cause="甲", solution="乙")
        assert (await run(desk, "2026-03-13 17:29")).closed == 0
        assert (await run(desk, "2026-03-13 17:30")).closed == 1
        assert (await run(desk, "2026-03-13 17:30")).closed == 0
        assert (await desk.read(ticket)).status == Status.CLOSED

    async def test_over_the_spring_festival_nobody_is_hurried(self, sqlite_desk: Desk) -> None:
        sqlite_desk.now = at("2026-02-14 15:00")
        ticket = await sqlite_desk.do(service.claim, await sqlite_desk.open(), CHEN)
        done = await sqlite_desk.do(service.resolve, ticket, CHEN, cause="甲", solution="乙")
        assert local(done.confirm_until) == "2026-02-26 17:30"

    async def test_what_was_reopened_meanwhile_is_left_alone(self, sqlite_desk: Desk) -> None:
        ticket = await sqlite_desk.do(service.claim, await sqlite_desk.open(), CHEN)
        await sqlite_desk.do(service.resolve, ticket, CHEN, cause="甲", solution="乙")
        await sqlite_desk.do(service.reopen, ticket, ASKER)
        assert (await run(sqlite_desk, "2026-03-20 09:00")).closed == 0


class TestAppointments:
    async def test_the_agreed_time_comes(self, desk: Desk) -> None:
        ticket = await desk.do(service.claim, await desk.open(), CHEN)
        until = at("2026-03-11 10:00")
        await desk.do(service.pause, ticket, CHEN, reason=PauseReason.APPOINTMENT, until=until)
        assert (await run(desk, "2026-03-11 09:59")).resumed == 0
        # A worker that slept through the moment does it late, and once.
        assert (await run(desk, "2026-03-12 09:00")).resumed == 1
        assert (await run(desk, "2026-03-12 09:00")).resumed == 0
        row = await desk.read(ticket)
        assert (row.status, row.resume_at) == (Status.IN_PROGRESS, None)


class TestCorrectedCalendars:
    @pytest.fixture
    def corrected(self, tmp_path: Path) -> Terms:
        """Foshan has the Wednesday off."""
        for name in ("contracts", "calendars"):
            shutil.copytree(DATA / name, tmp_path / name)
        path = tmp_path / "calendars" / "foshan.yml"
        path.write_text(
            path.read_text(encoding="utf-8")
            + "exceptions:\n  - {date: 2026-03-11, closed: 停电检修}\n",
            encoding="utf-8",
        )
        return load_terms(
            tmp_path / "contracts", tmp_path / "calendars", holidays=published_holidays()
        )

    async def test_unfinished_tickets_are_reckoned_again_once(
        self, desk: Desk, corrected: Terms
    ) -> None:
        ticket = await desk.open()
        other = await desk.open(contract_id="changzhou")
        done = await desk.do(service.withdraw, await desk.open(), ASKER)
        assert local(ticket.resolve_due) == "2026-03-11 10:00"
        assert (await run(desk, "2026-03-10 10:00", corrected)).recalculated == 1
        assert (await run(desk, "2026-03-10 10:01", corrected)).recalculated == 0
        row = await desk.read(ticket)
        assert local(row.resolve_due) == "2026-03-12 10:00"
        assert (await desk.read(other)).version == 1
        assert (await desk.read(done)).version == 2
        async with desk.database.reading() as session:
            events = await repository.events_of(session, ticket.id)
        assert columns_of(replay(events, corrected)) == stored(row)


class TestMissingYears:
    def test_the_alarm_comes_in_time_and_stays(self) -> None:
        terms, ahead = shipped_terms(), timedelta(days=45)
        assert missing_years(terms, now=at("2026-11-16 09:00"), ahead=ahead) == ()
        found = missing_years(terms, now=at("2026-11-21 09:00"), ahead=ahead)
        assert {missing.calendar_id for missing in found} == {
            "changzhou",
            "foshan",
            "guangdong",
            "guangxi",
        }
        assert {(missing.year, missing.days) for missing in found} == {(2027, 41)}
        begun = missing_years(terms, now=at("2027-01-03 09:00"), ahead=ahead)
        assert {(missing.year, missing.days) for missing in begun} == {(2027, -2)}


class TestReplay:
    def event(self, seq: int, action: Action, start: Status | None, end: Status) -> Event:
        detail = {"severity": "一般", "category": "系统故障", "contract": "foshan"}
        return Event(seq, NOW, action, BOT, start, end, detail)

    def test_histories_with_holes_are_refused(self) -> None:
        opened = self.event(1, Action.OPEN, None, Status.NEW)
        histories = [
            [],
            [self.event(1, Action.NOTE, Status.NEW, Status.NEW)],
            [opened, self.event(3, Action.NOTE, Status.NEW, Status.NEW)],
            [opened, self.event(2, Action.NOTE, Status.RESOLVED, Status.RESOLVED)],
        ]
        for events in histories:
            with pytest.raises(BrokenHistory):
                replay(events, shipped_terms())
        assert replay([opened], shipped_terms()).version == 1


class TestRaces:
    async def test_a_ticket_that_changed_after_the_list_is_left_to_the_next_run(
        self, sqlite_desk: Desk
    ) -> None:
        """Not due any more, not there any more, moved on: each skips itself and no other."""
        not_due = await sqlite_desk.open()
        due = await sqlite_desk.do(service.claim, await sqlite_desk.open(), CHEN)
        await sqlite_desk.do(service.resolve, due, CHEN, cause="甲", solution="乙")
        moved_on = await sqlite_desk.open()
        timer = timers.Timer(service.close, lambda ticket: ticket.id != not_due.id)
        done = await timers._each(
            sqlite_desk.database,
            [not_due.id, "gone", moved_on.id, due.id],
            timer,
            shipped_terms(),
            sqlite_desk.now,
        )
        assert done == 1
        assert (await sqlite_desk.read(due)).status == Status.CLOSED
        assert (await sqlite_desk.read(moved_on)).status == Status.NEW

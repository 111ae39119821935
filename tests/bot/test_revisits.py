"""Call-backs: who is asked, once, and what is written down."""

import asyncio
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.accounts.service import Principal
from bot.errors import CallBackDone, CallBackNotFound, InvalidInput, NotPermitted
from bot.tables import Role
from bot.tickets.revisits import Revisits
from handoff import service
from handoff.callbacks import ATTEMPTS, Finished, Result, Why, is_over, wanted
from handoff.problem_report import ProblemReport
from handoff.settings import HandoffSettings
from handoff.tables import Ticket
from store import audit
from store.session import Database
from store.vocabulary import Severity
from tests.handoff.people import ASKER, CHEN, Desk, add_people
from tests.handoff.terms import shipped_terms

REPORT = ProblemReport("原因", "影响", "措施", "预防")


def engineer(*, regions: tuple[str, ...] = (), role: Role = Role.ENGINEER) -> Principal:
    return Principal("e1", "e1", "陈工", "", role, regions, (), "", must_change_password=False)


async def close(desk: Desk, *, reopened: bool = False, **over: object) -> Ticket:
    ticket = await desk.do(service.claim, await desk.open(**over), CHEN)
    await desk.do(service.resolve, ticket, CHEN, cause="甲", solution="乙")
    if reopened:
        await desk.do(service.reopen, ticket, ASKER)
        await desk.do(service.claim, ticket, CHEN)
        await desk.do(service.resolve, ticket, CHEN, cause="甲", solution="丙")
    if over.get("severity") is Severity.MAJOR:
        await desk.do(service.report, ticket, CHEN, report=REPORT)
    return await desk.do(service.close, ticket, ASKER)


class Scene:
    """A desk, its call-backs, and the time."""

    def __init__(self, database: Database, percent: int = 0) -> None:
        self.desk = Desk(database)
        settings = HandoffSettings(callback_sample_percent=percent)
        self.revisits = Revisits(database, shipped_terms(), settings, self.clock)

    def clock(self) -> datetime:
        return self.desk.now


@pytest.fixture
async def scene(sqlite_database: Database) -> Scene:
    await add_people(sqlite_database)
    return Scene(sqlite_database)


async def test_major_and_reopened_are_asked_about_once(database: Database) -> None:
    await add_people(database)
    scene = Scene(database)
    major = await close(scene.desk, severity=Severity.MAJOR)
    again = await close(scene.desk, reopened=True)
    await close(scene.desk)
    await scene.desk.do(service.withdraw, await scene.desk.open(severity=Severity.MAJOR), ASKER)
    others = Scene(database)
    others.desk.now = scene.desk.now
    made = await asyncio.gather(scene.revisits.plan(), others.revisits.plan())
    assert sum(made) == 2
    assert await scene.revisits.plan() == 0
    found = await scene.revisits.listed(engineer(), done=False)
    assert {(one.ticket.number, one.call_back.why) for one in found} == {
        (major.number, "major"),
        (again.number, "reopened"),
    }


async def test_who_is_not_reached_is_tried_three_times(scene: Scene) -> None:
    await close(scene.desk, severity=Severity.MAJOR)
    await scene.revisits.plan()
    for attempt in range(1, ATTEMPTS + 1):
        (row,) = await scene.revisits.listed(engineer(), done=False)
        before = row.call_back.due_at
        scene.desk.now = before
        await scene.revisits.record(engineer(), row.call_back.id, Result.UNREACHABLE, "")
        if attempt < ATTEMPTS:
            (later,) = await scene.revisits.listed(engineer(), done=False)
            assert later.call_back.due_at > before
    assert await scene.revisits.listed(engineer(), done=False) == []
    (done,) = await scene.revisits.listed(engineer(), done=True)
    assert (done.call_back.attempts, done.by) == (ATTEMPTS, "e1")


async def test_a_result_is_written_once_and_audited(scene: Scene) -> None:
    ticket = await close(scene.desk, severity=Severity.MAJOR)
    await scene.revisits.plan()
    (row,) = await scene.revisits.listed(engineer(), done=False)
    note = "联系电话13800138000，仍偶发"
    await scene.revisits.record(engineer(), row.call_back.id, Result.UNSATISFIED, note)
    with pytest.raises(CallBackDone):
        await scene.revisits.record(engineer(), row.call_back.id, Result.SATISFIED, "")
    (done,) = await scene.revisits.listed(engineer(), done=True)
    assert "13800138000" not in done.call_back.note
    assert await scene.revisits.results(engineer()) == {"unsatisfied": 1}
    async with scene.desk.database.reading() as session:
        entries = await audit.entries_of(session, f"ticket:{ticket.number}")
    assert entries[-1].detail == {"result": "unsatisfied", "attempt": 1}


async def test_what_is_out_of_scope_is_not_there(scene: Scene) -> None:
    await close(scene.desk, severity=Severity.MAJOR)
    await scene.revisits.plan()
    (row,) = await scene.revisits.listed(engineer(), done=False)
    elsewhere = engineer(regions=("顺德区",))
    assert await scene.revisits.listed(elsewhere, done=False) == []
    for who, refusal in (
        (elsewhere, CallBackNotFound),
        (engineer(role=Role.EDITOR), NotPermitted),
        (engineer(role=Role.MANAGER), NotPermitted),
    ):
        with pytest.raises(refusal):
            await scene.revisits.record(who, row.call_back.id, Result.SATISFIED, "")
    with pytest.raises(CallBackNotFound):
        await scene.revisits.record(engineer(), "0" * 32, Result.SATISFIED, "")


@pytest.mark.parametrize("note", ["", "   ", "长" * 2001])
async def test_dissatisfaction_needs_its_reason(scene: Scene, note: str) -> None:
    await close(scene.desk, severity=Severity.MAJOR)
    await scene.revisits.plan()
    (row,) = await scene.revisits.listed(engineer(), done=False)
    with pytest.raises(InvalidInput):
        await scene.revisits.record(engineer(), row.call_back.id, Result.UNSATISFIED, note)


async def test_a_process_that_was_down_plans_what_it_missed(scene: Scene) -> None:
    await close(scene.desk, severity=Severity.MAJOR)
    scene.desk.now += timedelta(days=10)
    assert await scene.revisits.plan() == 1


@given(st.text(alphabet="0123456789abcdef", min_size=32, max_size=32), st.integers(0, 100))
def test_the_sample_is_the_same_whoever_draws_it_and_grows_with_its_share(
    ticket_id: str, percent: int
) -> None:
    ticket = Finished(ticket_id, Severity.GENERAL, 0)
    drawn = wanted(ticket, sample_percent=percent)
    assert drawn == wanted(ticket, sample_percent=percent)
    assert drawn in (None, Why.SAMPLE)
    assert drawn is None or wanted(ticket, sample_percent=min(100, percent + 1)) is Why.SAMPLE
    assert wanted(ticket, sample_percent=100) is Why.SAMPLE
    assert wanted(ticket, sample_percent=0) is None


def test_the_sample_is_about_its_share() -> None:
    tickets = [Finished(f"{n:032x}", Severity.URGENT, 0) for n in range(5_000)]
    drawn = sum(wanted(one, sample_percent=10) is Why.SAMPLE for one in tickets)
    assert 420 <= drawn <= 580


def test_only_silence_is_tried_again() -> None:
    assert [is_over(result, 1) for result in Result] == [True, True, True, False]
    assert is_over(Result.UNREACHABLE, ATTEMPTS)

"""The report on a 重大 fault: required before closing, and told from the events."""

from datetime import timedelta

import pytest

from handoff import problem_report, repository, service, timers
from handoff.errors import InvalidText, ReportRequired
from handoff.problem_report import ProblemReport
from handoff.tables import Ticket
from handoff.ticket import Action, Actor, Status
from store.session import Database
from store.vocabulary import Severity
from tests.handoff.people import ASKER, CHEN, SYSTEM, Desk, add_people
from tests.handoff.terms import shipped_terms

REPORT = ProblemReport("连接池耗尽", "全市支付", "重启服务", "扩大连接池")


@pytest.fixture
async def desk(sqlite_database: Database) -> Desk:
    await add_people(sqlite_database)
    return Desk(sqlite_database)


async def resolved(desk: Desk, severity: Severity = Severity.MAJOR) -> Ticket:
    ticket = await desk.open()
    if severity is not Severity.GENERAL:
        await desk.do(service.change_severity, ticket, CHEN, severity=severity, why="全市")
    await desk.do(service.claim, ticket, CHEN)
    await desk.do(service.record_reply, ticket, CHEN, message_id=1)
    await desk.do(service.record_reply, ticket, CHEN, message_id=2)
    return await desk.do(service.resolve, ticket, CHEN, cause="甲", solution="乙")


@pytest.mark.parametrize("actor", [CHEN, SYSTEM, ASKER], ids=lambda actor: str(actor.kind))
async def test_nobody_closes_a_major_ticket_before_its_report(desk: Desk, actor: Actor) -> None:
    ticket = await resolved(desk)
    with pytest.raises(ReportRequired):
        await desk.do(service.close, ticket, actor)
    await desk.do(service.report, ticket, CHEN, report=REPORT)
    assert (await desk.do(service.close, ticket, actor)).status == Status.CLOSED


@pytest.mark.parametrize("severity", [Severity.GENERAL, Severity.URGENT])
async def test_others_are_closed_without_one(desk: Desk, severity: Severity) -> None:
    ticket = await resolved(desk, severity)
    assert (await desk.do(service.close, ticket, ASKER)).status == Status.CLOSED


async def test_silence_closes_a_major_ticket_only_with_its_report(desk: Desk) -> None:
    ticket, general = await resolved(desk), await resolved(desk, Severity.GENERAL)
    later = desk.now + timedelta(days=30)
    ran = await timers.run_due(desk.database, terms=shipped_terms(), now=later)
    assert ran.closed == 1
    assert (await desk.read(general)).status == Status.CLOSED
    assert (await desk.read(ticket)).status == Status.RESOLVED
    await desk.do(service.report, ticket, CHEN, report=REPORT)
    ran = await timers.run_due(desk.database, terms=shipped_terms(), now=later)
    assert ran.closed == 1


@pytest.mark.parametrize("missing", ["cause", "impact", "measures", "prevention"])
async def test_every_part_is_needed(desk: Desk, missing: str) -> None:
    ticket = await resolved(desk)
    parts = {"cause": "甲", "impact": "乙", "measures": "丙", "prevention": "丁"}
    for words in (" ", "长" * 10_001):
        report = ProblemReport(**{**parts, missing: words})
        with pytest.raises(InvalidText) as refused:
            await desk.do(service.report, ticket, CHEN, report=report)
        assert refused.value.field == missing


async def test_the_newest_report_holds_and_the_timeline_leaves_talk_out(desk: Desk) -> None:
    ticket = await resolved(desk)
    await desk.do(service.report, ticket, CHEN, report=ProblemReport("甲", "乙", "丙", "丁"))
    await desk.do(service.report, ticket, CHEN, report=REPORT)
    async with desk.database.reading() as session:
        events = await repository.events_of(session, ticket.id)
    found = problem_report.latest(events)
    assert found is not None
    assert (found.report, found.author, found.at) == (REPORT, "陈工", desk.now)
    assert [event.action for event in problem_report.timeline(events)] == [
        Action.OPEN,
        Action.CHANGE_SEVERITY,
        Action.CLAIM,
        Action.REPLY,
        Action.RESOLVE,
    ]
    assert problem_report.latest(events[:3]) is None


async def test_a_ticket_handled_beyond_the_contracts_limit_owes_its_report_too(desk: Desk) -> None:
    async def solved_after(minutes: int) -> Ticket:
        ticket = await desk.open(contract_id="guangxi", severity=Severity.URGENT)
        await desk.do(service.claim, ticket, CHEN)
        desk.now += timedelta(minutes=minutes - 2)
        return await desk.do(service.resolve, ticket, CHEN, cause="甲", solution="乙")

    late, in_time = await solved_after(125), await solved_after(110)
    desk.now += timedelta(hours=3)
    closed = await desk.do(service.close, in_time, SYSTEM)
    assert closed.status == Status.CLOSED
    with pytest.raises(ReportRequired):
        await desk.do(service.close, late, SYSTEM)
    await desk.do(service.report, late, CHEN, report=REPORT)
    assert (await desk.do(service.close, late, SYSTEM)).status == Status.CLOSED

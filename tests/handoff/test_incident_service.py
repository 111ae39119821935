"""Incidents on a real database: proposed, decided, gathered, told, reviewed, closed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from handoff import incident_repository as rows
from handoff import incident_service as service
from handoff.errors import (
    AttachRefused,
    IllegalTransition,
    IncidentNotFound,
    InvalidText,
    NothingToChange,
    NotPermitted,
    ReviewRequired,
    StaleIncident,
)
from handoff.incident import (
    BEGINNINGS,
    FINAL,
    TRANSITIONS,
    Belonging,
    IncidentAction,
    IncidentStatus,
    PublicWords,
    allowed_actions,
    next_status,
)
from handoff.incident_matching import Evidence, Match, Symptom, reporter_of
from handoff.incident_reference import transitions_page
from handoff.incident_rules import Numbers
from handoff.incident_service import Doing, NewIncident
from handoff.incident_tables import Incident
from handoff.problem_report import ProblemReport
from handoff.tables import Ticket
from handoff.ticket import Actor
from store import outbox
from store.vocabulary import Category, Severity
from tests.handoff.people import ASKER, BOT, CHEN, SYSTEM, Desk

ZONE = ZoneInfo("Asia/Shanghai")
WORDS = PublicWords("支付申请暂时无法提交，正在处理", "已保存的单据不会丢")
REPORT = ProblemReport("连接池耗尽", "三家单位", "扩容重启", "加监控")


@asynccontextmanager
async def doing(desk: Desk, actor: Actor = CHEN) -> AsyncIterator[Doing]:
    desk.now += desk.step
    async with desk.database.transaction() as session:
        yield Doing(session, actor, desk.now)


def symptom(ticket: Ticket) -> Symptom:
    return Symptom(
        ticket.id,
        ticket.number,
        reporter_of(ticket.unit, None, ticket.id),
        ticket.unit,
        ticket.region,
        ticket.module,
        frozenset(),
        ticket.opened_at,
    )


async def proposed(desk: Desk, *tickets: Ticket) -> Incident:
    first, *others = tickets
    numbers = Numbers(timedelta(hours=2), 2, 0.5, 3, 10)
    matches = tuple(Match(symptom(one), 0.8) for one in others)
    async with doing(desk, SYSTEM) as do:
        new = NewIncident("支付申请提交失败", Severity.URGENT, module="支付申请")
        evidence = Evidence(symptom(first), matches, numbers)
        return await service.propose(do, new, evidence, zone=ZONE)


async def opened(desk: Desk) -> Incident:
    async with doing(desk) as do:
        new = NewIncident("支付申请提交失败", Severity.URGENT, words=WORDS)
        return await service.open_incident(do, new, zone=ZONE)


async def read(desk: Desk, incident: Incident) -> Incident:
    async with desk.database.reading() as session:
        return await rows.by_id(session, incident.id)


async def members(desk: Desk, incident: Incident) -> list[str]:
    async with desk.database.reading() as session:
        return [one.ticket.number for one in await rows.members(session, incident.id)]


async def test_a_proposal_is_confirmed_and_keeps_its_evidence(desk: Desk) -> None:
    one, two = await desk.open(unit="甲局"), await desk.open(unit="乙局")
    incident = await proposed(desk, two, one)
    assert incident.number.startswith("SJ20260310-01")
    assert incident.began_at == one.opened_at
    assert [row["unit"] for row in incident.evidence["tickets"]] == ["乙局", "甲局"]
    async with doing(desk) as do:
        found = await rows.by_number(do.session, incident.number, lock=True)
        await service.confirm(
            do, found, title="支付申请提交失败", severity=Severity.MAJOR, words=WORDS
        )
    now = await read(desk, incident)
    assert (now.status, now.severity, now.note) == ("处理中", "重大", WORDS.note)
    assert now.evidence == incident.evidence
    async with desk.database.reading() as session:
        events = await rows.events_of(session, incident.id)
        assert [event.action for event in events] == ["propose", "confirm"]
        assert now.version == len(events)
        reach = (await rows.reaches(session, [incident.id]))[incident.id]
        waiting = await outbox.counts(session)
    assert (reach.tickets, reach.units, reach.regions) == (2, 2, ("禅城区",))
    assert waiting["pending"] == 4  # two openings of tickets, two of the incident


async def test_machines_never_decide_and_people_never_guess(desk: Desk) -> None:
    incident = await proposed(desk, await desk.open(), await desk.open())
    async with doing(desk, SYSTEM) as do:
        with pytest.raises(NotPermitted):
            await service.reject(do, incident, why="不是同一件事")
        with pytest.raises(NotPermitted):
            await service.open_incident(
                do, NewIncident("x", Severity.GENERAL, words=WORDS), zone=ZONE
            )
    other = await desk.open()
    async with doing(desk, ASKER) as do:
        with pytest.raises(NotPermitted):
            await service.attach(do, incident, other, belonging=Belonging.HAND)


async def test_a_rejected_one_keeps_its_tickets_from_counting_again(desk: Desk) -> None:
    one, two = await desk.open(), await desk.open()
    incident = await proposed(desk, two, one)
    three = await desk.open()
    async with doing(desk) as do:
        await service.reject(do, incident, why="两件不同的事")
    async with desk.database.reading() as session:
        loose = await rows.loose_tickets(
            session,
            categories=[Category.FAULT],
            since=desk.now - timedelta(days=1),
            but="",
            limit=10,
        )
        assert await rows.living_of(session, one.id) is None
    assert [ticket.number for ticket in loose] == [three.number]
    async with doing(desk) as do:
        with pytest.raises(IllegalTransition):
            await service.confirm(
                do,
                await rows.by_id(do.session, incident.id),
                title="x",
                severity=Severity.GENERAL,
                words=WORDS,
            )


async def test_a_ticket_belongs_to_one_living_incident(desk: Desk) -> None:
    ticket, first, second = await desk.open(), await opened(desk), await opened(desk)
    async with doing(desk) as do:
        await service.attach(do, first, ticket, belonging=Belonging.ALIKE, likeness=0.7)
    async with doing(desk) as do:
        for incident in (first, second):
            with pytest.raises(AttachRefused) as refused:
                await service.attach(do, incident, ticket, belonging=Belonging.HAND)
            assert refused.value.holder == first.number


async def test_what_a_person_took_out_comes_back_by_hand_only(desk: Desk) -> None:
    ticket, incident = await desk.open(), await opened(desk)
    async with doing(desk) as do:
        await service.attach(do, incident, ticket, belonging=Belonging.ALIKE, likeness=0.7)
        await service.detach(do, incident, ticket, why="是另一个问题")
        with pytest.raises(NothingToChange):
            await service.detach(do, incident, ticket, why="再来一次")
        with pytest.raises(AttachRefused):
            await service.attach(do, incident, ticket, belonging=Belonging.ALIKE, likeness=0.7)
    assert await members(desk, incident) == []
    async with doing(desk) as do:
        await service.attach(do, incident, ticket, belonging=Belonging.HAND)
    assert await members(desk, incident) == [ticket.number]


async def test_from_news_to_the_end(desk: Desk) -> None:
    incident = await opened(desk)
    async with doing(desk) as do:
        with pytest.raises(NothingToChange):
            await service.tell(do, incident, words=WORDS)
        await service.tell(do, incident, words=PublicWords("已定位，预计 11 点恢复"))
        await service.resolve(do, incident, cause="连接池耗尽", solution="扩容后恢复")
        await service.reopen(do, incident, why="又不行了")
        assert incident.resolved_at is None
        await service.resolve(do, incident, cause="连接池耗尽", solution="再次扩容")
        with pytest.raises(ReviewRequired):
            await service.close(do, incident)
        await service.review(do, incident, report=REPORT)
        measure = await service.add_measure(
            do, incident, text="加监控", owner="王工", due=date(2026, 4, 1)
        )
        with pytest.raises(ReviewRequired) as refused:
            await service.close(do, incident)
        assert refused.value.owed == 1
        await service.finish_measure(do, incident, measure.id, outcome="已上线")
        with pytest.raises(NothingToChange):
            await service.finish_measure(do, incident, measure.id, outcome="已上线")
        await service.close(do, incident)
        with pytest.raises(IllegalTransition):
            await service.reopen(do, incident, why="x")
    now = await read(desk, incident)
    assert (now.status, now.cause, now.review["prevention"]) == ("已关闭", "连接池耗尽", "加监控")


async def test_a_stale_writer_writes_nothing(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    incident = await opened(desk)
    old = await read(desk, incident)
    async with doing(desk) as do:
        await service.tell(do, await rows.by_id(do.session, incident.id), words=PublicWords("甲"))
    async with doing(desk) as do:
        with pytest.raises(StaleIncident):
            await service.tell(do, old, words=PublicWords("乙"))
    assert (await read(desk, incident)).note == "甲"


@pytest.mark.parametrize("words", [PublicWords(" "), PublicWords("好" * 1_001)])
async def test_users_are_never_told_nothing_or_a_novel(
    sqlite_desk: Desk, words: PublicWords
) -> None:
    async with doing(sqlite_desk) as do:
        with pytest.raises(InvalidText):
            await service.open_incident(
                do, NewIncident("x", Severity.GENERAL, words=words), zone=ZONE
            )


async def test_what_does_not_exist(sqlite_desk: Desk) -> None:
    incident, other = await opened(sqlite_desk), await opened(sqlite_desk)
    async with doing(sqlite_desk) as do:
        measure = await service.add_measure(do, other, text="x", owner="y", due=date(2026, 4, 1))
        for wanted in ("SJ20260101-99", "' OR 1=1 --"):
            with pytest.raises(IncidentNotFound):
                await rows.by_number(do.session, wanted)
        with pytest.raises(IncidentNotFound):
            await service.finish_measure(do, incident, measure.id, outcome="别人的")


async def test_who_only_asks_counts_and_may_follow(desk: Desk) -> None:
    incident = await opened(desk)
    async with doing(desk, BOT) as do:
        who: dict[str, Any] = {
            "conversation_id": "c1",
            "user_id": "u1",
            "unit": "乙局",
            "region": "顺德区",
        }
        assert await service.note_asker(do, incident.id, **who)
        assert not await service.note_asker(do, incident.id, **who)
        assert await rows.followers(do.session, incident.id) == []
        assert await service.note_asker(do, incident.id, **who, follows=True)
        assert not await service.note_asker(do, incident.id, **who, follows=True)
        assert not await service.note_asker(do, incident.id, **who)
    ticket = await desk.open(unit="甲局", requester_id="u2")
    async with doing(desk) as do:
        await service.attach(
            do, await rows.by_id(do.session, incident.id), ticket, belonging=Belonging.HAND
        )
    async with desk.database.reading() as session:
        assert await rows.followers(session, incident.id) == ["c1"]
        reach = (await rows.reaches(session, [incident.id]))[incident.id]
    assert reach == rows.Reach(1, 1, units=2, users=2, regions=("禅城区", "顺德区"))


def test_the_table_and_its_page_agree() -> None:
    assert all(allowed_actions(status) == () for status in FINAL)
    assert next_status(IncidentStatus.OPEN, IncidentAction.RESOLVE) is IncidentStatus.RESOLVED
    reached = set(BEGINNINGS.values()) | set(TRANSITIONS.values())
    assert reached == set(IncidentStatus)
    page = transitions_page()
    assert all(f"`{action.value}`" in page for action in IncidentAction)

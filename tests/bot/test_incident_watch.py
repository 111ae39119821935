"""The watch on a real database: what counts, what does not, and many at the same time."""

import asyncio
from typing import Any

import pytest

from bot.incidents.gathering import Gathering
from bot.incidents.likeness import Readings
from bot.incidents.watch import IncidentWatch
from bot.phrases import load
from bot.settings import data_dir
from handoff import incident_repository as rows
from handoff import incident_service, repository, service
from handoff.incident import IncidentStatus
from handoff.incident_rules import read_rules
from handoff.incident_service import Doing
from handoff.incident_tables import Incident
from handoff.tables import Ticket
from store.session import Database
from store.vocabulary import Category
from tests.bot.test_known_fault import PlainReader
from tests.handoff.people import CHEN, SYSTEM, Desk, add_people
from tests.handoff.terms import shipped_terms
from tests.handoff.test_incident_service import ZONE

FAULT = "支付申请一提交就报系统异常，转圈后白屏"
RULES = """
categories: [系统故障]
usual: {window_minutes: 60, units: 3, alike: 0.45, urgent_units: 3, major_units: 10}
seasonal:
- {modules: [国库集中支付], months: [3], units: 2}
"""


@pytest.fixture
async def desk(database: Database) -> Desk:
    await add_people(database)
    return Desk(database)


def watch_of(desk: Desk, reader: PlainReader | None = None) -> IncidentWatch:
    phrases = load(data_dir() / "locales" / "zh-CN.yml")
    return IncidentWatch(
        desk.database,
        read_rules(RULES, source="test.yml", zone=ZONE),
        Gathering(shipped_terms(), phrases),
        Readings(reader or PlainReader()),
        lambda: desk.now,
    )


async def reported(desk: Desk, *units: str, **over: Any) -> list[Ticket]:
    values = {"title": FAULT, "description": FAULT, "module": None, **over}
    return [await desk.open(unit=unit, **values) for unit in units]


async def considered(desk: Desk, tickets: list[Ticket]) -> list[Incident]:
    watch = watch_of(desk)
    for ticket in tickets:
        await watch.consider(ticket.id)
    return await every(desk)


async def every(desk: Desk) -> list[Incident]:
    async with desk.database.reading() as session:
        return list(await rows.with_status(session, tuple(IncidentStatus)))


async def test_many_at_the_same_time_make_one_incident(desk: Desk) -> None:
    tickets = await reported(desk, "甲局", "乙局", "丙局", "丁局", "戊局", "己局")
    watch = watch_of(desk)
    await asyncio.gather(*(watch.consider(ticket.id) for ticket in tickets))
    (incident,) = await every(desk)
    async with desk.database.reading() as session:
        members = await rows.members(session, incident.id)
    assert {member.ticket.id for member in members} == {ticket.id for ticket in tickets}


async def test_the_season_of_a_module_counts(desk: Desk) -> None:
    tickets = await reported(desk, "甲局", "乙局", module="国库集中支付")
    (incident,) = await considered(desk, tickets)
    assert incident.module == "国库集中支付"
    assert incident.evidence["units_needed"] == 2


@pytest.mark.parametrize(
    "over",
    [
        {"category": Category.HOW_TO},
        {"description": "", "title": ""},
    ],
)
async def test_what_tells_of_no_fault_counts_for_nothing(desk: Desk, over: Any) -> None:
    assert await considered(desk, await reported(desk, "甲局", "乙局", "丙局", **over)) == []


async def test_different_matters_stay_apart(desk: Desk) -> None:
    tickets = [
        *(await reported(desk, "甲局")),
        *(await reported(desk, "乙局", description="年终结转结余的批复文号在哪里查询")),
        *(await reported(desk, "丙局", description="公务卡还款后状态一直是未还款")),
    ]
    assert await considered(desk, tickets) == []


async def test_what_a_person_took_out_does_not_come_back(desk: Desk) -> None:
    tickets = await reported(desk, "甲局", "乙局", "丙局")
    (incident,) = await considered(desk, tickets)
    async with desk.database.transaction() as session:
        held = await rows.by_id(session, incident.id, lock=True)
        doing = Doing(session, CHEN, desk.now)
        await incident_service.detach(doing, held, tickets[0], why="是权限问题")
    assert len(await considered(desk, tickets)) == 1
    async with desk.database.reading() as session:
        members = await rows.members(session, incident.id)
    assert tickets[0].id not in {member.ticket.id for member in members}


async def test_what_was_merged_away_does_not_count(desk: Desk) -> None:
    one, two, three = await reported(desk, "甲局", "乙局", "丙局")
    async with desk.database.transaction() as session:
        into = await repository.by_id(session, one.id, lock=True)
        merged = await repository.by_id(session, two.id, lock=True)
        await service.merge(
            session, merged, actor=SYSTEM, now=desk.now, terms=shipped_terms(), into=into
        )
    assert await considered(desk, [three]) == []


async def test_hostile_and_endless_reports_are_only_text(desk: Desk) -> None:
    hostile = "'; DROP TABLE incidents; --\u202e<script>alert(1)</script>\x00" + "系统异常" * 5_000
    tickets = await reported(desk, "甲局", "乙局", "丙局", description=hostile, title="x")
    (incident,) = await considered(desk, tickets)
    assert len(incident.title) <= 200


async def test_a_storm_reads_each_report_once(sqlite_desk_with_people: Desk) -> None:
    desk, reader = sqlite_desk_with_people, PlainReader()
    tickets = await reported(desk, *(f"{n}局" for n in range(8)))
    watch = watch_of(desk, reader)
    for ticket in tickets:
        await watch.consider(ticket.id)
    assert reader.asked <= 2


@pytest.fixture
async def sqlite_desk_with_people(sqlite_database: Database) -> Desk:
    await add_people(sqlite_database)
    return Desk(sqlite_database)

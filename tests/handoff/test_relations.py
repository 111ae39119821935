"""Tickets split, linked and merged, and work orders followed, on a real database."""

from dataclasses import replace
from typing import Any

import pytest

from handoff import relations, repository, service, work_orders
from handoff.errors import (
    InvalidText,
    LinkRefused,
    NothingToChange,
    WorkOrderRefused,
    WorkOrderRequired,
)
from handoff.relations import Related, Relation
from handoff.tables import Ticket
from handoff.ticket import Level, Status
from handoff.work_orders import OrderKind, OrderStatus, WorkOrder
from store.session import Database
from tests.handoff.people import CHEN, SYSTEM, Desk, add_people
from tests.handoff.terms import shipped_terms

ORDER = WorkOrder(OrderKind.DEFECT, "QX-2026-18")


@pytest.fixture
async def desk(database: Database) -> Desk:
    await add_people(database)
    return Desk(database)


async def pair(desk: Desk, verb: str, one: Ticket, two: Ticket) -> None:
    async with desk.database.transaction() as session:
        first = await repository.by_id(session, one.id, lock=True)
        second = await repository.by_id(session, two.id, lock=True)
        common: dict[str, Any] = {"actor": CHEN, "now": desk.now, "terms": shipped_terms()}
        if verb == "link":
            await relations.link(session, first, other=second, **common)
        else:
            await service.merge(session, first, into=second, **common)


async def related(desk: Desk, ticket: Ticket) -> set[Related]:
    async with desk.database.reading() as session:
        return set(relations.relations(await repository.events_of(session, ticket.id)))


async def test_a_link_is_seen_from_both_sides_and_made_once(desk: Desk) -> None:
    one, two = await desk.open(), await desk.open()
    await pair(desk, "link", one, two)
    assert await related(desk, one) == {Related(Relation.LINKED, two.number)}
    assert await related(desk, two) == {Related(Relation.LINKED, one.number)}
    for first, second in ((one, two), (two, one), (one, one)):
        with pytest.raises(LinkRefused):
            await pair(desk, "link", first, second)


async def test_closed_tickets_can_be_linked(desk: Desk) -> None:
    one, two = await desk.open(), await desk.open()
    await desk.do(service.resolve, one, SYSTEM, cause="甲", solution="乙")
    await desk.do(service.close, one, CHEN)
    await pair(desk, "link", one, two)
    assert (await desk.read(one)).status == Status.CLOSED


async def test_a_split_off_matter_has_a_clock_and_a_trace_of_its_own(desk: Desk) -> None:
    first = await desk.open()
    words = {"title": "还有一件", "description": "打印也不行"}
    second = await desk.do(relations.split, first, CHEN, **words)
    assert second.number != first.number
    assert second.opened_at == desk.now > first.opened_at
    same = ("severity", "category", "contract_id", "region", "unit", "conversation_id", "level")
    assert [getattr(first, name) for name in same] == [getattr(second, name) for name in same]
    assert await related(desk, first) == {Related(Relation.SPLIT_INTO, second.number)}
    assert await related(desk, second) == {Related(Relation.SPLIT_FROM, first.number)}


@pytest.mark.parametrize("words", [{"title": " "}, {"title": "题" * 201}, {"description": ""}])
async def test_a_split_needs_words(desk: Desk, words: dict[str, str]) -> None:
    ticket = await desk.open()
    with pytest.raises(InvalidText):
        await desk.do(relations.split, ticket, CHEN, **{"title": "甲", "description": "乙"} | words)


async def test_everything_that_ended_in_a_ticket_is_found(desk: Desk) -> None:
    one, two, three = [await desk.open() for _ in range(3)]
    await pair(desk, "merge", one, two)
    await pair(desk, "merge", two, three)
    async with desk.database.reading() as session:
        found = await relations.merged_from(session, three.id)
        assert await relations.merged_from(session, one.id) == []
    assert {ticket.id for ticket in found} == {one.id, two.id}
    assert await related(desk, three) == {Related(Relation.MERGED_FROM, two.number)}


async def test_the_province_takes_nothing_without_a_work_order(desk: Desk) -> None:
    ticket = await desk.open()
    for to in (Level.CITY, None):
        if to is not None:
            await desk.do(service.escalate, ticket, CHEN, why="上", to=to)
            continue
        with pytest.raises(WorkOrderRequired):
            await desk.do(service.escalate, ticket, CHEN, why="上")


async def test_a_work_order_is_followed_to_its_end(desk: Desk) -> None:
    ticket = await desk.open()
    with pytest.raises(WorkOrderRefused):
        await desk.do(work_orders.track, ticket, CHEN, order=ORDER)
    await desk.do(service.escalate, ticket, CHEN, why="缺陷", to=Level.PROVINCE, order=ORDER)
    with pytest.raises(NothingToChange):
        await desk.do(work_orders.track, ticket, CHEN, order=ORDER)
    for status in (OrderStatus.ACCEPTED, OrderStatus.PLANNED, OrderStatus.RETURNED):
        news = replace(ORDER, status=status, release="V5.2", note="排入下个版本")
        await desk.do(work_orders.track, ticket, CHEN, order=news)
        assert await current(desk, ticket) == news
    with pytest.raises(WorkOrderRefused) as refused:
        await desk.do(work_orders.track, ticket, CHEN, order=ORDER)
    assert refused.value.status == OrderStatus.RETURNED


@pytest.mark.parametrize("field", ["external_number", "release"])
async def test_overlong_words_of_a_work_order_are_refused(desk: Desk, field: str) -> None:
    ticket = await desk.open()
    overlong: dict[str, Any] = {field: "9" * 61}
    order = replace(ORDER, **overlong)
    with pytest.raises(InvalidText):
        await desk.do(service.escalate, ticket, CHEN, why="上", to=Level.PROVINCE, order=order)


async def current(desk: Desk, ticket: Ticket) -> WorkOrder | None:
    async with desk.database.reading() as session:
        return work_orders.current(await repository.events_of(session, ticket.id))

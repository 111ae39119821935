"""Lists, searches and counts on real databases."""

from datetime import timedelta
from typing import Any

import pytest

from handoff import listing_repository, relations, repository, service
from handoff.listing_repository import TicketFilter
from handoff.routing import in_order
from handoff.tables import Ticket
from handoff.ticket import Level, PauseReason, Status
from store.vocabulary import Category, Severity
from tests.handoff.people import ASKER, BOT, CHEN, WANG, Desk
from tests.handoff.terms import shipped_terms


async def numbers(desk: Desk, **wanted: object) -> list[str]:
    """The last digits of the listed tickets' numbers."""
    filter_ = TicketFilter(**wanted)  # type: ignore[arg-type]  # named by the tests
    async with desk.database.reading() as session:
        listed = await listing_repository.list_tickets(session, filter_)
        assert await listing_repository.count_tickets(session, filter_) == len(listed)
        return [ticket.number[-1] for ticket in listed]


class TestLists:
    async def test_due_first_paused_and_final_last(self, desk: Desk) -> None:
        general = await desk.open()
        await desk.open(severity=Severity.MAJOR)
        paused = await desk.open()
        await desk.open(contract_id="jieyang", severity=Severity.GENERAL)
        await desk.open(contract_id="jieyang", severity=Severity.MAJOR)
        closed = await desk.open(severity=Severity.MAJOR)
        await desk.do(service.claim, paused, CHEN)
        await desk.do(service.record_reply, paused, CHEN)
        await desk.do(service.pause, paused, CHEN, reason=PauseReason.USER)
        await desk.do(service.withdraw, closed, ASKER)
        assert await numbers(desk) == ["2", "1", "5", "3", "4", "6"]
        assert general.number.endswith("1")

    async def test_filters_narrow_together(self, desk: Desk) -> None:
        first = await desk.open(region="禅城区")
        await desk.open(region="南海区", severity=Severity.MAJOR, requester_id="u2")
        await desk.open(region="禅城区", module="账户管理", level=Level.SECOND)
        await desk.do(service.claim, first, CHEN)
        assert await numbers(desk, status=[Status.NEW]) == ["2", "3"]
        assert await numbers(desk, status=[Status.NEW, Status.IN_PROGRESS]) == ["2", "1", "3"]
        assert await numbers(desk, severity=[Severity.MAJOR]) == ["2"]
        assert await numbers(desk, assignee_id=CHEN.id) == ["1"]
        assert await numbers(desk, unassigned=True) == ["2", "3"]
        assert await numbers(desk, level=Level.SECOND) == ["3"]
        assert await numbers(desk, regions=["禅城区"]) == ["1", "3"]
        assert await numbers(desk, regions=["禅城区"], status=[Status.NEW]) == ["3"]
        assert await numbers(desk, modules=["账户管理"]) == ["3"]
        assert await numbers(desk, requester_id="u2") == ["2"]
        assert await numbers(desk, overdue_at=desk.now + timedelta(minutes=11)) == ["2"]

    async def test_parts_of_names_and_days(self, desk: Desk) -> None:
        first = await desk.open(region="禅城区", unit="禅城区第一小学", module="支付管理")
        desk.now += timedelta(hours=2)
        await desk.open(region="南海区", unit="南海100%中学", module="账户管理")
        assert await numbers(desk, unit="小学") == ["1"]
        assert await numbers(desk, unit="%") == ["2"]
        assert await numbers(desk, region="南海", module="账户") == ["2"]
        assert await numbers(desk, opened_until=desk.now) == ["1"]
        assert await numbers(desk, opened_from=desk.now) == ["2"]
        assert await numbers(desk, ids=[first.id]) == ["1"]
        assert await numbers(desk, ids=[]) == []
        assert await numbers(desk, ids=[], conversations=["c1"]) == ["1", "2"]

    async def test_the_newest_page_by_page(self, desk: Desk) -> None:
        for _ in range(5):
            await desk.open()
        seen: list[str] = []
        before = None
        async with desk.database.reading() as session:
            while page := await listing_repository.newest(
                session, TicketFilter(), before=before, limit=2
            ):
                seen += [ticket.number[-1] for ticket in page]
                before = (page[-1].opened_at, page[-1].id)
        assert sorted(seen) == ["1", "2", "3", "4", "5"]

    async def test_what_is_over_comes_last_newest_first(self, sqlite_desk: Desk) -> None:
        for _ in range(3):
            gone = await sqlite_desk.open()
            await sqlite_desk.do(service.withdraw, gone, ASKER)
            sqlite_desk.now += timedelta(minutes=1)
        await sqlite_desk.open()
        assert await numbers(sqlite_desk) == ["4", "3", "2", "1"]
        assert await numbers(sqlite_desk, status=[Status.CLOSED]) == ["3", "2", "1"]
        async with sqlite_desk.database.reading() as session:
            some = await listing_repository.list_tickets(session, TicketFilter(), limit=2)
        assert [ticket.number[-1] for ticket in some] == ["4", "3"]

    async def test_counting_ends(self, sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        for _ in range(3):
            await sqlite_desk.open()
        monkeypatch.setattr(listing_repository, "COUNT_LIMIT", 2)
        async with sqlite_desk.database.reading() as session:
            assert await listing_repository.count_tickets(session, TicketFilter()) == 2


class TestOfOnePerson:
    async def test_open_tickets_newest_first_with_resolved_ones(self, desk: Desk) -> None:
        first = await desk.open()
        desk.now += timedelta(minutes=1)
        second = await desk.open()
        gone = await desk.open()
        await desk.open(requester_id="u2")
        await desk.do(service.withdraw, gone, ASKER)
        await desk.do(service.resolve, first, ASKER)
        async with desk.database.reading() as session:
            found = await repository.open_tickets_of(session, "u1")
            of_conversation = await repository.tickets_of_conversation(session, "c1")
        assert [ticket.id for ticket in found] == [second.id, first.id]
        assert {ticket.id for ticket in of_conversation} >= {first.id, second.id, gone.id}


class TestSimilar:
    async def test_solved_ones_of_the_module_best_first(self, desk: Desk) -> None:
        async def solved(title: str, **over: object) -> Ticket:
            ticket = await desk.open(title=title, description="", **over)
            await desk.do(service.claim, ticket, CHEN)
            return await desk.do(service.resolve, ticket, CHEN, cause="甲", solution="乙")

        near = await solved("支付申请提交后撤回按钮是灰的点不动")
        await solved("支付申请打印格式不对")
        await solved("支付申请提交后撤回按钮灰", module="账户管理")
        await desk.open(title="支付申请提交后撤回按钮是灰的")
        wanted = await desk.open(title="支付申请撤回按钮是灰的", description="")
        async with desk.database.reading() as session:
            found = await repository.similar_resolved(session, wanted)
        assert found[0][0].id == near.id
        assert all(ticket.module == "支付管理" for ticket, _ in found)
        assert all(0 < score <= 1 for _, score in found)

    async def test_without_a_module_the_category_decides(self, sqlite_desk: Desk) -> None:
        done = await sqlite_desk.open(module=None, category=Category.HOW_TO)
        await sqlite_desk.do(service.claim, done, CHEN)
        await sqlite_desk.do(service.resolve, done, CHEN, cause="甲", solution="乙")
        wanted = await sqlite_desk.open(module=None, category=Category.HOW_TO)
        async with sqlite_desk.database.reading() as session:
            found = await repository.similar_resolved(session, wanted)
        assert [ticket.id for ticket, _ in found] == [done.id]


class TestDuplicates:
    async def test_open_ones_of_the_unit_about_the_same_likest_first(self, desk: Desk) -> None:
        wanted = await desk.open(title="支付申请撤回按钮是灰的", description="")
        same = await desk.open(title="支付申请撤回的按钮是灰的", requester_id="u2", description="")
        colleague = await desk.open(
            title="撤回按钮灰的，支付申请", requester_id="u2", description=""
        )
        await desk.open(title="打印格式不对", description="")
        await desk.open(title="支付申请撤回按钮是灰的", description="", module="账户管理")
        elsewhere: dict[str, Any] = {"unit": "区卫健局", "requester_id": "u2"}
        await desk.open(title="支付申请撤回按钮是灰的", description="", **elsewhere)
        over = await desk.open(title="支付申请撤回按钮是灰的", description="")
        await desk.do(service.withdraw, over, ASKER)
        desk.now += repository.DUPLICATE_SPAN + timedelta(minutes=1)
        await desk.open(title="支付申请撤回按钮是灰的", description="")
        async with desk.database.reading() as session:
            found = await repository.possible_duplicates(session, wanted)
        assert [ticket.id for ticket, _ in found] == [same.id, colleague.id]
        assert found[0][1] > found[1][1] >= repository.DUPLICATE_FLOOR

    async def test_what_is_linked_or_over_is_not_proposed(self, sqlite_desk: Desk) -> None:
        one, two = await sqlite_desk.open(), await sqlite_desk.open()
        async with sqlite_desk.database.reading() as session:
            assert len(await repository.possible_duplicates(session, one)) == 1
        async with sqlite_desk.database.transaction() as session:
            held = [
                await repository.by_id(session, one.id),
                await repository.by_id(session, two.id),
            ]
            common: dict[str, Any] = {
                "actor": CHEN,
                "now": sqlite_desk.now,
                "terms": shipped_terms(),
            }
            await relations.link(session, held[0], other=held[1], **common)
        over = await sqlite_desk.do(service.withdraw, await sqlite_desk.open(), ASKER)
        async with sqlite_desk.database.reading() as session:
            assert await repository.possible_duplicates(session, held[0]) == []
            assert await repository.possible_duplicates(session, over) == []

    async def test_nobody_and_no_unit_propose_nothing(self, sqlite_desk: Desk) -> None:
        nobody: dict[str, Any] = {"unit": "", "requester_id": None}
        await sqlite_desk.open(**nobody)
        alone = await sqlite_desk.open(**nobody)
        async with sqlite_desk.database.reading() as session:
            assert await repository.possible_duplicates(session, alone) == []


class TestQueue:
    async def test_who_waits_and_who_took(self, desk: Desk) -> None:
        taken = await desk.open()
        waiting = await desk.open(severity=Severity.MAJOR)
        await desk.open(region="南海区")
        await desk.open(level=Level.SECOND)
        await desk.do(service.claim, taken, CHEN)
        async with desk.database.reading() as session:
            local = await repository.queue(session, level=Level.FIRST, regions=["禅城区"])
            everywhere = await repository.queue(session, level=Level.FIRST)
            claims = await repository.claims_since(
                session, desk.now - timedelta(hours=1), level=Level.FIRST
            )
            elsewhere = await repository.claims_since(
                session, desk.now - timedelta(hours=1), level=Level.FIRST, regions=["南海区"]
            )
            later = await repository.claims_since(
                session, desk.now + timedelta(seconds=1), level=Level.FIRST
            )
        assert [entry.ticket_id for entry in local] == [waiting.id]
        assert next(entry.ticket_id for entry in in_order(everywhere)) == waiting.id
        assert len(everywhere) == 2
        assert (list(claims), list(elsewhere), list(later)) == ([desk.now], [], [])

    async def test_workloads(self, desk: Desk) -> None:
        for actor in (CHEN, CHEN, WANG):
            await desk.do(service.claim, await desk.open(), actor)
        done = await desk.do(service.claim, await desk.open(), WANG)
        await desk.do(service.resolve, done, WANG, cause="甲", solution="乙")
        async with desk.database.reading() as session:
            found = await repository.workloads(session, desk.now - timedelta(days=1))
            recent = await repository.workloads(session, desk.now + timedelta(days=1))
        assert {name: load.open_tickets for name, load in found.items()} == {"e1": 2, "e2": 1}
        assert found["e2"].last_assigned_at == desk.now - timedelta(minutes=1)
        assert set(recent) == {"e1", "e2"}


async def test_a_bot_opened_ticket_is_in_nobody_s_hands(sqlite_desk: Desk) -> None:
    ticket = await sqlite_desk.open(actor=BOT)
    assert (ticket.assignee_id, ticket.assigned_at) == (None, None)
    assert shipped_terms().contract(ticket.contract_id).id == "foshan"

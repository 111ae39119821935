"""Merging, and what every verb refuses, on real databases."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from handoff import repository, service
from handoff.errors import (
    IllegalTransition,
    InvalidText,
    MergeRefused,
    NotPermitted,
    StaleTicket,
    TicketNotFound,
)
from handoff.tables import Ticket
from handoff.ticket import Status
from store.audit import entries_of
from store.outbox import OutboxRow
from tests.handoff.people import ASKER, BOT, CHEN, WANG, Desk
from tests.handoff.terms import shipped_terms


async def in_work(desk: Desk) -> Ticket:
    return await desk.do(service.claim, await desk.open(), CHEN)


class TestMerging:
    async def test_one_goes_on_for_both(self, desk: Desk) -> None:
        first, second = await desk.open(), await desk.open(conversation_id="c2", requester_id="u2")
        third = await desk.open()
        await self.merge(desk, second, first)
        await self.merge(desk, first, third)
        gone = await desk.read(second)
        assert (gone.status, gone.merged_into_id) == (Status.MERGED, first.id)
        assert gone.next_due is None
        async with desk.database.reading() as session:
            assert (await repository.surviving(session, gone)).id == third.id
            trace = (await repository.events_of(session, third.id))[-1]
        assert trace.detail["merged_from"] == first.number

    async def test_what_cannot_be_merged(self, desk: Desk) -> None:
        first, second = await desk.open(), await desk.open()
        await desk.do(service.withdraw, second, ASKER)
        for into in (first, second):
            with pytest.raises(MergeRefused):
                await self.merge(desk, first, into)

    async def merge(self, desk: Desk, ticket: Ticket, into: Ticket) -> None:
        async with desk.database.transaction() as session:
            target = await repository.by_id(session, into.id, lock=True)
            source = await repository.by_id(session, ticket.id, lock=True)
            await service.merge(
                session, source, actor=CHEN, now=desk.now, terms=shipped_terms(), into=target
            )


class TestRefusals:
    async def test_nothing_is_written_by_what_is_refused(self, desk: Desk) -> None:
        ticket = await desk.open()
        with pytest.raises(IllegalTransition):
            await desk.do(service.close, ticket, CHEN)
        with pytest.raises(IllegalTransition):
            await desk.do(service.record_reply, ticket, CHEN)
        with pytest.raises(NotPermitted):
            await desk.do(service.claim, ticket, BOT)
        with pytest.raises(NotPermitted):
            await desk.do(service.withdraw, ticket, CHEN)
        async with desk.database.reading() as session:
            assert len(await repository.events_of(session, ticket.id)) == 1
            assert await session.scalar(select(func.count()).select_from(OutboxRow)) == 1

    async def test_a_ticket_read_before_another_s_change_is_stale(self, desk: Desk) -> None:
        ticket = await desk.open()
        old = await desk.read(ticket)
        await desk.do(service.note, ticket, WANG, text="先看日志")
        with pytest.raises(StaleTicket):
            async with desk.database.transaction() as session:
                await service.claim(session, old, actor=CHEN, now=desk.now, terms=shipped_terms())
        assert (await desk.read(ticket)).status == Status.NEW

    async def test_missing_words(self, desk: Desk) -> None:
        ticket = await in_work(desk)
        for options in ({"cause": "", "solution": "乙"}, {"cause": "甲", "solution": "\x00 "}):
            with pytest.raises(InvalidText):
                await desk.do(service.resolve, ticket, CHEN, **options)
        with pytest.raises(InvalidText):
            await desk.do(service.note, ticket, CHEN, text="长" * 10_001)

    async def test_unknown_tickets(self, sqlite_desk: Desk) -> None:
        async with sqlite_desk.database.reading() as session:
            for asked in (repository.by_number, repository.by_id):
                with pytest.raises(TicketNotFound):
                    await asked(session, "CW20260310-9999")

    async def test_notes_are_for_the_staff(self, desk: Desk) -> None:
        ticket = await desk.do(service.withdraw, await desk.open(), ASKER)
        await desk.do(service.note, ticket, CHEN, text="电话回访：满意")
        async with desk.database.reading() as session:
            row = (await session.scalars(select(OutboxRow).order_by(OutboxRow.id.desc()))).first()
            audit = await entries_of(session, f"ticket:{ticket.number}")
        assert row is not None
        assert row.conversation_id is None
        assert row.payload["visible"] is False
        assert "满意" not in str([entry.detail for entry in audit])

    async def test_time_does_not_run_back(self, desk: Desk) -> None:
        ticket = await in_work(desk)
        desk.now -= timedelta(hours=1)
        noted = await desk.do(service.note, ticket, CHEN, text="慢钟")
        assert noted.updated_at == ticket.updated_at

    async def test_the_database_refuses_what_the_rules_forbid(self, sqlite_desk: Desk) -> None:
        await sqlite_desk.open()
        for change in ("status = '丢失'", "status = '挂起'", "status = '处理中'"):
            with pytest.raises(Exception, match="CHECK constraint"):
                async with sqlite_desk.database.transaction() as session:
                    await session.execute(text(f"UPDATE tickets SET {change}"))  # noqa: S608

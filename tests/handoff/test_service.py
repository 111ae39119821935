"""Every verb on real databases: what it writes, tells, and refuses."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from handoff import repository, service
from handoff.errors import (
    InvalidAppointment,
    InvalidText,
    NoHigherLevel,
    NothingToChange,
    NotHolder,
    UnknownTerms,
)
from handoff.lifecycle import replay
from handoff.problem_report import ProblemReport
from handoff.repository import columns_of, stored
from handoff.service import Destination
from handoff.tables import Ticket, TicketEvent
from handoff.ticket import Action, Level, PauseReason, Status
from handoff.work_orders import OrderKind, WorkOrder
from store.audit import AuditEntry, entries_of
from store.outbox import OutboxRow
from store.vocabulary import Category, Severity
from tests.handoff.people import ASKER, BOT, CHEN, SYSTEM, WANG, Desk
from tests.handoff.terms import at, local, shipped_terms


async def in_work(desk: Desk) -> Ticket:
    return await desk.do(service.claim, await desk.open(), CHEN)


REPORT = ProblemReport("连接池耗尽", "全市支付", "重启服务", "扩大连接池")


class TestOpening:
    async def test_a_ticket_has_its_number_promise_and_story(self, desk: Desk) -> None:
        ticket = await desk.read(await desk.open())
        assert ticket.number == "CW20260310-0001"
        assert (ticket.status, ticket.version) == (Status.NEW, 1)
        assert local(ticket.respond_due) == "2026-03-10 09:30"
        assert local(ticket.resolve_due) == "2026-03-11 10:00"
        assert ticket.next_due == ticket.respond_due
        assert ticket.queued_at == desk.now
        assert ticket.severity_reasons[0]["rule"] == "own_operation"
        assert ticket.sla_revision == shipped_terms().revisions["foshan"]

    async def test_the_number_s_day_is_the_region_s(self, sqlite_desk: Desk) -> None:
        sqlite_desk.now = at("2026-03-11 00:30")
        assert (await sqlite_desk.open()).number == "CW20260311-0001"

    async def test_event_audit_and_outbox_are_written_together(self, desk: Desk) -> None:
        ticket = await desk.open()
        async with desk.database.reading() as session:
            events = await repository.events_of(session, ticket.id)
            audit = await entries_of(session, f"ticket:{ticket.number}")
            row = (await session.scalars(select(OutboxRow))).one()
        assert [event.action for event in events] == [Action.OPEN]
        assert [(entry.actor, entry.action) for entry in audit] == [("bot:bot", "ticket.open")]
        assert row.kind == service.OUTBOX_KIND
        assert row.conversation_id == "c1"
        assert row.payload["number"] == ticket.number
        assert row.payload["visible"] is True

    async def test_a_failed_transaction_leaves_nothing(self, desk: Desk) -> None:
        async def fail() -> None:
            async with desk.database.transaction() as session:
                await service.open_ticket(
                    session, _new(), actor=BOT, now=desk.now, terms=shipped_terms()
                )
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        async with desk.database.reading() as session:
            for table in (Ticket, TicketEvent, OutboxRow, AuditEntry):
                assert await session.scalar(select(func.count()).select_from(table)) == 0

    async def test_hostile_and_enormous_words_are_kept(self, desk: Desk) -> None:
        nasty = "\x00'; DROP TABLE tickets; --\ud800 <script>"
        ticket = await desk.read(
            await desk.open(title=nasty * 30, description=nasty * 5000, unit=nasty, module=nasty)
        )
        assert len(ticket.title) == 200
        assert len(ticket.description) == 20_000
        assert ticket.title.startswith("'; DROP TABLE tickets; --? <script>")

    async def test_a_ticket_without_title_takes_it_from_the_words(self, sqlite_desk: Desk) -> None:
        assert (await sqlite_desk.open(title=" ", description="登不上")).title == "登不上"

    async def test_an_unknown_contract_is_refused(self, sqlite_desk: Desk) -> None:
        with pytest.raises(UnknownTerms):
            await sqlite_desk.open(contract_id="nowhere")

    async def test_without_minutes_there_is_no_deadline(self, sqlite_desk: Desk) -> None:
        ticket = await sqlite_desk.open(contract_id="jieyang")
        assert ticket.next_due is None
        assert ticket.respond_due is None


def _new() -> service.NewTicket:
    return service.NewTicket(
        title="x",
        description="y",
        category=Category.FAULT,
        severity=Severity.GENERAL,
        contract_id="foshan",
        channel="web",
    )


class TestTheMainWay:
    async def test_from_opening_to_closing(self, desk: Desk) -> None:
        ticket = await desk.open()
        await desk.do(service.claim, ticket, CHEN)
        await desk.do(service.record_reply, ticket, CHEN, message_id=5)
        await desk.do(service.resolve, ticket, CHEN, cause="单据已送审", solution="先在审核端退回")
        done = await desk.do(service.close, ticket, ASKER)
        row = await desk.read(done)
        assert row.status == Status.CLOSED
        assert row.responded_at == desk.now - timedelta(minutes=2)
        assert row.resolved_at == desk.now - timedelta(minutes=1)
        assert row.closed_at == desk.now
        assert (row.cause, row.solution) == ("单据已送审", "先在审核端退回")
        assert row.next_due is None
        assert row.respond_breached_at is None
        async with desk.database.reading() as session:
            events = await repository.events_of(session, row.id)
            sent = (await session.scalars(select(OutboxRow.dedupe_key))).all()
        assert [event.seq for event in events] == [1, 2, 3, 4, 5]
        assert columns_of(replay(events, shipped_terms())) == stored(row)
        assert len(set(sent)) == 5

    async def test_a_late_reply_is_a_breach_for_good(self, desk: Desk) -> None:
        desk.step = timedelta(minutes=20)
        ticket = await in_work(desk)
        late = await desk.do(service.record_reply, ticket, CHEN)
        assert local(late.respond_breached_at) == "2026-03-10 09:30"

    async def test_the_asker_objects_in_time(self, desk: Desk) -> None:
        ticket = await in_work(desk)
        resolved = await desk.do(service.resolve, ticket, CHEN, cause="甲", solution="乙")
        assert local(resolved.confirm_until) == "2026-03-13 17:30"
        reopened = await desk.do(service.reopen, ticket, ASKER, why="还是不行")
        assert (reopened.status, reopened.assignee_id) == (Status.DISPATCHED, CHEN.id)
        assert (reopened.reopened, reopened.resolved_at) == (1, None)
        assert reopened.confirm_until is None
        assert reopened.next_due is not None

    async def test_the_asker_withdraws(self, desk: Desk) -> None:
        ticket = await desk.do(service.withdraw, await desk.open(), ASKER)
        assert (ticket.status, ticket.resolved_at) == (Status.CLOSED, None)
        assert ticket.next_due is None

    async def test_the_asker_solved_it_alone(self, desk: Desk) -> None:
        ticket = await desk.do(service.resolve, await desk.open(), ASKER)
        assert (ticket.status, ticket.cause) == (Status.RESOLVED, None)
        assert ticket.responded_at == desk.now


class TestHands:
    async def test_claiming_twice_changes_nothing(self, desk: Desk) -> None:
        ticket = await in_work(desk)
        again = await desk.do(service.claim, ticket, CHEN)
        assert again.version == 2

    async def test_a_taken_ticket_cannot_be_taken(self, desk: Desk) -> None:
        ticket = await in_work(desk)
        with pytest.raises(NotHolder) as refused:
            await desk.do(service.claim, ticket, WANG)
        assert refused.value.holder_id == CHEN.id

    async def test_a_ticket_handed_to_one_is_not_claimed_by_another(self, desk: Desk) -> None:
        ticket = await desk.do(service.assign, await desk.open(), SYSTEM, assignee_id=CHEN.id)
        assert (ticket.status, ticket.queued_at) == (Status.DISPATCHED, None)
        with pytest.raises(NotHolder):
            await desk.do(service.claim, ticket, WANG)
        with pytest.raises(NothingToChange):
            await desk.do(service.assign, ticket, SYSTEM, assignee_id=CHEN.id)
        claimed = await desk.do(service.claim, ticket, CHEN)
        assert claimed.assigned_at == desk.now - timedelta(minutes=3)

    async def test_only_the_holder_speaks_and_decides(self, desk: Desk) -> None:
        ticket = await in_work(desk)
        refused = [
            (service.record_reply, {}),
            (service.resolve, {"cause": "甲", "solution": "乙"}),
            (service.pause, {"reason": PauseReason.USER}),
            (service.arrange, {"plan": "明天上门"}),
        ]
        for verb, options in refused:
            with pytest.raises(NotHolder):
                await desk.do(verb, ticket, WANG, **options)
        assert (await desk.read(ticket)).version == 2

    async def test_nobody_s_ticket_is_resolved_by_no_engineer(self, desk: Desk) -> None:
        with pytest.raises(NotHolder) as refused:
            await desk.do(service.resolve, await desk.open(), CHEN, cause="甲", solution="乙")
        assert refused.value.holder_id is None

    async def test_back_into_the_queue(self, desk: Desk) -> None:
        ticket = await in_work(desk)
        released = await desk.do(service.release, ticket, CHEN, why="下班")
        assert (released.status, released.assignee_id) == (Status.NEW, None)
        assert released.queued_at == desk.now
        assert released.assigned_at is None

    async def test_handed_to_a_colleague(self, desk: Desk) -> None:
        ticket = await in_work(desk)
        moved = await desk.do(
            service.transfer, ticket, CHEN, to=Destination(assignee_id=WANG.id), why="专长"
        )
        assert (moved.status, moved.assignee_id) == (Status.DISPATCHED, WANG.id)
        assert moved.queued_at is None
        with pytest.raises(NothingToChange):
            await desk.do(service.transfer, ticket, CHEN, to=Destination(assignee_id=WANG.id))
        with pytest.raises(NothingToChange):
            await desk.do(service.transfer, ticket, CHEN, to=Destination())

    async def test_handed_to_another_region_with_another_contract(self, desk: Desk) -> None:
        ticket = await in_work(desk)
        moved = await desk.do(
            service.transfer,
            ticket,
            CHEN,
            to=Destination(region="常州", contract_id="changzhou"),
        )
        assert (moved.region, moved.contract_id, moved.calendar_id) == (
            "常州",
            "changzhou",
            "changzhou",
        )
        assert moved.sla_revision == shipped_terms().revisions["changzhou"]
        assert local(moved.resolve_due) == "2026-03-10 10:00"
        assert moved.queued_at == desk.now

    async def test_up_the_levels(self, desk: Desk) -> None:
        ticket = await in_work(desk)
        up = await desk.do(service.escalate, ticket, CHEN, why="要改数据库")
        assert (up.level, up.status, up.assignee_id) == (Level.SECOND, Status.DISPATCHED, None)
        order = WorkOrder(OrderKind.DEFECT)
        far = await desk.do(
            service.escalate, ticket, CHEN, why="缺陷", to=Level.PROVINCE, order=order
        )
        assert far.level == Level.PROVINCE
        assert far.queued_at == desk.now
        back = await desk.do(service.release, ticket, CHEN)
        assert back.queued_at == far.queued_at
        with pytest.raises(NoHigherLevel):
            await desk.do(service.escalate, ticket, CHEN, why="再上")
        with pytest.raises(InvalidText):
            await desk.do(service.escalate, await desk.open(), CHEN, why=" ")


class TestWaiting:
    async def test_a_pause_stops_the_clock_and_the_asker_s_words_start_it(self, desk: Desk) -> None:
        ticket = await in_work(desk)
        await desk.do(service.record_reply, ticket, CHEN, message_id=1)
        paused = await desk.do(service.pause, ticket, CHEN, reason=PauseReason.USER)
        assert (paused.status, paused.pause_reason) == (Status.SUSPENDED, PauseReason.USER)
        assert paused.resolve_due is None
        desk.now += timedelta(hours=1)
        after = await desk.do(service.add_information, ticket, ASKER, message_id=9)
        assert (after.status, after.pause_reason) == (Status.IN_PROGRESS, None)
        assert local(after.resolve_due) == "2026-03-11 11:01"
        async with desk.database.reading() as session:
            events = await repository.events_of(session, ticket.id)
        assert [event.action for event in events[-2:]] == [Action.ADD_INFORMATION, Action.RESUME]
        assert events[-1].actor.kind == "system"

    async def test_words_do_not_end_other_waits(self, desk: Desk) -> None:
        ticket = await in_work(desk)
        await desk.do(service.pause, ticket, CHEN, reason=PauseReason.PROVINCE)
        after = await desk.do(service.add_information, ticket, ASKER, text="补充")
        assert after.status == Status.SUSPENDED

    async def test_an_appointment_names_a_time_ahead(self, desk: Desk) -> None:
        ticket = await in_work(desk)
        wrong = [
            (PauseReason.APPOINTMENT, None),
            (PauseReason.APPOINTMENT, desk.now),
            (PauseReason.USER, desk.now + timedelta(days=1)),
        ]
        for reason, until in wrong:
            with pytest.raises(InvalidAppointment):
                await desk.do(service.pause, ticket, CHEN, reason=reason, until=until)
        until = desk.now + timedelta(days=1)
        paused = await desk.do(
            service.pause, ticket, CHEN, reason=PauseReason.APPOINTMENT, until=until
        )
        assert paused.resume_at == until
        resumed = await desk.do(service.resume, ticket, CHEN)
        assert resumed.resume_at is None

    async def test_a_reply_while_waiting_keeps_waiting(self, desk: Desk) -> None:
        ticket = await in_work(desk)
        await desk.do(service.pause, ticket, CHEN, reason=PauseReason.VENDOR)
        after = await desk.do(service.record_reply, ticket, CHEN, text="厂商在查")
        assert after.status == Status.SUSPENDED
        assert after.responded_at == desk.now

    async def test_escalating_what_waits_sets_the_clock_going(self, desk: Desk) -> None:
        ticket = await in_work(desk)
        await desk.do(service.pause, ticket, CHEN, reason=PauseReason.VENDOR)
        up = await desk.do(service.escalate, ticket, CHEN, why="等不到")
        assert up.resolve_due is not None
        assert up.pause_reason is None


class TestRating:
    async def test_raised_with_a_reason(self, desk: Desk) -> None:
        ticket = await desk.open()
        raised = await desk.do(
            service.change_severity, ticket, CHEN, severity=Severity.MAJOR, why="全市无法支付"
        )
        assert raised.severity == Severity.MAJOR
        assert local(raised.respond_due) == "2026-03-10 09:11"
        with pytest.raises(NothingToChange):
            await desk.do(
                service.change_severity, ticket, CHEN, severity=Severity.MAJOR, why="还是"
            )
        with pytest.raises(InvalidText):
            await desk.do(service.change_severity, ticket, CHEN, severity=Severity.URGENT, why="")

    async def test_classified_anew(self, desk: Desk) -> None:
        ticket = await desk.open()
        asked = await desk.do(
            service.classify, ticket, CHEN, category=Category.HOW_TO, module="项目库"
        )
        assert (asked.category, asked.module, asked.report_due) == ("操作咨询", "项目库", None)
        with pytest.raises(NothingToChange):
            await desk.do(service.classify, ticket, CHEN, category=Category.HOW_TO, module="项目库")

    async def test_arranged_and_reported(self, desk: Desk) -> None:
        ticket = await desk.open(contract_id="guangxi", severity=Severity.MAJOR)
        await desk.do(service.claim, ticket, CHEN)
        await desk.do(service.arrange, ticket, CHEN, plan="一小时内切换备机")
        arranged = await desk.do(service.arrange, ticket, CHEN, plan="改为重启")
        assert arranged.arranged_at == desk.now - timedelta(minutes=1)
        reported = await desk.do(service.report, ticket, WANG, report=REPORT)
        assert reported.reported_at == desk.now

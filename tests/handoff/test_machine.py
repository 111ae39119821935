"""A model of tickets beside the real ones on a real database, under random verbs and actors.

Invariants: what the rules allow happens and nothing else; no event is lost or changed; final stays
final; replaying the events gives the row; every event was told once.
"""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from bot.schema import metadata
from handoff import marking, relations, repository, service, work_orders
from handoff.errors import HandoffError
from handoff.lifecycle import Event, replay
from handoff.problem_report import ProblemReport
from handoff.repository import columns_of, stored
from handoff.service import Destination
from handoff.tables import Ticket, TicketEvent
from handoff.ticket import (
    FINAL_STATUSES,
    HOLDER_ACTIONS,
    PERFORMERS,
    TRANSITIONS,
    Action,
    Actor,
    ActorKind,
    Level,
    PauseReason,
    Status,
)
from handoff.work_orders import OrderKind, OrderStatus, WorkOrder
from store.outbox import OutboxRow
from store.session import Database
from store.vocabulary import Category, Severity
from tests.handoff.people import ASKER, BOT, CHEN, SYSTEM, WANG, Desk, add_people
from tests.handoff.terms import shipped_terms

ACTORS = [ASKER, BOT, CHEN, WANG, SYSTEM]

ORDER = WorkOrder(OrderKind.DEFECT, "PR-1")
REPORT = ProblemReport("原因", "影响", "措施", "预防")
PLANNED = replace(ORDER, status=OrderStatus.PLANNED)

Options = dict[str, Any]
VERBS: dict[Action, tuple[Callable[..., Any], Options]] = {
    Action.ASSIGN: (service.assign, {"assignee_id": WANG.id}),
    Action.CLAIM: (service.claim, {}),
    Action.RELEASE: (service.release, {}),
    Action.TRANSFER: (service.transfer, {"to": Destination(level=Level.SECOND)}),
    Action.ESCALATE: (service.escalate, {"why": "升级", "to": Level.PROVINCE, "order": ORDER}),
    Action.WORK_ORDER: (work_orders.track, {"order": PLANNED}),
    Action.REPLY: (service.record_reply, {"message_id": 1}),
    Action.NOTE: (service.note, {"text": "备注"}),
    Action.ADD_INFORMATION: (service.add_information, {"text": "补充"}),
    Action.PAUSE: (service.pause, {"reason": PauseReason.USER}),
    Action.RESUME: (service.resume, {}),
    Action.CHANGE_SEVERITY: (service.change_severity, {"severity": Severity.MAJOR, "why": "扩大"}),
    Action.CLASSIFY: (service.classify, {"category": Category.DATA, "module": None}),
    Action.MARK: (marking.mark, {"tags": ["年终"]}),
    Action.ARRANGE: (service.arrange, {"plan": "安排"}),
    Action.REPORT: (service.report, {"report": REPORT}),
    Action.RECALCULATE: (service.recalculate, {"calendar_id": "guangxi"}),
    Action.RESOLVE: (service.resolve, {"cause": "甲", "solution": "乙"}),
    Action.REOPEN: (service.reopen, {}),
    Action.WITHDRAW: (service.withdraw, {}),
    Action.CLOSE: (service.close, {}),
}


@dataclass
class Model:
    """What a ticket must be, from the table alone."""

    ticket: Ticket
    status: Status = Status.NEW
    holder: str | None = None
    told: list[Action] = field(default_factory=lambda: [Action.OPEN])
    severity: Severity = Severity.GENERAL
    category: Category = Category.FAULT
    level: Level = Level.FIRST
    order: WorkOrder | None = None
    linked: set[str] = field(default_factory=set)

    def refuses(self, action: Action, actor: Actor) -> bool:
        if actor.kind not in PERFORMERS[action] or (self.status, action) not in TRANSITIONS:
            return True
        held = actor.kind is ActorKind.ENGINEER and self.holder != actor.id
        if action in HOLDER_ACTIONS and held:
            return True
        if action is Action.CLAIM:
            return self.holder not in (None, actor.id)
        return self.changes_nothing(action)

    @property
    def owes_report(self) -> bool:
        return self.severity is Severity.MAJOR and Action.REPORT not in self.told

    def changes_nothing(self, action: Action) -> bool:
        return (
            (action is Action.ASSIGN and self.holder == WANG.id)
            or (action is Action.CHANGE_SEVERITY and self.severity is Severity.MAJOR)
            or (action is Action.CLASSIFY and self.category is Category.DATA)
            or (action is Action.MARK and Action.MARK in self.told)
            or (action is Action.CLOSE and self.owes_report)
            or (action is Action.ESCALATE and self.level is Level.PROVINCE)
            or (action is Action.WORK_ORDER and self.order in (None, PLANNED))
        )

    def repeats(self, action: Action, actor: Actor) -> bool:
        """A holder's second claim is answered and changes nothing."""
        claimed = self.status is Status.IN_PROGRESS and self.holder == actor.id
        return action is Action.CLAIM and actor.kind is ActorKind.ENGINEER and claimed

    def apply(self, action: Action, actor: Actor) -> None:
        self.status = TRANSITIONS[(self.status, action)]
        self.told.append(action)
        for name, value in CHANGES.get(action, {}).items():
            setattr(self, name, value)
        if action is Action.CLAIM:
            self.holder = actor.id
        waited = action is Action.ADD_INFORMATION and self.status is Status.SUSPENDED
        if waited and actor.kind is ActorKind.USER:
            self.apply(Action.RESUME, SYSTEM)


#: What verbs, with the options above, make of a ticket.
CHANGES: dict[Action, dict[str, Any]] = {
    Action.ASSIGN: {"holder": WANG.id},
    Action.RELEASE: {"holder": None},
    Action.TRANSFER: {"holder": None, "level": Level.SECOND},
    Action.ESCALATE: {"holder": None, "level": Level.PROVINCE, "order": ORDER},
    Action.WORK_ORDER: {"order": PLANNED},
    Action.CHANGE_SEVERITY: {"severity": Severity.MAJOR},
    Action.CLASSIFY: {"category": Category.DATA},
}


class TicketMachine(RuleBasedStateMachine):
    """Up to three tickets at once, one database for all examples."""

    tickets = Bundle("tickets")
    runner: asyncio.Runner
    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.models: list[Model] = []
        self.before: dict[str, list[Event]] = {}
        self.desk = Desk(self.database)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    @initialize(target=tickets)
    def first(self) -> Model:
        return self.opened()

    @rule(target=tickets)
    def open(self) -> Model:
        return self.opened()

    def opened(self) -> Model:
        model = Model(self.run(self.desk.open()))
        self.models.append(model)
        return model

    @rule(
        model=tickets,
        action=st.sampled_from(sorted(VERBS)),
        actor=st.sampled_from(ACTORS),
        minutes=st.integers(0, 3000),
    )
    def do(self, model: Model, action: Action, actor: Actor, minutes: int) -> None:
        verb, options = VERBS[action]
        self.desk.step = timedelta(minutes=minutes)
        try:
            self.run(self.desk.do(verb, model.ticket, actor, **options))
        except HandoffError:
            assert model.refuses(action, actor), f"{action} was refused"
            return
        if model.repeats(action, actor):
            return
        assert not model.refuses(action, actor), f"{action} was allowed"
        model.apply(action, actor)

    @rule(model=tickets, into=tickets, actor=st.sampled_from(ACTORS))
    def merge(self, model: Model, into: Model, actor: Actor) -> None:
        possible = (
            model is not into
            and actor.kind in PERFORMERS[Action.MERGE]
            and (model.status, Action.MERGE) in TRANSITIONS
            and (into.status, Action.ADD_INFORMATION) in TRANSITIONS
        )
        try:
            self.run(self._merge(model.ticket, into.ticket, actor))
        except HandoffError:
            assert not possible
            return
        assert possible
        model.apply(Action.MERGE, actor)
        into.apply(Action.ADD_INFORMATION, actor)

    @rule(model=tickets, other=tickets, actor=st.sampled_from(ACTORS))
    def link(self, model: Model, other: Model, actor: Actor) -> None:
        possible = (
            model is not other
            and actor.kind in PERFORMERS[Action.LINK]
            and other.ticket.id not in model.linked
        )
        try:
            self.run(self._link(model.ticket, other.ticket, actor))
        except HandoffError:
            assert not possible
            return
        assert possible
        for one, two in ((model, other), (other, model)):
            one.apply(Action.LINK, actor)
            one.linked.add(two.ticket.id)

    async def _link(self, ticket: Ticket, other: Ticket, actor: Actor) -> None:
        async with self.database.transaction() as session:
            one = await repository.by_id(session, ticket.id, lock=True)
            two = await repository.by_id(session, other.id, lock=True)
            terms, now = shipped_terms(), self.desk.now
            await relations.link(session, one, actor=actor, now=now, terms=terms, other=two)

    @rule(target=tickets, model=tickets, actor=st.sampled_from(ACTORS))
    def split(self, model: Model, actor: Actor) -> Model:
        possible = (
            actor.kind in PERFORMERS[Action.SPLIT] and (model.status, Action.SPLIT) in TRANSITIONS
        )
        try:
            opened = self.run(
                self.desk.do(
                    relations.split, model.ticket, actor, title="另一件", description="另一件事"
                )
            )
        except HandoffError:
            assert not possible
            return self.opened()
        assert possible
        model.apply(Action.SPLIT, actor)
        child = Model(opened, severity=model.severity, category=model.category, level=model.level)
        child.apply(Action.LINK, actor)
        self.models.append(child)
        return child

    async def _merge(self, ticket: Ticket, into: Ticket, actor: Actor) -> None:
        async with self.database.transaction() as session:
            target = await repository.by_id(session, into.id, lock=True)
            source = await repository.by_id(session, ticket.id, lock=True)
            await service.merge(
                session,
                source,
                actor=actor,
                now=self.desk.now,
                terms=shipped_terms(),
                into=target,
            )

    @invariant()
    def the_rows_are_what_the_model_and_the_events_say(self) -> None:
        for model in self.models:
            row, events, told = self.run(self._look(model.ticket))
            assert row.status == model.status
            assert row.assignee_id == model.holder
            assert [event.action for event in events] == model.told
            assert told == len(events)
            assert columns_of(replay(events, shipped_terms())) == stored(row)
            assert events[: len(self.before.get(row.id, []))] == self.before.get(row.id, [])
            self.before[row.id] = events
            assert self.final_stays_final(events)
            queued = model.status in (Status.NEW, Status.DISPATCHED) and model.holder is None
            assert (row.queued_at is not None) == queued

    @staticmethod
    def final_stays_final(events: list[Event]) -> bool:
        return all(
            event.to_status is event.from_status
            for event in events
            if event.from_status in FINAL_STATUSES
        )

    async def _look(self, ticket: Ticket) -> tuple[Ticket, list[Event], int]:
        async with self.database.reading() as session:
            row = await repository.by_id(session, ticket.id)
            events = await repository.events_of(session, ticket.id)
            keys = OutboxRow.dedupe_key.startswith(f"ticket_event:{ticket.id}:")
            told = await session.scalar(select(func.count()).select_from(OutboxRow).where(keys))
            count = await session.scalar(
                select(func.count())
                .select_from(TicketEvent)
                .where(TicketEvent.ticket_id == ticket.id)
            )
        assert count == len(events)
        return row, list(events), int(told or 0)


@pytest.mark.parametrize(
    "histories", [3, pytest.param(40, marks=pytest.mark.slow)], ids=["some", "many"]
)
def test_tickets_follow_their_model(histories: int) -> None:
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        database = Database(f"sqlite:///{Path(folder) / 'machine.db'}")

        async def prepare() -> None:
            async with database.engine.begin() as connection:
                await connection.run_sync(metadata().create_all)
            await add_people(database)

        runner.run(prepare())
        TicketMachine.runner, TicketMachine.database = runner, database
        try:
            run_state_machine_as_test(
                TicketMachine,
                settings=settings(
                    max_examples=histories,
                    stateful_step_count=20,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(database.dispose())

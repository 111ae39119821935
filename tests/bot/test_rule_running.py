"""Rules at work: they act once, in order, through the verbs, and say so on the ticket."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot import repository as repository_of_staff
from bot.conversations.live import Live
from bot.notifications.planning import Planner
from bot.notifications.repository import recent
from bot.phrases import load
from bot.rules.acting import RuleActing
from bot.rules.running import RuleRunner
from bot.settings import data_dir
from bot.tickets.presence import Presences
from bot.tickets.revisits import Revisits
from handoff import repository, rule_repository, service
from handoff.lifecycle import Event
from handoff.rule_past import RULE
from handoff.rule_repository import content
from handoff.rule_tables import RuleFiring, TicketRule
from handoff.rules import Occasion, Operator, Rule, Step, StepKind
from handoff.settings import HandoffSettings
from handoff.tables import Ticket
from handoff.ticket import Action
from store.session import Database
from store.vocabulary import Severity
from tests.bot.notification_builders import keep, robot
from tests.bot.notification_builders import rule as notification_rule
from tests.bot.test_router import principal as colleague
from tests.handoff.people import CHEN, NOW, Desk, add_people
from tests.handoff.rule_builders import asked, rule
from tests.handoff.terms import shipped_terms

PHRASES = load(data_dir() / "locales" / "zh-CN.yml")
URGENT = asked("severity", Operator.IS, "紧急")
LATE = asked("untaken_minutes", Operator.AT_LEAST, "30")
TAG = Step(StepKind.TAG, "加急")


class World:
    """A desk with rules, and clocks that both follow."""

    def __init__(self, database: Database) -> None:
        self.database, self.desk = database, Desk(database)
        self.restart()

    def restart(self) -> None:
        live, settings, clock = Live(), HandoffSettings(), self.clock
        terms = shipped_terms()
        self.presences = Presences(self.database, settings, live, clock)
        acting = RuleActing(
            self.database,
            terms,
            settings,
            PHRASES,
            live,
            clock,
            self.presences,
            Planner(PHRASES, ""),
            Revisits(self.database, terms, settings, clock),
        )
        self.runner = RuleRunner(acting)

    def clock(self) -> datetime:
        return self.desk.now

    async def keep(self, *rules: Rule, since: datetime = NOW) -> None:
        async with self.database.transaction() as session:
            for position, one in enumerate(rules):
                values = {"position": position, "enabled": True, "active_since": since}
                session.add(
                    TicketRule(
                        id=one.id,
                        version=1,
                        created_at=NOW,
                        updated_at=NOW,
                        **values,
                        **content(one),
                    )
                )
        await self.runner.run_once()

    async def later(self, minutes: float) -> int:
        self.desk.now += timedelta(minutes=minutes)
        return await self.runner.run_once()

    async def look(self) -> int:
        return await self.runner.run_once()

    async def read(self, ticket: Ticket) -> Ticket:
        return await self.desk.read(ticket)

    async def events(self, ticket: Ticket) -> Sequence[Event]:
        async with self.database.reading() as session:
            return await repository.events_of(session, ticket.id)

    async def firings(self, ticket: Ticket) -> Sequence[RuleFiring]:
        async with self.database.reading() as session:
            return await rule_repository.firings(session, ticket.id)

    async def by_rules(self, ticket: Ticket) -> list[Action]:
        events = await self.events(ticket)
        return [one.action for one in events if one.actor.id.startswith(RULE)]


@pytest.fixture
async def world(sqlite_database: Database) -> World:
    await add_people(sqlite_database)
    return World(sqlite_database)


async def test_a_new_ticket_is_dealt_with_once_and_says_why(database: Database) -> None:
    await add_people(database)
    world = World(database)
    steps = (Step(StepKind.QUEUE, "二线"), TAG, Step(StepKind.NOTE, "", "{number} 请先看"))
    region = asked("region", Operator.IS, "禅城区")
    await world.keep(rule(region, occasion=Occasion.OPENED, steps=steps, name="禅城专班"))
    ticket = await world.desk.open()
    assert await world.look() == 1
    assert await world.look() == 0
    world.restart()
    assert await world.look() == 0
    now = await world.read(ticket)
    assert (now.level, now.status) == ("二线", "已派单")
    assert await world.by_rules(ticket) == [Action.TRANSFER, Action.MARK, Action.NOTE]
    [moved, _, noted] = [e for e in await world.events(ticket) if e.actor.id == f"{RULE}r1"]
    assert "禅城专班" in moved.detail["why"]
    assert "禅城区" in moved.detail["why"]
    assert noted.detail["text"] == f"{ticket.number} 请先看"
    [firing] = await world.firings(ticket)
    assert [one["effect"] for one in firing.outcomes] == ["done", "done", "done"]
    assert "禅城区" in firing.reasons[0]


async def test_a_change_wakes_rules_and_what_rules_do_wakes_none(world: World) -> None:
    raises = rule(
        asked("tag", Operator.IS, "加急"), id="a", steps=(Step(StepKind.SEVERITY, "重大"),)
    )
    tags = rule(URGENT, id="b", steps=(TAG,))
    await world.keep(raises, tags)
    ticket = await world.desk.open()
    assert await world.look() == 0
    urgent: dict[str, Any] = {"severity": Severity.URGENT, "why": "扩大"}
    await world.desk.do(service.change_severity, ticket, CHEN, **urgent)
    assert await world.look() == 1
    # The tag that a rule set wakes nobody; a person's next word does.
    assert await world.look() == 0
    assert await world.by_rules(ticket) == [Action.MARK]
    await world.desk.do(service.note, ticket, CHEN, text="看一下")
    assert await world.look() == 1
    assert await world.by_rules(ticket) == [Action.MARK, Action.CHANGE_SEVERITY]


async def test_a_rule_below_sees_what_the_one_above_did_and_may_be_stopped(world: World) -> None:
    first = rule(id="a", occasion=Occasion.OPENED, steps=(TAG,))
    second = rule(
        asked("tag", Operator.IS, "加急"),
        id="b",
        occasion=Occasion.OPENED,
        steps=(Step(StepKind.NOTE, "", "看"),),
        stop=True,
    )
    third = rule(id="c", occasion=Occasion.OPENED, steps=(Step(StepKind.NOTE, "", "不到"),))
    await world.keep(first, second, third)
    ticket = await world.desk.open()
    assert await world.look() == 2
    assert [one.rule_id for one in await world.firings(ticket)] == ["a", "b"]


async def test_waiting_acts_once_also_over_a_restart(world: World) -> None:
    steps = (Step(StepKind.ESCALATE, "二线"),)
    await world.keep(rule(LATE, occasion=Occasion.TIME, steps=steps))
    ticket = await world.desk.open()
    assert await world.later(29) == 0
    world.restart()
    assert await world.later(40) == 1
    assert (await world.read(ticket)).level == "二线"
    world.restart()
    assert await world.later(60) == 0
    assert await world.by_rules(ticket) == [Action.ESCALATE]


async def test_what_was_so_before_a_rule_was_switched_on_is_left_alone(world: World) -> None:
    ticket = await world.desk.open()
    world.desk.now += timedelta(minutes=45)
    late = rule(LATE, occasion=Occasion.TIME, steps=(TAG,))
    await world.keep(late, since=world.desk.now)
    assert await world.later(30) == 0
    assert await world.by_rules(ticket) == []
    fresh = await world.desk.open()
    assert await world.later(31) == 1
    assert await world.by_rules(fresh) == [Action.MARK]


async def test_a_taken_ticket_is_not_late(world: World) -> None:
    await world.keep(rule(LATE, occasion=Occasion.TIME, steps=(TAG,)))
    ticket = await world.desk.open()
    await world.desk.do(service.claim, ticket, CHEN)
    assert await world.later(60) == 0


@pytest.mark.parametrize(
    ("step", "effect"),
    [
        (Step(StepKind.ENGINEER, "e1"), "done"),
        (Step(StepKind.ENGINEER, "gone"), "nobody"),
        (Step(StepKind.SKILL, "支付管理"), "nobody"),
        (Step(StepKind.ESCALATE, "一线"), "already"),
        (Step(StepKind.PROPOSE, "重大"), "done"),
        (Step(StepKind.SEVERITY, "紧急"), "done"),
        (Step(StepKind.UNTAG, "没有"), "already"),
        (Step(StepKind.NOTIFY, "gone"), "refused"),
        (Step(StepKind.CALL_BACK), "refused"),
    ],
)
async def test_every_step_tells_what_came_of_it(world: World, step: Step, effect: str) -> None:
    await world.keep(rule(occasion=Occasion.OPENED, steps=(step, TAG)))
    ticket = await world.desk.open()
    assert await world.look() == 1
    [firing] = await world.firings(ticket)
    assert [one["effect"] for one in firing.outcomes] == [effect, "done"]


async def test_a_skill_takes_whoever_is_there_named_for_it_with_least_to_do(world: World) -> None:
    for name, modules in (("e1", ["支付管理"]), ("e2", ["支付管理"])):
        async with world.database.transaction() as session:
            staff = await repository_of_staff.staff_by_id(session, name)
            assert staff is not None
            staff.modules = modules
        await world.presences.beat(colleague(name))
    busy = await world.desk.open()
    await world.desk.do(service.claim, busy, CHEN)
    await world.keep(rule(occasion=Occasion.OPENED, steps=(Step(StepKind.SKILL, "支付管理"),)))
    ticket = await world.desk.open()
    assert await world.look() == 1
    [firing] = await world.firings(ticket)
    assert firing.outcomes[0]["effect"] == "done"
    assert (await world.read(ticket)).assignee_id == "e2", "e1 has one already"


async def test_a_rule_notifies_by_the_rule_that_it_names(world: World) -> None:
    channel = robot("http://127.0.0.1:1")
    told = notification_rule(channel.id, events=["resolved"])
    await keep(world.database, channel, told)
    words = Step(StepKind.NOTIFY, told.id, "{number} 请马上看")
    await world.keep(rule(occasion=Occasion.OPENED, steps=(words,)))
    ticket = await world.desk.open()
    assert await world.look() == 1
    assert await world.look() == 0
    [firing] = await world.firings(ticket)
    assert firing.outcomes[0]["effect"] == "done"
    async with world.database.reading() as session:
        [sent] = await recent(session)
    assert (sent.rule_id, sent.event, sent.subject) == (told.id, "rule", ticket.number)
    assert f"{ticket.number} 请马上看" in sent.text


async def test_two_workers_at_once_apply_each_rule_once(database: Database) -> None:
    await add_people(database)
    world = World(database)
    await world.keep(
        rule(id="a", occasion=Occasion.OPENED, steps=(TAG,)),
        rule(id="b", occasion=Occasion.OPENED, steps=(Step(StepKind.NOTE, "", "看"),)),
    )
    tickets = [await world.desk.open() for _ in range(6)]
    first = world.runner
    world.restart()
    await asyncio.gather(*(one.run_once() for one in (first, world.runner) * 2))
    for one in (first, world.runner):
        await one.run_once()  # What one had to leave to the other is looked at again.
    for ticket in tickets:
        assert [one.rule_id for one in await world.firings(ticket)] == ["a", "b"]
        assert await world.by_rules(ticket) == [Action.MARK, Action.NOTE]


async def test_a_rule_asks_for_a_call_back_when_it_is_over(world: World) -> None:
    over = asked("status", Operator.IS, "已解决")
    await world.keep(rule(over, steps=(Step(StepKind.CALL_BACK),)))
    ticket = await world.desk.open()
    await world.desk.do(service.claim, ticket, CHEN)
    done: dict[str, Any] = {"cause": "缓存", "solution": "清除"}
    await world.desk.do(service.resolve, ticket, CHEN, **done)
    assert await world.look() == 1
    [firing] = await world.firings(ticket)
    assert firing.outcomes[0]["effect"] == "done"


async def test_nothing_switched_on_does_nothing(world: World) -> None:
    ticket = await world.desk.open()
    assert await world.later(600) == 0
    assert [one.action for one in await world.events(ticket)] == [Action.OPEN]
    assert world.clock().tzinfo is UTC

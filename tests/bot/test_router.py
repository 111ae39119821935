"""The router on a real database: whom it picks, what it takes back, and that nothing is lost."""

import asyncio
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import repository
from bot.accounts.service import Principal
from bot.conversations.live import Live
from bot.conversations.ownership import give_to
from bot.conversations.recording import append
from bot.phrases import load as load_phrases
from bot.schema import metadata
from bot.settings import data_dir
from bot.tables import Owner, Role, Sender
from bot.tickets.presence import Presences
from bot.tickets.routing import Routed, Router
from handoff import presence_repository, service
from handoff import repository as rows
from handoff.queueing import ROUTER
from handoff.routing import Presence
from handoff.settings import HandoffSettings, Routing
from handoff.tables import Ticket
from handoff.ticket import Action, Actor, Status
from store.session import Database
from store.vocabulary import Severity
from tests.handoff.people import CHEN, NOW, WANG, Desk, add_people
from tests.handoff.terms import shipped_terms

PHRASES = load_phrases(data_dir() / "locales" / "zh-CN.yml")


@dataclass
class Office:
    """Two engineers, a router, and a clock in the test's hands."""

    desk: Desk
    router: Router
    clock: list[datetime] = field(default_factory=lambda: [NOW])

    def later(self, **amount: int) -> None:
        self.clock[0] += timedelta(**amount)
        self.desk.now = self.clock[0]

    async def beat(self, *names: str) -> None:
        for name in names:
            await self.router.presences.beat(principal(name))

    async def route(self) -> Routed:
        return await self.router.route()

    async def ticket(self, ticket: Ticket) -> Ticket:
        return await self.desk.read(ticket)

    async def scope(self, name: str, **values: object) -> None:
        async with self.desk.database.transaction() as session:
            staff = await repository.staff_by_id(session, name)
            for key, value in values.items():
                setattr(staff, key, value)

    async def capacity(self, name: str, value: int) -> None:
        async with self.desk.database.transaction() as session:
            (await presence_repository.profile(session, name)).capacity = value


def principal(name: str) -> Principal:
    return Principal(name, name, name, "", Role.ENGINEER, (), (), "", must_change_password=False)


def office_on(database: Database, **chosen: object) -> Office:
    values = {"routing": Routing.LEAST_LOADED, "unanswered_minutes": 3, **chosen}
    wanted = HandoffSettings.model_validate(values)
    clock = [NOW]
    live = Live()
    presences = Presences(database, wanted, live, lambda: clock[0])
    router = Router(database, shipped_terms(), wanted, PHRASES, live, lambda: clock[0], presences)
    return Office(Desk(database, step=timedelta(0)), router, clock)


@pytest.fixture
async def office(sqlite_database: Database) -> Office:
    await add_people(sqlite_database)
    return office_on(sqlite_database)


async def test_a_ticket_goes_to_whoever_is_there(database: Database) -> None:
    await add_people(database)
    office = office_on(database)
    ticket = await office.desk.open()
    assert await office.route() == Routed()
    await office.beat("e2")
    assert await office.route() == Routed(assigned=1)
    found = await office.ticket(ticket)
    assert (found.assignee_id, found.status) == ("e2", Status.DISPATCHED)


async def test_off_leaves_everything_to_people(sqlite_database: Database) -> None:
    await add_people(sqlite_database)
    office = office_on(sqlite_database, routing=Routing.OFF)
    await office.desk.open()
    await office.beat("e1")
    assert await office.route() == Routed()


async def test_the_less_loaded_goes_first_and_round_robin_takes_turns(
    sqlite_database: Database,
) -> None:
    await add_people(sqlite_database)
    office = office_on(sqlite_database)
    held = [await office.desk.open() for _ in range(2)]
    for one in held:
        await office.desk.do(service.claim, one, CHEN)
    await office.beat("e1", "e2")
    opened = await office.desk.open()
    await office.route()
    assert (await office.ticket(opened)).assignee_id == "e2"
    turns = office_on(sqlite_database, routing=Routing.ROUND_ROBIN)
    turns.clock[0] = office.clock[0]
    turns.later(seconds=1)
    again = await turns.desk.open()
    await turns.route()
    assert (await turns.ticket(again)).assignee_id == "e1"


async def test_region_module_and_room_decide(office: Office) -> None:
    await office.scope("e1", regions=["南海区"])
    await office.scope("e2", modules=["工资统发"])
    await office.beat("e1", "e2")
    ticket = await office.desk.open()
    assert await office.route() == Routed()
    await office.scope("e2", modules=["支付管理"])
    await office.capacity("e2", 0)
    assert await office.route() == Routed()
    await office.capacity("e2", 1)
    assert await office.route() == Routed(assigned=1)
    assert (await office.ticket(ticket)).assignee_id == "e2"
    await office.desk.open()
    assert await office.route() == Routed()


async def test_on_call_is_disturbed_for_what_is_urgent_only(office: Office) -> None:
    await office.router.presences.choose(principal("e1"), Presence.ON_CALL, hours=8)
    await office.desk.open()
    assert await office.route() == Routed()
    urgent = await office.desk.open(severity=Severity.URGENT)
    assert await office.route() == Routed(assigned=1)
    assert (await office.ticket(urgent)).assignee_id == "e1"


async def test_a_crashed_console_gives_its_offer_back_with_a_trace(office: Office) -> None:
    ticket = await office.desk.open()
    await office.beat("e1")
    await office.route()
    office.later(seconds=61)
    await office.beat("e2")
    assert await office.route() == Routed(assigned=1, taken_back=1)
    assert (await office.ticket(ticket)).assignee_id == "e2"
    async with office.desk.database.reading() as session:
        events = await rows.events_of(session, ticket.id)
    back = next(event for event in events if event.action is Action.RELEASE)
    assert back.actor == ROUTER
    assert back.detail["why"] == PHRASES.say("routing.why.gone")


async def test_what_nobody_takes_up_goes_round_and_then_up(office: Office) -> None:
    ticket = await office.desk.open()
    await office.beat("e1", "e2")
    await office.route()
    first = (await office.ticket(ticket)).assignee_id
    for _ in range(3):
        office.later(seconds=50)
        await office.beat("e1", "e2")
        await office.route()
    assert (await office.ticket(ticket)).assignee_id == first
    office.later(seconds=30)
    assert await office.route() == Routed(assigned=1, taken_back=1)
    second = (await office.ticket(ticket)).assignee_id
    assert {first, second} == {"e1", "e2"}
    for _ in range(4):
        office.later(seconds=50)
        await office.beat("e1", "e2")
        await office.route()
    found = await office.ticket(ticket)
    assert (found.level, found.assignee_id) == ("二线", None)


async def test_a_reopened_ticket_waits_for_its_engineer_only_while_they_are_there(
    office: Office,
) -> None:
    ticket = await office.desk.do(service.claim, await office.desk.open(), CHEN)
    await office.desk.do(service.resolve, ticket, CHEN, cause="甲", solution="乙")
    await office.desk.do(service.reopen, ticket, ROUTER)
    await office.beat("e2")
    assert await office.route() == Routed(assigned=1, taken_back=1)
    assert (await office.ticket(ticket)).assignee_id == "e2"


async def test_two_routers_at_once_fill_nobody_beyond_their_room(database: Database) -> None:
    await add_people(database)
    office, other = office_on(database, capacity=2), office_on(database, capacity=2)
    for _ in range(6):
        await office.desk.open()
    await office.beat("e1", "e2")
    done = await asyncio.gather(office.route(), other.route())
    assert sum(one.assigned for one in done) == 4
    async with database.reading() as session:
        loads = await rows.workloads(session, NOW - timedelta(days=1))
    assert {name: load.open_tickets for name, load in loads.items()} == {"e1": 2, "e2": 2}


async def speaking(office: Office, name: str = "e1") -> Ticket:
    """A ticket that an engineer works on, whose user has just written something."""
    who = CHEN if name == "e1" else WANG
    ticket = await office.desk.do(service.claim, await office.desk.open(), who)
    async with office.desk.database.transaction() as session:
        talk = await repository.lock_conversation(session, "c1")
        assert talk is not None
        talk.ticket_id = ticket.id
        give_to(talk, Owner.ENGINEER, office.desk.now, staff_id=name)
        said = {"sender": Sender.USER, "kind": "text", "text": "在吗"}
        await append(session, talk, now=office.desk.now, **said)  # type: ignore[arg-type]
    return ticket


async def owner_of(office: Office) -> str:
    async with office.desk.database.reading() as session:
        talk = await repository.conversation(session, "c1")
    assert talk is not None
    return talk.owner


async def test_a_user_is_not_left_with_an_engineer_who_is_gone(database: Database) -> None:
    await add_people(database)
    office = office_on(database)
    await office.beat("e1", "e2")
    ticket = await speaking(office)
    office.later(minutes=2)
    await office.beat("e2")
    assert await office.route() == Routed()
    office.later(minutes=2)
    await office.beat("e2")
    assert await office.route() == Routed(assigned=1, taken_back=1)
    assert (await office.ticket(ticket)).assignee_id == "e2"
    assert await owner_of(office) == "queue"
    async with database.reading() as session:
        told = await repository.messages_after(session, "c1", after=1, staff=False)
    assert [message.kind for message in told] == ["moved"]


async def test_an_engineer_who_is_there_keeps_the_word_however_slow(office: Office) -> None:
    ticket = await speaking(office)
    for _ in range(6):
        office.later(seconds=50)
        await office.beat("e1", "e2")
        assert await office.route() == Routed()
    assert (await office.ticket(ticket)).assignee_id == "e1"
    assert await owner_of(office) == "engineer"


async def test_what_was_answered_or_finished_is_left_alone(office: Office) -> None:
    ticket = await speaking(office)
    await office.desk.do(service.resolve, ticket, CHEN, cause="甲", solution="乙")
    office.later(minutes=9)
    assert await office.route() == Routed()
    assert await owner_of(office) == "engineer"


STEPS = st.lists(
    st.sampled_from(
        ["open", "beat e1", "beat e2", "off e1", "off e2", "wait", "long", "claim", "resolve"]
    ),
    min_size=4,
    max_size=18,
)


@given(STEPS)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
def test_whatever_happens_every_ticket_is_somewhere_and_nobody_absent_holds_an_offer(
    steps: list[str],
) -> None:
    """Two engineers, crashes (beats that stop), choices, time: after each round it holds."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_play(Path(folder) / "test.db", steps))


async def _play(path: Path, steps: list[str]) -> None:
    database = Database(f"sqlite:///{path}")
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata().create_all)
    await add_people(database)
    office = office_on(database, capacity=2)
    tickets: list[Ticket] = []
    try:
        for step in steps:
            await _step(office, tickets, step)
            await office.route()
            await _check(office, tickets)
    finally:
        await database.dispose()


async def _step(office: Office, tickets: list[Ticket], step: str) -> None:
    word, _, name = step.partition(" ")
    match word:
        case "open":
            tickets.append(await office.desk.open())
        case "beat":
            await office.beat(name)
        case "off":
            await office.router.presences.choose(principal(name), Presence.OFF)
        case "wait":
            office.later(seconds=40)
        case "long":
            office.later(minutes=4)
        case "claim":
            await _claim(office, tickets)
        case "resolve":
            await _resolve(office, tickets)


async def _claim(office: Office, tickets: list[Ticket]) -> None:
    for ticket in tickets:
        found = await office.ticket(ticket)
        if found.status == Status.DISPATCHED and found.assignee_id:
            await office.desk.do(service.claim, ticket, _actor(found.assignee_id))
            return


async def _resolve(office: Office, tickets: list[Ticket]) -> None:
    for ticket in tickets:
        found = await office.ticket(ticket)
        if found.status == Status.IN_PROGRESS:
            who = _actor(found.assignee_id or "")
            await office.desk.do(service.resolve, ticket, who, cause="甲", solution="乙")
            return


def _actor(name: str) -> Actor:
    return CHEN if name == CHEN.id else WANG


async def _check(office: Office, tickets: list[Ticket]) -> None:
    async with office.desk.database.reading() as session:
        people = await office.router.presences.engineers(session, office.clock[0])
    presence = {one.id: one.presence for one in people}
    offered: dict[str, int] = {}
    for ticket in tickets:
        found = await office.ticket(ticket)
        queued, held = found.queued_at is not None, found.assignee_id is not None
        assert queued != held or found.status == Status.RESOLVED
        if held and found.status == Status.DISPATCHED:
            assert presence[str(found.assignee_id)] in (Presence.ONLINE, Presence.ON_CALL)
            assert found.assigned_at is not None
            assert office.clock[0] - found.assigned_at < timedelta(minutes=3)
        if held and found.status != Status.RESOLVED:
            offered[str(found.assignee_id)] = offered.get(str(found.assignee_id), 0) + 1
    assert all(count <= 2 for count in offered.values())

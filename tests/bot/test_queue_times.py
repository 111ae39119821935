"""Places of those who wait: true now, told when they change, silent where nothing is known."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from bot import repository
from bot.conversations.live import Live
from bot.conversations.ownership import give_to
from bot.tables import Owner
from bot.tickets.queue_times import QueueTimes
from handoff import service
from handoff.settings import HandoffSettings
from handoff.tables import Ticket
from store.session import Database
from store.vocabulary import Severity
from tests.bot.test_sse import follow
from tests.handoff.people import CHEN, WANG, Desk, add_people
from tests.handoff.terms import at, shipped_terms
from tests.product import Product


class Line:
    """Two people who wait, one after the other."""

    def __init__(self, database: Database) -> None:
        self.desk = Desk(database)
        self.live = Live()
        self.times = QueueTimes(database, shipped_terms(), HandoffSettings(), self.live, self.clock)

    def clock(self) -> datetime:
        return self.desk.now

    async def wait(self, conversation_id: str, user: str, **over: Any) -> Ticket:
        ticket = await self.desk.open(conversation_id=conversation_id, requester_id=user, **over)
        async with self.desk.database.transaction() as session:
            talk = await repository.lock_conversation(session, conversation_id)
            assert talk is not None
            talk.ticket_id = ticket.id
            give_to(talk, Owner.QUEUE, self.desk.now)
        self.desk.now += timedelta(minutes=1)
        return ticket

    def places(self) -> list[int | None]:
        known = [self.times.of(name) for name in ("c1", "c2")]
        return [place.position if place else None for place in known]


@pytest.fixture
async def line(database: Database) -> Line:
    await add_people(database)
    return Line(database)


async def test_places_follow_the_queue_and_wake_whose_place_changed(line: Line) -> None:
    first = await line.wait("c1", "u1")
    await line.wait("c2", "u2")
    assert await line.times.refresh() == 2
    assert line.places() == [1, 2]
    with line.live.subscribe("c2") as woken:
        assert await line.times.refresh() == 0
        assert not woken.is_set()
        await line.desk.do(service.claim, first, CHEN)
        async with line.desk.database.transaction() as session:
            talk = await repository.lock_conversation(session, "c1")
            assert talk is not None
            give_to(talk, Owner.ENGINEER, line.desk.now, staff_id="e1")
        assert await line.times.refresh() == 1
        assert woken.is_set()
    assert line.places() == [None, 1]


async def test_the_graver_goes_first(line: Line) -> None:
    await line.wait("c1", "u1")
    await line.wait("c2", "u2", severity=Severity.MAJOR)
    await line.times.refresh()
    assert line.places() == [2, 1]


async def test_time_is_told_only_from_what_was_really_taken_up(line: Line) -> None:
    for _ in range(2):
        ticket = await line.desk.open()
        await line.wait("c1", "u1")
        await line.times.refresh()
        place = line.times.of("c1")
        assert place is not None
        assert place.minutes is None
        await line.desk.do(service.claim, ticket, WANG)
        line.desk.now += timedelta(minutes=5)
    await line.times.refresh()
    place = line.times.of("c1")
    assert place is not None
    assert place.minutes is not None
    assert place.minutes >= 1


async def test_outside_hours_no_minutes_are_told(line: Line) -> None:
    for _ in range(3):
        await line.desk.do(service.claim, await line.desk.open(), CHEN)
    line.desk.now = at("2026-03-10 17:29")
    await line.wait("c1", "u1")
    line.desk.now = at("2026-03-10 17:31")
    await line.times.refresh()
    place = line.times.of("c1")
    assert place is not None
    assert (place.off_hours, place.minutes) == (True, None)


async def test_who_was_given_to_an_engineer_is_told_so(line: Line) -> None:
    ticket = await line.wait("c1", "u1")
    await line.desk.do(service.assign, ticket, CHEN, assignee_id="e2")
    await line.times.refresh()
    place = line.times.of("c1")
    assert place is not None
    assert place.data() == {
        "position": None,
        "minutes": None,
        "off_hours": False,
        "handed": True,
    }


async def test_the_stream_tells_the_place_while_waiting_and_not_after(product: Product) -> None:
    chat = await product.open()
    await chat.say("转人工", kind="human")
    number = next(m["data"]["number"] for m in await chat.read() if m["kind"] == "ticket")
    await product.services.queue_times.refresh()
    async with follow(chat) as user:
        told = await user.until(lambda e: e.name == "state" and "queue" in e.data, within_s=10)
        assert told.data["queue"]["position"] == 1
        await product.desk("claim", number)
        after = await user.until(
            lambda e: e.name == "state" and e.data["owner"] == "engineer", within_s=10
        )
        assert "queue" not in after.data

"""Two processes that send to the same people: together no faster than the platform takes it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from connectors.base import Delivery, PersonHeld
from connectors.fake_wecom.network import FakeNetwork
from connectors.fake_wecom.platform import FakeWecom
from connectors.fake_wecom.settings import FakeSettings
from connectors.pacing import Limit
from connectors.relay import Relay
from connectors.sends import StoredSends, counted
from connectors.settings import WecomSettings
from connectors.wecom import WecomChannel, limits
from connectors.wecom_api import WecomApi
from store import outbox
from store.outbox import Claimed
from store.session import Database

SETTINGS = WecomSettings(corp_id="ww1", agent_id=7, secret="s", per_minute=6, per_hour=20)
START = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


@dataclass
class Clock:
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Process:
    """What one process has of its own: connections, a token, a worker."""

    database: Database
    network: FakeNetwork
    clock: Clock
    relay: Relay = field(init=False)
    sent: int = 0

    def __post_init__(self) -> None:
        api = WecomApi(self.network.client(), SETTINGS, self.clock)
        sends = StoredSends(self.database, "wecom", limits(SETTINGS))
        channel = WecomChannel(api, SETTINGS, self.clock, sends)

        async def deliver(row: Claimed) -> None:
            text = str(row.payload["text"])
            await channel.send(Delivery(row.dedupe_key, "lihua", "text", text, {}, 1))
            self.sent += 1

        self.relay = Relay(self.database, {"deliver": deliver}, self.clock)


@pytest.fixture
async def two(tables_url: str) -> AsyncIterator[tuple[Database, Database]]:
    """One database, as each of two processes has opened it."""
    opened = Database(tables_url), Database(tables_url)
    yield opened
    for database in opened:
        await database.dispose()


async def test_together_they_keep_one_persons_pace(two: tuple[Database, Database]) -> None:
    """Each conversation has its own order; one person may have several."""
    clock, count = Clock(), 15
    fake = FakeWecom(FakeSettings("ww1", 7, "s", per_minute=6, per_hour=20), clock)
    processes = [Process(database, FakeNetwork(fake), clock) for database in two]
    async with processes[0].database.transaction() as session:
        for n in range(count):
            await outbox.enqueue(
                session,
                kind="deliver",
                payload={"text": f"n{n}"},
                dedupe_key=f"k{n}",
                available_at=START,
            )
    for minute in range(3):
        clock.now = START + timedelta(seconds=61.5 * minute)
        while any(await asyncio.gather(*(one.relay.run_once() for one in processes))):
            pass
        assert len(fake.shown) == min(6 * (minute + 1), count)
    assert sorted(fake.texts("lihua")) == sorted(f"n{n}" for n in range(count))
    assert fake.dropped == 0


async def test_the_last_place_is_taken_once(two: tuple[Database, Database]) -> None:
    limit = (Limit(5, timedelta(minutes=1)),)
    senders = [StoredSends(database, "wecom", limit) for database in two]
    takes = [senders[n % 2].take("lihua", f"k{n}", 1, START) for n in range(24)]
    found = await asyncio.gather(*takes, return_exceptions=True)
    assert sum(isinstance(one, int) for one in found) == 5
    assert sum(isinstance(one, PersonHeld) for one in found) == 19


async def test_what_was_long_on_its_way_counts_from_its_arrival(database: Database) -> None:
    clock = Clock()
    sends = StoredSends(database, "wecom", (Limit(1, timedelta(minutes=1)),))
    async with counted(sends, "lihua", "a", 1, clock):
        clock.now += timedelta(seconds=9)
    clock.now = START + timedelta(seconds=61)
    with pytest.raises(PersonHeld) as held:
        await sends.take("lihua", "b", 1, clock.now)
    assert held.value.wait_s == pytest.approx(8)

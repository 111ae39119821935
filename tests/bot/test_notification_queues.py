"""Who sends, and who waits: one worker of several, and one recipient beside others."""

from dataclasses import dataclass, field
from datetime import timedelta

from bot.notifications.makers import Makers
from bot.notifications.planning import Planner
from bot.notifications.sending import LEADING, Sender
from store.session import Database
from store.vocabulary import Severity
from tests.bot.notification_builders import (
    SECRET,
    SETTINGS,
    channel,
    happened,
    keep,
    robot,
    rule,
    vault,
)
from tests.bot.test_notification_sending import PHRASES, World, world
from tests.connectors.notify_peers import http_peer

__all__ = ["world"]


@dataclass
class Worker:
    """A process beside the one of a world."""

    beside: World
    sender: Sender = field(init=False)
    makers: Makers = field(init=False)

    def __post_init__(self) -> None:
        self.makers = Makers(vault(), SETTINGS, self.beside.clock)
        planner = Planner(PHRASES, "")
        self.sender = Sender(self.beside.database, self.makers, planner, self.beside.clock)

    async def look(self) -> int:
        """One look at the queues, and the work that it begins."""
        begun = await self.sender.start_due()
        for task in list(self.sender._tasks.values()):  # what it has begun
            await task
        return begun


async def test_one_of_two_workers_sends_and_the_other_follows_when_it_dies(
    database: Database,
) -> None:
    """Together they would send twice what the platform takes in a minute."""
    world = World(database)
    first, second = Worker(world), Worker(world)
    async with http_peer() as peer:
        group = robot(peer.address, per_minute=6)
        await keep(database, group, rule(group.id))
        await world.tell(*(happened(f"e{n}") for n in range(12)))
        assert await first.look() == 1
        for _ in range(2):
            assert await second.look() == 0
            await first.look()
        assert len(peer.taken) == 5  # of six, one is kept for what is urgent
        # The first dies without a word; nothing happens until its time is over.
        world.now += LEADING - timedelta(seconds=1)
        assert await second.look() == 0
        world.now += timedelta(minutes=1)
        assert await second.look() == 1
        assert len(peer.taken) == 10
        # It was only slow: it finds that another sends now.
        assert await first.look() == 0
    await first.makers.close()
    await second.makers.close()
    await world.makers.close()


async def test_who_follows_keeps_the_pace_of_the_one_before(database: Database) -> None:
    """Platforms throttle whoever sends too fast, for minutes, whichever process it was."""
    world = World(database)
    first, second = Worker(world), Worker(world)
    async with http_peer() as peer:
        group = robot(peer.address, per_minute=12)  # ten, and two more for what is urgent
        await keep(database, group, rule(group.id))
        await world.tell(*(happened(f"a{n}") for n in range(9)))
        await first.look()
        assert len(peer.taken) == 9
        world.now += LEADING + timedelta(seconds=1)  # the first has died
        await world.tell(*(happened(f"b{n}") for n in range(9)))
        await second.look()
        assert len(peer.taken) == 10
        await world.tell(happened("c", severity=Severity.MAJOR))
        await second.look()
        assert len(peer.taken) == 11
        world.now += timedelta(minutes=1)
        await second.look()
        assert len(peer.taken) == 19
        # The first was only slow: what it remembers is not all that was sent.
        world.now += LEADING + timedelta(seconds=1)
        await world.tell(*(happened(f"d{n}") for n in range(9)))
        await first.look()
        assert len(peer.taken) == 21
    for one in (first, second, world):
        await one.makers.close()


async def test_a_telephones_share_of_the_hour_outlives_a_process(world: World) -> None:
    first, second = Worker(world), Worker(world)
    async with http_peer(always={"code": 0}) as peer:
        config = {"url": peer.address, "templates": {"*": "T1"}, "per_phone_hour": 2}
        gateway = channel("sms", {**config, "success": "0"}, {"secret": SECRET})
        await keep(world.database, gateway, rule(gateway.id, recipients=["13800000000"]))
        await world.tell(happened("a"), happened("b"))
        await first.look()
        world.now += timedelta(minutes=30)
        await world.tell(happened("c"))
        await second.look()
        assert len(peer.taken) == 2
        world.now += timedelta(minutes=31)
        await second.look()
        assert len(peer.taken) == 3
    for one in (first, second):
        await one.makers.close()


async def test_a_worker_that_goes_down_in_order_is_followed_at_once(world: World) -> None:
    other = Worker(world)
    async with http_peer() as peer:
        group = robot(peer.address)
        await keep(world.database, group, rule(group.id))
        await world.sender.settle()
        await world.tell(happened())
        assert await other.look() == 1
        assert len(peer.taken) == 1
    await other.makers.close()


async def test_one_who_must_wait_holds_up_nobody_else(world: World) -> None:
    """One telephone has had its share of the hour; the others of the queue are not held up."""
    async with http_peer(always={"code": 0}) as peer:
        config = {"url": peer.address, "templates": {"*": "T1"}, "per_phone_hour": 1}
        gateway = channel("sms", {**config, "success": "0"}, {"secret": SECRET})
        phones = ["13800000000", "13900000000"]
        await keep(world.database, gateway, rule(gateway.id, recipients=phones[:1]))
        await world.tell(happened("e1"))
        await world.sender.settle()
        await keep(world.database, rule(gateway.id, recipients=phones))
        await world.tell(happened("e2"), happened("e3"))
        await world.sender.settle()
        assert await world.statuses() == ["sent", "pending", "sent", "pending", "pending"]
        world.now += timedelta(hours=1)
        await world.sender.settle()
        world.now += timedelta(hours=1)
        await world.sender.settle()
        assert await world.statuses() == ["sent"] * 5
        assert len(peer.taken) == 5

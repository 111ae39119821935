"""The relay over both databases: in order, at least once, shown once, nothing lost in silence."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select

from connectors import relay as relaying
from connectors.base import Delivery, Held, PermanentError, TransientError
from connectors.memory import MemoryChannel
from connectors.relay import LEASE, Relay
from store import outbox
from store.outbox import BACKOFF_CAP, BACKOFF_FIRST, MAX_ATTEMPTS, Claimed, OutboxRow
from store.session import Database

START = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


class Died(BaseException):
    """The process is gone: nothing may catch this."""


@dataclass
class World:
    """A database, a channel behind a handler, and a clock that is moved by hand."""

    database: Database
    channel: MemoryChannel = field(default_factory=MemoryChannel)
    now: datetime = START

    def clock(self) -> datetime:
        return self.now

    async def put(self, *keys: str, conversation: str | None = None, kind: str = "deliver") -> None:
        async with self.database.transaction() as session:
            for key in keys:
                await outbox.enqueue(
                    session,
                    kind=kind,
                    payload={"text": key},
                    dedupe_key=key,
                    conversation_id=conversation,
                    available_at=self.now,
                )

    async def send(self, row: Claimed) -> None:
        text = str(row.payload["text"])
        await self.channel.send(
            Delivery(row.dedupe_key, row.conversation_id or "all", "text", text)
        )

    def relay(self, handler: Callable[[Claimed], Awaitable[None]] | None = None) -> Relay:
        return Relay(self.database, {"deliver": handler or self.send}, self.clock, idle_s=30)

    async def drain(self, relay: Relay) -> int:
        """Run until nothing is due; how many rows were tried."""
        tried = 0
        while batch := await relay.run_once():
            tried += batch
        return tried

    async def row(self, key: str) -> OutboxRow:
        async with self.database.reading() as session:
            query = select(OutboxRow).where(OutboxRow.dedupe_key == key)
            return (await session.scalars(query)).one()

    async def counts(self) -> dict[str, int]:
        async with self.database.reading() as session:
            return await outbox.counts(session)


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


async def test_a_conversation_is_sent_in_order(world: World) -> None:
    for n in range(6):
        for conversation in ("c1", "c2", "c3"):
            await world.put(f"{conversation}-{n}", conversation=conversation)
    assert await world.drain(world.relay()) == 18
    for conversation in ("c1", "c2", "c3"):
        assert world.channel.texts(conversation) == [f"{conversation}-{n}" for n in range(6)]
    assert await world.counts() == {"sent": 18}


async def test_what_leaves_together_is_settled_together(world: World) -> None:
    await world.put(*(f"{n}" for n in range(12)))
    commits = []
    event.listen(world.database.engine.sync_engine, "commit", commits.append)
    assert await world.drain(world.relay()) == 12
    assert await world.counts() == {"sent": 12}
    # Each waits for the disk: one to claim, and not one more for each of them.
    assert len(commits) <= 4


async def test_one_that_is_slow_keeps_nobody_from_being_settled(world: World) -> None:
    await world.put("slow", "quick")
    go_on, settled = asyncio.Event(), asyncio.Event()
    engine = world.database.engine.sync_engine

    async def handler(row: Claimed) -> None:
        if row.dedupe_key == "slow":
            # The claim is committed: the next commit settles the other.
            event.listen(engine, "commit", lambda _connection: settled.set())
            await go_on.wait()

    # A lease so long that it is not renewed meanwhile.
    relay = Relay(world.database, {"deliver": handler}, world.clock, lease=timedelta(hours=1))
    running = asyncio.create_task(relay.run_once())
    async with asyncio.timeout(30):
        await settled.wait()
    go_on.set()
    assert await running == 2
    assert await world.counts() == {"sent": 2}


async def test_a_transient_failure_waits_longer_each_time(world: World) -> None:
    await world.put("a", "b", conversation="c")
    world.channel.failures = [TransientError("busy"), TransientError("busy")]
    relay = world.relay()
    assert await world.drain(relay) == 1
    row = await world.row("a")
    assert (row.status, row.attempts) == ("pending", 1)
    assert row.last_error == "TransientError: busy"
    assert row.available_at == START + BACKOFF_FIRST

    world.now = START + BACKOFF_FIRST - timedelta(milliseconds=1)
    assert await world.drain(relay) == 0
    world.now = START + BACKOFF_FIRST
    assert await world.drain(relay) == 1
    assert (await world.row("a")).available_at == world.now + 2 * BACKOFF_FIRST
    assert world.channel.texts("c") == []  # b never overtakes a

    world.now += 2 * BACKOFF_FIRST
    assert await world.drain(relay) == 2
    assert world.channel.texts("c") == ["a", "b"]
    assert (await world.row("a")).last_error is None


async def test_a_channel_that_stays_down_ends_as_a_dead_letter(world: World) -> None:
    await world.put("a", conversation="c")
    world.channel.failures = [TransientError("down")] * (MAX_ATTEMPTS + 1)
    relay = world.relay()
    for _ in range(MAX_ATTEMPTS + 3):
        await world.drain(relay)
        world.now += BACKOFF_CAP
    assert len(world.channel.attempts) == MAX_ATTEMPTS
    assert await world.counts() == {"failed": 1}


async def test_a_permanent_failure_is_a_dead_letter_and_frees_the_way(world: World) -> None:
    await world.put("a", "b", conversation="c")
    world.channel.failures = [PermanentError("blocked by the user")]
    await world.drain(world.relay())
    assert world.channel.texts("c") == ["b"]
    dead = await world.row("a")
    assert (dead.status, dead.last_error, dead.attempts) == ("failed", "blocked by the user", 1)


async def test_a_channel_at_rest_uses_up_no_attempts(world: World) -> None:
    """Held for a day, far beyond the number of attempts, and still not lost."""
    await world.put("a", "b", conversation="c")
    relay = world.relay()
    for _ in range(2 * MAX_ATTEMPTS):
        world.channel.failures = [Held("pace", 60)]
        assert await world.drain(relay) == 1
        row = await world.row("a")
        assert row.status == "pending"
        wait = (row.available_at - world.now).total_seconds()
        assert 60 <= wait < 120
        world.now = row.available_at
    assert await world.drain(relay) == 2
    assert world.channel.texts("c") == ["a", "b"]


async def test_an_unknown_kind_is_a_dead_letter(world: World) -> None:
    await world.put("a", kind="pigeon")
    await world.drain(world.relay())
    dead = await world.row("a")
    assert (dead.status, dead.last_error) == ("failed", "no handler for this kind")


async def test_a_bug_in_a_handler_counts_as_transient(world: World) -> None:
    async def broken(row: Claimed) -> None:
        raise ZeroDivisionError("oops")

    await world.put("a")
    await world.drain(world.relay(broken))
    row = await world.row("a")
    assert (row.status, row.last_error) == ("pending", "ZeroDivisionError: oops")


async def test_a_hanging_handler_is_given_up_in_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaying, "SEND_TIMEOUT_S", 0.05)
    stopped = asyncio.Event()

    async def hang(row: Claimed) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    await world.put("a")
    async with asyncio.timeout(10):
        await world.drain(world.relay(hang))
    assert stopped.is_set()
    row = await world.row("a")
    assert row.status == "pending"
    assert row.last_error is not None
    assert row.last_error.startswith("TimeoutError")


async def test_a_slow_send_keeps_its_row(world: World) -> None:
    """The lease is short for the sake of the dead; the living renew it."""
    await world.put("a")
    started, done = asyncio.Event(), asyncio.Event()

    async def slow(_row: Claimed) -> None:
        started.set()
        await done.wait()

    lease = timedelta(milliseconds=60)
    working = Relay(world.database, {"deliver": slow}, world.clock, lease=lease)
    task = asyncio.create_task(working.run_once())
    await started.wait()
    world.now += timedelta(seconds=1)  # long over, had it not been renewed
    for _ in range(1_000):
        held = (await world.row("a")).claimed_until
        if held is not None and held > world.now:
            break
        await asyncio.sleep(0.01)
    assert await world.relay().run_once() == 0
    done.set()
    assert await task == 1
    assert await world.counts() == {"sent": 1}


async def test_two_relays_at_once_send_each_row_once(world: World, tables_url: str) -> None:
    for n in range(60):
        await world.put(f"k{n}", conversation=f"c{n % 7}")
    second = World(Database(tables_url), world.channel)
    try:
        tried = await asyncio.gather(
            *(w.drain(w.relay()) for w in (world, second) for _ in range(2))
        )
    finally:
        await second.database.dispose()
    tried.append(await world.drain(world.relay()))
    assert sum(tried) == 60
    assert sorted(world.channel.attempts) == sorted(f"k{n}" for n in range(60))
    for c in range(7):
        sent = [int(text[1:]) for text in world.channel.texts(f"c{c}")]
        assert sent == sorted(sent)
    assert await world.counts() == {"sent": 60}


async def test_death_between_send_and_settle_delivers_again_but_shows_once(world: World) -> None:
    async def send_and_die(row: Claimed) -> None:
        await world.send(row)
        raise Died

    await world.put("a", "b", conversation="c")
    with pytest.raises(Died):
        await world.relay(send_and_die).run_once()
    assert world.channel.texts("c") == ["a"]

    survivor = world.relay()
    assert await world.drain(survivor) == 0  # the lease of the dead one still runs
    world.now += LEASE + timedelta(seconds=1)
    assert await world.drain(survivor) == 2
    assert world.channel.attempts == ["a", "a", "b"]
    assert world.channel.texts("c") == ["a", "b"]
    assert (await world.row("a")).attempts == 2


async def test_a_worker_that_lost_its_lease_settles_nothing(world: World) -> None:
    """It was so slow that another sent the row meanwhile: the other's word stands."""

    async def slow(row: Claimed) -> None:
        world.now += LEASE + timedelta(seconds=1)
        assert await world.drain(world.relay()) == 1
        raise PermanentError("too late to matter")

    await world.put("a")
    await world.relay(slow).run_once()
    assert (await world.row("a")).status == "sent"


async def test_running_wakes_at_once_and_survives_a_failing_database(
    sqlite_database: Database,
) -> None:
    world = World(sqlite_database)
    failed, sent = asyncio.Event(), asyncio.Event()

    def clock() -> datetime:
        if not failed.is_set():
            failed.set()
            raise OSError("the database is away")
        return world.now

    async def send(row: Claimed) -> None:
        await world.send(row)
        sent.set()

    relay = Relay(world.database, {"deliver": send}, clock, idle_s=30)
    running = asyncio.create_task(relay.run())
    try:
        async with asyncio.timeout(10):
            await failed.wait()
            await world.put("a", conversation="c")
            relay.wake()
            await sent.wait()
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    assert world.channel.texts("c") == ["a"]


async def test_a_rest_in_between_takes_no_attempts_from_later_failures(world: World) -> None:
    """However often the channel rested before, the first real failure is the first attempt."""
    await world.put("a")
    relay = world.relay()
    for _ in range(2 * MAX_ATTEMPTS):
        world.channel.failures = [Held("pace", 60)]
        assert await world.drain(relay) == 1
        world.now = (await world.row("a")).available_at
    world.channel.failures = [TransientError("busy")]
    assert await world.drain(relay) == 1
    row = await world.row("a")
    assert (row.status, row.attempts) == ("pending", 1)


async def test_kinds_are_left_to_a_worker_of_their_own(world: World) -> None:
    await world.put("a", kind="notification")
    await world.put("b")
    relay = Relay(world.database, {"deliver": world.send}, world.clock, without=("notification",))
    assert await relay.run_once() == 1
    assert world.channel.texts("all") == ["b"]
    async with world.database.transaction() as session:
        lease = timedelta(seconds=60)
        rows = await outbox.claim(
            session, now=world.now, lease=lease, token="t", only=("notification",)
        )
    assert [row.dedupe_key for row in rows] == ["a"]

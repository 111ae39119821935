"""What was sent is known to every process, whichever ends and begins."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from connectors.base import Held
from connectors.pacing import Limit
from connectors.send_tables import ChannelSend
from connectors.sends import MemorySends, Sends, StoredSends
from store.session import Database

START = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
LIMITS = (Limit(3, timedelta(minutes=1)), Limit(5, timedelta(hours=1)))


@pytest.fixture(params=["memory", "stored"])
def sends(request: pytest.FixtureRequest, database: Database) -> Sends:
    stored: Sends = StoredSends(database, "wecom", LIMITS)
    return MemorySends(LIMITS) if request.param == "memory" else stored


async def test_one_person_is_not_sent_to_faster_than_both_limits(sends: Sends) -> None:
    for n in range(3):
        await sends.take("u1", f"k{n}", 1, START + timedelta(seconds=n))
    with pytest.raises(Held) as held:
        await sends.take("u1", "k3", 1, START + timedelta(seconds=10))
    assert held.value.wait_s == pytest.approx(50)
    await sends.take("u2", "other", 1, START)
    later = START + timedelta(seconds=60)
    for n in (3, 4):
        await sends.take("u1", f"k{n}", 1, later + timedelta(seconds=n))
    with pytest.raises(Held) as held:
        await sends.take("u1", "k5", 1, later + timedelta(minutes=2))
    assert held.value.wait_s == pytest.approx(3_600 - 180)


async def test_parts_that_arrived_are_known(sends: Sends) -> None:
    assert await sends.arrived("k") == set()
    for part in (1, 2):
        await sends.take("u1", "k", part, START)
        await sends.mark_arrived("k", part)
    await sends.take("u1", "k", 3, START)
    assert await sends.arrived("k") == {1, 2}


async def test_a_new_process_knows_the_pace_and_the_parts(database: Database) -> None:
    old = StoredSends(database, "wecom", LIMITS)
    for n in range(3):
        await old.take("u1", "k", n, START)
    await old.mark_arrived("k", 0)
    new = StoredSends(database, "wecom", LIMITS)
    with pytest.raises(Held):
        await new.take("u1", "next", 1, START + timedelta(seconds=1))
    assert await new.arrived("k") == {0}
    other = StoredSends(database, "other", LIMITS)
    await other.take("u1", "k", 0, START)


async def test_a_part_that_is_sent_again_counts_once_and_old_ones_go(database: Database) -> None:
    sends = StoredSends(database, "wecom", LIMITS)
    for n in range(10):
        await sends.take("u1", "k", 1, START + timedelta(seconds=n))
    later = StoredSends(database, "wecom", LIMITS)
    await later.take("u1", "next", 1, START + timedelta(days=2))
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(ChannelSend)) == 1


async def test_the_same_words_twice_are_never_taken_for_one(sends: Sends) -> None:
    """A platform that drops repeated requests is told them apart by the slot: no two are equal."""
    many = StoredSends(sends._database, "wecom", ()) if isinstance(sends, StoredSends) else sends
    if not isinstance(many, StoredSends):
        many = MemorySends((Limit(10_000, timedelta(hours=1)),))
    slots = [await many.take("u1", f"k{n}", 1, START) for n in range(400)]
    assert len(set(slots)) == 400
    assert [await many.take("u1", f"k{n}", 1, START) for n in range(400)] == slots

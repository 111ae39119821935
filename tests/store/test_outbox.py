"""The outbox: every decision leaves once or shows as a dead letter, in order per conversation."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import outbox
from store.outbox import BACKOFF_CAP, BACKOFF_FIRST, MAX_ATTEMPTS, Claimed
from store.session import Database

NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
LEASE = timedelta(seconds=60)


async def put(db: Database, key: str, *, conversation: str | None = None) -> bool:
    async with db.transaction() as session:
        return await outbox.enqueue(
            session,
            kind="deliver",
            payload={"key": key},
            dedupe_key=key,
            conversation_id=conversation,
            available_at=NOW,
        )


async def take(db: Database, *, at: datetime = NOW, token: str = "w1") -> list[Claimed]:
    async with db.glance() as session:
        due = await outbox.is_due(session, now=at)
    async with db.transaction() as session:
        rows = list(await outbox.claim(session, now=at, lease=LEASE, token=token))
    assert due == bool(rows), "the look and the claim must agree"
    return rows


async def test_a_repeated_decision_is_one_row(database: Database) -> None:
    assert await put(database, "a")
    assert not await put(database, "a")
    assert [row.dedupe_key for row in await take(database)] == ["a"]


async def test_a_claimed_row_is_nobody_elses_until_the_lease_ends(database: Database) -> None:
    await put(database, "a")
    (first,) = await take(database)
    assert await take(database, token="w2") == []
    later = NOW + LEASE + timedelta(seconds=1)
    (second,) = await take(database, at=later, token="w2")
    assert second.attempts == 2
    async with database.transaction() as session:
        assert not await outbox.settle_sent(session, first, now=later)
        assert await outbox.settle_sent(session, second, now=later)


async def test_a_conversation_leaves_in_order(database: Database) -> None:
    for key in ("c1", "c2"):
        await put(database, key, conversation="c")
    await put(database, "d1", conversation="d")
    rows = await take(database)
    assert [row.dedupe_key for row in rows] == ["c1", "d1"]
    async with database.transaction() as session:
        await outbox.settle_retry(session, rows[0], error="down", now=NOW)
    assert await take(database) == []  # c2 waits for c1, c1 for its backoff
    (again,) = await take(database, at=NOW + BACKOFF_FIRST)
    assert again.dedupe_key == "c1"
    async with database.transaction() as session:
        await outbox.settle_sent(session, again, now=NOW)
    assert [row.dedupe_key for row in await take(database)] == ["c2"]


async def test_a_dead_letter_shows_frees_the_way_and_can_be_resent(database: Database) -> None:
    await put(database, "c1", conversation="c")
    await put(database, "c2", conversation="c")
    (row,) = await take(database)
    async with database.transaction() as session:
        await outbox.settle_failed(session, row, error="x" * 2000, now=NOW)
        (dead,) = await outbox.dead_letters(session)
        assert dead.last_error is not None
        assert len(dead.last_error) == 500
    assert [r.dedupe_key for r in await take(database)] == ["c2"]
    async with database.transaction() as session:
        assert await outbox.resend(session, row.id, now=NOW)
        assert not await outbox.resend(session, row.id, now=NOW)
    (resent,) = await take(database)
    assert resent.attempts == 1


async def test_retries_end_as_a_dead_letter(database: Database) -> None:
    await put(database, "a")
    at = NOW
    for _ in range(MAX_ATTEMPTS):
        at += BACKOFF_CAP
        (row,) = await take(database, at=at)
        async with database.transaction() as session:
            await outbox.settle_retry(session, row, error="down", now=at)
    async with database.reading() as session:
        assert await outbox.counts(session) == {"failed": 1}


async def test_a_rolled_back_decision_sends_nothing(database: Database) -> None:
    async def decide_and_fail() -> None:
        async with database.transaction() as session:
            await outbox.enqueue(
                session, kind="deliver", payload={}, dedupe_key="a", available_at=NOW
            )
            raise LookupError

    with pytest.raises(LookupError):
        await decide_and_fail()
    assert await take(database) == []


@given(st.integers(1, 200))
def test_backoff_doubles_up_to_its_cap(attempts: int) -> None:
    wait = outbox.backoff(attempts)
    assert BACKOFF_FIRST <= wait <= BACKOFF_CAP
    assert outbox.backoff(attempts + 1) in (wait * 2, BACKOFF_CAP)


def test_backoff_needs_an_attempt() -> None:
    with pytest.raises(ValueError, match="at least one"):
        outbox.backoff(0)

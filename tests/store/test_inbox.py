"""The inbox: one delivery is one message, however often and however concurrently it comes."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from store import inbox
from store.session import Database

NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


async def admit(db: Database, external_id: str, result: dict[str, Any]) -> dict[str, Any] | None:
    async with db.transaction() as session:
        return await inbox.admit(
            session, channel="web", external_id=external_id, result=result, now=NOW
        )


async def test_a_repeated_delivery_gets_the_first_result(database: Database) -> None:
    assert await admit(database, "m1", {"seq": 1}) is None
    assert await admit(database, "m1", {"seq": 2}) == {"seq": 1}
    assert await admit(database, "m2", {"seq": 2}) is None


async def test_of_concurrent_deliveries_exactly_one_is_first(database: Database) -> None:
    results = await asyncio.gather(*(admit(database, "m", {"n": n}) for n in range(12)))
    assert sum(result is None for result in results) == 1
    kept = [result for result in results if result is not None]
    assert all(result == kept[0] for result in kept)


async def test_a_rolled_back_delivery_can_come_again(database: Database) -> None:
    try:
        async with database.transaction() as session:
            await inbox.admit(session, channel="web", external_id="m", result={}, now=NOW)
            raise LookupError
    except LookupError:
        pass
    assert await admit(database, "m", {"seq": 7}) is None

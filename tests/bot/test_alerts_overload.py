"""Alerts beyond what can be recorded: 200 or 5xx, never 4xx, and sent again nothing is missing.

Alertmanager and Grafana try again after 5xx only; a 429 would drop what they tell.
"""

import asyncio
from collections.abc import Sequence

import httpx
import pytest
from sqlalchemy import func, select, update

from bot.alerts.tables import AlertDelivery
from store.session import Database
from tests.bot.test_alert_reading import body, raw
from tests.bot.test_alerts_http import World, ago, world

__all__ = ["world"]

#: Deliveries at once, and how long nobody else can write meanwhile, in seconds.
DELIVERIES, BLOCKED_S = 100, 1.5


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that another process writes to is waited for only shortly."""
    monkeypatch.setattr("store.session.SQLITE_BUSY_TIMEOUT_MS", 100)


def letters() -> Sequence[bytes]:
    began = ago(minutes=1)
    return [
        body(*(raw(startsAt=began, fingerprint=f"{n}x{m}") for m in range(3)))
        for n in range(DELIVERIES)
    ]


async def test_overload_is_5xx_and_what_is_sent_again_is_all_there(world: World) -> None:
    other = Database(world.product.services.settings.effective_database_url)
    waiting = dict(enumerate(letters()))
    limits = httpx.Limits(max_connections=60)
    seen: set[int] = set()
    async with httpx.AsyncClient(
        base_url=world.product.address, limits=limits, timeout=60, trust_env=False
    ) as client:

        async def deliver(number: int) -> None:
            answer = await client.post(
                f"/hooks/alerts/{world.source_id}",
                content=waiting[number],
                headers={"Authorization": f"Bearer {world.token}"},
            )
            seen.add(answer.status_code)
            if answer.status_code == 200:
                del waiting[number]

        async with other.transaction() as session:
            await session.execute(update(AlertDelivery).values(times=1))  # nothing yet
            posts = [asyncio.create_task(deliver(n)) for n in list(waiting)]
            await asyncio.wait(posts, timeout=BLOCKED_S)
        await asyncio.gather(*posts)
        for _ in range(20):
            await asyncio.gather(*(deliver(n) for n in list(waiting)))
    await other.dispose()
    assert seen <= {200, 500, 502, 503, 504}, seen
    if "sqlite" in world.product.services.settings.effective_database_url:
        assert 503 in seen  # it was too much indeed
    assert waiting == {}
    async with world.product.services.database.reading() as session:
        kept = await session.scalar(select(func.count()).select_from(AlertDelivery))
    assert kept == DELIVERIES
    assert len(await world.instances()) == DELIVERIES * 3

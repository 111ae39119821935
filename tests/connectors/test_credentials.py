"""Refused credentials: every process stays away before the platform bans the address of all."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from connectors.credentials import BAN, FIRST_REST, StoredCredentials
from connectors.fake_wecom.network import FakeNetwork
from connectors.fake_wecom.platform import FakeWecom
from connectors.fake_wecom.settings import FakeSettings
from connectors.settings import WecomSettings
from connectors.wecom_api import CredentialsRefused, WecomApi
from store.session import Database

START = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
WRONG = WecomSettings(corp_id="ww1", agent_id=7, secret="not the secret")


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


async def waits(apis: Sequence[WecomApi]) -> list[float]:
    """How long each process stays away after asking, all at the same moment."""
    found = await asyncio.gather(*(api.check() for api in apis), return_exceptions=True)
    assert all(isinstance(one, CredentialsRefused) for one in found), found
    return [one.wait_s for one in found if isinstance(one, CredentialsRefused)]


@pytest.mark.parametrize("count", [1, 2])
async def test_no_process_brings_a_ban_on_all(database: Database, count: int) -> None:
    clock = Clock()
    fake = FakeWecom(FakeSettings("ww1", 7, "the secret"), clock)

    def process(settings: WecomSettings) -> WecomApi:
        client = FakeNetwork(fake).client()
        return WecomApi(client, settings, clock, StoredCredentials(database, settings.secret))

    both = [process(WRONG) for _ in range(count)]
    for _ in range(20):
        await waits(both)
        clock.now += timedelta(seconds=31)
    assert fake.token_calls == 2  # the third in a row would be answered with a ban
    # Who corrects the secret waits for nothing.
    right = WRONG.model_copy(update={"secret": "the secret"})
    await process(right).check()
    # And who was wrong is let in again when the hour is over, one at a time.
    clock.now = START + timedelta(hours=2)
    fake.settings.secret = WRONG.secret
    found = await asyncio.gather(*(api.check() for api in both), return_exceptions=True)
    assert None in found
    await asyncio.gather(*(api.check() for api in both))


async def test_refusals_are_counted_and_forgotten(database: Database) -> None:
    one, other = (StoredCredentials(database, "s") for _ in range(2))
    assert await one.rest(START) is None
    assert await one.refused(START) == FIRST_REST
    assert await other.rest(START + timedelta(seconds=10)) == timedelta(seconds=20)
    later = START + FIRST_REST
    assert await other.rest(later) is None
    assert await one.rest(later) is not None  # the other asks just now
    assert await other.refused(later) == BAN
    assert await StoredCredentials(database, "another").rest(later) is None
    await one.accepted()
    assert await other.rest(later) is None

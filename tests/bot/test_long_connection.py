"""Who keeps a bot's long connection: one process of many, after cuts, crashes and take-overs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from sqlalchemy import select
from typing_extensions import override

from bot.accounts.service import Principal
from bot.assembly import Services, assemble
from bot.channels.bot_frames import KIND, BotFrames
from bot.channels.links import Links, LinkState
from bot.channels.long_connection import LongConnection, Pace
from bot.clock import utc_now
from bot.errors import InvalidInput
from bot.settings import Settings
from bot.tables import Role
from connectors.base import Held, PermanentError, TransientError
from connectors.fake_wecom.bot_sockets import FakeBotSocket
from connectors.relay import Handler
from connectors.settings import RelaySettings
from store import audit, leases
from store.outbox import Claimed, OutboxRow
from tests.connectors.bot_platform import a_bot_platform, socket_settings
from tests.product import copy_workspace, make_settings, serving
from tests.waiting import PATIENCE_S, until

PACE = Pace(most_s=0.2, look_s=0.05, lease_s=0.6)
ROOT = Principal("s-root", "root", "管理员", "", Role.ADMIN, (), (), "", must_change_password=False)


class OnlyRecorded(BotFrames):
    """Writes messages down and dies before it does anything with them."""

    @override
    def handlers(self) -> dict[str, Handler]:
        return {KIND: self._die}

    async def _die(self, _row: Claimed) -> None:
        raise Held("dead", 1.0)


@asynccontextmanager
async def connecting(
    services: Services, kind: type[BotFrames] = BotFrames
) -> AsyncIterator[LongConnection]:
    """One process' part in it, until it is put down in order."""
    one = LongConnection(kind(services.channel_files, services.channels), PACE)
    running = asyncio.create_task(one.run())
    try:
        yield one
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


@pytest.fixture
async def platform() -> AsyncIterator[FakeBotSocket]:
    async with a_bot_platform() as platform:
        yield platform


@pytest.fixture
def settings(platform: FakeBotSocket, prepared_workspace: Path, tmp_path: Path) -> Settings:
    copy_workspace(prepared_workspace, tmp_path / "home")
    bot = socket_settings(platform)
    update = {"wecom_bot": bot, "relay": RelaySettings(lease_s=1.0)}
    return make_settings(tmp_path / "home").model_copy(update=update)


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[Services]:
    made = assemble(settings)
    yield made
    await made.channels.close()
    await made.database.dispose()


async def state_of(services: Services) -> LinkState | None:
    links = Links(services.database, utc_now)
    found = await links.health(services.channels.settings.wecom_bot)
    return found.state if found is not None else None


async def hold(services: Services, holder: str) -> None:
    """The lease is somebody else's, whoever has it now, as if that one had slept too long."""
    now = utc_now()
    async with services.database.transaction() as session:
        row = await session.get(leases.Lease, "wecom_bot")
        if row is not None:
            row.until = now - timedelta(seconds=1)
            await session.flush()
        until = now + timedelta(hours=1)
        assert await leases.hold(session, "wecom_bot", holder=holder, now=now, until=until)


async def end_lease(services: Services) -> None:
    """Nobody renewed it."""
    async with services.database.transaction() as session:
        row = await session.get(leases.Lease, "wecom_bot")
        if row is not None:
            row.until = utc_now() - timedelta(seconds=1)


async def test_one_of_two_processes_connects_and_the_other_follows(
    services: Services, platform: FakeBotSocket
) -> None:
    async with connecting(services):
        await platform.connected(PATIENCE_S)
        async with connecting(services):
            await asyncio.sleep(0.3)
            assert platform.tried == 1
            # Another process has it: nobody here connects before its lease has ended.
            await hold(services, "another")
            await until(lambda: _is(not platform.is_live))
            tried = platform.tried
            await end_lease(services)
            await platform.connected(PATIENCE_S)
            assert platform.tried == tried + 1
    assert not platform.is_live
    async with services.database.reading() as session:
        assert await session.get(leases.Lease, "wecom_bot") is None


async def _is(holds: bool) -> bool:
    return holds


async def test_thrown_out_by_the_next_process_is_no_fight_and_by_a_stranger_is_told(
    services: Services, platform: FakeBotSocket
) -> None:
    links, account = Links(services.database, utc_now), services.channels.settings.wecom_bot
    async with connecting(services):
        await until(lambda: _in(services, LinkState.CONNECTED))
        await links.check(account)
        # The lease has passed on: being thrown out is as it must be.
        await hold(services, "another")
        await platform.kick()
        await asyncio.sleep(0.3)
        await end_lease(services)
        await platform.connected(PATIENCE_S)
        assert await state_of(services) is not LinkState.TAKEN_OVER
        await platform.kick()
        await until(lambda: _in(services, LinkState.TAKEN_OVER))
        with pytest.raises(Held):
            await links.check(account)
        tried = platform.tried
    # A restart does not fight either.
    async with connecting(services):
        await asyncio.sleep(0.3)
        assert platform.tried == tried
        await links.take_back(ROOT, account)
        await platform.connected(PATIENCE_S)
    async with services.database.reading() as session:
        trail = await audit.entries_of(session, "channel:wecom_bot")
    assert [one.action for one in trail] == ["channel_account.reconnected"]
    with pytest.raises(InvalidInput):
        await links.take_back(ROOT, account.model_copy(update={"enabled": False}))


async def _in(services: Services, state: LinkState) -> bool:
    return await state_of(services) is state


async def test_a_refused_account_rests_over_restarts_and_another_does_not(
    services: Services, platform: FakeBotSocket
) -> None:
    account = services.channels.settings.wecom_bot
    links = Links(services.database, utc_now)
    platform.secret = "changed-at-the-platform"
    for tried in (1, 1):
        async with connecting(services):
            await until(lambda: _in(services, LinkState.REFUSED))
            await asyncio.sleep(0.2)
            assert platform.tried == tried
    with pytest.raises(PermanentError):
        await links.check(account)
    assert await links.health(account.model_copy(update={"secret": "new"})) is None
    # The first rest is over: the second one is an hour.
    before = utc_now()
    retry_at = before - timedelta(seconds=1)
    await links.note(account, LinkState.REFUSED, code=853000, retry_at=retry_at, refusals=1)
    async with connecting(services):
        await until(lambda: _is(platform.tried == 2))
        await until(lambda: _refusals(links, services, 2))
    found = await links.health(account)
    assert found is not None
    assert found.retry_at is not None
    assert found.retry_at - before > timedelta(minutes=59)


async def _refusals(links: Links, services: Services, count: int) -> bool:
    found = await links.health(services.channels.settings.wecom_bot)
    return found is not None and found.refusals == count


async def test_cuts_are_waited_out_with_growing_pauses(
    services: Services, platform: FakeBotSocket
) -> None:
    with structlog.testing.capture_logs() as logs:
        platform.script.extend([-1, -1, -1])
        async with connecting(services) as one:
            await platform.connected(PATIENCE_S)
            await platform.bring(platform.bot.message("lihua", "text", text={"content": "你好"}))
            await platform.send("none")
            await until(lambda: _counted(services, 1))
            account = services.channels.settings.wecom_bot
            found = await one.links.health(account)
            assert found is not None
            assert found.state is LinkState.CONNECTED
            assert found.last_in is not None
    broken = [entry for entry in logs if entry["event"] == "bot_connection_broken"]
    assert len(broken) == 3
    await one.links.note(account, LinkState.BROKEN)
    with pytest.raises(TransientError):
        await one.links.check(account)


async def _counted(services: Services, count: int) -> bool:
    links = Links(services.database, utc_now)
    found = await links.health(services.channels.settings.wecom_bot)
    return found is not None and found.bad_frames == count


async def test_what_was_recorded_is_answered_after_a_crash(
    services: Services, settings: Settings, platform: FakeBotSocket
) -> None:
    async with connecting(services, OnlyRecorded):
        await platform.connected(PATIENCE_S)
        await platform.say("lihua", "公务卡怎么还款")
        await until(lambda: _heard(services, 1))
    assert platform.bot.bubbles == []
    async with serving(settings):
        await until(lambda: _is(any("出处" in one for one in platform.bot.texts("lihua"))))
    assert len(platform.bot.texts("lihua")) == 1


async def test_two_processes_on_one_database_hear_everything_once(
    tables_url: str, platform: FakeBotSocket, prepared_workspace: Path, tmp_path: Path
) -> None:
    copy_workspace(prepared_workspace, tmp_path / "home")
    update = {"wecom_bot": socket_settings(platform)}
    settings = make_settings(tmp_path / "home", tables_url).model_copy(update=update)
    one, other = assemble(settings), assemble(settings)
    told = platform.bot.message("lihua", "text", text={"content": "你好"})
    async with connecting(one, OnlyRecorded):
        await platform.connected(PATIENCE_S)
        await platform.bring(told)
        await until(lambda: _heard(one, 1))
        stopping = connecting(other, OnlyRecorded)
        await stopping.__aenter__()
        assert platform.tried == 1
    # The first has gone in order: the second is there, and knows what was heard.
    await platform.connected(PATIENCE_S)
    assert platform.tried == 2
    await platform.bring(told)
    await platform.bring(told | {"msgid": "another"})
    await until(lambda: _heard(other, 2))
    await stopping.__aexit__(None, None, None)
    for services in (one, other):
        await services.channels.close()
        await services.database.dispose()


async def _heard(services: Services, count: int) -> bool:
    async with services.database.reading() as session:
        query = select(OutboxRow.id).where(OutboxRow.kind == KIND)
        return len((await session.scalars(query)).all()) == count

"""Channels in the administrator's hands: how they do, and a switch that loses nothing."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.channels.desk import ChannelHealth
from bot.tables import Role
from connectors.base import PermanentError
from connectors.memory import MemoryChannel
from store import audit, outbox
from tests.bot.web.plain_browser import Browser, add, open_browser, shown
from tests.bot.wecom_platform import SETTINGS, Platform
from tests.product import Product, copy_workspace, make_settings, serving

LINES = "/console/admin/lines"


@dataclass
class World:
    product: Product
    channel: MemoryChannel
    platform: Platform
    root: Browser

    async def counts(self) -> dict[str, int]:
        async with self.product.services.database.reading() as session:
            return await outbox.counts(session)

    async def until(self, **wanted: int) -> None:
        for _ in range(1_200):
            counts = await self.counts()
            if all(counts.get(status, 0) == count for status, count in wanted.items()):
                return
            self.product.services.relay.wake()
            await asyncio.sleep(0.02)
        raise TimeoutError(await self.counts())


@pytest.fixture
async def world(prepared_workspace: Path, tmp_path: Path) -> AsyncIterator[World]:
    home = tmp_path / "home"
    copy_workspace(prepared_workspace, home)
    settings = make_settings(home).model_copy(update={"wecom": SETTINGS})
    channel = MemoryChannel("wecom")
    async with serving(settings, channels={"wecom": channel}) as product:
        await add(product, "root", Role.ADMIN)
        root = open_browser(product)
        await root.log_in("root")
        yield World(product, channel, Platform(product.client), root)
        await root.client.aclose()


async def test_a_stopped_channel_keeps_everything_and_sends_it_in_order(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.desk.LOOK_S", 0.1)
    assert "还没有" in shown(await world.root.get(LINES))
    assert (await world.root.post(f"{LINES}/wecom/pause")).status_code == 303
    for question in ("公务卡怎么还款", "UKey插上没有反应怎么办"):
        assert (await world.platform.say(question)).status_code == 200
    await world.product.settle()
    assert await world.counts() == {"pending": 3}
    page = shown(await world.root.get(LINES))
    assert "root 已暂停发送" in page or "已暂停发送" in page
    assert "最早" in page
    assert world.channel.delivered == []
    assert (await world.root.post(f"{LINES}/wecom/resume")).status_code == 303
    await world.until(pending=0, sent=3)
    assert [d.kind for d in world.channel.delivered] == ["greeting", "answer", "answer"]
    assert [d.text.partition("\n")[0] for d in world.channel.delivered[1:]] == [
        "公务卡怎么还款",
        "UKey插上没有反应怎么办",
    ]
    async with world.product.services.database.reading() as session:
        actions = [row.action for row in await audit.entries_of(session, "channel:wecom")]
    assert sorted(actions) == ["channel_paused", "channel_resumed"]


async def test_failures_are_counted_and_strangers_are_refused(world: World) -> None:
    world.channel.failures = [PermanentError("gone")]
    await world.platform.say("公务卡怎么还款")
    await world.product.settle()
    await world.until(pending=0, failed=1, sent=1)
    assert "1 条（50%）" in shown(await world.root.get(LINES))
    assert (await world.root.post(f"{LINES}/pigeon/pause")).status_code == 422
    engineer = open_browser(world.product)
    await engineer.log_in("chen")
    for answer in (await engineer.get(LINES), await engineer.post(f"{LINES}/wecom/pause")):
        assert answer.status_code == 403
    await engineer.client.aclose()


def test_an_error_rate_needs_something_that_was_tried() -> None:
    def health(sent: int, failed: int) -> ChannelHealth:
        return ChannelHealth("wecom", None, None, sent, failed, 0, None, "", None)

    assert health(0, 0).error_percent is None
    assert health(3, 1).error_percent == 25

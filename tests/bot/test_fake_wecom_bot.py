"""The pretended platform's bot beside the product: typed at its page, answered, judged."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from bot.channels.fake_wecom import (
    Demonstration,
    bot_environment,
    demonstration,
    demonstration_bot_settings,
    demonstration_settings,
)
from bot.clock import utc_now
from bot.tables import Feedback
from bot.web.fake_wecom_pages import create_app
from connectors.fake_wecom.bots import Bubble
from connectors.settings import WecomBotSettings, WecomSettings
from tests.bot.test_fake_wecom import PHRASES
from tests.listening import listening
from tests.postgres import free_port
from tests.product import Product, copy_workspace, make_settings, serving

BOT = demonstration_bot_settings(WecomBotSettings())


@dataclass
class World:
    product: Product
    shown: Demonstration
    page: httpx.AsyncClient

    async def screen(self) -> str:
        await self.shown.bots.settle()
        return (await self.page.get("/phones/lihua/bot/screen")).text


@pytest.fixture
async def world(prepared_workspace: Path, tmp_path: Path) -> AsyncIterator[World]:
    copy_workspace(prepared_workspace, tmp_path / "home")
    bot = BOT.model_copy(update={"settle_s": 0.1})
    settings = make_settings(tmp_path / "home").model_copy(update={"wecom_bot": bot})
    async with serving(settings) as product:
        application = demonstration_settings(WecomSettings(), "http://phone.test")
        shown = demonstration(
            application, PHRASES, utc_now, client=product.client, to=product.address, bot=bot
        )
        shown.bots.poll_s = shown.bots.retry_s = 0.05
        transport = httpx.ASGITransport(create_app(shown, PHRASES))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://phone.test", follow_redirects=True
        ) as page:
            yield World(product, shown, page)


async def test_a_question_is_answered_at_the_page_and_judged(world: World) -> None:
    assert "/phones/lihua/bot" in (await world.page.get("/phones/lihua")).text
    await world.page.post("/phones/lihua/bot/enter")
    assert "进入会话" in await world.screen()
    await world.page.post("/phones/lihua/bot/say", data={"text": "公务卡怎么还款<b>"})
    screen = await world.screen()
    assert "出处" in screen
    assert "已送达" in screen
    assert "<b>" not in screen
    stream = re.findall(r'name="stream" value="(\w+)"', screen)[0]
    await world.page.post("/phones/wangfang/bot/judge/down", data={"stream": stream})
    await world.page.post("/phones/lihua/bot/judge/up", data={"stream": stream})
    await world.product.settle()
    async with world.product.services.database.reading() as session:
        (verdict,) = (await session.scalars(select(Feedback))).all()
    assert verdict.helpful
    state = re.findall(r"seen=(\w+)", screen)[0]
    unchanged = await world.page.get("/phones/lihua/bot/screen", params={"seen": state})
    assert unchanged.status_code == 204


async def test_strangers_and_rubbish_change_nothing(world: World) -> None:
    assert (await world.page.get("/phones/nobody/bot")).status_code == 404
    judged = await world.page.post("/phones/lihua/bot/judge/sideways", data={"stream": "x"})
    assert judged.status_code == 404
    await world.page.post("/phones/lihua/bot/say", data={"text": "  "})
    await world.page.post("/phones/lihua/bot/judge/up", data={"stream": "none"})
    assert world.shown.bots.screen("lihua") == []
    world.shown.bots.bot.callback = "/nowhere"
    await world.page.post("/phones/lihua/bot/say", data={"text": "在吗"})
    assert "重试三次后放弃" in await world.screen()


def test_the_environment_makes_a_bot_that_is_complete() -> None:
    told = bot_environment(BOT)
    start = "CAIWEN_WECOM_BOT__"
    given = {name.removeprefix(start).lower(): value for name, value in told.items()}
    given["allowed_networks"] = json.loads(str(given["allowed_networks"]))
    assert WecomBotSettings.model_validate(given).enabled
    own = BOT.model_copy(update={"bot_id": "own"})
    assert demonstration_bot_settings(own).bot_id == "own"


async def test_over_a_long_connection_it_is_the_same_page(
    prepared_workspace: Path, tmp_path: Path
) -> None:
    copy_workspace(prepared_workspace, tmp_path / "home")
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    own = demonstration_bot_settings(WecomBotSettings(), address, socket=True)
    told = bot_environment(own)
    assert told["CAIWEN_WECOM_BOT__SOCKET_URL"] == f"ws://127.0.0.1:{port}/aibot/socket"
    assert "CAIWEN_WECOM_BOT__TOKEN" not in told
    bot = own.model_copy(update={"settle_s": 0.1, "retry_s": 0.05})
    settings = make_settings(tmp_path / "home").model_copy(update={"wecom_bot": bot})
    unused = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(403)))
    application = demonstration_settings(WecomSettings(), address)
    shown = demonstration(
        application, PHRASES, utc_now, client=unused, to="http://unused.test", bot=own
    )
    socket = shown.bots.socket
    assert socket is not None
    async with (
        listening(create_app(shown, PHRASES), port, ws_ping_interval=None),
        serving(settings),
        httpx.AsyncClient(base_url=address, follow_redirects=True, trust_env=False) as page,
    ):
        await socket.connected()
        await page.post("/phones/lihua/bot/say", data={"text": "公务卡怎么还款"})
        async with asyncio.timeout(60):
            while "出处" not in "".join(shown.bots.bot.texts("lihua")):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        text = (await page.get("/phones/lihua/bot")).text
        assert 'data-connected="1"' in text
        assert "已送达" in text
        stream = shown.bots.bot.bubbles[-1].stream_id
        await page.post("/phones/lihua/bot/judge/up", data={"stream": stream})
        bubble = Bubble("lihua", "选一个", utc_now(), task_id="t1")
        bubble.buttons = (("转人工", "human"),)
        shown.bots.bot.bubbles.append(bubble)
        pressed = {"task": "t1", "key": bubble.buttons[0][1]}
        await page.post("/phones/wangfang/bot/press", data=pressed)  # it is not hers
        assert "选一个" in (await page.post("/phones/lihua/bot/press", data=pressed)).text
        async with asyncio.timeout(60):
            while not bubble.text.startswith("已选"):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert (await page.post("/phones/lihua/bot/line/burn")).status_code == 404
        before = socket.taken
        await page.post("/phones/lihua/bot/line/cut")
        await socket.connected()
        assert socket.taken == before + 1
        away = await page.post("/phones/lihua/bot/line/kick")
        assert 'data-connected="0"' in away.text

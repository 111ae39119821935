"""The pretended 粤政易's page and command: what a demonstration needs."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from bot.channels.fake_wecom import (
    Demonstration,
    demonstration,
    demonstration_settings,
    environment,
)
from bot.clock import utc_now
from bot.phrases import load
from bot.settings import data_dir
from bot.web.fake_wecom_pages import create_app
from connectors.settings import WecomSettings
from connectors.wecom_messages import envelope

SETTINGS = demonstration_settings(WecomSettings(), "http://phone.test")
PHRASES = load(data_dir() / "locales" / "zh-CN.yml")


@dataclass
class World:
    page: httpx.AsyncClient
    shown: Demonstration
    posted: list[httpx.Request]

    async def send(self, text: str) -> None:
        token = self.shown.platform.give_token(SETTINGS.corp_id, SETTINGS.secret)["access_token"]
        body = {"touser": "lihua", "agentid": SETTINGS.agent_id, "msgtype": "text"}
        address = f"/cgi-bin/message/send?access_token={token}"
        answer = await self.page.post(address, json={**body, "text": {"content": text}})
        assert answer.json()["errcode"] == 0


@pytest.fixture
async def world() -> AsyncIterator[World]:
    posted: list[httpx.Request] = []

    def take(request: httpx.Request) -> httpx.Response:
        posted.append(request)
        return httpx.Response(200)

    product = httpx.AsyncClient(transport=httpx.MockTransport(take))
    shown = demonstration(SETTINGS, PHRASES, utc_now, client=product, to="http://product.test/")
    transport = httpx.ASGITransport(create_app(shown, PHRASES))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://phone.test", follow_redirects=True
    ) as page:
        yield World(page, shown, posted)


async def test_what_is_typed_is_posted_and_answers_are_shown(world: World) -> None:
    assert "李华" in (await world.page.get("/")).text
    await world.page.post("/phones/lihua/say", data={"text": "<b>公务卡</b>怎么还款"})
    await world.shown.handsets.settle()
    assert str(world.posted[0].url).startswith("http://product.test/channels/wecom/callback?")
    await world.send("答案在这里")
    screen = (await world.page.get("/phones/lihua/screen")).text
    assert "&lt;b&gt;公务卡" in screen
    assert "<b>公务卡" not in screen
    assert "答案在这里" in screen
    assert "答案在这里" not in (await world.page.get("/phones/wangfang/screen")).text


async def test_everything_that_can_be_sent_is_sent(world: World) -> None:
    whole = (await world.page.get("/phones/lihua")).text
    kinds = re.findall(r'action="/phones/lihua/send/(\w+)"', whole)
    assert {"image", "voice", "file", "location", "link", "enter_agent"} <= set(kinds)
    png = b"\x89PNG\r\n\x1a\n" + b"0" * 40
    for kind in kinds:
        files = {"file": ("a.png", png)} if f'id="file-{kind}"' in whole else None
        await world.page.post(f"/phones/lihua/send/{kind}", files=files)
    await world.shown.handsets.settle()
    assert len(world.posted) == len(kinds)
    assert all(envelope(request.content) for request in world.posted)


async def test_the_weather_is_set_and_strangers_are_not_found(world: World) -> None:
    await world.page.post("/phones/lihua/weather", data={"rough": "on", "code": "45009"})
    assert world.shown.postman.weather.duplicate > 0
    assert not world.shown.platform.settings.takes_cards
    assert world.shown.platform.script == [45009]
    await world.page.post("/phones/lihua/weather", data={"code": "rubbish", "cards": "on"})
    assert world.shown.platform.script == [45009]
    assert (await world.page.get("/phones/nobody")).status_code == 404
    assert (await world.page.post("/phones/lihua/send/rubbish")).status_code == 404
    assert (await world.page.get("/media/none")).status_code == 404


def test_the_environment_makes_settings_that_are_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    told = environment(SETTINGS)
    given = {name.removeprefix("CAIWEN_WECOM__").lower(): value for name, value in told.items()}
    made = WecomSettings.model_validate(given)
    assert made.enabled
    assert made.base_url == "http://phone.test"
    own = made.model_copy(update={"corp_id": "ww-own"})
    assert demonstration_settings(own, "http://x.test").corp_id == "ww-own"


def test_the_page_loads_nothing_from_elsewhere() -> None:
    templates = Path("bot/web/templates")
    for name in ("fake_wecom.html", "_fake_wecom_screen.html"):
        text = (templates / name).read_text("utf-8")
        assert "<script>" not in text
        assert "style=" not in text

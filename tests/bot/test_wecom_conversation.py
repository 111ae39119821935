"""Whole conversations in 政务微信: encrypted callbacks in, the API out, each message once."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from bot.clock import utc_now
from bot.tables import Feedback, Message
from connectors.fake_wecom.network import FakeNetwork
from connectors.fake_wecom.platform import FakeWecom
from connectors.wecom import WecomChannel
from connectors.wecom_api import WecomApi
from store import outbox
from tests.bot.wecom_platform import SETTINGS, Platform, fake_settings
from tests.product import Product, copy_workspace, make_settings, serving


@dataclass
class World:
    product: Product
    platform: Platform
    fake: FakeWecom
    network: FakeNetwork

    async def shown(self, user: str = "lihua") -> list[str]:
        """What this person sees when all is done; the relay runs in the product."""
        await self.product.settle()
        for _ in range(1_200):
            if not await self._waiting():
                return self.fake.texts(user)
            await asyncio.sleep(0.05)
        raise TimeoutError("the outbox does not become empty")

    async def _waiting(self) -> int:
        async with self.product.services.database.reading() as session:
            return (await outbox.counts(session)).get("pending", 0)


@pytest.fixture
async def world(prepared_workspace: Path, tmp_path: Path) -> AsyncIterator[World]:
    home = tmp_path / "home"
    copy_workspace(prepared_workspace, home)
    settings = make_settings(home).model_copy(update={"wecom": SETTINGS})
    fake = FakeWecom(fake_settings(), utc_now)
    network = FakeNetwork(fake)
    api = WecomApi(network.client(), SETTINGS, utc_now)
    channel = WecomChannel(api, SETTINGS, utc_now)
    async with serving(settings, channels={"wecom": channel}) as product:
        yield World(product, Platform(product.client), fake, network)


async def test_from_question_to_the_engineers_reply(world: World) -> None:
    await world.platform.say("UKey插上没有反应怎么办")
    greeting, answer, asked = await world.shown()
    assert greeting
    assert asked == "这个答案有用吗？"
    assert "出处" in answer

    await world.platform.say("我要找人工")
    await world.shown()
    headers = await world.product.staff()
    listed = await world.product.client.get("/api/v1/tickets", headers=headers)
    numbers = [row["number"] for row in listed.json()["tickets"]]
    assert len(numbers) == 1
    assert (await world.product.desk("claim", numbers[0])).status_code == 200
    replied = await world.product.desk("reply", numbers[0], text="请把单据号发我看看")
    assert replied.status_code < 300
    shown = await world.shown()
    assert [text for text in shown if "请把单据号发我看看" in text] == [shown[-1]]

    count = len(shown)
    await world.platform.say("单据号 2026001")
    await world.platform.post(world.platform.message("image", MediaId="M"))
    assert len(await world.shown()) == count  # the engineer has the word now


async def test_pressing_and_numbers_mean_the_same(world: World) -> None:
    """Feedback by a card's button, whose buttons then give way; a list by its number."""
    await world.platform.say("UKey插上没有反应怎么办")
    await world.shown()
    card = world.fake.shown[-1]
    assert [label for label, _ in card.look.buttons] == ["有用", "没用", "转人工"]
    press = {"EventKey": card.look.buttons[0][1], "TaskId": card.look.task_id}
    code = world.fake.press(card)
    for _ in range(2):  # the platform repeats it
        plain = world.platform.event("template_card_event", **press, ResponseCode=code)
        assert (await world.platform.post(plain)).status_code == 200
    await world.shown()
    assert card.replaced == "已选：有用"
    async with world.product.services.database.reading() as session:
        (verdict,) = (await session.scalars(select(Feedback))).all()
    assert verdict.helpful

    await world.platform.say("我要找人工")
    await world.shown()
    headers = await world.product.staff()
    listed = await world.product.client.get("/api/v1/tickets", headers=headers)
    number = listed.json()["tickets"][0]["number"]
    assert (await world.product.desk("claim", number)).status_code == 200
    done = await world.product.desk("resolve", number, cause="驱动", solution="重装驱动")
    assert done.status_code < 300
    await world.shown()
    keys = dict(world.fake.cards()[-1].buttons)
    assert list(keys) == ["已解决", "没解决"]
    await world.platform.post(
        world.platform.event("template_card_event", EventKey=keys["已解决"], TaskId="t")
    )
    await world.shown()
    assert world.fake.cards()[-1].text.startswith("请为本次服务打个分")
    await world.platform.say("5")
    assert "谢谢您的评价" in (await world.shown())[-1]


async def test_every_message_is_answered_once_whatever_the_platform_does(world: World) -> None:
    """Repeated, concurrent and damaged callbacks; failing and unanswered sends."""
    rng = random.Random(6)
    users = [f"user{n}" for n in range(4)]
    questions = ["公务卡怎么还款", "UKey插上没有反应怎么办", "打印没反应提示没装打印控件"]
    for question in questions:
        plains = [world.platform.message("text", user, Content=question) for user in users]
        posts = [plain for plain in plains for _ in range(rng.randint(1, 4))]
        rng.shuffle(posts)
        world.network.lose_answers = 1
        world.network.failures = [httpx.ConnectError("away")]
        world.fake.script = [-1]
        answers = await asyncio.gather(
            *(world.platform.post(plain) for plain in posts),
            *(world.platform.post(plain[: len(plain) // 2]) for plain in plains),
        )
        assert {a.status_code for a in answers[: len(posts)]} == {200}
        assert {a.status_code for a in answers[len(posts) :]} == {403}
        await world.shown()
    for user in users:
        shown = [text for text in world.fake.texts(user) if "出处" in text]
        assert len(shown) == len(questions), shown
        for text, question in zip(shown, questions, strict=True):
            assert text.startswith(question)
    async with world.product.services.database.reading() as session:
        query = select(Message).where(Message.sender == "user")
        assert len((await session.scalars(query)).all()) == len(users) * len(questions)

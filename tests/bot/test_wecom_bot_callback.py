"""A bot's callbacks over HTTP: questions recorded, replies fetched, whatever comes."""

import asyncio
import base64
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import structlog
from sqlalchemy import select
from starlette.applications import Starlette

from bot.clock import utc_now
from bot.tables import Feedback, Message
from connectors.fake_wecom.bots import FakeBot
from connectors.memory import MemoryChannel
from connectors.settings import BotMode, WecomBotSettings
from store.session import Database
from tests.bot.wecom_platform import check_the_address
from tests.product import Product, copy_workspace, make_settings, picture, serving

ADDRESS = "/channels/wecom-bot/callback"
SETTINGS = WecomBotSettings(
    enabled=True,
    token="TokenOfTheTest",
    encoding_aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    bot_id="AIBOT1",
    settle_s=0.1,
)
#: The same bot with a long connection instead; nobody listens at the other end.
SOCKET = {"mode": BotMode.SOCKET, "secret": "hush", "socket_url": "ws://127.0.0.1:9"}


@dataclass
class World:
    product: Product
    fake: FakeBot

    @property
    def database(self) -> Database:
        return self.product.services.database

    async def said(self) -> list[Message]:
        async with self.database.reading() as session:
            query = select(Message).where(Message.sender == "user").order_by(Message.id)
            return list((await session.scalars(query)).all())

    async def finished(self) -> None:
        """The platform asks until every reply is finished."""
        for _ in range(600):
            if await self.fake.poll() == 0:
                return
            await asyncio.sleep(0.1)
        raise TimeoutError("a reply does not end")

    async def ask(self, text: str, person: str = "lihua") -> str:
        """A question, and all that its reply says in the end."""
        answer = await self.fake.say(person, text)
        assert answer.status_code == 200, answer.text
        await self.finished()
        return self.fake.texts(person)[-1]


@pytest.fixture
async def world(prepared_workspace: Path, tmp_path: Path) -> AsyncIterator[World]:
    home = tmp_path / "home"
    copy_workspace(prepared_workspace, home)
    settings = make_settings(home).model_copy(update={"wecom_bot": SETTINGS})
    async with serving(settings) as product:
        fake = FakeBot(product.client, ADDRESS, SETTINGS.keys(), utc_now)
        _reach(product, fake)
        yield World(product, fake)


def _reach(product: Product, fake: FakeBot) -> None:
    """The platform's own addresses are in this process; the guard is another test's."""
    transport = httpx.ASGITransport(Starlette(routes=fake.routes()))
    channel = product.services.channels.by_name["wecom_bot"]
    channel._api._client = httpx.AsyncClient(transport=transport)  # type: ignore[attr-defined]


async def test_the_address_check_answers_the_bare_words(world: World) -> None:
    timestamp = str(int(utc_now().timestamp()))
    await check_the_address(world.product.client, ADDRESS, SETTINGS.keys(), timestamp)


async def test_a_question_is_answered_in_its_reply_and_judged(world: World) -> None:
    shown = await world.ask("UKey插上没有反应怎么办")
    assert "出处" in shown
    bubble = world.fake.bubbles[-1]
    assert bubble.finished
    assert await world.fake.judge("lihua", bubble.stream_id, 2, "不是我要的")
    assert await world.fake.judge("wangfang", bubble.stream_id, 1)  # not hers: ignored
    await world.product.settle()
    async with world.database.reading() as session:
        (verdict,) = (await session.scalars(select(Feedback))).all()
    assert not verdict.helpful
    assert (await world.said())[-1].text == "没用\n不是我要的"


async def test_repetitions_are_one_message_with_one_reply(world: World) -> None:
    told = world.fake.message("lihua", "text", text={"content": "公务卡怎么还款"})
    answers = await asyncio.gather(*(world.fake.bring(told) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    await world.finished()
    await world.fake.bring(told)
    assert len(await world.said()) == 1
    assert len(world.fake.texts("lihua")) == 1


async def test_coming_in_is_greeted_within_the_callback(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.web.webhooks.wecom_bot.WELCOME_S", 60.0)  # a busy machine is slow
    await world.fake.enter("lihua")
    (greeting,) = world.fake.texts("lihua")
    assert greeting
    again = await world.fake.enter("lihua")
    assert (again.status_code, again.content) == (200, b"")
    assert greeting not in await world.ask("公务卡怎么还款")


async def test_a_picture_beside_words_becomes_an_attachment(world: World) -> None:
    url = world.fake.keep_file(picture())
    items = [
        {"msgtype": "text", "text": {"content": "公务卡怎么还款"}},
        {"msgtype": "image", "image": {"url": url}},
    ]
    await world.fake.bring(world.fake.message("lihua", "mixed", mixed={"msg_item": items}))
    for _ in range(400):
        said = await world.said()
        if len(said) == 2:
            break
        await asyncio.sleep(0.05)
    assert {one.kind for one in said} == {"text", "attachment"}
    assert url not in json.dumps([one.data for one in said])


@pytest.mark.parametrize(
    ("msg_type", "fields", "told"),
    [
        ("voice", {"voice": {"content": "公务卡怎么还款"}}, "公务卡怎么还款"),
        ("video", {"video": {"url": "https://x.example/v"}}, "【视频】"),
        ("hologram", {"hologram": {}}, "【暂不支持的消息】"),
    ],
)
async def test_what_is_no_text_is_kept_and_answered(
    world: World, msg_type: str, fields: dict[str, object], told: str
) -> None:
    await world.fake.bring(world.fake.message("lihua", msg_type, **fields))
    await world.finished()
    assert [one.text for one in await world.said()] == [told]
    assert world.fake.texts("lihua")


async def test_pictures_of_an_answer_come_with_its_end(world: World) -> None:
    shown = await world.ask("非税收入退付申请录入")
    assert "退付" in shown
    assert world.fake.bubbles[-1].pictures == 1


async def test_what_comes_after_the_reply_is_not_lost(world: World) -> None:
    await world.ask("转人工")
    (number,) = await _numbers(world)
    assert (await world.product.desk("claim", number)).status_code == 200
    for text in ("我来看一下", "请截图给我"):
        answer = await world.product.desk("reply", number, text=text)
        assert answer.status_code == 200, answer.text
    # The address beside the question took what came first; the rest comes with the next words.
    await world.fake.say("lihua", "好的")
    for _ in range(400):
        await world.fake.poll()
        if any("请截图给我" in one for one in world.fake.texts("lihua")):
            break
        await asyncio.sleep(0.05)
    everything = "\n".join(world.fake.texts("lihua"))
    assert everything.count("我来看一下") == everything.count("请截图给我") == 1
    assert everything.index("我来看一下") < everything.index("请截图给我")


async def _numbers(world: World) -> list[str]:
    answer = await world.product.client.get("/api/v1/tickets", headers=await world.product.staff())
    return [str(one["number"]) for one in answer.json()["tickets"]]


async def test_another_bot_and_an_old_callback_are_refused(world: World) -> None:
    told = world.fake.message("lihua", "text", text={"content": "公务卡怎么还款"})
    for changed in ({"aibotid": "AIBOT2"}, {"from": {}}, {"msgtype": ""}):
        answer = await world.fake.post(json.dumps(told | changed).encode())
        assert (answer.status_code, answer.content) == (403, b"")
    old = await world.fake.post(json.dumps(told).encode(), timestamp="1409659813")
    assert (old.status_code, old.content) == (403, b"")
    assert await world.said() == []


async def test_whatever_is_posted_is_taken_or_refused_alike(world: World) -> None:
    chance = random.Random(6)
    good = json.dumps(world.fake.message("lihua", "text", text={"content": "你好"})).encode()
    refusals = set()
    for n in range(150):
        raw = bytearray(good)
        for _ in range(chance.randrange(1, 8)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        if n % 3 == 0:
            answer = await world.fake.post(bytes(raw))
        else:
            body = bytes(raw) if n % 3 == 1 else b'{"encrypt":"' + base64.b64encode(raw) + b'"}'
            query = {"msg_signature": "0" * 40, "timestamp": "1", "nonce": "n"}
            answer = await world.product.client.post(ADDRESS, params=query, content=body)
        assert answer.status_code in (200, 403)
        if answer.status_code == 403:
            refusals.add((answer.content, tuple(sorted(set(answer.headers) - {"date"}))))
    assert len(refusals) == 1
    large = await world.product.client.post(ADDRESS, content=b"x" * 300_000)
    assert (large.status_code, large.content) == (403, b"")


async def test_no_secret_and_no_words_are_logged(world: World) -> None:
    with structlog.testing.capture_logs() as logs:
        await world.ask("公务卡怎么还款")
        await world.fake.post(b"{}", nonce="forged")
    written = json.dumps(logs, default=str)
    for secret in (SETTINGS.token, SETTINGS.encoding_aes_key, "response_code", "公务卡怎么还款"):
        assert secret not in written


@pytest.mark.parametrize(
    "bot", [WecomBotSettings(), SETTINGS.model_copy(update=SOCKET)], ids=["off", "socket"]
)
async def test_a_bot_that_takes_no_callbacks_refuses_everything(
    prepared_workspace: Path, tmp_path: Path, bot: WecomBotSettings
) -> None:
    copy_workspace(prepared_workspace, tmp_path / "home")
    settings = make_settings(tmp_path / "home").model_copy(update={"wecom_bot": bot})
    async with serving(settings) as product:
        fake = FakeBot(product.client, ADDRESS, SETTINGS.keys(), utc_now)
        answer = await fake.say("lihua", "你好")
        assert (answer.status_code, answer.content) == (403, b"")


async def test_the_application_says_what_the_bot_cannot(
    prepared_workspace: Path, tmp_path: Path
) -> None:
    copy_workspace(prepared_workspace, tmp_path / "home")
    settings = make_settings(tmp_path / "home").model_copy(update={"wecom_bot": SETTINGS})
    application = MemoryChannel("wecom")
    async with serving(settings, channels={"wecom": application}) as product:
        fake = FakeBot(product.client, ADDRESS, SETTINGS.keys(), utc_now)
        told = fake.message("lihua", "text", text={"content": "公务卡怎么还款"})
        await fake.post(json.dumps(told | {"response_url": ""}).encode())
        # Nobody asks for the reply: when it counts as forsaken, the application speaks.
        bot = product.services.channels.bot_streams
        assert bot is not None
        await bot.close(await bot.open("lihua", "", told["msgid"]))
        for _ in range(400):
            if application.texts("lihua"):
                break
            await asyncio.sleep(0.05)
        assert application.texts("lihua")

"""A bot's long connection beside the product: asked, answered, cut, taken over, refused."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import structlog
from sqlalchemy import select

from bot.channels import menus
from bot.channels.links import LinkHealth, Links, LinkState
from bot.tables import Feedback, Message
from connectors.base import Delivery, Held
from connectors.fake_wecom.bot_sockets import FakeBotSocket
from connectors.wecom_crypto import CallbackKeys
from store.session import Database
from tests.connectors.bot_platform import SECRET, a_bot_platform, socket_settings
from tests.product import Product, copy_workspace, make_settings, picture, serving
from tests.waiting import PATIENCE_S, until


@dataclass
class World:
    product: Product
    platform: FakeBotSocket

    @property
    def database(self) -> Database:
        return self.product.services.database

    async def link(self) -> LinkHealth | None:
        services = self.product.services
        links = Links(self.database, services.clock)
        return await links.health(services.channels.settings.wecom_bot)

    async def is_in(self, state: LinkState) -> bool:
        link = await self.link()
        return link is not None and link.state is state

    async def said(self) -> list[Message]:
        async with self.database.reading() as session:
            query = select(Message).where(Message.sender == "user").order_by(Message.id)
            return list((await session.scalars(query)).all())

    async def finished(self, person: str, count: int) -> list[str]:
        """What stands there when so many replies are complete."""
        bubbles = self.platform.bot.bubbles

        async def complete() -> bool:
            mine = [one for one in bubbles if one.person == person]
            return len(mine) >= count and all(one.finished for one in mine)

        await until(complete)
        return self.platform.bot.texts(person)


@pytest.fixture
async def world(prepared_workspace: Path, tmp_path: Path) -> AsyncIterator[World]:
    copy_workspace(prepared_workspace, tmp_path / "home")
    async with a_bot_platform() as platform:
        bot = socket_settings(platform)
        settings = make_settings(tmp_path / "home").model_copy(update={"wecom_bot": bot})
        async with serving(settings) as product:
            await platform.connected(PATIENCE_S)
            yield World(product, platform)


async def test_a_question_is_answered_in_one_growing_reply_and_judged(world: World) -> None:
    with structlog.testing.capture_logs() as logs:
        await world.platform.say("lihua", "UKey插上没有反应怎么办")
        (shown,) = await world.finished("lihua", 1)
    assert "出处" in shown
    streams = [one["body"]["stream"] for one in world.platform.frames if "stream" in str(one)]
    assert len({one["id"] for one in streams}) == 1
    assert [one["finish"] for one in streams[:-1]] == [False] * (len(streams) - 1)
    # The name that a verdict comes back under is told once, with the first frame.
    assert ["feedback" in one for one in streams] == [True] + [False] * (len(streams) - 1)
    bubble = world.platform.bot.bubbles[-1]
    await world.platform.judge("wangfang", bubble.stream_id, 1)  # not hers: ignored
    await world.platform.judge("lihua", bubble.stream_id, 2, "不是我要的")

    async def judged() -> bool:
        return len(await world.said()) == 2

    await until(judged)
    assert (await world.said())[-1].text == "没用\n不是我要的"
    await world.product.settle()
    async with world.database.reading() as session:
        (verdict,) = (await session.scalars(select(Feedback))).all()
    assert not verdict.helpful
    written = json.dumps(logs, default=str)
    assert SECRET not in written
    assert "UKey" not in written


async def test_repetitions_are_one_message_and_a_greeting_comes_in_time(world: World) -> None:
    told = world.platform.bot.message("lihua", "text", text={"content": "公务卡怎么还款"})
    for _ in range(5):
        await world.platform.bring(told)
    await world.platform.enter("wangfang")
    await world.finished("lihua", 1)
    (greeting,) = await world.finished("wangfang", 1)
    assert greeting
    welcomes = [one for one in world.platform.frames if one["cmd"] == "aibot_respond_welcome_msg"]
    assert len(welcomes) == 1
    assert [one.text for one in await world.said()] == ["公务卡怎么还款"]
    assert len(world.platform.bot.texts("lihua")) == 1


async def test_words_after_the_reply_are_pushed_and_none_is_lost_in_a_cut(world: World) -> None:
    await world.platform.say("lihua", "转人工")
    numbers: list[str] = []

    async def has_ticket() -> bool:
        headers = await world.product.staff()
        answer = await world.product.client.get("/api/v1/tickets", headers=headers)
        numbers[:] = [str(one["number"]) for one in answer.json()["tickets"]]
        return bool(numbers)

    await until(has_ticket)
    streams = world.product.services.channels.bot_streams
    assert streams is not None
    # The reply is over, as after its six minutes.
    for bubble in world.platform.bot.bubbles:
        await streams.close(bubble.stream_id)
    assert (await world.product.desk("claim", numbers[0])).status_code == 200
    await world.platform.cut()
    for text in ("我来看一下", "请截图给我"):
        answer = await world.product.desk("reply", numbers[0], text=text)
        assert answer.status_code == 200, answer.text
        await asyncio.sleep(0)

    async def both() -> bool:
        shown = "\n".join(world.platform.bot.texts("lihua"))
        return "我来看一下" in shown and "请截图给我" in shown

    await until(both)
    pushed = [one for one in world.platform.frames if one["cmd"] == "aibot_send_msg"]
    assert {one["body"]["chatid"] for one in pushed} == {"lihua"}
    shown = "\n".join(world.platform.bot.texts("lihua"))
    assert shown.count("我来看一下") == shown.count("请截图给我") == 1
    assert shown.index("我来看一下") < shown.index("请截图给我")


async def test_a_picture_has_its_own_key_and_a_reply_that_is_not_taken_is_pushed(
    world: World,
) -> None:
    key = bytes(range(32))
    url = world.platform.bot.keep_file(picture(), keys=CallbackKeys("", key, ""))
    items = [
        {"msgtype": "text", "text": {"content": "公务卡怎么还款"}},
        {"msgtype": "image", "image": {"url": url, "aeskey": base64.b64encode(key).decode()}},
    ]
    world.platform.script.append(846605)
    told = world.platform.bot.message("lihua", "mixed", mixed={"msg_item": items})
    await world.platform.bring(told)

    async def shown() -> bool:
        answered = any("出处" in one for one in world.platform.bot.texts("lihua"))
        return answered and len(await world.said()) == 2

    await until(shown)
    said = await world.said()
    assert {one.kind for one in said} == {"text", "attachment"}
    assert url not in json.dumps([one.data for one in said])
    assert sum("出处" in one for one in world.platform.bot.texts("lihua")) == 1
    assert any(one["cmd"] == "aibot_send_msg" for one in world.platform.frames)


async def test_what_must_be_chosen_is_pressed_and_shows_it(world: World) -> None:
    question = "您想问哪一项？"
    options = ["公务卡怎么还款", "电子票据开错了"]
    services = world.product.services
    menu = menus.menu_of("ask", question, {"options": options}, 1, services.phrases)
    sent = Delivery("d1", "lihua", "ask", question, seq=1, menu=menu)

    async def is_sent() -> bool:
        try:
            await services.channels.by_name["wecom_bot"].send(sent)
        except Held:
            return False
        return True

    await until(is_sent)
    words, card = world.platform.bot.bubbles
    assert f"1. {options[0]}" in words.text
    assert [label for label, _ in card.buttons] == options
    for _ in range(2):
        await world.platform.press("lihua", card.task_id, "nobody's key")
    await world.platform.press("lihua", card.task_id, card.buttons[0][1])

    async def is_answered() -> bool:
        texts = world.platform.bot.texts("lihua")
        return any("出处" in one for one in texts) and card.text == f"已选：{options[0]}"

    await until(is_answered)
    assert [label for label, _ in card.buttons] == options[:1]
    assert [one.text for one in await world.said()] == options[:1]
    # A platform without cards: the words were enough, and nothing waits.
    world.platform.takes_cards = False
    sent = replace(sent, dedupe_key="d2")
    await until(is_sent)
    assert all(not one.buttons for one in world.platform.bot.bubbles[-1:])


HOSTILE: list[str | bytes] = [
    "",
    "{",
    "[]",
    "null",
    '"text"',
    b"\xff\xfe",
    b"{}",
    "[" * 50_000,
    "x" * 300_000,
    '{"cmd":"aibot_from_the_future","headers":{"req_id":"r"},"body":{}}',
    '{"cmd":"aibot_msg_callback","headers":{},"body":{}}',
    '{"cmd":"aibot_msg_callback","headers":{"req_id":7},"body":{}}',
    '{"cmd":"aibot_msg_callback","headers":{"req_id":"r"},"body":[]}',
    '{"cmd":"aibot_msg_callback","headers":{"req_id":"r"},"body":{"msgtype":"text"}}',
    '{"cmd":["aibot_msg_callback"],"headers":{"req_id":"r"},"body":{}}',
    '{"headers":{"req_id":"r"},"errcode":true}',
    '{"headers":{"req_id":"nobody asked"},"errcode":0}',
    '{"headers":{"req_id":"nobody-asked"},"errcode":0}',
]


async def test_hostile_frames_are_refused_and_taken_over_is_final(world: World) -> None:
    with structlog.testing.capture_logs() as logs:
        for frame in HOSTILE:
            assert await world.platform.send(frame)
        other = world.platform.bot.message("lihua", "text", text={"content": "你好"})
        await world.platform.bring(other | {"aibotid": "AIBOT2"})
        odd = world.platform.bot.message("lihua", "text", text={"content": "\ud800公务卡怎么还款"})
        frame = {"cmd": "aibot_msg_callback", "headers": {"req_id": "odd"}, "body": odd}
        await world.platform.send(json.dumps(frame))
        await world.platform.say("wangfang", "公务卡怎么还款")
        await world.finished("wangfang", 1)
    refused = [one for one in logs if one["event"] in ("frame_refused", "ack_unexpected")]
    assert len(refused) == len(HOSTILE) + 1
    assert world.platform.taken == 1
    assert {one.text for one in await world.said()} == {"?公务卡怎么还款", "公务卡怎么还款"}
    await world.platform.kick()
    await until(lambda: world.is_in(LinkState.TAKEN_OVER))
    tried = world.platform.tried
    await asyncio.sleep(0.3)
    assert world.platform.tried == tried


async def test_a_wrong_secret_is_not_tried_again_and_again(
    prepared_workspace: Path, tmp_path: Path
) -> None:
    copy_workspace(prepared_workspace, tmp_path / "home")
    async with a_bot_platform() as platform:
        bot = socket_settings(platform, secret="another-secret")
        settings = make_settings(tmp_path / "home").model_copy(update={"wecom_bot": bot})
        async with serving(settings) as product:
            world = World(product, platform)
            await until(lambda: world.is_in(LinkState.REFUSED))
            link = await world.link()
            assert link is not None
            assert (link.code, link.refusals) == (853000, 1)
            assert link.retry_at is not None
            await asyncio.sleep(0.3)
            assert platform.tried == 1

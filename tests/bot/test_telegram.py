"""Whole conversations in Telegram: updates in, the Bot API out, each message once."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from bot.attachments.tables import Attachment
from bot.channels.telegram import ADDRESS
from bot.conversations.recording import append
from bot.tables import Conversation, Feedback, Message, Sender
from handoff.tables import Ticket
from store import outbox
from store.outbox import OutboxRow
from tests.browser.widget_harness.pictures import picture
from tests.connectors.fake_telegram import (
    SECRET,
    TOKEN,
    FakeTelegram,
    fake_telegram,
    message,
    press,
)
from tests.product import Product, copy_workspace, make_settings, serving

SMALL = {"file_id": "s", "file_unique_id": "s", "width": 1, "height": 1}
STICKER = {"is_animated": False, "is_video": False, "type": "regular"}
DOCUMENT = {"file_id": "d", "file_unique_id": "d"}


@dataclass
class World:
    product: Product
    fake: FakeTelegram

    async def post(self, update: object, secret: str = SECRET) -> httpx.Response:
        raw = update if isinstance(update, bytes) else json.dumps(update).encode()
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret}
        return await self.product.client.post(ADDRESS, content=raw, headers=headers)

    async def shown(self, person: int = 42) -> list[str]:
        """What this person sees when all is done; the relay runs in the product."""
        await self.product.settle()
        for _ in range(600):
            async with self.product.services.database.reading() as session:
                if not (await outbox.counts(session)).get("pending", 0):
                    return self.fake.texts(str(person))
            await asyncio.sleep(0.05)
        raise TimeoutError("the outbox does not become empty")

    async def said(self) -> list[Message]:
        async with self.product.services.database.reading() as session:
            query = select(Message).where(Message.sender == "user").order_by(Message.id)
            return list((await session.scalars(query)).all())

    async def until_said(self, count: int) -> list[Message]:
        for _ in range(200):
            if len(said := await self.said()) >= count:
                return said
            await asyncio.sleep(0.05)
        raise TimeoutError("nothing came in")


@asynccontextmanager
async def a_world(workspace: Path, home: Path, **settings: Any) -> AsyncIterator[World]:
    copy_workspace(workspace, home)
    async with fake_telegram() as fake:
        telegram = fake.settings(**settings)
        chosen = make_settings(home).model_copy(update={"telegram": telegram})
        async with serving(chosen) as product:
            yield World(product, fake)


@pytest.fixture
async def world(prepared_workspace: Path, tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(prepared_workspace, tmp_path / "home") as running:
        yield running


async def test_a_question_is_answered_and_judged(world: World) -> None:
    answer = await world.post(message(1, "UKey插上没有反应怎么办"))
    assert (answer.status_code, answer.content) == (200, b"")
    greeting, answered = await world.shown()
    assert greeting
    assert "出处" in answered
    up, _down = world.fake.shown[-1][2][0]
    await world.post(press(2, up["callback_data"], up["text"]))
    await world.product.settle()
    async with world.product.services.database.reading() as session:
        (verdict,) = (await session.scalars(select(Feedback))).all()
    assert verdict.helpful
    assert world.fake.called("answerCallbackQuery")[0]["callback_query_id"] == "q2"
    assert world.fake.called("editMessageReplyMarkup")[0]["message_id"] == "2"


async def test_a_button_of_an_offer_chooses(world: World) -> None:
    await world.post(message(1, "指标"))
    await world.shown()
    keyboard = world.fake.shown[-1][2]
    assert keyboard
    button = keyboard[0][0]
    await world.post(press(2, button["callback_data"], button["text"]))
    after = await world.shown()
    assert (await world.said())[-1].text == button["text"].removeprefix("say:")
    assert len(after) >= 3


async def test_repetitions_out_of_order_count_once(world: World) -> None:
    first, second = message(10, "怎么撤回支付申请"), message(11, "你好")
    for update in (second, first, second, first):
        assert (await world.post(update)).status_code == 200
    answers = await asyncio.gather(*(world.post(first) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(m.text for m in await world.said()) == ["你好", "怎么撤回支付申请"]


async def test_people_are_kept_apart_and_start_greets(world: World) -> None:
    await world.post(message(1, "/start", person=1))
    await world.post(message(2, "谢谢", person=2))
    assert len(await world.shown(1)) == 1
    assert len(await world.shown(2)) == 2
    assert [m.text for m in await world.said()] == ["谢谢"]


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        # The server does not have these two any more.
        ({"photo": [SMALL, {**SMALL, "file_id": "big", "width": 9}]}, "【图片】"),
        ({"voice": {"file_id": "v", "file_unique_id": "v", "duration": 1}}, "【语音】"),
        ({"document": DOCUMENT, "caption": "报错截图"}, "【文件】\n报错截图"),
        ({"sticker": {**SMALL, **STICKER}}, "【暂不支持的消息】"),
    ],
)
async def test_what_has_no_words_is_kept(world: World, sent: dict[str, Any], told: str) -> None:
    await world.post(message(1, None, **sent))
    (said,) = await world.until_said(1)
    assert said.text == told
    shown = await world.shown()
    assert "用文字说一下" in shown[-1]


async def test_pictures_and_files_are_fetched_once_without_the_token(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    world.fake.files = {
        "big": ("photos/file_7.png", picture("screen")),
        "d": ("documents/file_8.txt", "付款凭证号 0001".encode()),
    }
    screen = [SMALL, {**SMALL, "file_id": "big", "width": 9}]
    shot = message(1, None, photo=screen, caption="报错了，我是11010519491231002X")
    with capture_logs() as logs:
        for update in (
            shot,
            shot,
            message(2, None, document={**DOCUMENT, "file_name": "凭证.txt"}),
        ):
            assert (await world.post(update)).status_code == 200
        await world.until_said(2)
        await world.shown()
    first, second = sorted(await world.said(), key=lambda said: said.seq)
    assert first.text.startswith("报错了，我是1101")
    assert "19491231" not in first.text
    assert [one["name"] for one in first.data["attachments"]] == ["file_7.png"]
    assert first.data["attachments"][0]["media_type"] == "image/png"
    assert [one["name"] for one in second.data["attachments"]] == ["凭证.txt"]
    database = world.product.services.database
    async with database.reading() as session:
        rows = (await session.scalars(select(OutboxRow))).all()
        stored = (await session.scalars(select(Attachment))).all()
    assert len(stored) == 2
    kept = str([vars(row) for row in [*rows, *stored, first, second]]) + str(logs)
    # The server of the test prints the addresses that it is asked for.
    ours = [one.getMessage() for one in caplog.records if not one.name.startswith("aiohttp")]
    assert TOKEN not in kept + str(ours)
    assert "19491231" not in kept


async def test_an_engineers_picture_reaches_the_person(world: World) -> None:
    await world.post(message(1, "转人工"))
    await world.shown()
    database, product = world.product.services.database, world.product
    async with database.reading() as session:
        (number,) = (await session.scalars(select(Ticket.number))).all()
    await product.desk("claim", number)
    screen = picture("screen")
    answer = await product.client.post(
        f"/api/v1/tickets/{number}/attachments",
        data={"client_msg_id": "one", "text": "点这个按钮"},
        files={"file": ("按钮.png", screen)},
        headers=await product.staff(),
    )
    assert answer.status_code == 200, answer.text
    assert "点这个按钮" in (await world.shown())[-1]
    assert world.fake.received == [("42", "sendPhoto", "按钮.png", screen)]


async def test_an_update_id_that_comes_again_after_a_rest_loses_nothing(world: World) -> None:
    await world.post(message(7, "第一周问的"))
    later = message(7, "过了很久又问")
    later["message"] |= {"message_id": 8, "date": 1_791_000_000}
    await world.post(later)
    assert [m.text for m in await world.said()] == ["第一周问的", "过了很久又问"]


async def test_an_option_too_long_for_a_button_is_said_by_its_place(world: World) -> None:
    await world.post(message(1, "/start"))
    await world.shown()
    options = ["用款额度下达之后在支付系统里查不到的那一种情况" * 2, "公务卡额度"]
    database = world.product.services.database
    async with database.transaction() as session:
        (conversation,) = (await session.scalars(select(Conversation))).all()
        asked = await append(
            session,
            conversation,
            sender=Sender.BOT,
            kind="ask",
            text="您说的“额度”，是下面哪一种？",
            data={"options": options},
            now=world.product.services.clock(),
        )
        seq = asked.seq
    await world.shown()
    keyboard = world.fake.shown[-1][2]
    assert [row[0]["callback_data"] for row in keyboard] == [f"say:{seq}:0", f"say:{seq}:1"]
    for n, data in enumerate([f"say:{seq}:0", f"say:{seq}:2", "say:0:0", "say:公务卡额度"]):
        await world.post(press(10 + n, data, "标签"))
    assert [m.text for m in await world.said()] == [options[0], "公务卡额度"]


@pytest.mark.parametrize("secret", ["", "wrong", SECRET[:-1], SECRET + "x", "é"])
async def test_a_wrong_secret_is_refused_without_a_word(world: World, secret: str) -> None:
    headers = {"X-Telegram-Bot-Api-Secret-Token": secret.encode()}
    answer = await world.product.client.post(
        ADDRESS, content=json.dumps(message(1, "你好")).encode(), headers=headers
    )
    assert (answer.status_code, answer.content) == (403, b"")
    assert await world.said() == []


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"update_id": true}', b'{"update_id": -1}', b"\xff\xfe",
     b"[" * 100_000, b'{"update_id": 99999999999999999999999}'],
)  # fmt: skip
async def test_what_is_no_update_is_refused(world: World, body: bytes) -> None:
    assert (await world.post(body)).status_code == 403
    assert await world.said() == []


@pytest.mark.parametrize(
    "update",
    [
        {"update_id": 1},
        {"update_id": 1, "message": "text"},
        {"update_id": 1, "message": {"message_id": 1}},
        {"update_id": 1, "chat_boost": {"new": "kind"}},
        message(1, "在群里说", chat={"id": -5, "type": "group", "title": "群"}),
        press(1, "choose:x", **{"from": {"id": 7, "is_bot": False, "first_name": "别人"}}),
        press(1, "drop table"),
    ],
)
async def test_what_is_not_for_us_is_taken_and_dropped(
    world: World, update: dict[str, Any]
) -> None:
    """Sending it again would not make it better."""
    assert (await world.post(update)).status_code == 200
    assert await world.said() == []


async def test_an_oversized_update_is_refused(world: World) -> None:
    assert (await world.post(message(1, "长" * 300_000))).status_code in (403, 413)
    assert await world.said() == []


async def test_identity_numbers_do_not_rest(world: World) -> None:
    await world.post(message(1, "我的身份证是11010519491231002X，帮我查工资"))
    (said,) = await world.said()
    assert "19491231" not in said.text


async def test_polling_takes_each_update_once(prepared_workspace: Path, tmp_path: Path) -> None:
    async with a_world(
        prepared_workspace, tmp_path / "home", mode="polling", webhook_secret=""
    ) as world:
        world.fake.waiting += [message(1, "你好"), message(2, "谢谢")]
        said = await world.until_said(2)
        world.fake.waiting.append(message(3, "再见"))
        said = await world.until_said(3)
        assert [m.text for m in said] == ["你好", "谢谢", "再见"]
        assert world.fake.called("deleteWebhook")
        assert (await world.post(message(4, "伪造"))).status_code == 403


async def test_the_webhook_is_registered_with_its_secret(
    prepared_workspace: Path, tmp_path: Path
) -> None:
    async with a_world(
        prepared_workspace, tmp_path / "home", public_url="https://desk.example/help/"
    ) as world:
        for _ in range(100):
            if called := world.fake.called("setWebhook"):
                break
            await asyncio.sleep(0.05)
        assert called[0]["url"] == f"https://desk.example/help{ADDRESS}"
        assert called[0]["secret_token"] == SECRET
        assert json.loads(called[0]["allowed_updates"]) == [
            "message",
            "edited_message",
            "callback_query",
        ]

"""WeCom callbacks over HTTP: recorded before the 200, once, whatever comes and how often."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import structlog
from sqlalchemy import select

from bot.tables import Message
from connectors.fake_wecom.letters import xml
from connectors.memory import MemoryChannel
from store import outbox
from store.session import Database
from tests.bot.wecom_platform import ADDRESS, CORP, SETTINGS, Platform, check_the_address
from tests.product import Product, copy_workspace, make_settings, serving


@dataclass
class World:
    product: Product
    platform: Platform
    channel: MemoryChannel

    @property
    def database(self) -> Database:
        return self.product.services.database

    async def said(self, sender: str = "user") -> list[Message]:
        async with self.database.reading() as session:
            query = select(Message).where(Message.sender == sender).order_by(Message.created_at)
            return list((await session.scalars(query)).all())

    async def shown(self, user: str = "lihua") -> list[str]:
        """What this person has got by now, without the greeting."""
        await self.product.settle()
        for _ in range(1_200):
            async with self.database.reading() as session:
                if not (await outbox.counts(session)).get("pending", 0):
                    break
            # The product's own relay may have them in its hands.
            await self.product.services.relay.run_once()
            await asyncio.sleep(0.02)
        return [
            d.text
            for d in self.channel.delivered
            if d.external_user == user and d.kind != "greeting"
        ]


@pytest.fixture
async def world(prepared_workspace: Path, tmp_path: Path) -> AsyncIterator[World]:
    home = tmp_path / "home"
    copy_workspace(prepared_workspace, home)
    settings = make_settings(home).model_copy(update={"wecom": SETTINGS})
    channel = MemoryChannel("wecom")
    async with serving(settings, channels={"wecom": channel}) as product:
        yield World(product, Platform(product.client), channel)


async def test_the_address_check_answers_the_bare_words(world: World) -> None:
    client, timestamp = world.product.client, world.platform.timestamp
    await check_the_address(client, ADDRESS, SETTINGS.keys(), timestamp)


async def test_a_question_is_answered_and_a_number_chooses(world: World) -> None:
    answer = await world.platform.say("UKey插上没有反应怎么办")
    assert (answer.status_code, answer.content) == (200, b"")
    (shown,) = await world.shown()
    assert "出处" in shown
    (message,) = await world.said()
    assert message.text == "UKey插上没有反应怎么办"


async def test_repetitions_are_one_message(world: World) -> None:
    plain = world.platform.message("text", Content="公务卡怎么还款")
    answers = await asyncio.gather(*(world.platform.post(plain) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await world.shown()) == 1
    assert (await world.platform.post(plain)).status_code == 200
    assert len(await world.said()) == 1
    assert len(await world.shown()) == 1


async def test_a_large_id_stays_the_string_it_was(world: World) -> None:
    plain = world.platform.message("text", Content="公务卡怎么还款", MsgId="4561255354251345929")
    await world.platform.post(plain)
    (message,) = await world.said()
    assert message.client_msg_id == "4561255354251345929"


@pytest.mark.parametrize("kind", ["image", "voice", "video", "file", "shiny_new_kind"])
async def test_what_has_no_words_is_recorded_and_words_are_asked_for(
    world: World, kind: str
) -> None:
    plain = world.platform.message(kind, MediaId="MID", PicUrl="http://127.0.0.1/x.jpg")
    for _ in range(2):
        assert (await world.platform.post(plain)).status_code == 200
    (message,) = await world.said()
    assert message.data["media"]["media_id"] == "MID"
    (reply,) = await world.shown()
    assert "文字" in reply
    await world.platform.say("公务卡怎么还款")
    assert "出处" in (await world.shown())[-1]


async def test_spoken_words_are_words_but_places_and_links_are_no_question(world: World) -> None:
    for kind, fields in (
        ("voice", {"Recognition": "公务卡怎么还款", "MediaId": "M"}),
        ("location", {"Label": "城东区财政局", "Location_X": "23.1", "Location_Y": "113.3"}),
        ("link", {"Title": "公务卡怎么还款", "Url": "https://example.test/a"}),
    ):
        await world.platform.post(world.platform.message(kind, **fields))
        # What comes while a question is being answered is taken as said with it.
        await world.product.settle()
    texts = [message.text for message in await world.said()]
    assert texts[0] == "公务卡怎么还款"
    assert "城东区财政局\n23.1\n113.3" in texts[1]
    assert "https://example.test/a" in texts[2]
    answer, *asked = await world.shown()
    assert "出处" in answer
    assert len(asked) == 2
    assert all("文字" in one for one in asked)


async def test_coming_in_greets_once_a_day(world: World) -> None:
    for _ in range(3):
        await world.platform.post(world.platform.event("enter_agent"))
    await world.shown()
    assert [d.kind for d in world.channel.delivered] == ["greeting"]


async def test_a_menu_entry_asks_and_unknown_events_are_let_pass(world: World) -> None:
    await world.platform.post(world.platform.event("CLICK", EventKey="公务卡怎么还款"))
    assert len(await world.shown()) == 1
    for event in ("unsubscribe", "LOCATION", "change_contact", "from_the_future"):
        assert (await world.platform.post(world.platform.event(event))).status_code == 200
    assert len(await world.said()) == 1


async def test_two_buttons_in_one_second_are_two(world: World) -> None:
    for key in ("1:choose:abc", "2:choose:def", "2:choose:def", "9999", "1:delete:x", ""):
        plain = world.platform.event("template_card_event", EventKey=key, TaskId="t1")
        assert (await world.platform.post(plain)).status_code == 200
    assert [message.text for message in await world.said()] == ["1", "2"]


REFUSED = {
    "other corporation": xml(ToUserName="other", FromUserName="u", MsgType="text", Content="x"),
    "no sender": xml(ToUserName=CORP, MsgType="text", Content="x"),
    "no type": xml(ToUserName=CORP, FromUserName="u"),
    "long sender": xml(ToUserName=CORP, FromUserName="u" * 65, MsgType="text", Content="x"),
    "not xml": "hello",
    "cut off": "<xml><ToUserName>",
    "empty": "",
    "entities": '<!DOCTYPE x [<!ENTITY a "b">]><xml><FromUserName>&a;</FromUserName></xml>',
    "odd encoding": '<?xml version="1.0" encoding="no-such"?><xml/>',
}


@pytest.mark.parametrize("plain", REFUSED.values(), ids=REFUSED.keys())
async def test_signed_rubbish_is_refused_without_a_word(world: World, plain: str) -> None:
    answer = await world.platform.post(plain)
    assert (answer.status_code, answer.content) == (403, b"")
    assert await world.said() == []


async def test_hostile_bodies_are_refused_without_a_word(world: World) -> None:
    query = {"msg_signature": "0" * 40, "timestamp": "1", "nonce": "n"}
    bodies = [
        b"",
        b"\xff\xfe\x00",
        b"<xml/>",
        b"<xml><Encrypt></Encrypt></xml>",
        b"<xml><Encrypt>AAAA</Encrypt></xml>",
        b'<!DOCTYPE l [<!ENTITY a "b">]><xml><Encrypt>&a;</Encrypt></xml>',
        b"<a>" * 50_000,
        b"<xml><Encrypt>" + b"A" * 300_000 + b"</Encrypt></xml>",
    ]
    for body in bodies:
        answer = await world.product.client.post(ADDRESS, params=query, content=body)
        assert (answer.status_code, answer.content) == (403, b""), body[:40]
    bare = await world.product.client.post(ADDRESS, content=b"{}")
    assert bare.status_code == 403
    odd = await world.platform.post("<xml/>", msg_signature="é键")
    assert odd.status_code == 403


async def test_damaged_callbacks_are_all_refused_in_the_same_way(world: World) -> None:
    """Whatever is wrong: no 5xx, and no difference that would tell what."""
    rng = random.Random(3)
    plain = world.platform.message("text", Content="公务卡怎么还款")
    keys, told = SETTINGS.keys(), set()
    for n in range(150):
        sealed = keys.seal(plain.encode(), timestamp=world.platform.timestamp, nonce=f"n{n}")
        encrypted = bytearray(sealed.encrypted.encode())
        for _ in range(rng.randint(1, 3)):
            place = rng.randrange(len(encrypted))
            encrypted[place : place + rng.randint(0, 2)] = (
                rng.randbytes(rng.randint(0, 2)).hex()[:2].encode()
            )
        again = keys.sign(sealed.timestamp, sealed.nonce, encrypted.decode())
        query = {
            # Half of them are signed well, so that decryption has to cope.
            "msg_signature": again if n % 2 else sealed.signature,
            "timestamp": sealed.timestamp if n % 5 else "9" * rng.randint(1, 400),
            "nonce": sealed.nonce,
        }
        body = world.platform.letters.envelope(encrypted.decode())
        if encrypted.decode() == sealed.encrypted:
            continue
        answer = await world.product.client.post(ADDRESS, params=query, content=body)
        told.add((answer.status_code, answer.content, len(answer.headers)))
    told.add(_told(await world.product.client.get(ADDRESS)))
    told.add(_told(await world.product.client.get(ADDRESS, params={"echostr": "A" * 9_000})))
    assert len(told) == 1, told
    assert next(iter(told))[:2] == (403, b"")
    assert await world.said() == []


def _told(answer: httpx.Response) -> tuple[int, bytes, int]:
    return answer.status_code, answer.content, len(answer.headers)


@pytest.mark.parametrize("timestamp", ["1409659589", "99999999999", "abc", "-1", "²"])
async def test_an_old_callback_is_refused(world: World, timestamp: str) -> None:
    world.platform.timestamp = timestamp
    assert (await world.platform.say("公务卡怎么还款")).status_code == 403


async def test_a_channel_that_is_off_takes_nothing(product: Product) -> None:
    assert (await Platform(product.client).say("公务卡怎么还款")).status_code == 403


async def test_what_cannot_be_recorded_is_not_acknowledged(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = world.platform.message("text", Content="公务卡怎么还款")

    async def away(*_: object, **__: object) -> None:
        raise OSError("the disk is gone")

    with monkeypatch.context() as broken:
        broken.setattr(type(world.product.services.openings), "resume_or_open", away)
        assert (await world.platform.post(plain)).status_code == 500
    assert (await world.platform.post(plain)).status_code == 200
    assert len(await world.said()) == 1


async def test_no_secret_and_no_word_is_logged(world: World) -> None:
    with structlog.testing.capture_logs() as lines:
        await world.platform.say("公务卡怎么还款")
        await world.platform.post("rubbish")
        await world.shown()
    logged = json.dumps(lines, default=str, ensure_ascii=False)
    assert "callback_refused" in logged
    for hidden in (SETTINGS.secret, SETTINGS.token, SETTINGS.encoding_aes_key, "公务卡"):
        assert hidden not in logged
        assert hidden not in repr(SETTINGS)

"""A bot's replies: laid out, fetched, finished; and the ways around a reply that is over."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.applications import Starlette
from typing_extensions import override

from connectors.base import (
    Channel,
    Choice,
    Delivery,
    Enclosed,
    Held,
    Menu,
    PermanentError,
    TransientError,
)
from connectors.bot_streams import BotStreams
from connectors.fake_wecom.bots import FakeBot
from connectors.memory import MemoryChannel
from connectors.settings import WecomBotSettings
from connectors.wecom_api import FileRefused, MediaGone
from connectors.wecom_bot import WecomBotChannel
from connectors.wecom_bot_api import WecomBotApi, make_bot_client
from store.session import Database
from tests.connectors.channel_contract import ChannelContract, Rig, delivery

SETTINGS = WecomBotSettings(
    enabled=True,
    token="TokenOfTheTest",
    encoding_aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
)


@dataclass
class Bot:
    """A channel on the pretended platform, with a clock that is moved by hand."""

    database: Database
    now: datetime = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
    application: MemoryChannel | None = None
    fake: FakeBot = field(init=False)
    sender: WecomBotChannel = field(init=False)
    frames: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unused = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(500)))
        self.fake = FakeBot(unused, "http://unused.test", SETTINGS.keys(), self.clock)
        transport = httpx.ASGITransport(Starlette(routes=self.fake.routes()))
        self.api = WecomBotApi(httpx.AsyncClient(transport=transport), SETTINGS.keys())
        self.restart()

    def restart(self) -> None:
        """A new process: it remembers nothing."""
        self.streams = BotStreams(self.database, self.clock)
        self.sender = WecomBotChannel(self.streams, self.api, SETTINGS, self.application)

    def clock(self) -> datetime:
        return self.now

    async def ask(self, person: str = "u1", *, address: bool = True) -> str:
        """A question: its stream."""
        told = self.fake.message(person, "text")
        url = told["response_url"] if address else ""
        return await self.streams.open(person, "conversation", told["msgid"], url)

    async def send(self, sent: Delivery) -> None:
        """Send as the relay does, while the platform asks every second."""
        for _ in range(20):
            try:
                await self.sender.send(sent)
            except Held as held:
                if held.wait_s > 5:
                    raise
                self.now += timedelta(seconds=held.wait_s)
                for stream_id in self.frames:
                    self.frames[stream_id] = (await self.streams.poll(stream_id, busy=True)).text
            else:
                return
        raise TimeoutError

    async def look(self, stream_id: str, *, busy: bool = False) -> tuple[str, bool]:
        frame = await self.streams.poll(stream_id, busy=busy)
        return frame.text, frame.finish


@dataclass
class BotRig:
    """Everybody has just asked something; what cannot be laid out goes to the application."""

    bot: Bot
    memory: MemoryChannel
    people: dict[str, str] = field(default_factory=dict)
    refuses: list[TransientError | PermanentError] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.bot.sender.name

    @property
    def channel(self) -> Channel:
        return self

    async def send(self, sent: Delivery) -> None:
        person = sent.external_user
        if person not in self.people:
            self.people[person] = await self.bot.ask(person, address=False)
            self.bot.frames[self.people[person]] = ""
        if self.refuses:
            await self.bot.streams.close(self.people[person])
            self.memory.failures.append(self.refuses.pop())
        await self.bot.send(sent)

    def shown(self, external_user: str) -> list[str]:
        framed = self.bot.frames.get(self.people.get(external_user, ""), "")
        return [*(framed.split("\n\n") if framed else []), *self.memory.texts(external_user)]

    def fail_next(self, error: TransientError | PermanentError) -> None:
        self.refuses.append(error)


class TestWecomBotChannel(ChannelContract):
    @pytest.fixture
    @override
    def rig(self, sqlite_database: Database) -> Rig:
        memory = MemoryChannel("wecom")
        return BotRig(Bot(sqlite_database, application=memory), memory)

    @pytest.mark.parametrize("text", ["", " ", "😀", "第一行\n第二行", "<b>&amp;</b>", "\x00\x1b"])
    @override
    async def test_odd_text_is_shown_or_refused_for_good(self, rig: Rig, text: str) -> None:
        """Without the long text: here it goes in parts, which a test below looks at."""
        await super().test_odd_text_is_shown_or_refused_for_good(rig, text)


@pytest.fixture
async def bot(database: Database) -> AsyncIterator[Bot]:
    made = Bot(database)
    yield made
    await made.api.close()


async def test_a_reply_grows_and_ends_when_nothing_follows(bot: Bot) -> None:
    stream = await bot.ask()
    assert await bot.look(stream) == ("", False)
    with pytest.raises(Held):
        await bot.sender.send(delivery("a", "您好"))
    assert await bot.look(stream) == ("您好", False)
    await bot.sender.send(delivery("a", "您好"))
    with pytest.raises(Held):
        await bot.sender.send(delivery("b", "答案"))
    bot.now += timedelta(seconds=3)
    assert await bot.look(stream, busy=True) == ("您好\n\n答案", False)
    assert await bot.look(stream) == ("您好\n\n答案", True)
    assert await bot.look(stream) == ("您好\n\n答案", True)


async def test_a_repeated_question_has_one_reply(bot: Bot) -> None:
    first = await bot.streams.open("u1", "c", "m1")
    assert await bot.streams.open("u1", "c", "m1") == first
    assert await bot.streams.open("u1", "c", "m2") != first


async def test_a_new_question_ends_the_reply_before(bot: Bot) -> None:
    first = await bot.ask()
    bot.now += timedelta(seconds=1)
    second = await bot.ask()
    with pytest.raises(Held):
        await bot.sender.send(delivery("a", "答案"))
    assert await bot.look(first, busy=True) == ("", True)
    assert await bot.look(second, busy=True) == ("答案", False)


async def test_what_a_dying_process_laid_out_is_not_laid_out_twice(bot: Bot) -> None:
    stream = await bot.ask()
    with pytest.raises(Held):
        await bot.sender.send(delivery("a", "答案"))
    bot.restart()
    with pytest.raises(Held):
        await bot.sender.send(delivery("a", "答案"))
    assert await bot.look(stream, busy=True) == ("答案", False)
    bot.restart()
    await bot.sender.send(delivery("a", "答案"))
    assert await bot.look(stream, busy=True) == ("答案", False)


async def test_what_was_laid_out_but_never_fetched_goes_by_the_address(bot: Bot) -> None:
    stream = await bot.ask()
    with pytest.raises(Held):
        await bot.sender.send(delivery("a", "答案"))
    bot.now += timedelta(minutes=2)  # the platform asks no more
    await bot.sender.send(delivery("a", "答案"))
    await bot.sender.send(delivery("a", "答案"))
    assert bot.fake.texts("u1") == ["答案"]
    assert await bot.look(stream) == ("答案", True)


async def test_an_address_takes_one_message_and_the_rest_waits(bot: Bot) -> None:
    stream = await bot.ask()
    await bot.streams.close(stream)
    await bot.sender.send(delivery("a", "工程师的第一句"))
    with pytest.raises(Held) as held:
        await bot.sender.send(delivery("b", "第二句"))
    assert held.value.wait_s > 5
    assert bot.fake.texts("u1") == ["工程师的第一句"]
    bot.now += timedelta(days=3)
    again = await bot.ask()
    with pytest.raises(Held):
        await bot.sender.send(delivery("b", "第二句"))
    assert await bot.look(again, busy=True) == ("第二句", False)


async def test_an_address_is_old_after_an_hour(bot: Bot) -> None:
    await bot.streams.close(await bot.ask())
    bot.now += timedelta(hours=1)
    with pytest.raises(Held):
        await bot.sender.send(delivery("a", "答案"))


async def test_a_refused_address_is_not_tried_again_and_nothing_is_lost(bot: Bot) -> None:
    await bot.streams.close(await bot.ask())
    bot.fake.script = [40058]
    for _ in range(2):
        with pytest.raises(Held):
            await bot.sender.send(delivery("a", "答案"))
    stream = await bot.ask()
    with pytest.raises(Held):
        await bot.sender.send(delivery("a", "答案"))
    assert await bot.look(stream, busy=True) == ("答案", False)


async def test_an_address_that_was_not_reached_is_tried_again(bot: Bot) -> None:
    await bot.streams.close(await bot.ask())
    nowhere = httpx.AsyncClient(transport=httpx.ASGITransport(Starlette()))
    reached, bot.api = bot.api, WecomBotApi(nowhere, SETTINGS.keys())
    bot.restart()
    with pytest.raises(TransientError):
        await bot.sender.send(delivery("a", "答案"))
    bot.api = reached
    bot.restart()
    await bot.sender.send(delivery("a", "答案"))
    assert bot.fake.texts("u1") == ["答案"]


async def test_the_application_says_what_came_too_late(bot: Bot) -> None:
    bot.application = MemoryChannel("wecom")
    bot.restart()
    await bot.streams.close(await bot.ask(address=False))
    await bot.sender.send(delivery("a", "答案"))
    assert bot.application.texts("u1") == ["答案"]
    with pytest.raises(Held):  # in a group it would be another conversation
        await bot.sender.send(delivery("b", "答案", user="u1@wrGROUP"))


async def test_long_words_go_on_elsewhere_where_a_reply_is_full(bot: Bot) -> None:
    bot.application = MemoryChannel("wecom")
    bot.restart()
    text = "这是一句很长的话。" * 2_000
    bot.frames[await bot.ask(address=False)] = ""
    await bot.send(delivery("a", text))
    (framed,) = bot.frames.values()
    assert 10_000 < len(framed.encode()) <= 20_480
    rest = bot.application.texts("u1")
    assert "这是" in rest[0]
    assert len(framed) + len(rest[0]) >= len(text)


async def test_choices_are_numbered_and_pictures_come_at_the_end(bot: Bot) -> None:
    stream = await bot.ask()
    menu = Menu("评分", (Choice("满意", "rate:5"), Choice("一般", "rate:3")), needed=True)
    data = {"blocks": [{"sha256": "aa"}, {"kind": "text"}], "images": [{"sha256": "bb"}]}
    with pytest.raises(Held):
        await bot.sender.send(Delivery("a", "u1", "answer", "请评分", data, 7, menu))
    bot.now += timedelta(seconds=3)
    growing = await bot.streams.poll(stream, busy=True)
    assert (growing.text, growing.pictures) == ("请评分\n1. 满意\n2. 一般", ())
    assert (await bot.streams.poll(stream)).pictures == ("aa", "bb")
    assert await bot.streams.answer_in(stream) == ("u1", 7)


SCREEN = Enclosed("a" * 64, "截图.png", "image/png", 100, "收不了“截图.png”")
MANUAL = Enclosed("b" * 64, "说明.pdf", "application/pdf", 100, "收不了“说明.pdf”")


async def test_an_engineers_picture_is_shown_and_other_files_are_told(bot: Bot) -> None:
    stream = await bot.ask()
    with pytest.raises(Held):
        await bot.sender.send(
            Delivery("k", "u1", "attachment", "按图里的做", files=(SCREEN, MANUAL))
        )
    bot.now += timedelta(seconds=3)
    growing = await bot.streams.poll(stream, busy=True)
    assert growing.text == f"按图里的做\n{MANUAL.instead}"
    assert (await bot.streams.poll(stream)).pictures == (SCREEN.sha256,)


async def test_where_a_picture_cannot_be_shown_the_person_is_told(bot: Bot) -> None:
    await bot.ask()
    sent = Delivery("k", "u1", "attachment", "按图里的做", files=(SCREEN,))
    with pytest.raises(Held):
        await bot.sender.send(sent)
    bot.now += timedelta(minutes=2)  # the platform asks no more
    await bot.sender.send(sent)
    assert bot.fake.texts("u1") == [f"按图里的做\n{SCREEN.instead}"]


async def test_files_are_decrypted_and_bad_ones_refused(bot: Bot) -> None:
    content = bytes(range(256)) * 40
    url = bot.fake.keep_file(content, "屏幕.png")
    found = await bot.api.fetch(url)
    assert hashlib.sha256(found.content).digest() == hashlib.sha256(content).digest()
    assert found.filename.endswith("屏幕.png")
    bot.now += timedelta(minutes=6)
    with pytest.raises(MediaGone):
        await bot.api.fetch(url)
    broken = WecomBotApi(
        httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200))),
        SETTINGS.keys(),
    )
    with pytest.raises(FileRefused):
        await broken.fetch(url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/x", "http://[::1]/x", "http://169.254.169.254/latest"]
)
async def test_addresses_of_private_networks_are_not_called(url: str) -> None:
    client = make_bot_client(SETTINGS)
    api = WecomBotApi(client, SETTINGS.keys())
    with pytest.raises(FileRefused):
        await api.fetch(url)
    with pytest.raises(TransientError):
        await api.respond(url, "x")
    await api.close()

"""Event streams over real HTTP: every message once and in order, whatever happens to the line."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from bot import background, repository
from bot.conversations.recording import append
from bot.knowledge import SearchedKnowledge
from bot.tables import Sender
from bot.tickets import engineers
from bot.web import chat_api
from tests.product import Chat, Product

ASKED = "财政专户外币利息怎么核算"


@dataclass(frozen=True)
class Event:
    """One event off the wire."""

    name: str
    data: Any
    id: int | None


def parse(block: str) -> Event | None:
    """An event as a browser reads it; ``None`` for comments and ``retry``."""
    name, data, event_id = "message", [], None
    for line in block.split("\n"):
        key, _, value = line.partition(": ")
        match key:
            case "event":
                name = value
            case "data":
                data.append(value)
            case "id":
                event_id = int(value)
    return Event(name, json.loads("\n".join(data)), event_id) if data else None


@dataclass
class Stream:
    """An open stream, with everything that has come in so far."""

    response: httpx.Response
    seen: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._events = self._read()

    async def _read(self) -> AsyncIterator[Event]:
        # Only LF ends a line here; aiter_lines would also split at U+2028 inside a message.
        rest = ""
        async for text in self.response.aiter_text():
            *blocks, rest = (rest + text).split("\n\n")
            for block in blocks:
                if event := parse(block):
                    yield event

    async def until(self, wanted: Callable[[Event], bool], within_s: float = 10) -> Event:
        """The next event like that; everything before it is kept in ``seen``."""
        async with asyncio.timeout(within_s):
            async for event in self._events:
                self.seen.append(event)
                if wanted(event):
                    return event
        raise AssertionError("the stream ended")

    async def message(self, text: str, within_s: float = 10) -> Event:
        """The next message with this text in it."""
        return await self.until(lambda e: e.name == "message" and text in e.data["text"], within_s)

    async def state(self, within_s: float = 10, **wanted: object) -> Event:
        """The next state that has these values."""
        return await self.until(
            lambda e: e.name == "state" and wanted.items() <= e.data.items(), within_s
        )

    def ids(self) -> list[int | None]:
        return [event.id for event in self.seen if event.name == "message"]


@asynccontextmanager
async def follow(
    chat: Chat, *, last: object = None, client: httpx.AsyncClient | None = None, **params: Any
) -> AsyncIterator[Stream]:
    """The user's stream, as a program opens it."""
    headers = chat.headers if last is None else {**chat.headers, "Last-Event-ID": str(last)}
    path = f"/api/v1/conversations/{chat.id}/events"
    asking = client or chat.product.client
    async with asking.stream("GET", path, headers=headers, params=params) as response:
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Stream(response)


@asynccontextmanager
async def follow_as_staff(product: Product, path: str, who: str = "chen") -> AsyncIterator[Stream]:
    headers = await product.staff(who)
    async with product.client.stream("GET", path, headers=headers) as response:
        assert response.status_code == 200
        yield Stream(response)


async def ticket_of(chat: Chat) -> str:
    """The number of the ticket that an unanswerable question ends in."""
    said = await chat.say(ASKED)
    while not (tickets := [m for m in said if m["kind"] == "ticket"]):
        said = await chat.say("都不是", kind="none_of_these")
    number: str = tickets[0]["data"]["number"]
    return number


@pytest.fixture
def unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks at the database by the clock: only what wakes a stream by itself counts.

    Requested before ``product``, so that it holds from the start.
    """
    monkeypatch.setattr(background, "WATCH_S", 3_600.0)


async def test_replay_begins_where_the_browser_was(product: Product) -> None:
    chat = await product.open()
    for question in ("公务卡怎么还款", "UKey插上没有反应怎么办"):
        await chat.say(question)
    stored = await chat.read()
    every = [message["seq"] for message in stored]
    assert every == [1, 2, 3, 4, 5]
    for options, first in (
        ({}, 1),
        ({"last": 2}, 3),
        ({"after": 3}, 4),
        ({"last": 4, "after": 1}, 5),  # what the browser says itself is newer
        ({"last": "garbage", "after": 2}, 3),
        ({"last": "-1"}, 1),
    ):
        async with follow(chat, **options) as stream:
            await stream.until(lambda e: e.id == 5)
        assert stream.ids() == every[first - 1 :], options
        assert [e.data for e in stream.seen if e.name == "message"] == stored[first - 1 :]


async def test_a_future_position_shows_only_what_comes(product: Product) -> None:
    chat = await product.open()
    async with follow(chat, last="99999999999999999999") as stream:
        await stream.state(owner="bot")  # too long to be ours: from the beginning
    assert stream.ids() == [1]
    async with follow(chat, last=1) as stream:
        await stream.state(owner="bot")
        await chat.send("公务卡怎么还款")
        await stream.message("公务卡怎么还款")
        await stream.until(lambda e: e.name == "message" and e.data["kind"] == "answer")
    assert stream.ids() == [2, 3]


async def test_cutting_the_line_misses_and_repeats_nothing(product: Product) -> None:
    chat, chance = await product.open(), random.Random(11)
    questions = ["公务卡怎么还款", "UKey插上没有反应怎么办", "年终结转结余怎么办理"]

    async def talk() -> None:
        for n in range(24):
            answer = await chat.send(questions[n % len(questions)], client_msg_id=f"m{n}")
            assert answer.status_code == 202
            await asyncio.sleep(chance.uniform(0, 0.06))
        await product.settle()

    talking = asyncio.create_task(talk())
    got: list[Event] = []
    cuts = 0
    while cuts < 60 or not talking.done():
        last = got[-1].id if got else None
        async with follow(chat, last=last) as stream:
            try:
                for _ in range(chance.randint(1, 3)):
                    await stream.until(lambda e: e.name == "message", within_s=0.1)
            except TimeoutError:
                pass
        got += [event for event in stream.seen if event.name == "message"]
        cuts += 1
    await talking
    async with follow(chat, last=got[-1].id) as stream:
        await stream.state(thinking=False)
    got += [event for event in stream.seen if event.name == "message"]
    stored = await chat.read()
    assert len(stored) == 1 + 2 * 24
    assert [event.id for event in got] == [message["seq"] for message in stored]
    assert [event.data for event in got] == stored


async def test_a_long_conversation_is_replayed_whole_at_once(
    unwatched: None, product: Product
) -> None:
    chat, now = await product.open(), product.services.clock()
    async with product.services.database.transaction() as session:
        conversation = await repository.lock_conversation(session, chat.id)
        assert conversation is not None
        for n in range(700):
            await append(
                session, conversation, sender=Sender.SYSTEM, kind="text", text=f"第{n}条", now=now
            )
    async with follow(chat) as stream:
        await stream.until(lambda e: e.id == 701, within_s=5)
    assert stream.ids() == list(range(1, 702))


async def test_state_tells_who_speaks_and_that_an_answer_is_coming(
    unwatched: None, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = SearchedKnowledge.search

    def slow(*arguments: Any, **named: Any) -> Any:
        time.sleep(0.3)  # long enough for the stream to tell that an answer is coming
        return quick(*arguments, **named)

    monkeypatch.setattr(SearchedKnowledge, "search", slow)
    chat = await product.open()
    async with follow(chat) as stream:
        first = await stream.state()
        assert first.data == {"owner": "bot", "typing": False, "thinking": False}
        assert first.id is None  # a state has no place in the replay
        await chat.send("公务卡怎么还款")
        await stream.state(thinking=True)
        await stream.until(lambda e: e.name == "message" and e.data["kind"] == "answer")
        await stream.state(thinking=False)
        number = await ticket_of(chat)
        await stream.state(owner="queue")
        await product.desk("claim", number)
        await stream.state(owner="engineer")
        await product.desk("resolve", number, cause="口径", solution="按月末汇率折算")
        await stream.state(owner="bot")


async def test_only_the_own_token_opens_a_stream(product: Product) -> None:
    mine, other = await product.open(), await product.open()
    path = f"/api/v1/conversations/{mine.id}/events"
    number = await ticket_of(other)
    get = product.client.get
    for headers in ({}, other.headers, {"Authorization": "Bearer"}, await product.staff()):
        refused = await get(path, headers=headers)
        assert refused.status_code == 404
        assert refused.headers["content-type"] == "application/problem+json"
    assert (await get(path, params={"token": other.token})).status_code == 404
    assert (await get("/api/v1/conversations/nope/events", headers=mine.headers)).status_code == 404
    assert (await get(f"/api/v1/tickets/{number}/events", headers=other.headers)).status_code == 401
    assert (await get("/api/v1/desk/events")).status_code == 401
    params = {"token": mine.token}  # EventSource cannot send headers
    async with product.client.stream("GET", path, params=params) as response:
        assert response.status_code == 200
        await Stream(response).state(owner="bot")


async def test_colleagues_learn_who_has_the_ticket_open_and_who_left(product: Product) -> None:
    chat = await product.open()
    path = f"/api/v1/tickets/{await ticket_of(chat)}/events"
    async with follow_as_staff(product, path) as chen, follow(chat) as user:
        await chen.state(watchers=[])
        async with follow_as_staff(product, path, "lin") as lin, follow_as_staff(product, path):
            await chen.state(watchers=["林工"])
            await lin.state(watchers=["陈工"])
        await chen.state(watchers=[])
        assert "watchers" not in (await user.state()).data


async def test_a_ticket_without_a_conversation_has_watchers_too(product: Product) -> None:
    body = {"source": "phone", "text": "支付申请送审时提示可用指标不足", "request_id": "r1"}
    post, headers = product.client.post, await product.staff()
    number = (await post("/api/v1/tickets", json=body, headers=headers)).json()["number"]
    path = f"/api/v1/tickets/{number}/events"
    async with follow_as_staff(product, path) as chen:
        await chen.state(watchers=[])
        async with follow_as_staff(product, path, "lin") as lin:
            await chen.state(watchers=["林工"])
            await lin.state(watchers=["陈工"])
        await chen.state(watchers=[])


async def test_notes_reach_staff_and_never_the_user(product: Product) -> None:
    chat = await product.open()
    number = await ticket_of(chat)
    await product.desk("claim", number)
    path = f"/api/v1/tickets/{number}/events"
    async with follow(chat) as user, follow_as_staff(product, path) as staff:
        await product.desk("note", number, text="疑似口径问题")
        await product.desk("reply", number, text="请把单据号发我")
        await staff.message("请把单据号发我")
        await user.message("请把单据号发我")
    assert "疑似口径问题" in [e.data["text"] for e in staff.seen if e.name == "message"]
    assert "疑似口径问题" not in json.dumps([e.data for e in user.seen], ensure_ascii=False)
    missing = set(staff.ids()) - set(user.ids())
    assert len(missing) == 1
    async with follow(chat, last=missing.pop()) as again:  # replay hides it as well
        await again.message("请把单据号发我")
    assert "疑似口径问题" not in json.dumps([e.data for e in again.seen], ensure_ascii=False)


async def test_an_engineers_words_arrive_within_a_second(
    unwatched: None, any_product: Product
) -> None:
    chat = await any_product.open()
    number = await ticket_of(chat)
    await any_product.desk("claim", number)
    delays = []
    async with follow(chat) as stream:
        await stream.state(owner="engineer")
        for n in range(5):
            started = time.monotonic()
            await any_product.desk("reply", number, text=f"第{n}句")
            await stream.message(f"第{n}句")
            delays.append(time.monotonic() - started)
    assert max(delays) < 1.0, delays


async def test_typing_shows_on_the_other_side_only(product: Product) -> None:
    chat = await product.open()
    number = await ticket_of(chat)
    await product.desk("claim", number)
    path = f"/api/v1/tickets/{number}/events"
    async with follow(chat) as user, follow_as_staff(product, path) as staff:
        await user.state(owner="engineer", typing=False)
        await staff.state(owner="engineer", typing=False)
        typed = await product.client.post(
            f"/api/v1/conversations/{chat.id}/typing", headers=chat.headers
        )
        assert typed.status_code == 204
        await staff.state(typing=True)
        assert (await product.desk("typing", number)).status_code == 204
        await user.state(typing=True)
    assert [e.data["typing"] for e in user.seen if e.name == "state"] == [False, True]


async def test_typing_ends_by_itself(
    unwatched: None, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_api, "TYPING_S", 0.3)
    monkeypatch.setattr(engineers, "TYPING_S", 0.3)
    chat = await product.open()
    number = await ticket_of(chat)
    await product.desk("claim", number)
    async with follow(chat) as user:
        await product.desk("typing", number)
        await user.state(typing=True)
        await user.state(typing=False, within_s=3)


async def test_the_desk_is_woken_by_what_it_shows(product: Product) -> None:
    chat = await product.open()
    number = await ticket_of(chat)
    async with follow_as_staff(product, "/api/v1/desk/events") as desk:
        await asyncio.sleep(0.1)  # let the stream subscribe: a wake-up is not replayed
        await chat.send("还在吗")
        await desk.until(lambda e: e.name == "changed", within_s=3)
        await product.settle()
        await product.desk("claim", number)
        await desk.until(lambda e: e.name == "changed", within_s=3)


async def test_a_message_cannot_forge_an_event(product: Product) -> None:
    chat = await product.open()
    hostile = "好\n\nid: 999\nevent: state\ndata: {}\n\n\r\r\u2028\x85结尾"
    async with follow(chat, last=1) as stream:
        await chat.send(hostile)
        event = await stream.message("结尾")
    assert event.data["text"] == hostile
    assert stream.ids() == [2]


async def test_two_hundred_quiet_streams(product: Product) -> None:
    chat = await product.open()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with (
        httpx.AsyncClient(
            base_url=product.address, limits=limits, timeout=30, trust_env=False
        ) as many,
        AsyncExitStack() as stack,
    ):
        streams = [
            await stack.enter_async_context(follow(chat, last=1, client=many)) for _ in range(200)
        ]
        await asyncio.gather(*(stream.state(within_s=20) for stream in streams))
        assert product.services.live.subscribers() >= 200
        await chat.send("公务卡怎么还款")
        await asyncio.gather(
            *(stream.until(lambda e: e.id == 3, within_s=20) for stream in streams)
        )
    assert all(stream.ids() == [2, 3] for stream in streams)
    async with asyncio.timeout(5):
        while product.services.live.subscribers():  # noqa: ASYNC110  # the server notices by itself
            await asyncio.sleep(0.05)
    assert (await product.client.get("/readyz")).status_code == 200

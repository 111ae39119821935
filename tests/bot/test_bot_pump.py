"""What is sent over a bot's long connection and when; the platform's end is scripted here."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from bot.assembly import Services, assemble
from bot.channels.bot_pump import MOST_SILENCES, BotPump
from bot.channels.bot_talk import BotTalk
from connectors.bot_outgoing import CARD_WITHIN, WELCOME, BotOutgoing
from connectors.bot_streams import LONGEST, MOST, REPLY_BYTES, BotStreams, Line, Part, Place
from connectors.wecom_bot_frames import Command
from connectors.wecom_bot_socket import BotSocket, Unanswered
from tests.product import copy_workspace, make_settings


@dataclass
class Wire:
    """Takes every frame, unless its next answers are scripted; an exception is silence."""

    answers: list[int | Unanswered] = field(default_factory=list)
    pings: list[int | Unanswered] = field(default_factory=list)
    frames: list[tuple[Command, Mapping[str, Any], str]] = field(default_factory=list)

    async def call(
        self, command: Command, body: Mapping[str, Any] | None = None, request_id: str = ""
    ) -> int:
        script = self.pings if command is Command.PING else self.answers
        if command is not Command.PING:
            self.frames.append((command, body or {}, request_id))
        answer = script.pop(0) if script else 0
        if isinstance(answer, Unanswered):
            raise answer
        return answer


@dataclass
class Bench:
    """The sending side of a connection, with a clock that is moved by hand."""

    services: Services
    now: datetime = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
    wire: Wire = field(default_factory=Wire)

    def __post_init__(self) -> None:
        self.streams = BotStreams(self.services.database, self.clock, pushing=True)
        self.restart()

    def restart(self) -> None:
        """A new connection: it remembers nothing."""
        talk = BotTalk(self.services.channel_files, self.streams, None, lambda: None)
        outgoing = BotOutgoing(self.services.database, self.streams, self.clock)
        self.pump = BotPump(outgoing, talk, cast(BotSocket, self.wire), self.clock)

    def clock(self) -> datetime:
        return self.now

    async def ask(self, message_id: str, person: str = "lihua", chat: str = "lihua") -> str:
        line = Line(f"req-{message_id}", chat)
        return await self.streams.open(person, "conversation", message_id, line=line)

    async def look(self, seconds: float = 0.0) -> list[tuple[Command, Mapping[str, Any], str]]:
        """What is sent, so much later."""
        self.now += timedelta(seconds=seconds)
        self.wire.frames.clear()
        await self.pump.send_ready()
        return list(self.wire.frames)


def part(key: str, text: str, person: str = "lihua", **more: Any) -> Part:
    return Part(person, key, 1, text, **more)


@pytest.fixture
async def bench(prepared_workspace: Path, tmp_path: Path) -> AsyncIterator[Bench]:
    copy_workspace(prepared_workspace, tmp_path / "home")
    services = assemble(make_settings(tmp_path / "home"))
    yield Bench(services)
    await services.database.dispose()


async def test_a_reply_grows_is_replaced_whole_and_ends(bench: Bench) -> None:
    stream_id = await bench.ask("m1")
    ((command, body, request_id),) = await bench.look()
    assert (command, request_id) == (Command.RESPOND, "req-m1")
    assert body["stream"] == {
        "id": stream_id,
        "finish": False,
        "content": "",
        "feedback": {"id": stream_id},
    }
    assert await bench.look(1) == []
    assert await bench.streams.put(part("d1", "一")) is Place.WAITING
    ((_, body, _),) = await bench.look()
    assert body["stream"] == {"id": stream_id, "finish": False, "content": "一"}
    assert await bench.streams.put(part("d1", "一")) is Place.SHOWN
    assert await bench.streams.put(part("d2", "二" * 5_000)) is Place.WAITING
    assert await bench.look(0.5) == []  # not too often
    # More than fits goes by itself.
    assert await bench.streams.put(part("d3", "三" * 5_000)) is Place.NOWHERE
    ((_, body, _),) = await bench.look(1)
    assert body["stream"]["content"].startswith("一\n\n二")
    assert len(body["stream"]["content"].encode()) <= REPLY_BYTES
    assert body["stream"]["finish"]
    assert await bench.look(2) == []
    # A new process begins where the rows are: nothing is open any more.
    bench.restart()
    assert await bench.look(1) == []


async def test_a_question_after_it_ends_the_reply_and_nothing_is_shown_twice(bench: Bench) -> None:
    first = await bench.ask("m1")
    await bench.streams.put(part("d1", "一"))
    bench.now += timedelta(seconds=1)
    second = await bench.ask("m2")
    # Laid out in the first, which may be on the wire in this moment: it is not moved.
    assert await bench.streams.put(part("d1", "一")) is Place.WAITING
    sent = {body["stream"]["id"]: body["stream"] for _, body, _ in await bench.look()}
    assert (sent[first]["content"], sent[first]["finish"]) == ("一", True)
    assert (sent[second]["content"], sent[second]["finish"]) == ("", False)
    assert await bench.streams.put(part("d1", "一")) is Place.SHOWN
    assert await bench.ask("m1") == first


async def test_after_six_minutes_words_are_pushed(bench: Bench) -> None:
    await bench.ask("m1")
    await bench.streams.put(part("d1", "早"))
    bench.now += LONGEST
    # The connection was away all the time: the reply is over for the platform.
    assert await bench.streams.put(part("d1", "早")) is Place.NOWHERE
    assert await bench.streams.push(part("d1", "早")) is Place.WAITING
    assert await bench.streams.push(part("d1", "早")) is Place.WAITING
    bench.wire.answers = [846605]
    commands = [command for command, _, _ in await bench.look()]
    assert commands == [Command.RESPOND, Command.SEND]
    assert await bench.streams.push(part("d1", "早")) is Place.SHOWN
    open_still = await bench.ask("m2")
    ((_, body, _),) = await bench.look(MOST.total_seconds())
    assert (body["stream"]["id"], body["stream"]["finish"]) == (open_still, True)


async def test_pushes_go_where_the_person_asked_and_are_guessed_for_nobody(bench: Bench) -> None:
    assert await bench.streams.push(part("d1", "好", "wangfang")) is Place.WAITING
    assert await bench.streams.push(part("d2", "好", "someone@group")) is Place.NOWHERE
    stream_id = await bench.ask("m1", "lihua@wrGROUP1", "wrGROUP1")
    await bench.streams.close(stream_id)
    assert await bench.streams.push(part("d3", "好", "lihua@wrGROUP1")) is Place.WAITING
    sent = await bench.look()
    assert [body["chatid"] for _, body, _ in sent] == ["wangfang", "wrGROUP1"]
    # Refused for good: it waits for the person, and goes into the next reply.
    assert await bench.streams.push(part("d4", "坏", "wangfang")) is Place.WAITING
    bench.wire.answers = [40003]
    await bench.look(1)
    assert await bench.streams.push(part("d4", "坏", "wangfang")) is Place.REFUSED
    await bench.ask("m2", "wangfang", "wangfang")
    assert await bench.streams.put(part("d4", "坏", "wangfang")) is Place.WAITING
    ((_, body, _),) = await bench.look(1)
    assert body["stream"]["content"] == "坏"
    # With callbacks nobody sends pushes: what lies in one is laid out anew.
    assert await bench.streams.push(part("d5", "回", "wangfang")) is Place.WAITING
    fetched = BotStreams(bench.services.database, bench.clock)
    await fetched.open("wangfang", "conversation", "m3")
    assert await fetched.put(part("d5", "回", "wangfang")) is Place.WAITING
    assert await bench.look(1) == []


async def test_silence_is_told_from_an_end(bench: Bench) -> None:
    await bench.streams.push(part("d1", "好"))
    for _ in range(MOST_SILENCES):
        bench.wire.answers = [Unanswered("send")]
        assert len(await bench.look(10)) == 1
    assert await bench.look(10) == []
    assert await bench.streams.push(part("d1", "好")) is Place.REFUSED
    await bench.streams.push(part("d2", "好"))
    bench.wire.answers, bench.wire.pings = [Unanswered("send")], [Unanswered("ping")]
    with pytest.raises(Unanswered):
        await bench.look()
    bench.wire.answers = [45009]
    bench.restart()
    assert len(await bench.look()) == 1
    assert await bench.look(30) == []
    assert len(await bench.look(31)) == 1
    assert await bench.streams.push(part("d2", "好")) is Place.SHOWN


async def test_welcomes_and_pressed_cards_are_in_time_or_not_at_all(bench: Bench) -> None:
    line = Line("req-1", "lihua")
    await bench.streams.open_welcome("lihua", "conversation", "e1", line=line)
    assert await bench.look() == []
    await bench.streams.put(part("d1", "您好"))
    ((command, body, request_id),) = await bench.look(1)
    assert (command, body, request_id) == (
        Command.WELCOME,
        {"msgtype": "text", "text": {"content": "您好"}},
        "req-1",
    )
    # Nothing to say in time: nothing is said.
    await bench.streams.open_welcome("wangfang", "conversation", "e2", line=line)
    assert await bench.look(WELCOME.total_seconds()) == []
    assert await bench.streams.put(part("d2", "您好", "wangfang")) is Place.NOWHERE
    card = part("p1", "", card=json.dumps({"task_id": "t"}))
    for message_id in ("p1", "p1"):
        await bench.streams.replace_card(card, message_id, Line("req-2", "lihua"))
    ((command, body, request_id),) = await bench.look()
    assert (command, request_id) == (Command.UPDATE, "req-2")
    assert body == {"response_type": "update_template_card", "template_card": {"task_id": "t"}}
    late = part("p2", "", card="{}")
    await bench.streams.replace_card(late, "p2", Line("req-3", "lihua"))
    assert await bench.look(CARD_WITHIN.total_seconds() + 1) == []

"""Users of the widget who ask in turn and wait for the answer, as cheap as they can be.

They share two cores with the product they measure, so they speak HTTP/1.1 over bare streams: a
full client library would take more processor time per message than the product does.
"""

import asyncio
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

#: An answer that takes longer counts as an error.
ANSWER_LIMIT_S = 30.0


@dataclass
class Figures:
    """Seconds of every message, and what went wrong, by name."""

    accepted: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    elapsed_s: float = 0.0

    def add(self, other: "Figures") -> None:
        """Count another round of the same load."""
        self.accepted += other.accepted
        self.answered += other.answered
        self.errors += other.errors
        self.elapsed_s += other.elapsed_s


@dataclass(frozen=True, slots=True)
class Load:
    """So many users at once, each with so many messages and a pause before each, seconds."""

    users: int
    messages: int
    pause_s: float = 0.0


async def run(port: int, load: Load, questions: Sequence[str], seed: int) -> Figures:
    """Let all users talk at once."""
    figures = Figures()
    users = [User(port, random.Random(seed * 10_007 + n), questions) for n in range(load.users)]
    for user in users:
        await user.open()
    started = time.perf_counter()
    await asyncio.gather(*(user.talk(load, figures) for user in users))
    figures.elapsed_s = time.perf_counter() - started
    for user in users:
        user.close()
    return figures


async def answered_directly(port: int, questions: Sequence[str]) -> tuple[str, ...]:
    """The questions whose first answer, each in a conversation of its own, is an answer card."""
    kept = []
    for question in questions:
        user = User(port, random.Random(0), (question,))
        await user.open()
        await user.talk(Load(1, 1), Figures())
        if "answer" in user.heard:
            kept.append(question)
        user.close()
    return tuple(kept)


class User:
    """One conversation: a connection to send on, and one for the event stream."""

    def __init__(self, port: int, chance: random.Random, questions: Sequence[str]) -> None:
        self._port, self._chance, self._questions = port, chance, questions
        self._answers: dict[int, float] = {}
        self._news = asyncio.Event()
        #: The kinds of the bot's messages.
        self.heard: list[str] = []

    async def open(self) -> None:
        """Open the conversation and follow it."""
        self._line = await asyncio.open_connection("127.0.0.1", self._port)
        _, opened = await self._post("/api/v1/conversations", {}, "")
        self._token = opened["token"]
        self._path = f"/api/v1/conversations/{opened['conversation_id']}"
        self._stream = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._stream
        writer.write(_request("GET", f"{self._path}/events", self._token))
        await reader.readuntil(b"\r\n\r\n")
        self._reading = asyncio.create_task(self._read(reader))

    def close(self) -> None:
        """Hang up."""
        self._reading.cancel()
        for _, writer in (self._line, self._stream):
            writer.close()

    async def talk(self, load: Load, figures: Figures) -> None:
        """Ask, wait for the bot's first word, ask again."""
        for n in range(load.messages):
            if load.pause_s:
                # People do not ask in step.
                await asyncio.sleep(self._chance.uniform(0, 2 * load.pause_s))
            try:
                await self._ask(str(n), figures)
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                figures.errors.append(type(error).__name__)
                return

    async def _ask(self, name: str, figures: Figures) -> None:
        body = {"client_msg_id": name, "text": self._chance.choice(self._questions)}
        started = time.perf_counter()
        status, sent = await self._post(f"{self._path}/messages", body, self._token)
        if status != 202:
            figures.errors.append(str(status))
            return
        figures.accepted.append(time.perf_counter() - started)
        async with asyncio.timeout(ANSWER_LIMIT_S):
            figures.answered.append(await self._answer(sent["seq"]) - started)

    async def _answer(self, after: int) -> float:
        """When the first word of the bot after a message came in."""
        while True:
            came = [at for seq, at in self._answers.items() if seq > after]
            if came:
                return min(came)
            self._news.clear()
            await self._news.wait()

    async def _post(self, path: str, body: object, token: str) -> tuple[int, dict[str, Any]]:
        if self._line[0].at_eof():
            # The server hangs up on a connection that was silent for some seconds.
            self._line[1].close()
            self._line = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._line
        writer.write(_request("POST", path, token, json.dumps(body).encode()))
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        content = await reader.readexactly(length)
        return int(head.split(" ", 2)[1]), json.loads(content)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Note when each of the bot's messages came in."""
        rest = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            chunk = await reader.readexactly(size + 2)
            now = time.perf_counter()
            *events, rest = (rest + chunk[:-2]).split(b"\n\n")
            for event in events:
                if b'"sender": "bot"' in event and b"\ndata: " in event:
                    message = json.loads(event.split(b"\ndata: ", 1)[1])
                    self._answers[message["seq"]] = now
                    self.heard.append(message["kind"])
                    self._news.set()


def _request(method: str, path: str, token: str, body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body:
        lines.append("Content-Type: application/json")
    return "\r\n".join([*lines, "", ""]).encode() + body

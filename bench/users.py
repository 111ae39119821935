"""Users of the widget who ask in turn and wait for the answer, as cheap as they can be.

They share two cores with the product they measure (see ``bench.wire``).
"""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.wire import Line, follow, message_of

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
        self._line = Line(port)
        self._answers: dict[int, float] = {}
        self._news = asyncio.Event()
        #: The kinds of the bot's messages.
        self.heard: list[str] = []

    async def open(self) -> None:
        """Open the conversation and follow it."""
        _, opened = await self._line.post("/api/v1/conversations", {})
        self._line.token = opened["token"]
        self._path = f"/api/v1/conversations/{opened['conversation_id']}"
        self._reading = asyncio.create_task(self._read())
        async with asyncio.timeout(ANSWER_LIMIT_S):
            await self._news.wait()

    def close(self) -> None:
        """Hang up."""
        self._reading.cancel()
        self._line.close()

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
        status, sent = await self._line.post(f"{self._path}/messages", body)
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

    async def _read(self) -> None:
        """Note when each of the bot's messages came in; the first is the greeting."""
        async for event in follow(self._port, f"{self._path}/events", self._line.token):
            message = message_of(event)
            if message is not None and message["sender"] == "bot":
                self._answers[message["seq"]] = time.perf_counter()
                self.heard.append(message["kind"])
                self._news.set()

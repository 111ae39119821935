"""The members' conversations with a bot: what each has typed, and the replies that grow below it.

The platform asks for every reply until it is complete, as the vendor's client does, and brings a
question again when it was not taken.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from connectors.fake_wecom.bot_sockets import FakeBotSocket
from connectors.fake_wecom.bots import BotBroken, Bubble, FakeBot
from connectors.fake_wecom.handsets import MOST_LINES, Fate, Typed

_OK = 200


@dataclass(slots=True)
class BotPhones:
    """Every member's conversation with one bot."""

    bot: FakeBot
    #: Where the bot is reached if it has connected; else its callback.
    socket: FakeBotSocket | None = None
    retries: int = 3
    retry_s: float = 5.0
    poll_s: float = 0.7
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    typed: dict[str, list[Typed]] = field(default_factory=dict)
    _sending: set[asyncio.Task[None]] = field(default_factory=set)
    _count: int = 0

    def screen(self, member: str) -> Sequence[Typed | Bubble]:
        """Everything of one conversation, oldest first."""
        lines: list[Typed | Bubble] = [*self.typed.get(member, ())]
        lines += [one for one in self.bot.bubbles if one.person == member]
        return sorted(lines, key=lambda line: line.at)[-MOST_LINES:]

    def say(self, member: str, text: str) -> Typed:
        """Ask something; the reply grows while nobody waits for it here."""
        told = self.bot.message(member, "text", text={"content": text})
        return self._send(member, "text", text, told)

    def enter(self, member: str, text: str) -> Typed:
        """Open the conversation; ``text`` is what the screen shows of it."""
        told = self.bot.message(member, "event", event={"eventtype": "enter_chat"})
        return self._send(member, "enter_chat", text, told)

    async def judge(self, member: str, stream_id: str, verdict: int) -> bool:
        """Press a thumb below a reply of one's own; whether it was taken."""
        known = any(
            (one.person, one.stream_id, one.finished) == (member, stream_id, True)
            for one in self.bot.bubbles
        )
        by = self.socket if self.socket is not None and self.socket.is_live else self.bot
        try:
            return known and await by.judge(member, stream_id, verdict)
        except httpx.HTTPError:
            return False

    async def press(self, member: str, task_id: str, key: str) -> bool:
        """Press a button of a card on one's own screen; whether it was told."""
        known = any(
            one.person == member and one.task_id == task_id and key in dict(one.buttons).values()
            for one in self.bot.bubbles
        )
        if not known or self.socket is None:
            return False
        return await self.socket.press(member, task_id, key)

    async def settle(self) -> None:
        """Wait until every reply is complete or given up."""
        while self._sending:
            await asyncio.gather(*self._sending)

    def _send(self, member: str, kind: str, text: str, told: dict[str, Any]) -> Typed:
        self._count += 1
        typed = Typed(self._count, kind, text, self.bot.clock())
        lines = self.typed.setdefault(member, [])
        lines.append(typed)
        del lines[:-MOST_LINES]
        task = asyncio.create_task(self._carry(typed, told))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
        return typed

    async def _carry(self, typed: Typed, told: dict[str, Any]) -> None:
        for attempt in range(self.retries):
            if attempt:
                await self.sleep(self.retry_s)
            if await self._is_taken(told):
                typed.fate = Fate.TAKEN
                break
        else:
            typed.fate = Fate.LOST
            return
        person = str(told["from"]["userid"])
        while bubbles := self._to_ask(person):
            await self.sleep(self.poll_s)
            for bubble in bubbles:
                await self._ask(bubble)

    def _to_ask(self, person: str) -> list[Bubble]:
        mine = (one for one in self.bot.bubbles if one.person == person and one.asked_for)
        return [one for one in mine if not one.finished]

    async def _is_taken(self, told: dict[str, Any]) -> bool:
        if self.socket is not None and self.socket.is_live:
            return await self.socket.bring(told)
        try:
            return (await self.bot.bring(told)).status_code == _OK
        except (httpx.HTTPError, BotBroken):
            return False

    async def _ask(self, bubble: Bubble) -> None:
        """Once; a product that is away is asked again until the vendor's six minutes are over."""
        try:
            await self.bot.ask(bubble)
        except (httpx.HTTPError, BotBroken):
            return

"""Callbacks while thinking stalls: answered within the platform's second, after the record.

Both platforms take a late answer for none and send again, to nobody's good.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from bot.clock import utc_now
from bot.tables import Message
from connectors.fake_wecom.bots import FakeBot
from connectors.memory import MemoryChannel
from nlu.types import Understanding, nothing_said
from tests.bot.test_wecom_bot_callback import ADDRESS as BOT_ADDRESS
from tests.bot.test_wecom_bot_callback import SETTINGS as BOT
from tests.bot.wecom_platform import SETTINGS, Platform
from tests.product import Product, copy_workspace, make_settings, serving

Say = Callable[[str], Awaitable[httpx.Response]]
#: What the platforms wait for at most, in seconds.
PATIENCE_S = 1.0
QUESTIONS = ("UKey插上没有反应怎么办", "公务卡怎么还款", "年终结转结余怎么办理")


@dataclass
class Stalled:
    """An interpreter that hangs until it is let go, and then understands nothing."""

    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    name: str = "stalled"

    async def parse(self, text: str) -> Understanding:
        self.entered.set()
        await self.let_go.wait()
        return nothing_said(text, self.name)

    async def close(self) -> None:
        self.let_go.set()


@dataclass
class World:
    """The product with both channels; nothing is understood until ``rasa`` is let go."""

    product: Product
    rasa: Stalled
    application: Platform
    bot: FakeBot

    def say(self, channel: str) -> Say:
        if channel == "wecom":
            return self.application.say
        return lambda text: self.bot.say("lihua", text)

    async def said(self, sender: str) -> list[Message]:
        async with self.product.services.database.reading() as session:
            query = select(Message).where(Message.sender == sender)
            return list(await session.scalars(query))

    async def thoughts(self) -> list[str]:
        """What was said of all but the greeting."""
        return [one.kind for one in await self.said("bot") if one.kind != "greeting"]


@pytest.fixture
async def world(prepared_workspace: Path, tmp_path: Path) -> AsyncIterator[World]:
    copy_workspace(prepared_workspace, tmp_path / "home")
    given = {"wecom": SETTINGS, "wecom_bot": BOT}
    settings = make_settings(tmp_path / "home").model_copy(update=given)
    rasa, channels = Stalled(), {"wecom": MemoryChannel("wecom")}
    async with serving(settings, channels=channels, interpreter=rasa) as product:
        bot = FakeBot(product.client, BOT_ADDRESS, BOT.keys(), utc_now)
        yield World(product, rasa, Platform(product.client), bot)
        rasa.let_go.set()


async def answered(world: World, channel: str) -> None:
    """Questions are answered in time and rest already, while none is thought about."""
    say, taken = world.say(channel), []
    for count, question in enumerate(QUESTIONS, 1):
        began = time.monotonic()
        answer = await say(question)
        taken.append(time.monotonic() - began)
        assert answer.status_code == 200
        assert len(await world.said("user")) == count
    # The quickest of them: the machine that tests may be busy with something else.
    assert min(taken) < PATIENCE_S, taken


@pytest.mark.parametrize("channel", ["wecom", "wecom_bot"])
async def test_while_understanding_stalls(world: World, channel: str) -> None:
    await answered(world, channel)
    await asyncio.wait_for(world.rasa.entered.wait(), 20)
    assert await world.thoughts() == []
    world.rasa.let_go.set()
    await world.product.settle()
    assert await world.thoughts()


@pytest.mark.parametrize("channel", ["wecom", "wecom_bot"])
async def test_while_the_search_stalls(world: World, channel: str) -> None:
    """A search is work of the processor in a thread; it must not hold up what answers callbacks."""
    world.rasa.let_go.set()
    entered, let_go = Event(), Event()
    retriever = world.product.services.knowledge._retriever  # a slow one stands in its place
    search = retriever.search

    def stalled(*args: Any, **given: Any) -> Any:
        entered.set()
        assert let_go.wait(60)
        return search(*args, **given)

    retriever.search = stalled  # type: ignore[method-assign]
    try:
        await answered(world, channel)
        assert await asyncio.to_thread(entered.wait, 20)
        assert await world.thoughts() == []
    finally:
        let_go.set()
    await world.product.settle()
    assert await world.thoughts()

"""A bot's callbacks come late, twice and again, and our process is killed between them.

Every question has one reply on its person's screen in the end, with the whole answer in it.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from bot.clock import utc_now
from connectors.fake_wecom.bots import FakeBot
from tests.bot.storm import Storm
from tests.bot.test_wecom_bot_callback import ADDRESS, SETTINGS, World, world
from tests.bot.test_wecom_chaos import QUESTIONS, SILENCE_S, Ours
from tests.postgres import free_port
from tests.product import copy_workspace

__all__ = ["world"]


@dataclass
class People:
    """Who ask the bot, each the next question when the last reply is complete."""

    fake: FakeBot
    storm: Storm = field(default_factory=Storm)
    asked: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    async def talk(self, person: str, first: int, count: int) -> None:
        for n in range(count):
            question = QUESTIONS[(first + n) % len(QUESTIONS)]
            self.asked[person].append(question)
            told = self.fake.message(person, "text", text={"content": question})
            await self.storm.bring(lambda told=told: self.fake.bring(told))
            await self._replied(person, n + 1)

    async def _replied(self, person: str, count: int) -> None:
        """Until so many replies are complete: the platform asks for each, come what may."""
        async with asyncio.timeout(SILENCE_S):
            while len(self.answers(person)) < count:
                mine = [b for b in self.fake.bubbles if b.person == person and not b.finished]
                for bubble in mine:
                    with contextlib.suppress(httpx.TransportError):
                        await self.fake.ask(bubble)
                await asyncio.sleep(0.05)

    def answers(self, person: str) -> list[str]:
        """The questions that have a complete reply, in their order; a greeting may stand before."""
        mine = (one for one in self.fake.bubbles if one.person == person and one.finished)
        texts = (one.text for one in mine if "出处：" in one.text)
        return [line for text in texts for line in text.splitlines() if line in QUESTIONS]

    def check(self) -> None:
        for person, asked in self.asked.items():
            assert self.answers(person) == asked
            assert all(one.finished for one in self.fake.bubbles if one.person == person)


async def test_every_question_has_one_reply(world: World) -> None:
    people = People(world.fake)
    await asyncio.gather(*(people.talk(f"member{n}", n, 2) for n in range(2)))
    await people.storm.settle()
    people.check()
    assert len(await world.said()) == 4


@asynccontextmanager
async def a_process(workspace: Path, home: Path) -> AsyncIterator[tuple[People, Ours]]:
    """The real program, and a pretended platform that posts to it."""
    copy_workspace(workspace, home)
    port = free_port()
    names = ("enabled", "token", "encoding_aes_key", "bot_id", "settle_s")
    given = {f"CAIWEN_WECOM_BOT__{name.upper()}": str(getattr(SETTINGS, name)) for name in names}
    given |= {"CAIWEN_NLU__ENABLED": "false", "CAIWEN_RELAY__LEASE_S": "2"}
    ours = Ours(home, port, given)
    address = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=20) as client:
        ours.start()
        try:
            await ours.is_up(client)
            yield People(FakeBot(client, ADDRESS, SETTINGS.keys(), utc_now)), ours
        finally:
            ours.kill()


@pytest.mark.slow
@pytest.mark.timeout(3_600)
async def test_replies_outlive_the_process(prepared_workspace: Path, tmp_path: Path) -> None:
    async with a_process(prepared_workspace, tmp_path / "home") as (people, ours):

        async def kill_now_and_then() -> None:
            for _ in range(4):
                await asyncio.sleep(people.storm.chance.uniform(1.0, 4.0))
                ours.kill()
                ours.start()
                await ours.is_up(people.fake.client)

        killing = asyncio.create_task(kill_now_and_then())
        await asyncio.gather(*(people.talk(f"member{n}", n, 10) for n in range(20)))
        await killing
        await people.storm.settle()
        people.check()

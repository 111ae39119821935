"""A bot's long connection is cut again and again, messages come twice, our process is killed.

Every question has its answer on its person's screen in the end, once and in order.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from connectors.fake_wecom.bot_sockets import FakeBotSocket
from tests.bot.test_wecom_bot_socket import World, world
from tests.bot.test_wecom_chaos import QUESTIONS, SILENCE_S, Ours
from tests.connectors.bot_platform import a_bot_platform, socket_settings
from tests.postgres import free_port
from tests.product import copy_workspace

__all__ = ["world"]


@dataclass
class People:
    """Who ask the bot, each the next question when the last reply is complete."""

    platform: FakeBotSocket
    #: A message whose frame was lost with its connection is told again after so long.
    again_s: float
    #: Messages at the beginning that the connection is cut right after.
    first_cuts: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    asked: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    async def talk(self, person: str, first: int, count: int) -> None:
        for n in range(count):
            question = QUESTIONS[(first + n) % len(QUESTIONS)]
            self.asked[person].append(question)
            told = self.platform.bot.message(person, "text", text={"content": question})
            async with asyncio.timeout(SILENCE_S):
                while not self._is_replied(person, n + 1):
                    for _ in range(self.chance.choice((1, 1, 2))):
                        await self.platform.bring(told)
                    if self.first_cuts:
                        self.first_cuts -= 1
                        await self.platform.cut()
                    await self._wait(person, n + 1)

    async def _wait(self, person: str, count: int) -> None:
        for _ in range(int(self.again_s / 0.05)):
            if self._is_replied(person, count):
                return
            await asyncio.sleep(0.05)

    def _is_replied(self, person: str, count: int) -> bool:
        mine = [one for one in self.platform.bot.bubbles if one.person == person]
        return len(self.answers(person)) >= count and all(one.finished for one in mine)

    def answers(self, person: str) -> list[str]:
        """The questions that have an answer on the screen, in their order."""
        texts = [one for one in self.platform.bot.texts(person) if "出处：" in one]
        return [line for text in texts for line in text.splitlines() if line in QUESTIONS]

    async def cut_now_and_then(self, every_s: float) -> int:
        """Until called off."""
        while True:
            await asyncio.sleep(self.chance.uniform(0.2, 1.8) * every_s)
            await self.platform.cut()

    def check(self) -> None:
        for person, asked in self.asked.items():
            assert self.answers(person) == asked


async def test_every_question_has_one_answer_over_many_cuts(world: World) -> None:
    people = People(world.platform, again_s=0.4, first_cuts=1)
    cutting = asyncio.create_task(people.cut_now_and_then(0.25))
    await asyncio.gather(*(people.talk(f"member{n}", n, 2) for n in range(2)))
    cutting.cancel()
    people.check()
    assert world.platform.taken > 1
    assert sorted(one.text for one in await world.said()) == sorted(
        question for asked in people.asked.values() for question in asked
    )


@asynccontextmanager
async def a_process(workspace: Path, home: Path) -> AsyncIterator[tuple[People, Ours]]:
    """The real program, and a pretended platform that it connects to."""
    copy_workspace(workspace, home)
    async with a_bot_platform() as platform, httpx.AsyncClient(trust_env=False) as client:
        bot = socket_settings(platform)
        names = ("enabled", "bot_id", "secret", "socket_url", "settle_s", "retry_s")
        given = {f"CAIWEN_WECOM_BOT__{name.upper()}": str(getattr(bot, name)) for name in names}
        given |= {"CAIWEN_WECOM_BOT__MODE": "socket", "CAIWEN_RELAY__LEASE_S": "2"}
        ours = Ours(home, free_port(), given | {"CAIWEN_NLU__ENABLED": "false"})
        ours.start()
        try:
            await ours.is_up(client)
            yield People(platform, again_s=5.0), ours
        finally:
            ours.kill()


@pytest.mark.slow
@pytest.mark.timeout(3_600)
async def test_answers_outlive_the_process(prepared_workspace: Path, tmp_path: Path) -> None:
    async with (
        a_process(prepared_workspace, tmp_path / "home") as (people, ours),
        httpx.AsyncClient(trust_env=False) as client,
    ):

        async def kill_now_and_then() -> None:
            for _ in range(4):
                await asyncio.sleep(people.chance.uniform(1.0, 4.0))
                ours.kill()
                ours.start()
                await ours.is_up(client)
                await people.platform.connected(SILENCE_S)

        killing = asyncio.create_task(kill_now_and_then())
        cutting = asyncio.create_task(people.cut_now_and_then(1.0))
        await asyncio.gather(*(people.talk(f"member{n}", n, 10) for n in range(20)))
        await killing
        cutting.cancel()
        people.check()
        assert people.platform.taken > 10

"""Updates of Telegram come late, twice and out of order, and our process is killed.

Every update is recorded once and answered, in order per person. Telegram knows no id of ours, so
what was being sent at the moment of a death may be shown twice, and nothing else may.
"""

import asyncio
import itertools
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from bot.channels.telegram import ADDRESS
from connectors.telegram_settings import TelegramSettings
from tests.bot.storm import Storm
from tests.bot.test_telegram import a_world
from tests.bot.test_wecom_chaos import QUESTIONS, SILENCE_S, Ours
from tests.connectors.fake_telegram import SECRET, FakeTelegram, fake_telegram, message
from tests.postgres import free_port
from tests.product import copy_workspace

#: Sends that may be under way at once when a process dies.
UNDER_WAY = 64


@dataclass
class People:
    """Who write to the bot, and what each has asked and been answered."""

    fake: FakeTelegram
    client: httpx.AsyncClient
    storm: Storm = field(default_factory=Storm)
    asked: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def talk(self, person: int, count: int) -> None:
        """One after the other: the next words follow when these are taken."""
        headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
        for n in range(count):
            question = QUESTIONS[(person + n) % len(QUESTIONS)]
            self.asked[person].append(question)
            content = json.dumps(message(next(self._numbers), question, person=person))
            await self.storm.bring(
                lambda content=content: self.client.post(ADDRESS, content=content, headers=headers)
            )

    def answered(self, person: int) -> list[str]:
        """The questions whose answers this person has been shown, in their order."""
        texts = (text for text in self.fake.texts(str(person)) if "出处：" in text)
        return [text.partition("\n")[0] for text in texts]

    def missing(self) -> Mapping[int, int]:
        """How many answers each person still waits for."""
        counts = {p: len(asked) - len(self.answered(p)) for p, asked in self.asked.items()}
        return {person: count for person, count in counts.items() if count > 0}

    async def settle(self) -> None:
        """Until everybody has as many answers as questions, or nothing moves any more."""
        await self.storm.settle()
        before, quiet = -1, 0.0
        while (missing := sum(self.missing().values())) and quiet < SILENCE_S:
            quiet = 0.0 if missing != before else quiet + 0.1
            before = missing
            await asyncio.sleep(0.1)


def once(shown: list[str]) -> list[str]:
    """Without what stands there twice in a row."""
    return [key for key, _ in itertools.groupby(shown)]


async def test_every_update_is_answered_once_in_order(
    prepared_workspace: Path, tmp_path: Path
) -> None:
    async with a_world(prepared_workspace, tmp_path / "home") as world:
        people = People(world.fake, world.product.client)
        await asyncio.gather(*(people.talk(person, 3) for person in range(1, 5)))
        await people.settle()
        for person, asked in people.asked.items():
            assert people.answered(person) == asked
        assert sorted(one.text for one in await world.said()) == sorted(
            itertools.chain(*people.asked.values())
        )


@asynccontextmanager
async def a_process(workspace: Path, home: Path) -> AsyncIterator[tuple[People, Ours]]:
    """The real program against a pretended Bot API."""
    copy_workspace(workspace, home)
    async with fake_telegram() as fake:
        port = free_port()
        ours = Ours(home, port, environment(fake.settings()))
        address = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=20) as client:
            ours.start()
            try:
                await ours.is_up(client)
                yield People(fake, client), ours
            finally:
                ours.kill()


def environment(settings: TelegramSettings) -> dict[str, str]:
    names = ("enabled", "token", "webhook_secret", "base_url", "pause_s", "per_second")
    given = {f"CAIWEN_TELEGRAM__{name.upper()}": str(getattr(settings, name)) for name in names}
    return {**given, "CAIWEN_NLU__ENABLED": "false", "CAIWEN_RELAY__LEASE_S": "2"}


@pytest.mark.slow
@pytest.mark.timeout(3_600)
async def test_nothing_is_lost_when_the_process_is_killed(
    prepared_workspace: Path, tmp_path: Path
) -> None:
    kills = 5
    async with a_process(prepared_workspace, tmp_path / "home") as (people, ours):

        async def kill_now_and_then() -> None:
            for _ in range(kills):
                await asyncio.sleep(people.storm.chance.uniform(1.0, 4.0))
                ours.kill()
                ours.start()
                await ours.is_up(people.client)

        killing = asyncio.create_task(kill_now_and_then())
        await asyncio.gather(*(people.talk(person, 25) for person in range(1, 41)))
        await killing
        await people.settle()
        repeated = 0
        for person, asked in people.asked.items():
            shown = people.answered(person)
            assert once(shown) == asked, (person, asked, shown)
            repeated += len(shown) - len(asked)
        assert repeated <= kills * UNDER_WAY

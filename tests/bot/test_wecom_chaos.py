"""The platform repeats, delays, reorders and cuts; our process is killed; nobody notices.

A real process of ours, a pretended platform on a real port, one visible answer per message id.
"""

import asyncio
import contextlib
import random
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from bot.channels.fake_wecom import demonstration_settings, environment
from bot.clock import utc_now
from connectors.fake_wecom.app import create_app
from connectors.fake_wecom.letters import Letters
from connectors.fake_wecom.platform import FakeWecom
from connectors.fake_wecom.postman import Postman, Weather
from connectors.fake_wecom.settings import FakeSettings
from connectors.settings import WecomSettings
from tests.bot.process import SILENCE_S, Ours
from tests.listening import listening
from tests.postgres import free_port
from tests.product import ENTRIES, copy_workspace

QUESTIONS = [question for question, _, _, kind in ENTRIES if kind == "answer"]
#: Members who talk at the same moment.
AT_ONCE = 40


@dataclass
class World:
    fake: FakeWecom
    postman: Postman
    letters: Letters
    ours: Ours
    client: httpx.AsyncClient
    sent: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    async def talk(self, member: str, count: int, start: int, *, patient: bool) -> None:
        """A patient member waits until each message is on its way; a hasty one does not."""
        tasks = []
        for n in range(count):
            question = QUESTIONS[(start + n) % len(QUESTIONS)]
            self.sent[member].append(question)
            bringing = self.postman.bring(self.letters.message("text", member, Content=question))
            if patient:
                assert await bringing
            else:
                tasks.append(asyncio.create_task(bringing))
        assert all(await asyncio.gather(*tasks))

    async def kill_now_and_then(self, times: int, chance: random.Random, every_s: float) -> None:
        for _ in range(times):
            await asyncio.sleep(chance.uniform(0.3, 1.7) * every_s)
            self.ours.kill()
            self.ours.start()
            await self.ours.is_up(self.client)

    def answers(self, member: str) -> list[str]:
        """The questions whose answers are on a member's screen, in order."""
        texts = (text for text in self.fake.texts(member) if "\u51fa\u5904\uff1a" in text)
        return [text.partition("\n")[0] for text in texts]

    async def settle(self) -> None:
        """Until everybody has as many answers as questions, or nothing moves any more."""
        before, quiet = -1, 0.0
        while quiet < SILENCE_S:
            counts = {m: len(self.answers(m)) for m in self.sent}
            if all(counts[m] >= len(asked) for m, asked in self.sent.items()):
                return
            quiet = 0.0 if sum(counts.values()) != before else quiet + 0.2
            before = sum(counts.values())
            await asyncio.sleep(0.2)

    def transcript(self, member: str) -> list[tuple[int, str, str, str]]:
        """One member's conversation as it rests, for whoever looks for what went wrong."""
        with contextlib.closing(sqlite3.connect(self.ours.home / "caiwen.db")) as connection:
            return connection.execute(
                "select m.seq, m.sender, m.kind, substr(m.text, 1, 20) from messages m"
                " join conversations c on c.id = m.conversation_id join users u on u.id = c.user_id"
                " where u.external_user = ? order by m.seq",
                (member,),
            ).fetchall()

    def recorded(self) -> dict[str, list[str]]:
        """What rests in our database, in its order."""
        found: dict[str, list[str]] = defaultdict(list)
        with contextlib.closing(sqlite3.connect(self.ours.home / "caiwen.db")) as connection:
            rows = connection.execute(
                "select u.external_user, m.text from messages m"
                " join conversations c on c.id = m.conversation_id join users u on u.id = c.user_id"
                " where m.sender = 'user' order by c.id, m.seq"
            )
            for member, text in rows:
                found[member].append(text)
        return found


@pytest.fixture
async def world(prepared_workspace: Path, tmp_path: Path) -> AsyncIterator[World]:
    home = tmp_path / "home"
    copy_workspace(prepared_workspace, home)
    platform_port, port = free_port(), free_port()
    settings = demonstration_settings(WecomSettings(), f"http://127.0.0.1:{platform_port}")
    # More tries than the real platform's three: how long we are down is the machine's speed.
    fake = FakeWecom(
        FakeSettings(
            settings.corp_id, settings.agent_id, settings.secret, retries=200, retry_s=0.5
        ),
        utc_now,
    )
    letters = Letters(settings.corp_id, settings.agent_id, utc_now)
    given = {"CAIWEN_NLU__ENABLED": "false", "CAIWEN_RELAY__LEASE_S": "2"}
    given["CAIWEN_WECOM__FEEDBACK"] = "false"  # a second message below each would only slow it
    ours = Ours(home, port, {**environment(settings), **given})
    async with (
        listening(create_app(fake), platform_port),
        httpx.AsyncClient(trust_env=False) as client,
    ):
        address = f"http://127.0.0.1:{port}/channels/wecom/callback"
        postman = Postman(client, address, settings.keys(), letters, fake.settings, utc_now)
        ours.start()
        try:
            await ours.is_up(client)
            yield World(fake, postman, letters, ours, client)
        finally:
            ours.kill()


async def run(world: World, members: int, each: int, kills: int, every_s: float) -> None:
    chance = random.Random(11)
    world.postman.weather = Weather(duplicate=0.3, late=0.3, late_s=0.5, truncate=0.1)
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(n: int) -> None:
        async with slots:
            await world.talk(f"member{n}", each, n, patient=n % 2 == 0)

    killing = asyncio.create_task(world.kill_now_and_then(kills, chance, every_s))
    await asyncio.gather(*(one(n) for n in range(members)))
    await killing
    await world.postman.settle()
    await world.settle()
    check(world, members, each)


def check(world: World, members: int, each: int) -> None:
    recorded = world.recorded()
    wrong: list[tuple[str, Sequence[str], Sequence[str]]] = []
    for n in range(members):
        member = f"member{n}"
        asked = world.sent[member] if n % 2 == 0 else recorded[member]
        assert sorted(recorded[member]) == sorted(world.sent[member])
        if world.answers(member) != asked:
            wrong.append((member, asked, world.answers(member)))
    told = [(member, got, world.transcript(member)) for member, _, got in wrong[:3]]
    assert not wrong, f"{len(wrong)} members, such as {told}"
    assert sum(len(world.answers(member)) for member in world.sent) == members * each
    assert (world.postman.lost, world.fake.dropped) == (0, 0)


async def test_every_message_is_answered_once_in_order(world: World) -> None:
    await run(world, members=6, each=5, kills=1, every_s=0.5)
    assert world.ours.kills == 1


@pytest.mark.slow
@pytest.mark.timeout(7_200)
async def test_ten_thousand_messages_and_ten_deaths(world: World) -> None:
    """500 members with 20 messages each: with the greeting, 21 answers a minute at most."""
    world.fake.settings.retry_s = 5.0
    await run(world, members=500, each=20, kills=10, every_s=20.0)
    assert world.ours.kills == 10

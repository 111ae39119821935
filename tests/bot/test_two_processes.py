"""Two real processes of the product on one PostgreSQL, and a platform that drops what is too fast.

They hold their conversations and their sends in common: nothing is dropped, nothing comes twice.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from bot.channels.fake_wecom import CALLBACK, demonstration_settings, environment
from bot.clock import utc_now
from connectors.fake_wecom.app import create_app
from connectors.fake_wecom.letters import Letters
from connectors.fake_wecom.platform import FakeWecom
from connectors.fake_wecom.postman import Postman
from connectors.fake_wecom.settings import FakeSettings
from connectors.settings import WecomSettings
from tests.bot.process import Ours
from tests.listening import listening
from tests.postgres import free_port
from tests.product import ENTRIES, make_settings, prepare
from tests.waiting import until

QUESTIONS = [question for question, _, _, kind in ENTRIES if kind == "answer"]
PACE = 4
SOURCE = "\u51fa\u5904\uff1a"


@dataclass
class World:
    fake: FakeWecom
    both: Sequence[Ours]
    postmen: Sequence[Postman]
    letters: Letters

    def answers(self, member: str) -> list[str]:
        texts = (text for text in self.fake.texts(member) if SOURCE in text)
        return [text.partition("\n")[0] for text in texts]


@pytest.fixture
async def world(
    postgres_url: str, shipped_interpreter: Path, tmp_path: Path
) -> AsyncIterator[World]:
    home = tmp_path / "home"
    await prepare(make_settings(home, postgres_url), shipped_interpreter)
    platform_port = free_port()
    settings = demonstration_settings(WecomSettings(), f"http://127.0.0.1:{platform_port}")
    known = FakeSettings(
        settings.corp_id, settings.agent_id, settings.secret, per_minute=PACE, retries=20
    )
    fake = FakeWecom(known, utc_now)
    letters = Letters(settings.corp_id, settings.agent_id, utc_now)
    given = {
        **environment(settings),
        "CAIWEN_NLU__ENABLED": "false",
        "CAIWEN_DATABASE_URL": postgres_url,
        "CAIWEN_WECOM__FEEDBACK": "false",
        "CAIWEN_WECOM__PER_MINUTE": str(PACE),
    }
    both = [Ours(home, free_port(), given) for _ in range(2)]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(listening(create_app(fake), platform_port))
        client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))
        for ours in both:
            stack.callback(ours.kill)
            ours.start()
        for ours in both:
            await ours.is_up(client)
        addresses = [f"http://127.0.0.1:{ours.port}{CALLBACK}" for ours in both]
        yield World(
            fake,
            both,
            [Postman(client, at, settings.keys(), letters, known, utc_now) for at in addresses],
            letters,
        )


@pytest.mark.slow
@pytest.mark.postgres
async def test_two_processes_keep_every_members_pace(world: World) -> None:
    """Each begins where the other stands still; then both hold what is too much for the minute."""
    first, second = world.both
    members = [f"member{n}" for n in range(3)]
    asked = QUESTIONS[: PACE + 2]

    async def all_ask(questions: Sequence[str], postman: Postman) -> None:
        for question in questions:
            for member in members:
                plain = world.letters.message("text", member, Content=question)
                assert await postman.bring(plain)

    async def each_has(count: int) -> None:
        async def so_many() -> bool:
            return all(len(world.fake.texts(member)) >= count for member in members)

        await until(so_many, patience_s=180)

    second.stop()
    await all_ask(asked[: PACE - 2], world.postmen[0])
    await each_has(PACE - 1)  # with the greeting
    first.stop()
    second.stop(go_on=True)
    await all_ask(asked[PACE - 2 :], world.postmen[1])
    await each_has(PACE)
    first.stop(go_on=True)
    await each_has(len(asked) + 1)
    assert {member: world.answers(member) for member in members} == dict.fromkeys(members, asked)
    assert world.fake.dropped == 0
    # Each of them has asked for a token: both were sending.
    assert world.fake.token_calls >= 2

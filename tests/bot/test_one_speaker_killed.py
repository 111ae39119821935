"""The same walk with a real process, which is killed while it thinks and while it is taken from."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from typing_extensions import override

from bot import repository
from bot.assembly import assemble
from tests.bot.process import Ours, patiently
from tests.bot.test_one_speaker import Walk, walk
from tests.postgres import free_port
from tests.product import Product, copy_workspace, http_client, make_settings
from tests.waiting import until

SEED, STEPS, KILLS = 3, 40, 4


class Insisting(httpx.AsyncClient):
    """Tries again while nobody answers, as channels and consoles do."""

    def __init__(self, plain: httpx.AsyncClient) -> None:
        super().__init__()
        self._plain = plain

    @override
    async def request(self, method: str, url: Any, **over: Any) -> httpx.Response:
        return await patiently(self._plain, method, url, **over)


@dataclass
class Distant(Product):
    """A process of its own; ``services`` only look at its database."""

    ours: Ours | None = None

    @override
    async def settle(self) -> None:
        async def all_is_thought() -> bool:
            async with self.services.database.reading() as session:
                return not await repository.pending_conversations(session)

        await until(all_is_thought)

    async def die(self) -> None:
        """kill -9, and another one in its place."""
        assert self.ours is not None
        self.ours.kill()
        self.ours.start()
        await self.ours.is_up(self.client)


class DeadlyWalk(Walk):
    """A walk in which the process dies, most of all while the bot thinks and somebody takes."""

    @override
    async def crash(self) -> None:
        await self._product().die()

    @override
    async def claim(self) -> None:
        await self.say()
        taking = asyncio.create_task(super().claim())
        await asyncio.sleep(self.chance.uniform(0, 0.05))
        await self._product().die()
        await taking

    def _product(self) -> Distant:
        assert isinstance(self.product, Distant)
        return self.product


@pytest.fixture
async def distant(prepared_workspace: Path, tmp_path: Path) -> AsyncIterator[Distant]:
    home, port = tmp_path / "home", free_port()
    copy_workspace(prepared_workspace, home)
    ours = Ours(home, port, {"CAIWEN_NLU__ENABLED": "false"})
    services = assemble(make_settings(home))
    address = f"http://127.0.0.1:{port}"
    ours.start()
    try:
        async with http_client(address) as plain, Insisting(plain) as client:
            await ours.is_up(plain)
            yield Distant(services, address, client, ours=ours)
    finally:
        ours.kill()
        await services.database.dispose()


@pytest.mark.slow
async def test_one_speaks_however_often_the_process_is_killed(distant: Distant) -> None:
    await walk(distant, SEED, STEPS, DeadlyWalk)
    assert distant.ours is not None
    assert distant.ours.kills >= KILLS

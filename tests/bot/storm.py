"""Bad weather between a platform and us: posts come late, twice, and again until taken."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx

#: A platform gives up some time; how long we are down in a test is the machine's speed.
_TRIES, _PAUSE_S = 2_400, 0.05


@dataclass
class Storm:
    """How likely each mishap is, from 0 to 1."""

    duplicate: float = 0.4
    late: float = 0.4
    late_s: float = 0.3
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    _loose: set[asyncio.Task[None]] = field(default_factory=set)

    async def bring(self, post: Callable[[], Awaitable[httpx.Response]]) -> None:
        """Post until it is taken; maybe once more in a while."""
        if self.chance.random() < self.late:
            await asyncio.sleep(self.chance.uniform(0, self.late_s))
        if self.chance.random() < self.duplicate:
            task = asyncio.create_task(self._later(post))
            self._loose.add(task)
            task.add_done_callback(self._loose.discard)
        await _until_taken(post)

    async def settle(self) -> None:
        """Until nothing is under way any more."""
        while self._loose:
            await asyncio.gather(*self._loose)

    async def _later(self, post: Callable[[], Awaitable[httpx.Response]]) -> None:
        await asyncio.sleep(self.chance.uniform(0, 2 * self.late_s))
        await _until_taken(post)


async def _until_taken(post: Callable[[], Awaitable[httpx.Response]]) -> None:
    for _ in range(_TRIES):
        try:
            if (await post()).status_code == 200:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(_PAUSE_S)
    raise TimeoutError("never taken")

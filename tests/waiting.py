"""Waiting for what comes by itself, with a limit that slow machines keep too."""

import asyncio
from collections.abc import Awaitable, Callable

PATIENCE_S = 60.0


async def until(holds: Callable[[], Awaitable[bool]], *, patience_s: float = PATIENCE_S) -> None:
    """Look again and again until it holds. Raises :class:`TimeoutError`."""
    async with asyncio.timeout(patience_s):
        while not await holds():  # noqa: ASYNC110  # what it waits for sets no event
            await asyncio.sleep(0.02)

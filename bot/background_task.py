"""One piece of work at a time that goes on after the request that asked for it was answered."""

import asyncio
from dataclasses import dataclass


@dataclass
class BackgroundTask:
    """The last piece of work that was begun, if any."""

    task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it was begun and has not ended."""
        return self.task is not None and not self.task.done()

    async def settle(self) -> None:
        """Wait for its end, whatever that is."""
        if self.task is not None:
            await asyncio.wait([self.task])

    async def stop(self) -> None:
        """Cancel it and wait for its end."""
        if self.task is not None:
            self.task.cancel()
            await self.settle()

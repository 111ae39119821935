"""What thousands of tests pay for and none of them is about: hashing, drawing, reading anew.

Each test of the product assembles it from nothing and logs in. What is replaced here has tests
of its own that restore it, and processes that tests start know nothing of it.
"""

import asyncio
import functools
import itertools
import pickle
from typing import Any

import structlog
import uvicorn
from argon2 import PasswordHasher
from typing_extensions import override

from bot.accounts import service as accounts
from store import yaml_text

#: The hasher of the product, for the test of its strength.
STRONG_HASHER = accounts._HASHER
_PARSE = yaml_text.parse


def begin() -> None:
    """Replace them for this process."""
    accounts._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    yaml_text.parse = _parsed
    _log_plainly()


@functools.lru_cache(maxsize=64)
def _pickled(text: str) -> bytes:
    return pickle.dumps(_PARSE(text))


def _parsed(text: str) -> Any:
    """Every caller gets an object of its own."""
    return pickle.loads(_pickled(text))  # noqa: S301  # pickled a line above


def _log_plainly() -> None:
    """Drawing a traceback with all its variables takes seconds, and nobody looks."""
    plain = structlog.dev.ConsoleRenderer(
        colors=False, exception_formatter=structlog.dev.plain_traceback
    )
    structlog.configure(processors=[structlog.stdlib.add_log_level, plain])


class PromptServer(uvicorn.Server):
    """Looks every few milliseconds whether it shall end, not ten times a second."""

    @override
    async def main_loop(self) -> None:
        """Run until told to end."""
        for counter in itertools.count():
            if self.should_exit or await self.on_tick(counter):
                return
            await asyncio.sleep(0.01)

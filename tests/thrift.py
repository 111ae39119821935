"""What thousands of tests pay for and none of them is about: hashing, drawing, reading anew,
looking for garbage.

Each test of the product assembles it from nothing and logs in. What is replaced here has tests
of its own that restore it, and processes that tests start know nothing of it.
"""

import asyncio
import functools
import gc
import itertools
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from argon2 import PasswordHasher
from fastapi import routing
from typing_extensions import override

from bot import phrases
from bot.accounts import service as accounts
from handoff import terms
from nlu.similarity import SimilarityInterpreter
from nlu.triage import Triager
from store import yaml_text

#: The hasher of the product, for the test of its strength.
STRONG_HASHER = accounts._HASHER
_PARSE = yaml_text.parse
#: Loaded models of each kind that are kept, the newest.
MODELS_KEPT = 4


def begin() -> None:
    """Replace them for this process."""
    accounts._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    yaml_text.parse = _parsed
    terms._parsed = functools.lru_cache(maxsize=64)(terms._parsed)
    phrases.placeholders = functools.lru_cache(maxsize=8192)(phrases.placeholders)
    SimilarityInterpreter.load = _loaded_once(SimilarityInterpreter.load)  # type: ignore[method-assign]
    Triager.load = _loaded_once(Triager.load)  # type: ignore[method-assign]
    routing._EffectiveRouteContext.from_api_route = _routed_once(  # type: ignore[method-assign]
        routing._EffectiveRouteContext.from_api_route
    )
    _log_plainly()
    gc.disable()


def settle() -> None:
    """When all tests are collected: millions of objects that stay need not be looked at again."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


def _routed_once(make: Callable[..., Any]) -> Callable[..., Any]:
    """Each product reads the signatures of two hundred routes anew with its first request."""
    known: dict[tuple[int, str, bool], tuple[object, Any]] = {}

    def found(*, original_route: Any, include_context: Any) -> Any:
        application = include_context.dependency_overrides_provider
        if application is not None and not hasattr(application.state, "services"):
            # Another application, which may put something else in a dependency's place.
            return make(original_route=original_route, include_context=include_context)
        path = include_context.path_for(original_route)
        key = id(original_route), path, application is None
        if key not in known:
            made = make(original_route=original_route, include_context=include_context)
            known[key] = original_route, made  # the route stays, so that nothing else has its id
        return known[key][1]

    return found


def _loaded_once(load: Callable[[Path], Any]) -> Any:
    """Models are values: copies of a workspace, told by their files' sizes and times, share one."""

    known: dict[tuple[object, ...], Any] = {}

    def found(folder: Path) -> Any:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        marks = tuple((one.name, one.stat().st_size, one.stat().st_mtime_ns) for one in files)
        if marks not in known:
            made = load(folder)
            if len(known) >= MODELS_KEPT:
                known.pop(next(iter(known)))
            known[marks] = made
        return known[marks]

    return found


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

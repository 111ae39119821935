"""Trying a question: exactly the live search and the live interpreter, with all they weighed.

Refuses to record anything: a trial is no conversation.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import numpy as np

from bot.conversations.greeting import LOCAL
from bot.knowledge import LIMIT
from kb.fresh_index import FreshIndex
from kb.fusion import Band, Cuts
from kb.retriever import Retriever, SearchResult
from nlu.errors import InterpreterUnavailable
from nlu.types import Interpreter, Understanding


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a question. ``band_with`` is the band that other cuts would give."""

    text: str
    result: SearchResult
    cuts: Cuts
    understanding: Understanding | None
    other: Cuts
    band_with: Band

    @property
    def is_changed(self) -> bool:
        """Whether the other cuts would make a difference."""
        return self.band_with is not self.result.band


async def try_question(
    index: FreshIndex,
    interpreter: Interpreter,
    text: str,
    *,
    region: str | None,
    now: datetime,
    audience: tuple[str, ...] = (),
    answer_from: float | None = None,
    offer_from: float | None = None,
) -> Trial:
    """Ask; raises IndexMissing before the first build."""
    current = index.current()
    today = now.astimezone(LOCAL).date()
    search = partial(Retriever(index).search, text, limit=LIMIT, today=today)
    result = await asyncio.to_thread(search, region=region, audience=audience)
    cuts = current.fusion.cuts
    other = Cuts(
        cuts.answer if answer_from is None else answer_from,
        cuts.offer if offer_from is None else offer_from,
    )
    try:
        understanding = await interpreter.parse(text)
    except InterpreterUnavailable:
        understanding = None
    band = other.band(np.asarray(result.probabilities))
    return Trial(text, result, cuts, understanding, other, band)

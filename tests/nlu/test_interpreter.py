"""Whatever the primary does, an answer is there in time."""

import asyncio
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from nlu.errors import InterpreterUnavailable
from nlu.interpreter import WAIT_S, FallbackInterpreter, join
from nlu.rasa import RasaInterpreter
from nlu.settings import NluSettings
from nlu.similarity import SimilarityInterpreter
from nlu.types import Entity, EntityName, Intent, Understanding
from tests.nlu.samples import (
    ScriptedInterpreter,
    answering,
    fake_rasa,
    rasa_answer,
    sure,
    unavailable,
)

LIMIT_S = 0.3


async def hang(_text: str) -> Understanding:
    await asyncio.sleep(60)
    raise AssertionError


async def ignore_cancellation(text: str) -> Understanding:
    for _ in range(20):
        try:
            await asyncio.sleep(0.1)
        except asyncio.CancelledError:
            continue
    return sure(text)


async def crash(_text: str) -> Understanding:
    raise ZeroDivisionError("你好")


async def cancel_itself(_text: str) -> Understanding:
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    "behaviour", [unavailable, hang, ignore_cancellation, crash, cancel_itself]
)
async def test_an_answer_is_there_in_time(behaviour, small: SimilarityInterpreter) -> None:
    both = FallbackInterpreter(ScriptedInterpreter("rasa", behaviour), small)
    started = time.monotonic()
    answer = await both.parse("你好")
    assert time.monotonic() - started < LIMIT_S
    assert (answer.intent, answer.interpreter) == (Intent.GREET, "similarity")
    assert both.answered == {"similarity": 1}
    assert sum(both.reasons.values()) == 1


def test_the_wait_leaves_room_below_the_limit() -> None:
    assert WAIT_S <= LIMIT_S - 0.05


async def test_a_healthy_primary_takes_part(small: SimilarityInterpreter) -> None:
    async def behave(text: str) -> Understanding:
        return sure(text, Intent.THANKS, name="rasa")

    both = FallbackInterpreter(ScriptedInterpreter("rasa", behave), small)
    answer = await both.parse("喔嚯")
    assert (answer.intent, answer.interpreter) == (Intent.THANKS, "rasa+similarity")
    assert both.answered == {"rasa+similarity": 1}
    assert both.reasons == {}


@pytest.mark.parametrize(("ask_below", "asked"), [(0.0, 0), (0.5, 0), (0.999, 1), (1.0, 1)])
async def test_the_primary_is_asked_where_the_fallback_doubts(ask_below: float, asked: int) -> None:
    async def half_sure(text: str) -> Understanding:
        ranking = ((Intent.GREET, 0.9), (Intent.THANKS, 0.1))
        return Understanding(text, Intent.GREET, 0.9, ranking, (), "quick")

    async def behave(text: str) -> Understanding:
        return sure(text, Intent.THANKS, name="rasa")

    primary = ScriptedInterpreter("rasa", behave)
    quick = ScriptedInterpreter("quick", half_sure)
    answer = await FallbackInterpreter(primary, quick, ask_below=ask_below).parse("喔嚯")
    assert answer.interpreter == ("rasa+quick" if asked else "quick")
    assert answer.intent is (Intent.THANKS if asked else Intent.GREET)


async def test_a_fallback_without_any_opinion_asks(small: SimilarityInterpreter) -> None:
    async def behave(text: str) -> Understanding:
        return sure(text, Intent.THANKS, name="rasa")

    both = FallbackInterpreter(ScriptedInterpreter("rasa", behave), small, ask_below=0.5)
    assert (await both.parse(" \n")).interpreter == "rasa+similarity"


async def test_no_message_text_reaches_the_log(small: SimilarityInterpreter) -> None:
    both = FallbackInterpreter(ScriptedInterpreter("rasa", crash), small)
    with capture_logs() as logs:
        await both.parse("你好")
    assert [entry["event"] for entry in logs] == ["nlu.primary_broken"]
    assert "你好" not in repr(logs)


async def test_without_a_primary_it_starts_and_answers(small: SimilarityInterpreter) -> None:
    both = FallbackInterpreter(None, small)
    assert (await both.parse("谢谢")).intent is Intent.THANKS
    assert both.name == "similarity"


async def test_being_cancelled_cancels_the_primary(small: SimilarityInterpreter) -> None:
    cancelled = asyncio.Event()

    async def behave(_text: str) -> Understanding:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        raise AssertionError

    both = FallbackInterpreter(ScriptedInterpreter("rasa", behave), small, wait_s=30)
    asked = asyncio.create_task(both.parse("你好"))
    await asyncio.sleep(0.01)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await asyncio.wait_for(cancelled.wait(), 1)


async def test_closing_closes_both() -> None:
    first, second = (ScriptedInterpreter(name, unavailable) for name in ("a", "b"))
    await FallbackInterpreter(first, second).close()
    assert (first.closed, second.closed) == (1, 1)


async def test_a_fallback_that_is_down_is_told_apart() -> None:
    dead = ScriptedInterpreter("dead", unavailable)
    with pytest.raises(InterpreterUnavailable):
        await FallbackInterpreter(None, dead).parse("你好")


async def test_nobody_notices_a_server_dying_in_the_middle(small: SimilarityInterpreter) -> None:
    async with fake_rasa(answering(rasa_answer())) as url:
        rasa = RasaInterpreter(NluSettings(rasa_url=url), small.extractor)
        both = FallbackInterpreter(rasa, small)
        before = await both.parse("你好")
    slowest = 0.0
    for _ in range(12):
        started = time.monotonic()
        after = await both.parse("你好")
        slowest = max(slowest, time.monotonic() - started)
        assert after.intent is before.intent is Intent.GREET
    assert slowest < LIMIT_S
    assert "rasa" in before.interpreter
    assert after.interpreter == "similarity"
    await both.close()


shares = st.lists(st.floats(0, 1), min_size=2, max_size=6)


def ranked(text: str, raw: list[float], *, name: str) -> Understanding:
    total = sum(raw) or 1.0
    pairs = sorted(
        zip(Intent, (share / total for share in raw), strict=False), key=lambda pair: -pair[1]
    )
    return Understanding(text, pairs[0][0], pairs[0][1], tuple(pairs), (), name)


@given(shares, shares)
def test_joined_opinions_are_a_ranking(first: list[float], second: list[float]) -> None:
    joined = join(ranked("x", first, name="a"), ranked("x", second, name="b"))
    values = [share for _, share in joined.ranking]
    assert values == sorted(values, reverse=True)
    assert joined.ranking[0] == (joined.intent, joined.confidence)
    assert joined.interpreter == "a+b"
    if any(second):
        assert math.isclose(sum(values), 1.0)


@given(shares)
def test_agreement_is_kept(raw: list[float]) -> None:
    one = ranked("x", raw, name="a")
    best = max(share for _, share in one.ranking)
    clear = [share for _, share in one.ranking if share > best - 1e-6]
    if len(clear) == 1 and best > 1e-3:
        assert join(one, one).intent is one.intent


def test_the_primary_brings_the_entities() -> None:
    entity = Entity(EntityName.UNIT, "市民政局", 0, 4)
    first = Understanding("市民政局", Intent.GREET, 1.0, ((Intent.GREET, 1.0),), (entity,), "a")
    assert join(first, sure("市民政局")).entities == (entity,)

"""What every interpreter must do, whoever it is; the stand-in of the tests included."""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nlu.errors import InterpreterUnavailable
from nlu.interpreter import FallbackInterpreter
from nlu.rasa import RasaInterpreter
from nlu.settings import NluSettings
from nlu.similarity import SimilarityInterpreter
from nlu.types import EntityName, Intent, Interpreter, Understanding
from tests.nlu.samples import (
    ScriptedInterpreter,
    answering,
    fake_rasa,
    rasa_answer,
    sure,
    unavailable,
)

HOSTILE = (
    "",
    "   \n\t",
    "\x00\x01\x02",
    "\ud83d",
    "😀🎉",
    "啊" * 10_000,
    "'; drop table tickets; --",
    '{"text": "x"}',
    "\u202eesrever",
    "支付申请\x00打不开",
    "ＣＷ２０２６１１２１－０００７",
)


def check(text: str, answer: Understanding) -> None:
    """The understanding keeps the contract of :class:`nlu.types.Interpreter`."""
    assert answer.text == text
    assert isinstance(answer.intent, Intent)
    assert answer.ranking[0] == (answer.intent, answer.confidence)
    shares = [share for _, share in answer.ranking]
    assert shares == sorted(shares, reverse=True)
    assert all(0.0 <= share <= 1.0 for share in shares)
    assert len({intent for intent, _ in answer.ranking}) == len(answer.ranking)
    end = 0
    for entity in answer.entities:
        assert isinstance(entity.name, EntityName)
        assert end <= entity.start < entity.end <= len(text)
        end = entity.end
        assert entity.value
    assert answer.interpreter


class InterpreterContract(ABC):
    """Subclasses give the interpreter."""

    @pytest.fixture
    @abstractmethod
    def interpreter(self) -> Interpreter: ...

    @pytest.mark.parametrize("text", HOSTILE)
    async def test_any_text_is_answered_or_refused_politely(
        self, interpreter: Interpreter, text: str
    ) -> None:
        with contextlib.suppress(InterpreterUnavailable):
            check(text, await interpreter.parse(text))

    @given(text=st.text(max_size=200))
    @settings(
        max_examples=25,
        deadline=None,
        # One suite for several interpreters is the point; the interpreters keep no state.
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,
        ],
    )
    async def test_any_unicode(self, interpreter: Interpreter, text: str) -> None:
        with contextlib.suppress(InterpreterUnavailable):
            check(text, await interpreter.parse(text))

    async def test_the_same_text_is_understood_the_same(self, interpreter: Interpreter) -> None:
        text = "支付申请 CW20261121-0007 打不开"
        assert await interpreter.parse(text) == await interpreter.parse(text)

    async def test_nothing_said_has_no_confidence(self, interpreter: Interpreter) -> None:
        answer = await interpreter.parse(" \n")
        assert (answer.intent, answer.confidence) == (Intent.OUT_OF_SCOPE, 0.0)
        assert answer.entities == ()

    async def test_closing_twice_is_harmless(self, interpreter: Interpreter) -> None:
        await interpreter.close()
        await interpreter.close()

    async def test_it_says_who_it_is(self, interpreter: Interpreter) -> None:
        assert interpreter.name


class TestSimilarity(InterpreterContract):
    @pytest.fixture
    def interpreter(self, small: SimilarityInterpreter) -> Interpreter:
        return small


class TestRasa(InterpreterContract):
    @pytest.fixture
    async def interpreter(self, small: SimilarityInterpreter) -> AsyncIterator[Interpreter]:
        async with fake_rasa(answering(rasa_answer())) as url:
            chosen = NluSettings(rasa_url=url, deadline_s=5)
            interpreter = RasaInterpreter(chosen, small.extractor)
            yield interpreter
            await interpreter.close()


class TestFallbackBeforeRasa(InterpreterContract):
    @pytest.fixture
    async def interpreter(self, small: SimilarityInterpreter) -> AsyncIterator[Interpreter]:
        async with fake_rasa(answering(rasa_answer())) as url:
            rasa = RasaInterpreter(NluSettings(rasa_url=url, deadline_s=5), small.extractor)
            interpreter = FallbackInterpreter(rasa, small, wait_s=5)
            yield interpreter
            await interpreter.close()


class TestFallbackAlone(InterpreterContract):
    @pytest.fixture
    def interpreter(self, small: SimilarityInterpreter) -> Interpreter:
        return FallbackInterpreter(None, small)


class TestFallbackBeforeTheDead(InterpreterContract):
    @pytest.fixture
    def interpreter(self, small: SimilarityInterpreter) -> Interpreter:
        return FallbackInterpreter(ScriptedInterpreter("dead", unavailable), small)


class TestStandIn(InterpreterContract):
    @pytest.fixture
    def interpreter(self) -> Interpreter:
        async def behave(text: str) -> Understanding:
            if not text.strip():
                ranking = ((Intent.OUT_OF_SCOPE, 0.0),)
                return Understanding(text, Intent.OUT_OF_SCOPE, 0.0, ranking, (), "scripted")
            return sure(text)

        return ScriptedInterpreter("scripted", behave)

"""The Rasa interpreter against servers that misbehave in every way."""

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from nlu.entities import EntityExtractor
from nlu.errors import InterpreterUnavailable, UnavailableReason
from nlu.rasa import MAX_ANSWER_BYTES, RasaInterpreter
from nlu.settings import NluSettings
from nlu.types import MAX_TEXT_CHARS, Entity, EntityName, Intent
from tests.nlu.samples import Handler, answering, fake_rasa, http_response, rasa_answer


@asynccontextmanager
async def asking(handler: Handler, **over: object) -> AsyncIterator[RasaInterpreter]:
    """An interpreter that asks a server with this behaviour."""
    async with fake_rasa(handler) as url:
        chosen = NluSettings.model_validate({"rasa_url": url, "deadline_s": 2, **over})
        interpreter = RasaInterpreter(chosen, EntityExtractor())
        try:
            yield interpreter
        finally:
            await interpreter.close()


async def refused(interpreter: RasaInterpreter, text: str = "你好") -> UnavailableReason:
    with pytest.raises(InterpreterUnavailable) as caught:
        await interpreter.parse(text)
    return caught.value.reason


def raw(body: bytes, **response: object) -> Handler:
    async def respond(_request: bytes) -> bytes:
        return http_response(body, **response)  # type: ignore[arg-type]  # status, headers

    return respond


async def test_an_answer_is_read_whole() -> None:
    found = {"entity": "module", "value": "国库集中支付", "start": 0, "end": 2, "extractor": "x"}
    found["confidence_entity"] = 0.8
    answer = rasa_answer("report_fault", entities=[found], text_tokens=[[0, 2]])
    async with asking(answering(answer)) as rasa:
        understood = await rasa.parse("支付打不开")
    assert understood.intent is Intent.REPORT_FAULT
    assert understood.ranking == ((Intent.REPORT_FAULT, 0.9), (Intent.THANKS, 0.1))
    assert understood.entities == (Entity(EntityName.MODULE, "国库集中支付", 0, 2, 0.8),)
    assert understood.interpreter == "rasa"


async def test_certain_entities_win_over_learned_ones() -> None:
    wrong = {"entity": "document_number", "value": "20261121", "start": 2, "end": 10}
    async with asking(answering(rasa_answer(entities=[wrong]))) as rasa:
        understood = await rasa.parse("CW20261121-0007")
    assert [(e.name, e.value) for e in understood.entities] == [
        (EntityName.TICKET_NUMBER, "CW20261121-0007")
    ]


async def test_only_the_folded_cut_text_is_sent() -> None:
    sent: list[dict[str, str]] = []

    async def remember(request: bytes) -> bytes:
        sent.append(json.loads(request))
        return http_response(json.dumps(rasa_answer()).encode())

    async with asking(remember) as rasa:
        await rasa.parse("ＵＫＥＹ點解\ud83d" + "啊" * 10_000)
    assert len(sent[0]["text"]) == MAX_TEXT_CHARS
    assert sent[0]["text"].startswith("ukey点解 啊")


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (raw(b"not json"), UnavailableReason.MALFORMED),
        (raw(b""), UnavailableReason.MALFORMED),
        (raw(b"[]"), UnavailableReason.MALFORMED),
        (raw(b'{"intent": "greet"}'), UnavailableReason.MALFORMED),
        (raw(b'{"intent": {"name": "greet", "confidence": NaN}}'), UnavailableReason.MALFORMED),
        (raw(b'{"intent": {"name": "greet", "confidence": 7}}'), UnavailableReason.MALFORMED),
        (raw(b"[" * 100_000), UnavailableReason.MALFORMED),
        (answering(rasa_answer("book_flight")), UnavailableReason.FOREIGN),
        (answering({"intent": {"name": None, "confidence": 0.0}}), UnavailableReason.FOREIGN),
        (raw(b" " * (MAX_ANSWER_BYTES + 1)), UnavailableReason.OVERSIZED),
        (raw(b"{}", status=500), UnavailableReason.STATUS),
        (raw(b"{}", status=409), UnavailableReason.STATUS),
        (raw(b"", status=302, headers="Location: /elsewhere\r\n"), UnavailableReason.STATUS),
        (
            raw(gzip.compress(b"{}"), headers="Content-Encoding: gzip\r\n"),
            UnavailableReason.MALFORMED,
        ),
    ],
)
async def test_a_bad_answer_is_no_answer(handler: Handler, reason: UnavailableReason) -> None:
    async with asking(handler) as rasa:
        assert await refused(rasa) is reason


@pytest.mark.parametrize("garbage", [b"\x00\xff garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
async def test_a_server_that_speaks_no_http(garbage: bytes) -> None:
    async def respond(_request: bytes) -> bytes:
        return garbage

    async with asking(respond, deadline_s=0.3) as rasa:
        assert await refused(rasa) in {UnavailableReason.CONNECTION, UnavailableReason.DEADLINE}


async def test_entities_outside_the_text_or_not_ours_are_left_out() -> None:
    found = [
        {"entity": "module", "value": "x", "start": 5, "end": 900},
        {"entity": "module", "value": "x", "start": 2, "end": 2},
        {"entity": "city", "value": "x", "start": 0, "end": 1},
    ]
    async with asking(answering(rasa_answer(entities=found))) as rasa:
        assert (await rasa.parse("支付打不开")).entities == ()


async def test_a_slow_server_is_left_at_the_deadline() -> None:
    async def dawdle(_request: bytes) -> bytes:
        await asyncio.sleep(5)
        return b""

    async with asking(dawdle, deadline_s=0.1) as rasa:
        started = time.monotonic()
        assert await refused(rasa) is UnavailableReason.DEADLINE
        assert time.monotonic() - started < 0.3


async def test_a_trickling_server_is_left_at_the_deadline_too() -> None:
    async def trickle(_request: bytes) -> bytes:
        return b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"

    async with asking(trickle, deadline_s=0.1) as rasa:
        assert await refused(rasa) is UnavailableReason.DEADLINE


async def test_nobody_listens() -> None:
    chosen = NluSettings(rasa_url="http://127.0.0.1:9", deadline_s=1)
    rasa = RasaInterpreter(chosen, EntityExtractor())
    assert await refused(rasa) is UnavailableReason.CONNECTION
    await rasa.close()


async def test_after_closing_it_is_unavailable() -> None:
    async with asking(answering(rasa_answer())) as rasa:
        await rasa.close()
        assert await refused(rasa) is UnavailableReason.CLOSED


async def test_the_breaker_spares_a_dead_server_and_finds_it_again() -> None:
    calls = 0
    healthy = False
    now = 100.0

    async def respond(_request: bytes) -> bytes:
        nonlocal calls
        calls += 1
        return http_response(json.dumps(rasa_answer()).encode(), status=200 if healthy else 500)

    async with fake_rasa(respond) as url:
        chosen = NluSettings(rasa_url=url, deadline_s=2, breaker_failures=2, breaker_open_s=10)
        rasa = RasaInterpreter(chosen, EntityExtractor(), clock=lambda: now)
        reasons = [await refused(rasa) for _ in range(4)]
        assert reasons == [UnavailableReason.STATUS] * 2 + [UnavailableReason.BREAKER_OPEN] * 2
        assert calls == 2
        now, healthy = 111.0, True
        assert (await rasa.parse("你好")).intent is Intent.GREET
        assert calls == 3
        await rasa.close()


async def test_the_token_is_sent() -> None:
    heads: list[bytes] = []
    async with fake_rasa(answering(rasa_answer()), heads) as url:
        chosen = NluSettings(rasa_url=url, deadline_s=2, rasa_token="s3cret")
        rasa = RasaInterpreter(chosen, EntityExtractor())
        await rasa.parse("你好")
        await rasa.close()
    assert heads[0].startswith(b"POST /model/parse?token=s3cret HTTP/1.1\r\n")
    assert "s3cret" not in repr(chosen)


async def test_many_callers_share_the_pool() -> None:
    async with asking(answering(rasa_answer()), max_connections=4) as rasa:
        answers = await asyncio.gather(*(rasa.parse(f"你好{n}") for n in range(50)))
    assert [answer.text for answer in answers] == [f"你好{n}" for n in range(50)]

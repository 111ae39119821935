"""The Rasa server as an interpreter: one HTTP call with a deadline behind a circuit breaker.

The only place that talks to Rasa. Trusts nothing that comes back: an answer that is late, too
big, malformed, or speaks of intents that are not ours makes this interpreter unavailable.
Refuses to fall back by itself; :mod:`nlu.interpreter` does that.
"""

import asyncio
import time
from collections.abc import Callable
from http import HTTPStatus

import aiohttp
import structlog
from pydantic import BaseModel, Field, ValidationError

from nlu.breaker import CircuitBreaker, Limits, State
from nlu.entities import EntityExtractor, merge
from nlu.errors import InterpreterUnavailable, UnavailableReason
from nlu.settings import NluSettings
from nlu.text import Folding, readable
from nlu.types import Entity, EntityName, Intent, Understanding, nothing_said

#: A parse of the longest text is well under this; more is not an answer of a Rasa server.
MAX_ANSWER_BYTES = 512 * 1024

_log = structlog.get_logger(__name__)


class _Ranked(BaseModel):
    name: str | None
    confidence: float = Field(default=0.0, ge=-0.01, le=1.01, allow_inf_nan=False)


class _Found(BaseModel):
    entity: str
    value: str
    start: int = Field(ge=0)
    end: int
    confidence_entity: float = Field(default=1.0, ge=-0.01, le=1.01, allow_inf_nan=False)


class _Answer(BaseModel):
    """What of Rasa's answer to ``POST /model/parse`` is used."""

    intent: _Ranked
    intent_ranking: list[_Ranked] = Field(default_factory=list, max_length=500)
    entities: list[_Found] = Field(default_factory=list, max_length=1_000)


class RasaInterpreter:
    """Understands by asking a Rasa server; raises :class:`InterpreterUnavailable` otherwise."""

    def __init__(
        self,
        settings: NluSettings,
        extractor: EntityExtractor,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._deadline_s = settings.deadline_s
        self._extractor = extractor
        self._folding = Folding()
        self._breaker = CircuitBreaker(_limits(settings), clock)
        self._closed = False
        self._settings = settings
        self._url = f"{settings.rasa_url.rstrip('/')}/model/parse"
        self._params = {"token": settings.rasa_token} if settings.rasa_token else {}
        #: Opened by the first message: a session belongs to the loop it was made in.
        self._client: aiohttp.ClientSession | None = None

    @property
    def name(self) -> str:
        """Always ``rasa``."""
        return "rasa"

    @property
    def breaker_state(self) -> State:
        """Whether Rasa is being asked, left alone, or probed; for operators."""
        return self._breaker.state

    async def parse(self, text: str) -> Understanding:
        """Understand one message within the deadline.

        Raises InterpreterUnavailable when the breaker is open, the deadline passes, the
        connection fails, or the answer is not a usable one.
        """
        if self._closed:
            raise InterpreterUnavailable(UnavailableReason.CLOSED)
        if not readable(text).strip():
            return nothing_said(text, self.name)
        permit = self._breaker.ask()
        if permit is None:
            raise InterpreterUnavailable(UnavailableReason.BREAKER_OPEN)
        before = self._breaker.state
        try:
            understanding = await self._parse(text)
        except InterpreterUnavailable as unavailable:
            self._breaker.settle(permit, ok=False)
            _note_change(before, self._breaker.state, unavailable.reason)
            raise
        self._breaker.settle(permit, ok=True)
        _note_change(before, self._breaker.state, None)
        return understanding

    async def close(self) -> None:
        """Close every pooled connection."""
        self._closed = True
        if self._client is not None:
            await self._client.close()

    async def _parse(self, text: str) -> Understanding:
        try:
            async with asyncio.timeout(self._deadline_s):
                body = await self._post(self._folding.fold(text))
        except TimeoutError as late:
            raise InterpreterUnavailable(UnavailableReason.DEADLINE, type(late).__name__) from late
        except (aiohttp.ClientError, OSError, RuntimeError, ValueError) as failed:
            # ValueError: a malformed address or answer head.
            # RuntimeError: closed while this call was waiting for a connection.
            detail = type(failed).__name__
            raise InterpreterUnavailable(UnavailableReason.CONNECTION, detail) from failed
        return self._understand(text, _read_answer(body))

    async def _post(self, text: str) -> bytes:
        asking = self._session().post(
            self._url, params=self._params, json={"text": text}, allow_redirects=False
        )
        async with asking as response:
            if response.status != HTTPStatus.OK:
                raise InterpreterUnavailable(UnavailableReason.STATUS, str(response.status))
            if response.headers.get("content-encoding", "identity") != "identity":
                # We asked for none; unpacking could grow without bound.
                raise InterpreterUnavailable(UnavailableReason.MALFORMED, "content-encoding")
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    raise InterpreterUnavailable(UnavailableReason.OVERSIZED)
            return bytes(body)

    def _session(self) -> aiohttp.ClientSession:
        if self._client is None:
            self._client = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._settings.max_connections, keepalive_timeout=60
                ),
                headers={"Accept-Encoding": "identity"},
                timeout=aiohttp.ClientTimeout(total=self._deadline_s),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                # A proxy from the environment has no business between two local processes.
                trust_env=False,
            )
        return self._client

    def _understand(self, text: str, answer: _Answer) -> Understanding:
        ranking = _ranking(answer)
        intent, confidence = ranking[0]
        learned = _entities(answer, len(readable(text)))
        entities = merge(self._extractor.extract(text), learned)
        return Understanding(text, intent, confidence, ranking, entities, self.name)


def _limits(settings: NluSettings) -> Limits:
    return Limits(
        failures=settings.breaker_failures,
        open_s=settings.breaker_open_s,
        max_open_s=settings.breaker_max_open_s,
        probe_s=settings.deadline_s * 4,
    )


def _read_answer(body: bytes) -> _Answer:
    try:
        return _Answer.model_validate_json(body, strict=True)
    except ValidationError as invalid:
        detail = str(invalid.errors(include_input=False, include_url=False)[0]["type"])
        raise InterpreterUnavailable(UnavailableReason.MALFORMED, detail) from invalid


def _ranking(answer: _Answer) -> tuple[tuple[Intent, float], ...]:
    """The ranking in our intents, best first, starting with the answer's own choice."""
    scores: dict[Intent, float] = {}
    for ranked in (answer.intent, *answer.intent_ranking):
        if ranked.name is None:
            raise InterpreterUnavailable(UnavailableReason.FOREIGN, "no intent")
        try:
            intent = Intent(ranked.name)
        except ValueError as foreign:
            raise InterpreterUnavailable(UnavailableReason.FOREIGN, "unknown intent") from foreign
        scores.setdefault(intent, min(1.0, max(0.0, ranked.confidence)))
    first, *rest = scores.items()
    return (first, *sorted(rest, key=lambda scored: -scored[1]))


def _entities(answer: _Answer, length: int) -> tuple[Entity, ...]:
    """The entities of ours whose offsets lie in the text; others are left out."""
    names = {str(name) for name in EntityName}
    return tuple(
        Entity(
            EntityName(found.entity),
            found.value,
            found.start,
            found.end,
            min(1.0, max(0.0, found.confidence_entity)),
        )
        for found in answer.entities
        if found.entity in names and found.start < found.end <= length
    )


def _note_change(before: object, after: object, reason: UnavailableReason | None) -> None:
    if type(before) is not type(after):
        _log.warning("rasa.breaker", state=type(after).__name__.lower(), reason=reason)

"""Two interpreters as one that always answers in time.

The fallback is asked first and at once, since it costs a millisecond. Where it is sure its answer
stands: the primary costs twenty times as much and corrects none of these (measured in
``docs/adr/0005-nlu-pipeline.md``). Otherwise its answer is kept while the primary is given until
its deadline, so nothing the primary does - slow, down, garbage, a bug - can delay an answer further
than ``wait_s`` or lose it. When both have answered their opinions on the intent are joined: on
doubtful messages they err differently.
Refuses to know what the two are.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Mapping

import structlog

from nlu.errors import InterpreterUnavailable, UnavailableReason
from nlu.types import Intent, Interpreter, Understanding

#: Longest wait for the primary, seconds: a message is understood within 300 ms, the fallback's
#: answer and a busy machine's delays included.
WAIT_S = 0.25

#: How much the primary's opinion counts when both have one; tried from 0.2 to 0.8.
PRIMARY_SHARE = 0.6
#: No opinion is surer than this against anything: a single wrong certainty must not decide.
_LEAST = 1e-4

_log = structlog.get_logger(__name__)


class FallbackInterpreter:
    """Answers with both understandings joined when the primary's comes in time, else with one."""

    def __init__(
        self,
        primary: Interpreter | None,
        fallback: Interpreter,
        *,
        wait_s: float = WAIT_S,
        ask_below: float = 1.0,
    ) -> None:
        """``ask_below``: the fallback's confidence under which the primary is asked; 1: always."""
        self._primary = primary
        self._ask_below = ask_below
        self._fallback = fallback
        self._wait_s = wait_s
        self._answered: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()

    @property
    def name(self) -> str:
        """Both names; an understanding itself says which of them took part."""
        primary = f"{self._primary.name}+" if self._primary else ""
        return f"{primary}{self._fallback.name}"

    @property
    def answered(self) -> Mapping[str, int]:
        """How many messages each interpreter answered so far."""
        return dict(self._answered)

    @property
    def reasons(self) -> Mapping[str, int]:
        """How often the primary gave no answer, by reason."""
        return dict(self._reasons)

    async def parse(self, text: str) -> Understanding:
        """Understand one message within ``wait_s``. Raises only what the fallback raises."""
        ready = await self._fallback.parse(text)
        asked = None if self._is_sure(ready) else await self._ask_primary(text)
        understanding = join(asked, ready) if asked else ready
        self._answered[understanding.interpreter] += 1
        return understanding

    async def close(self) -> None:
        """Close both."""
        if self._primary:
            await self._primary.close()
        await self._fallback.close()

    def _is_sure(self, ready: Understanding) -> bool:
        return self._ask_below < 1 and ready.confidence >= self._ask_below

    async def _ask_primary(self, text: str) -> Understanding | None:
        """The primary's answer, or None. A late one is not trusted to notice its cancellation."""
        if self._primary is None:
            return None
        started = time.monotonic()
        asked = asyncio.ensure_future(self._primary.parse(text))
        try:
            await asyncio.wait((asked,), timeout=self._wait_s)
        finally:
            asked.add_done_callback(_forget)
            in_time = asked.done()
            asked.cancel()
        if not in_time:
            self._note(UnavailableReason.DEADLINE, started)
            return None
        return self._settled(asked, started)

    def _settled(
        self, asked: asyncio.Future[Understanding], started: float
    ) -> Understanding | None:
        try:
            return asked.result()
        except InterpreterUnavailable as unavailable:
            self._note(unavailable.reason, started)
            return None
        except (Exception, asyncio.CancelledError) as broken:
            # A primary's bug must not cost the user an answer. Its text stays out of the log:
            # it might quote the message.
            _log.error("nlu.primary_broken", error=type(broken).__name__)
            self._reasons["broken"] += 1
            return None

    def _note(self, reason: UnavailableReason, started: float) -> None:
        self._reasons[reason] += 1
        if reason is not UnavailableReason.BREAKER_OPEN:
            waited_ms = round((time.monotonic() - started) * 1_000)
            _log.warning("nlu.primary_unavailable", reason=str(reason), waited_ms=waited_ms)


def join(primary: Understanding, fallback: Understanding) -> Understanding:
    """One understanding of two of the same text: intents pooled, entities the primary's.

    The pool is logarithmic: an intent needs both opinions to be likely.
    """
    first, second = dict(primary.ranking), dict(fallback.ranking)
    pooled = {
        intent: PRIMARY_SHARE * _log_share(first, intent)
        + (1 - PRIMARY_SHARE) * _log_share(second, intent)
        for intent in dict.fromkeys((*first, *second))
    }
    total = sum(math.exp(score) for score in pooled.values())
    ranking = sorted(
        ((intent, math.exp(score) / total) for intent, score in pooled.items()),
        key=lambda scored: -scored[1],
    )
    if not any(second.values()):
        # The fallback found nothing to read and has no opinion to pool.
        ranking = list(primary.ranking)
    intent, confidence = ranking[0]
    name = f"{primary.interpreter}+{fallback.interpreter}"
    return Understanding(primary.text, intent, confidence, tuple(ranking), primary.entities, name)


def _log_share(ranking: Mapping[Intent, float], intent: Intent) -> float:
    return math.log(max(ranking.get(intent, 0.0), _LEAST))


def _forget(asked: asyncio.Future[Understanding]) -> None:
    """Take the outcome of an abandoned call, so that it is not reported as lost."""
    if not asked.cancelled():
        asked.exception()

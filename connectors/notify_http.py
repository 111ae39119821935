"""One POST to an address that an administrator typed, and what its outcome means.

Refuses to let an answer out that is longer than any answer should be, and to name the address in
an exception: for some peers it is the credential.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from connectors.base import Held, PermanentError, TransientError
from connectors.notify_base import Misconfigured, Unsure
from connectors.ssrf import AddressRefused

#: Answers are short acknowledgements; more is not read.
MAX_ANSWER_BYTES = 64 * 1024
_REST_S, _LONGEST_REST_S = 60.0, 3_600.0
#: Statuses that say "you" or "this address", not "this notice".
_OURS = frozenset({401, 403, 404, 405, 407, 410, 421, 451})
#: Nothing has reached the other side yet.
_BEFORE = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back with a 2xx status."""

    status: int
    body: bytes

    def fields(self) -> Mapping[str, Any]:
        """The body as a JSON object. Raises :class:`TransientError` when it is none."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise TransientError("the answer is no JSON object")
        return found


async def post(
    client: httpx.AsyncClient,
    address: str,
    content: bytes,
    headers: Mapping[str, str],
    *,
    method: str = "POST",
) -> Answer:
    """Send and read a 2xx answer; everything else is raised by what can help.

    Raises :class:`TransientError`, :class:`Held`, :class:`Unsure`, :class:`Misconfigured` or
    :class:`PermanentError`.
    """
    try:
        asked = {**headers, "Accept-Encoding": "identity"}
        async with client.stream(method, address, content=content, headers=asked) as answer:
            body = b""
            # As it comes: unpacking would let a small answer become a large one.
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    break
            _judge(answer)
            return Answer(answer.status_code, body[:MAX_ANSWER_BYTES])
    except AddressRefused as refused:
        raise Misconfigured(f"address {refused}") from None
    except httpx.InvalidURL:
        raise Misconfigured("address form") from None
    except _BEFORE as error:
        raise TransientError(type(error).__name__) from None
    except httpx.HTTPError as error:
        raise Unsure(type(error).__name__) from None


def _judge(answer: httpx.Response) -> None:
    status = answer.status_code
    if answer.is_success:
        return
    if answer.is_redirect or status in _OURS:
        raise Misconfigured(f"HTTP {status}")
    if status in (408, 425, 429):
        raise Held(f"HTTP {status}", _rest(answer.headers.get("retry-after", "")))
    if answer.is_client_error:
        raise PermanentError(f"HTTP {status}")
    raise TransientError(f"HTTP {status}")


def _rest(retry_after: str) -> float:
    seconds = int(retry_after) if retry_after.isascii() and retry_after.isdecimal() else _REST_S
    return min(max(float(seconds), 1.0), _LONGEST_REST_S)


def as_json(body: Mapping[str, Any]) -> bytes:
    """The body as compact JSON in UTF-8."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


JSON_HEADERS = {"Content-Type": "application/json; charset=utf-8"}

"""What holds for every request: size limit, security headers, one log line without queries."""

import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("bot.web")

#: Pages load nothing from outside and run no inline code.
PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class BodyTooLarge(Exception):
    """The request's body went over the limit."""


@dataclass(frozen=True, slots=True)
class Larger:
    """Paths whose bodies may be larger, and what is answered beyond that."""

    paths: re.Pattern[str]
    limit: int
    refusal: bytes
    status: int = 413


class Guard:
    """Refuses bodies beyond a limit, sets security headers, logs method, path, status and time.

    ``larger`` are the paths with a limit of their own, ``families`` whole families of such paths.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_body_bytes: int,
        refusal: bytes,
        larger: Mapping[str, int] | None = None,
        families: Sequence[Larger] = (),
    ) -> None:
        self._app = app
        self._usual = Larger(re.compile(".*"), max_body_bytes, refusal)
        self._larger = dict(larger or {})
        self._families = tuple(families)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _secure(MutableHeaders(scope=message))
            await send(message)

        bounds = self._bounds(scope["path"])
        try:
            if _declared(scope) > bounds.limit:
                raise BodyTooLarge
            await self._app(scope, _limited(receive, bounds.limit), send_with_headers)
        except BodyTooLarge:
            # Told in advance, or found out while the body came in pieces.
            if status == 0:
                await _refuse(send_with_headers, bounds)
        log.debug(
            "request",
            method=scope["method"],
            path=scope["path"],
            status=status,
            ms=round((time.perf_counter() - started) * 1000, 1),
        )

    def _bounds(self, path: str) -> Larger:
        found = next((one for one in self._families if one.paths.fullmatch(path)), self._usual)
        return replace(found, limit=self._larger.get(path, found.limit))


def _secure(headers: MutableHeaders) -> None:
    for name, value in _ALWAYS.items():
        headers.setdefault(name, value)
    if headers.get("content-type", "").startswith("text/html"):
        headers.setdefault("Content-Security-Policy", PAGE_POLICY)


def _declared(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "0")
    return int(length) if length.isdecimal() else 0


def _limited(receive: Receive, limit: int) -> Callable[[], Awaitable[Message]]:
    taken = 0

    async def receive_counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise BodyTooLarge
        return message

    return receive_counted


async def _refuse(send: Send, bounds: Larger) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": bounds.status,
            "headers": [(b"content-type", b"application/problem+json")],
        }
    )
    await send({"type": "http.response.body", "body": bounds.refusal})

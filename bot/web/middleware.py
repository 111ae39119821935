"""What holds for every request: size limit, security headers, one log line without queries."""

import time
from collections.abc import Awaitable, Callable, Mapping

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


class Guard:
    """Refuses bodies beyond a limit, sets security headers, logs method, path, status and time.

    ``larger`` are the paths with a limit of their own.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_body_bytes: int,
        refusal: bytes,
        larger: Mapping[str, int] | None = None,
    ) -> None:
        self._app = app
        self._refusal = refusal
        self._limit = max_body_bytes
        self._larger = dict(larger or {})

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
                headers = MutableHeaders(scope=message)
                for name, value in _ALWAYS.items():
                    headers.setdefault(name, value)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.setdefault("Content-Security-Policy", PAGE_POLICY)
            await send(message)

        limit = self._larger.get(scope["path"], self._limit)
        if _declared(scope) > limit:
            await _refuse(send_with_headers, self._refusal)
        else:
            await self._app(scope, _limited(receive, limit), send_with_headers)
        log.debug(
            "request",
            method=scope["method"],
            path=scope["path"],
            status=status,
            ms=round((time.perf_counter() - started) * 1000, 1),
        )


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


async def _refuse(send: Send, body: bytes) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": 413,
            "headers": [(b"content-type", b"application/problem+json")],
        }
    )
    await send({"type": "http.response.body", "body": body})

"""Which host pages may frame the widget, and which may call its API from their own scripts.

Every host has a widget key with origins of its own; a page that names no key is held against the
origins that hold for all. A browser's origin is compared whole: no pattern, no ending, never
``*``. Refuses to know who the person is.
"""

import re
from collections.abc import Callable, Sequence
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.settings import WebSettings

#: The only addresses that other origins' scripts may call.
_PATHS = re.compile(r"/api/v1/conversations(?:/.*)?")
_ORIGIN = re.compile(r"(https?)://([A-Za-z0-9.\-\[\]:]+)")
_USUAL_PORTS = {"http": ":80", "https": ":443"}
#: The parameter that names the key; a preflight carries nothing else that could.
KEY = "widget"
_MAX_KEY = 40
_METHODS = "GET, POST"
_HEADERS = "authorization, content-type, last-event-id"
#: How long a browser may remember an answer, in seconds.
_REMEMBER_S = "600"


def exact_origins(given: Sequence[str]) -> tuple[str, ...]:
    """Origins as browsers write them; what is none is left out, not passed on."""
    found = (_ORIGIN.fullmatch(one.strip().rstrip("/").lower()) for one in given)
    return tuple(f"{one[1]}://{one[2].removesuffix(_USUAL_PORTS[one[1]])}" for one in found if one)


def origins_of(web: WebSettings, key: str) -> tuple[str, ...]:
    """The origins of a widget key, those of all without one; none for a key that is unknown."""
    return exact_origins(web.widget_origins.get(key, ()) if key else web.allowed_origins)


class CrossOrigin:
    """Answers preflights, and tells browsers which origin may read an answer."""

    def __init__(self, app: ASGIApp, *, web: Callable[[], WebSettings]) -> None:
        self._app = app
        self._web = web

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not _PATHS.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin", "")
        allowed = bool(origin) and origin in origins_of(self._web(), _key(scope))
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _preflight(send, origin if allowed else "")
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = MutableHeaders(scope=message)
                told.add_vary_header("Origin")
                if allowed:
                    told["Access-Control-Allow-Origin"] = origin
                    told["Access-Control-Expose-Headers"] = "Retry-After"
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _key(scope: Scope) -> str:
    """The key that an address names; one that is too long, or named twice, is nobody's."""
    named = parse_qs(scope.get("query_string", b"").decode("latin-1"), max_num_fields=20).get(KEY)
    if not named:
        return ""
    return named[0] if len(named) == 1 and len(named[0]) <= _MAX_KEY else "?"


async def _preflight(send: Send, origin: str) -> None:
    told = MutableHeaders({"Vary": "Origin", "Content-Length": "0"})
    if origin:
        told["Access-Control-Allow-Origin"] = origin
        told["Access-Control-Allow-Methods"] = _METHODS
        told["Access-Control-Allow-Headers"] = _HEADERS
        told["Access-Control-Max-Age"] = _REMEMBER_S
    status = 200 if origin else 403
    await send({"type": "http.response.start", "status": status, "headers": told.raw})
    await send({"type": "http.response.body", "body": b""})

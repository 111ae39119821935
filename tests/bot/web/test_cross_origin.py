"""Scripts of other origins: those of a widget key may call the conversations' API, nobody else."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from bot.settings import WebSettings
from bot.web.cross_origin import CrossOrigin

CITY, EVERY = "https://city.hecheng.example", "https://portal.hecheng.example"
TALKS = "/api/v1/conversations"


async def answer(request: Request) -> PlainTextResponse:
    return PlainTextResponse("answered", headers={"Vary": "Accept-Encoding"})


@pytest.fixture
def client() -> TestClient:
    web = WebSettings(
        allowed_origins=[EVERY],
        widget_origins={"city": [f"{CITY}:443/", "https://*.example"], "empty": []},
    )
    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])
    return TestClient(CrossOrigin(app, web=lambda: web))


def preflight(client: TestClient, path: str, origin: str) -> tuple[int, str | None]:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    told = client.options(path, headers=asked)
    assert told.headers["vary"] == "Origin"
    return told.status_code, told.headers.get("access-control-allow-origin")


@pytest.mark.parametrize(
    ("key", "origin"), [("?widget=city", CITY), ("", EVERY), ("?widget=", EVERY)]
)
def test_an_origin_may_call_with_its_own_key(client: TestClient, key: str, origin: str) -> None:
    path = f"{TALKS}/c1/messages{key}"
    assert preflight(client, path, origin) == (200, origin)
    told = client.post(path, headers={"Origin": origin})
    assert told.headers["access-control-allow-origin"] == origin
    assert told.headers["vary"] == "Accept-Encoding, Origin"
    assert "access-control-allow-credentials" not in told.headers


@pytest.mark.parametrize(
    ("key", "origin"),
    [
        ("?widget=city", EVERY),
        ("", CITY),
        ("?widget=empty", CITY),
        ("?widget=unknown", EVERY),
        ("?widget=city&widget=city", CITY),
        (f"?widget={'c' * 41}", CITY),
        ("?widget=city", f"{CITY}.evil.example"),
        ("?widget=city", f"{CITY}:8443"),
        ("?widget=city", "http://city.hecheng.example"),
        ("?widget=city", "https://any.example"),
        ("?widget=city", "https://*.example"),
        ("?widget=city", "null"),
        ("?widget=city", ""),
    ],
)
def test_any_other_origin_may_not(client: TestClient, key: str, origin: str) -> None:
    path = f"{TALKS}{key}"
    assert preflight(client, path, origin) == (403, None)
    told = client.get(path, headers={"Origin": origin})
    assert "access-control-allow-origin" not in told.headers
    assert "Origin" in told.headers["vary"]


@pytest.mark.parametrize("path", ["/api/v1/tickets", "/console", "/api/v1/conversationsx", "/"])
def test_nothing_but_conversations_is_for_other_origins(client: TestClient, path: str) -> None:
    told = client.get(path, headers={"Origin": EVERY})
    assert "access-control-allow-origin" not in told.headers


@pytest.mark.parametrize("key", ["", "with space", "k" * 41, "a;b"])
def test_what_is_no_key_is_no_setting(key: str) -> None:
    with pytest.raises(ValueError, match="widget keys"):
        WebSettings(widget_origins={key: [CITY]})

"""What the widget's addresses serve: sizes, policies, caching, and the words in the page."""

import gzip
import json
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from bot import phrases as catalogue
from bot.phrases import Phrases
from bot.settings import Settings, data_dir
from bot.web import widget_pages
from bot.web.rendering import Pages
from bot.web.security import services_of
from bot.web.widget_pages import assets, frame_policy, script_json, widget_phrases

LIMIT_BYTES = 40_000
SCRIPTS = sorted((widget_pages.STATIC / "widget").glob("*.js"))


@pytest.fixture(scope="module")
def words() -> Phrases:
    return catalogue.load(data_dir() / "locales" / "zh-CN.yml")


@pytest.fixture
def settings() -> Settings:
    found = Settings(_env_file=None)  # type: ignore[call-arg]  # pydantic-settings' own argument
    found.web.allowed_origins = ["https://portal.hecheng.example"]
    found.web.widget_origins = {"city": ["https://a.example", "https://b.example:8443/"]}
    return found


def services_with(words: Phrases, settings: Settings) -> SimpleNamespace:
    """What these addresses use of the product."""
    channels = SimpleNamespace(settings=settings)
    return SimpleNamespace(
        phrases=words, settings=settings, channels=channels, pages=Pages.create(words)
    )


@pytest.fixture
def client(words: Phrases, settings: Settings) -> Iterator[TestClient]:
    app = FastAPI()
    services = services_with(words, settings)
    app.dependency_overrides[services_of] = lambda: services
    app.include_router(widget_pages.router)
    with TestClient(app) as opened:
        yield opened


# -- the scripts -------------------------------------------------------------------------------


def test_all_scripts_together_stay_within_forty_kilobytes() -> None:
    assert len(SCRIPTS) > 5
    files = assets("widget").files
    packed = sum(len(gzip.compress(files[path.name], 6)) for path in SCRIPTS)
    assert packed <= LIMIT_BYTES


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.name))
def test_only_comments_are_left_out_of_what_is_served(path: Any) -> None:
    served = set(assets("widget").files[path.name].decode().splitlines())
    dropped = [one.strip() for one in path.read_text("utf-8").splitlines() if one not in served]
    assert dropped
    assert [one for one in dropped if not one.startswith(("//", "/*", "*"))] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.name))
def test_scripts_never_turn_data_into_markup_or_code(path: Any) -> None:
    text = path.read_text(encoding="utf-8")
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
    assert re.findall(forbidden, text) == []
    assert re.findall(r"[?&]token=", text) == [], "tokens never travel in addresses"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.name))
def test_scripts_depend_on_nothing_outside_their_folder(path: Any) -> None:
    text = path.read_text(encoding="utf-8")
    imported = re.findall(r'\bfrom "([^"]+)"|\bimport\("([^"]+)"\)|\bimport "([^"]+)"', text)
    names = {"".join(found) for found in imported}
    assert names <= {f"./{other.name}" for other in SCRIPTS}


def said_keys() -> tuple[set[str], set[str]]:
    """Keys that scripts and the page name, whole ones and beginnings of composed ones."""
    sources = [path.read_text(encoding="utf-8") for path in SCRIPTS if path.name != "loader.js"]
    whole = {key for text in sources for key in re.findall(r'"([a-z]+\.[a-z_]+)"', text)}
    begun = {key for text in sources for key in re.findall(r"say\(`([a-z.]+\.)\$\{", text)}
    page = widget_pages.STATIC.parent / "templates" / "widget.html"
    whole |= set(re.findall(r'words\["([^"]+)"\]', page.read_text(encoding="utf-8")))
    loader = (widget_pages.STATIC / "widget" / "loader.js").read_text(encoding="utf-8")
    whole |= {f"launcher.{key}" for key in re.findall(r"\bwords\.([a-z]+)", loader)}
    return whole, begun


def test_every_word_that_is_said_exists_and_every_word_that_exists_is_said(words: Phrases) -> None:
    known = set(widget_phrases(words))
    whole, begun = said_keys()
    assert len(whole) > 30
    assert begun
    asked = {key for key in whole if key.split(".")[0] in {each.split(".")[0] for each in known}}
    assert asked - known == set()
    unsaid = {key for key in known - whole if not key.startswith(tuple(begun))}
    assert unsaid == set()


# -- the loader --------------------------------------------------------------------------------


def test_the_loader_is_one_script_with_its_words(client: TestClient, words: Phrases) -> None:
    response = client.get("/widget.js")
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert response.headers["cache-control"] == "public, max-age=300"
    assert response.headers["cross-origin-resource-policy"] == "cross-origin"
    assert widget_pages.LOADER_PLACE not in response.text
    assert widget_phrases(words)["launcher.label"] in response.text


def test_an_unchanged_loader_is_not_sent_again(client: TestClient) -> None:
    etag = client.get("/widget.js").headers["etag"]
    again = client.get("/widget.js", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/widget.js", headers={"If-None-Match": '"other"'}).status_code == 200


# -- the frame's document ----------------------------------------------------------------------


def test_the_page_runs_nothing_inline_and_says_who_may_frame_it(client: TestClient) -> None:
    response = client.get("/widget")
    policy = response.headers["content-security-policy"]
    assert policy == (
        "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'self' https://portal.hecheng.example"
    )
    page = LexborHTMLParser(response.text)
    inline = [node for node in page.css("script") if not node.attributes.get("src")]
    assert [node.attributes.get("type") for node in inline] == ["application/json"]
    assert page.css("style") == []
    names = {name for node in page.css("*") for name in node.attributes}
    assert not {name for name in names if name.startswith("on") or name == "style"}


@pytest.mark.parametrize(
    ("key", "ancestors"),
    [("city", "'self' https://a.example https://b.example:8443"), ("else", "'self'")],
)
def test_a_widget_key_has_hosts_of_its_own(client: TestClient, key: str, ancestors: str) -> None:
    policy = client.get(f"/widget?key={key}").headers["content-security-policy"]
    assert policy.endswith(f"; frame-ancestors {ancestors}")


def test_the_page_carries_the_words_and_the_limit(
    client: TestClient, words: Phrases, settings: Settings
) -> None:
    page = LexborHTMLParser(client.get("/widget").text)
    block = page.css_first("#phrases")
    assert block is not None
    assert json.loads(block.text()) == widget_phrases(words)
    body = page.css_first("body")
    assert body is not None
    assert body.attributes["data-limit"] == str(settings.web.max_message_chars)


def test_every_asset_that_the_page_names_is_served_for_good(client: TestClient) -> None:
    page = LexborHTMLParser(client.get("/widget").text)
    named = [node.attributes.get("href") or "" for node in page.css("link[rel=modulepreload]")]
    named += [node.attributes.get("src") or "" for node in page.css("script[src]")]
    named += [node.attributes.get("href") or "" for node in page.css("link[rel=stylesheet]")]
    assert len(named) >= len(SCRIPTS)
    for address in named:
        response = client.get(address)
        assert response.status_code == 200, address
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_behind_a_path_prefix_every_address_carries_it(words: Phrases, settings: Settings) -> None:
    app = FastAPI()
    services = services_with(words, settings)
    app.dependency_overrides[services_of] = lambda: services
    app.include_router(widget_pages.router)
    with TestClient(app, root_path="/caiwen") as client:
        page = LexborHTMLParser(client.get("/widget").text)
    addresses = [node.attributes.get("src") for node in page.css("script[src]")]
    assert addresses
    assert all(str(address).startswith("/caiwen/widget/assets/") for address in addresses)


@pytest.mark.parametrize(
    "address",
    [
        "/widget/assets/{digest}/nothing.js",
        "/widget/assets/{digest}/..%2F..%2Fwidget_pages.py",
        "/widget/assets/{digest}/%2e%2e%2fportal.css",
        "/static/assets/{digest}/chat.js",
        "/../assets/{digest}/chat.js",
    ],
)
def test_nothing_but_the_folders_files_is_served(client: TestClient, address: str) -> None:
    assert client.get(address.format(digest=assets("widget").digest)).status_code == 404


def test_another_releases_address_gets_todays_file_uncached(client: TestClient) -> None:
    response = client.get("/widget/assets/0123456789abcdef/chat.js")
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"


# -- the portal --------------------------------------------------------------------------------


def test_the_portal_says_that_it_is_a_demonstration(client: TestClient) -> None:
    page = LexborHTMLParser(client.get("/portal").text)
    notice = page.css_first(".demo")
    assert notice is not None
    assert "演示" in notice.text()
    loaders = [
        node for node in page.css("script") if str(node.attributes.get("src")) == "/widget.js"
    ]
    assert len(loaders) == 1
    assert "async" in loaders[0].attributes
    assert page.css("style, [style], [onclick]") == []


def test_a_deployment_may_have_no_portal(client: TestClient, settings: Settings) -> None:
    settings.portal = False
    assert client.get("/portal").status_code == 404


# -- hostile values ----------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(json_values)
def test_json_in_a_script_element_says_the_same_and_cannot_end_it(value: Any) -> None:
    text = script_json(value)
    assert json.loads(text) == value
    assert not set(text) & {"<", ">", "&", "\u2028", "\u2029"}


@given(st.lists(st.text() | st.from_regex(r"https?://[a-z.]+", fullmatch=True)))
def test_no_origin_can_write_into_the_policy(origins: list[str]) -> None:
    policy = frame_policy(origins)
    assert policy.count(";") == frame_policy([]).count(";")
    ancestors = policy.rsplit("frame-ancestors ", 1)[1].split(" ")
    assert ancestors[0] == "'self'"
    assert all(re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+", each) for each in ancestors[1:])


@pytest.mark.parametrize("origin", ["*", "https:", "null", "https://a.example/path", "'unsafe'"])
def test_what_is_no_origin_is_left_out(origin: str) -> None:
    assert frame_policy([origin]) == frame_policy([])


def test_origins_are_written_as_browsers_write_them() -> None:
    assert frame_policy(["https://A.Example:443/"]).endswith("'self' https://a.example")


def test_an_origin_with_port_and_slash_is_understood() -> None:
    assert frame_policy(["http://10.1.2.3:8080/"]).endswith("'self' http://10.1.2.3:8080")

"""Login, password and logout over HTTP, as a browser without scripts sees them."""

import re

import pytest

from bot.accounts.service import FREE_ATTEMPTS
from bot.tables import Role
from bot.web.page_access import safe_next
from tests.bot.web.plain_browser import HOSTILE, PAGE, Browser, add, shown
from tests.product import PASSWORD, Product


@pytest.mark.parametrize("path", ["/console", "/console/tickets/CW20261120-0001?queue=all"])
async def test_pages_need_login_and_lead_back(stranger: Browser, path: str) -> None:
    answer = await stranger.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=/console")
    form = await stranger.get(answer.headers["location"])
    target = re.search(r'name="next" value="([^"]*)"', form.text)
    assert target is not None
    logged_in = await stranger.log_in(next=target[1])
    assert logged_in.headers["location"] == path


async def test_parts_without_login_lead_the_whole_page_away(stranger: Browser) -> None:
    answer = await stranger.client.get("/console/queue", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/login?next=/console"


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "/a\\..\\b",
        "javascript:alert(1)",
        "/console\r\nSet-Cookie: a=b",
        "",
        "console",
        "/logout",
        "http:/console",
        "//[",
    ],
)
def test_login_never_leads_to_another_site(address: str) -> None:
    assert safe_next(address) == "/console"


async def test_the_cookie_is_closed_to_scripts_and_other_sites(stranger: Browser) -> None:
    answer = await stranger.log_in(next="//evil.example")
    cookie = answer.headers["set-cookie"].lower()
    assert answer.headers["location"] == "/console"
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie


async def test_a_wrong_password_keeps_the_name_and_not_the_password(stranger: Browser) -> None:
    answer = await stranger.log_in(password="quite wrong 123", username=f"chen{HOSTILE}")
    assert answer.status_code == 401
    assert "用户名或密码不正确" in answer.text
    assert "chen&lt;img" in answer.text
    assert HOSTILE not in answer.text
    assert "quite wrong" not in answer.text


async def test_an_account_locks_and_says_for_how_long(stranger: Browser) -> None:
    for _ in range(FREE_ATTEMPTS):
        answer = await stranger.log_in(password="quite wrong 123")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "1 分钟后再试" in shown(answer)
    assert (await stranger.log_in()).status_code == 429


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_another_sites_login_form_is_refused(
    stranger: Browser, headers: dict[str, str]
) -> None:
    body = {"username": "chen", "password": PASSWORD}
    answer = await stranger.client.post("/login", data=body, headers={**PAGE, **headers})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_logging_out_ends_the_session(chen: Browser) -> None:
    cookie = chen.client.cookies["caiwen_session"]
    answer = await chen.post("/logout")
    assert answer.headers["location"] == "/login"
    chen.client.cookies.set("caiwen_session", cookie)
    assert (await chen.get("/console")).status_code == 303


async def test_a_one_time_password_must_be_changed_first(
    product: Product, stranger: Browser
) -> None:
    await add(product, "new", Role.ENGINEER, must_change=True)
    await stranger.log_in("new")
    answer = await stranger.get("/console")
    assert answer.headers["location"] == "/password?next=/console"
    assert "一次性密码" in (await stranger.get(answer.headers["location"])).text
    fields = {"old": PASSWORD, "new": "another long one", "again": "another long one"}
    for wrong in ({"again": "something else 1"}, {"old": "not the old one"}, {"new": "short"}):
        refused = await stranger.post("/password", part=False, **{**fields, **wrong})
        assert refused.status_code == 422
        assert 'role="alert"' in refused.text
    assert (await stranger.post("/password", part=False, **fields)).status_code == 303
    assert (await stranger.get("/console")).status_code == 200

"""Staff pages over HTTP as a browser without scripts sees them."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from bot.accounts import FREE_ATTEMPTS, add_staff
from bot.tables import Role
from bot.web.page_access import safe_next
from tests.product import NOW, PASSWORD, Product

HOSTILE = "<img src=x onerror=alert(1)>"
PAGE = {"Accept": "text/html"}


@dataclass
class Browser:
    """A browser of one person: cookies, and the token of the page last seen."""

    client: httpx.AsyncClient
    csrf: str = ""

    async def get(self, path: str, **params: str) -> httpx.Response:
        answer = await self.client.get(path, params=params or None, headers=PAGE)
        self._remember(answer)
        return answer

    async def post(self, path: str, *, part: bool = False, **fields: str) -> httpx.Response:
        headers = {**PAGE, "HX-Request": "true"} if part else PAGE
        body = {"csrf_token": self.csrf, **fields}
        answer = await self.client.post(path, data=body, headers=headers)
        self._remember(answer)
        return answer

    async def log_in(self, username: str = "chen", **fields: str) -> httpx.Response:
        body = {"username": username, "password": PASSWORD, **fields}
        answer = await self.client.post("/login", data=body, headers=PAGE)
        if answer.status_code == 303:
            await self.get("/password")
        return answer

    def _remember(self, answer: httpx.Response) -> None:
        found = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
        if found:
            self.csrf = found[1]


def open_browser(product: Product) -> Browser:
    client = httpx.AsyncClient(base_url=product.address, timeout=20, trust_env=False)
    return Browser(client)


@pytest.fixture
async def stranger(product: Product) -> AsyncIterator[Browser]:
    browser = open_browser(product)
    yield browser
    await browser.client.aclose()


@pytest.fixture
async def chen(product: Product) -> AsyncIterator[Browser]:
    browser = open_browser(product)
    answer = await browser.log_in()
    assert answer.status_code == 303
    yield browser
    await browser.client.aclose()


@pytest.fixture
async def lin(product: Product) -> AsyncIterator[Browser]:
    browser = open_browser(product)
    await browser.log_in("lin")
    yield browser
    await browser.client.aclose()


async def make_ticket(product: Product, text: str = "门户的菜单是空的") -> str:
    """The number of a new ticket that waits for an engineer."""
    chat = await product.open(name=HOSTILE, unit=f"一小{HOSTILE}", phone="13800138000")
    await chat.say(text)
    await chat.say("转人工", kind="human")
    told = [m for m in await chat.read() if m["kind"] == "ticket"]
    return str(told[0]["data"]["number"])


async def add(product: Product, username: str, role: Role, *, must_change: bool = False) -> None:
    async with product.services.database.transaction() as session:
        await add_staff(
            session,
            username=username,
            password=PASSWORD,
            role=role,
            now=NOW,
            must_change_password=must_change,
        )


def shown(answer: httpx.Response) -> str:
    """What the page says, without its markup."""
    return re.sub(r"<[^>]+>", " ", answer.text)


# --- the front door --------------------------------------------------------------------------


async def test_the_front_door_leads_to_portal_and_console(stranger: Browser) -> None:
    answer = await stranger.get("/")
    assert answer.status_code == 200
    assert 'href="/portal"' in answer.text
    assert 'href="/console"' in answer.text


async def test_every_page_forbids_inline_code_and_has_none(
    product: Product, stranger: Browser, chen: Browser
) -> None:
    number = await make_ticket(product)
    pages = [await stranger.get(path) for path in ("/", "/login", "/nothing/here")]
    pages += [await chen.get(path) for path in ("/console", f"/console/tickets/{number}")]
    for page in pages:
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert "style-src 'self'" in page.headers["content-security-policy"]
        assert not re.search(r"<[^>]+\s(style|on[a-z]+)=", page.text)
        assert "<style" not in page.text
        for script in re.findall(r"<script[^>]*>", page.text):
            assert "src=" in script or "application/json" in script
        outside = re.findall(r'(?:src|href)="(https?:|//)', page.text)
        assert outside == []


async def test_a_missing_page_is_a_page_in_words(chen: Browser) -> None:
    for path in ("/nothing/here", "/console/tickets/CW20200101-0001"):
        answer = await chen.get(path)
        assert answer.status_code == 404
        assert "找不到" in shown(answer)


# --- login -------------------------------------------------------------------------------------


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
        refused = await stranger.post("/password", **{**fields, **wrong})
        assert refused.status_code == 422
        assert 'role="alert"' in refused.text
    assert (await stranger.post("/password", **fields)).status_code == 303
    assert (await stranger.get("/console")).status_code == 200


# --- the console -----------------------------------------------------------------------------


async def test_a_form_without_the_sessions_own_token_changes_nothing(
    product: Product, chen: Browser, lin: Browser
) -> None:
    number = await make_ticket(product)
    for token in ("", "x" * 32, lin.csrf):
        answer = await chen.post(f"/console/tickets/{number}/claim", csrf_token=token)
        assert answer.status_code == 403
    chen.csrf = ""
    page = await chen.get(f"/console/tickets/{number}")
    assert 'id="do-claim"' in page.text


async def test_empty_lists_say_what_will_appear(chen: Browser) -> None:
    assert "接一单" in (await chen.get("/console", queue="mine")).text
    assert "没有等待接单" in (await chen.get("/console", queue="waiting")).text
    assert "没有符合条件" in (await chen.get("/console", q="没有这个词")).text


async def test_lists_are_narrowed_by_words_and_severity(product: Product, chen: Browser) -> None:
    number = await make_ticket(product)
    for params in ({"q": number}, {"q": "菜单"}, {"queue": "all", "status": "新建"}):
        assert f'data-number="{number}"' in (await chen.get("/console", **params)).text
    for params in ({"q": "票据"}, {"severity": "重大"}, {"queue": "mine"}, {"status": "已关闭"}):
        assert f'data-number="{number}"' not in (await chen.get("/console", **params)).text


@pytest.mark.parametrize(
    "query", ["?queue=x&severity=y&status=z", "?q=%25_%5C'%22", "?q=" + "%E8%B4%A2" * 200]
)
async def test_senseless_lists_are_still_pages(chen: Browser, query: str) -> None:
    assert (await chen.get(f"/console{query}")).status_code == 200


async def test_claim_reply_note_and_resolve_by_plain_forms(product: Product, chen: Browser) -> None:
    number = await make_ticket(product)
    at = f"/console/tickets/{number}"
    page = await chen.get(at)
    assert "接单后才能回复用户" in page.text
    assert 'id="do-resolve"' not in page.text
    claimed = await chen.post(f"{at}/claim")
    assert claimed.status_code == 303
    assert claimed.headers["location"] == f"{at}?queue=mine#end"
    page = await chen.get(at)
    assert 'id="do-claim"' not in page.text
    said = {"mode": "reply", "text": "您好，\r\n正在核对", "client_msg_id": "a1"}
    for _ in range(2):
        assert (await chen.post(f"{at}/say", **said)).status_code == 303
    await chen.post(f"{at}/say", mode="note", text="内部：等省厅", client_msg_id="a2")
    page = await chen.get(at, do="resolve")
    assert page.text.count("您好，\n正在核对") == 1
    assert page.text.count("内部：等省厅") == 1
    assert re.search(r'<dialog id="resolve"[^>]* open>', page.text)
    done = await chen.post(f"{at}/resolve", cause="权限没开", solution="已开通，请重新登录")
    assert done.status_code == 303
    page = await chen.get(at)
    assert "工单已解决，只能补充内部备注" in page.text
    assert "已开通，请重新登录" in page.text


async def test_the_page_shows_what_the_bot_did_and_why_the_deadline(
    product: Product, chen: Browser
) -> None:
    number = await make_ticket(product)
    text = shown(await chen.get(f"/console/tickets/{number}"))
    for words in (
        "检索：门户的菜单是空的",
        "机器人的处理",
        "为什么是这个时限",
        "计入",
        "身份未核实",
    ):
        assert words in text
    assert "138****8000" in text
    assert "collect" not in text


async def test_words_of_users_are_never_markup(product: Product, chen: Browser) -> None:
    number = await make_ticket(product, f"{HOSTILE} 门户的菜单是空的")
    at = f"/console/tickets/{number}"
    for path in (at, "/console?queue=all", f"{at}/transcript", f"{at}/panel", "/console/queue"):
        page = await chen.get(path)
        assert page.status_code == 200
        assert "<img src=x" not in page.text
    assert "&lt;img src=x" in (await chen.get(at)).text
    answer = await chen.get("/console", q=f'"{HOSTILE}')
    assert "<img src=x" not in answer.text


@pytest.mark.parametrize("part", [True, False])
async def test_the_second_engineer_is_told_and_keeps_what_was_typed(
    product: Product, chen: Browser, lin: Browser, part: bool
) -> None:
    number = await make_ticket(product)
    at = f"/console/tickets/{number}"
    await chen.post(f"{at}/claim")
    lost = await lin.post(f"{at}/claim", part=part)
    assert lost.status_code == 409
    assert "由其他工程师处理" in lost.text
    assert "由陈工处理" in lost.text
    typed = "我来回答 <b>您</b>"
    refused = await lin.post(f"{at}/say", part=part, mode="reply", text=typed)
    assert refused.status_code == 409
    assert "我来回答 &lt;b&gt;您&lt;/b&gt;</textarea>" in refused.text
    assert ("<html" in refused.text) is not part


@pytest.mark.parametrize(
    ("verb", "fields"),
    [
        ("say", {"mode": "reply", "text": " \n "}),
        ("say", {"mode": "reply", "text": "长" * 20_001}),
        ("resolve", {"cause": "只有原因", "solution": ""}),
        ("severity", {"severity": "最急", "why": "x"}),
        ("severity", {"severity": "重大", "why": ""}),
    ],
)
async def test_an_incomplete_form_says_so(
    product: Product, chen: Browser, verb: str, fields: dict[str, str]
) -> None:
    at = f"/console/tickets/{await make_ticket(product)}"
    await chen.post(f"{at}/claim")
    answer = await chen.post(f"{at}/{verb}", **fields)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    for value in fields.values():
        assert value.strip() in answer.text or value == "最急"


async def test_a_file_in_place_of_text_is_refused(product: Product, chen: Browser) -> None:
    at = f"/console/tickets/{await make_ticket(product)}"
    answer = await chen.client.post(
        f"{at}/say",
        data={"csrf_token": chen.csrf, "mode": "note"},
        files={"text": ("a.txt", b"x")},
        headers=PAGE,
    )
    assert answer.status_code == 422


async def test_the_severity_changes_with_its_reason(product: Product, chen: Browser) -> None:
    at = f"/console/tickets/{await make_ticket(product)}"
    answer = await chen.post(f"{at}/severity", severity="重大", why="全市都登不上")
    assert answer.status_code == 303
    page = await chen.get(at)
    assert 'class="sev sev-major"' in page.text
    assert "全市都登不上" in page.text


async def test_giving_back_lets_the_bot_speak(product: Product, chen: Browser) -> None:
    at = f"/console/tickets/{await make_ticket(product)}"
    await chen.post(f"{at}/claim")
    assert (await chen.post(f"{at}/return")).status_code == 303
    assert "机器人应答中" in (await chen.get(at)).text


async def test_the_transcript_part_holds_what_is_new(product: Product, chen: Browser) -> None:
    at = f"/console/tickets/{await make_ticket(product)}"
    whole = re.findall(r'data-seq="(\d+)"', (await chen.get(f"{at}/transcript")).text)
    assert whole == [str(n) for n in range(1, len(whole) + 1)]
    last = await chen.get(f"{at}/transcript", after=whole[-1])
    assert "<html" not in last.text
    assert f'data-seq="{whole[-1]}"' in last.text


async def test_reading_clears_the_unread_mark(product: Product, chen: Browser) -> None:
    number = await make_ticket(product)
    assert 'class="unread"' in (await chen.get("/console/queue", queue="waiting")).text
    await chen.get(f"/console/tickets/{number}")
    assert 'class="unread"' not in (await chen.get("/console/queue", queue="waiting")).text
    read = await chen.client.post(
        f"/console/tickets/{number}/read", headers={"X-CSRF-Token": chen.csrf}
    )
    assert read.status_code == 204


async def test_managers_look_and_editors_stay_out(product: Product, stranger: Browser) -> None:
    number = await make_ticket(product)
    await add(product, "boss", Role.MANAGER)
    await add(product, "editor", Role.EDITOR)
    await stranger.log_in("boss")
    page = await stranger.get(f"/console/tickets/{number}")
    assert "只能查看工单" in page.text
    assert 'id="do-claim"' not in page.text
    assert (await stranger.post(f"/console/tickets/{number}/claim")).status_code == 403
    await stranger.post("/logout")
    await stranger.log_in("editor")
    assert (await stranger.get("/console")).status_code == 403

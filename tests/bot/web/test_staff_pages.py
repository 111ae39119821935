"""The front door and the console over HTTP, as a browser without scripts sees them."""

import re

import pytest

from bot.tables import Role
from tests.bot.web.plain_browser import HOSTILE, PAGE, Browser, add, make_ticket, shown
from tests.product import Product


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
        assert (await chen.post(f"{at}/say", part=False, **said)).status_code == 303
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
    answer = await chen.post(f"{at}/{verb}", part=False, **fields)
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

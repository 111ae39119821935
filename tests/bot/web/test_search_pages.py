"""The search page: words in tickets and transcripts, filters, scope, refusals."""

import pytest

from bot.tables import Role
from bot.tickets import searching
from tests.bot.web.plain_browser import HOSTILE, Browser, add, make_ticket, open_browser, shown
from tests.product import Product

SEARCH = "/console/search"


async def test_words_lead_to_their_ticket_marked(product: Product, chen: Browser) -> None:
    number = await make_ticket(product, "年终结转的指标对不上")
    await product.desk("claim", number)
    await product.desk("reply", number, text="请把结转凭证 JZ-0099 发来")
    await product.desk("resolve", number, cause="凭证未记账", solution="补记后重新结转")
    start = shown(await chen.get(SEARCH))
    assert "输入要找的词" in start
    page = await chen.get(SEARCH, q="结转")
    assert number in page.text
    assert "<mark>结转</mark>" in page.text
    assert HOSTILE not in page.text
    for words in ("凭证未记账", "jz-0099", "补记后", "指标 对不上"):
        assert number in (await chen.get(SEARCH, q=words)).text, words
    assert "没有找到" in shown(await chen.get(SEARCH, q="公务卡"))
    straight = await chen.get(SEARCH, q=f" {number.lower()} ")
    assert (straight.status_code, straight.headers["location"]) == (
        303,
        f"/console/tickets/{number}",
    )


async def test_filters_narrow(product: Product, chen: Browser) -> None:
    number = await make_ticket(product, "支付申请撤回按钮灰色")
    assert number in (await chen.get(SEARCH, q="撤回按钮", unit="一小")).text
    assert number in (await chen.get(SEARCH, unit="一小")).text
    for narrowed in (
        {"status": "已关闭"},
        {"severity": "重大"},
        {"region": "别处"},
        {"unit": "二小"},
        {"until": "2020-01-01"},
        {"engineer": "0" * 32},
    ):
        assert number not in (await chen.get(SEARCH, q="撤回按钮", **narrowed)).text, narrowed
    assert number in (await chen.get(SEARCH, since="2020-01-01", until="2999-01-01")).text


ABSURD: tuple[tuple[dict[str, str], str], ...] = (
    ({"q": "票"}, "一个字太短"),
    ({"q": "，。"}, "只输入了标点"),
    ({"q": "字" * 150}, "太长"),
    ({"q": " ".join(f"词语{n}" for n in range(9))}, "词太多"),
    ({"since": "2026-02-31"}, "日期写法不对"),
    ({"since": "2026-03-02", "until": "2026-03-01"}, "早于开始日期"),
    ({"status": "没有"}, "没有这个选项"),
    ({"q": "支付", "mark": "x' OR 1"}, "页码不对"),
    ({"unit": "一小", "mark": "t1"}, "页码不对"),
)


async def test_absurd_queries_are_refused_in_words(chen: Browser) -> None:
    for typed, told in ABSURD:
        page = await chen.get(SEARCH, **typed)
        assert page.status_code == 422, typed
        assert told in shown(page)
        for value in typed.values():
            if "mark" not in typed and len(value) < 20:
                assert value in page.text
    assert (await chen.get(SEARCH, q="字" * 500)).status_code == 422


async def test_only_one_s_own_scope_is_found(product: Product, chen: Browser) -> None:
    chat = await product.open(region="城北区", unit="一小")
    await chat.say("支付申请撤回按钮灰色")
    await chat.say("转人工", kind="human")
    number = next(m["data"]["number"] for m in await chat.read() if m["kind"] == "ticket")
    await add(product, "far", Role.ENGINEER)
    async with product.services.database.transaction() as session:
        far = await searching.repository.staff_by_username(session, "far")
        assert far is not None
        far.regions = ["很远的区"]
    browser = open_browser(product)
    async with browser.client:
        await browser.log_in("far")
        for typed in ({"q": "撤回按钮"}, {"unit": "一小"}, {"q": number}):
            page = await browser.get(SEARCH, **typed)
            assert page.status_code == 200
            assert f"/console/tickets/{number}" not in page.text


async def test_who_may_search(product: Product, stranger: Browser) -> None:
    assert (await stranger.get(SEARCH)).status_code == 303
    for name, role, status in (
        ("ed", Role.EDITOR, 403),
        ("rev", Role.REVIEWER, 403),
        ("man", Role.MANAGER, 200),
        ("ops", Role.OPERATIONS, 200),
    ):
        await add(product, name, role)
        browser = open_browser(product)
        async with browser.client:
            await browser.log_in(name)
            assert (await browser.get(SEARCH, q="支付")).status_code == status, name


async def test_pages_lead_through_everything_once(
    product: Product, chen: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [await make_ticket(product, f"支付申请撤回按钮灰色第{n}次") for n in range(5)]
    monkeypatch.setattr(searching, "PAGE", 2)
    monkeypatch.setattr(searching, "STEPS", (1, 2))
    for typed in ({"q": "撤回按钮"}, {"unit": "一小"}):
        seen: list[str] = []
        address = str(chen.client.build_request("GET", SEARCH, params=typed).url.raw_path, "ascii")
        for _ in range(30):
            page = await chen.get(address)
            seen += [
                number
                for number in numbers
                if f'"num" href="/console/tickets/{number}"' in page.text
            ]
            onward = page.text.partition('rel="next" href="')[2].partition('"')[0]
            if not onward:
                break
            address = onward.replace("&amp;", "&")
        assert set(seen) == set(numbers), typed
        assert not onward


async def test_the_list_is_narrowed_by_the_same_words(product: Product, chen: Browser) -> None:
    number = await make_ticket(product, "支付申请撤回按钮灰色")
    assert number in (await chen.get("/console/queue", q="撤回按钮")).text
    other = await chen.get("/console/queue", q="公务卡")
    assert f'data-number="{number}"' not in other.text
    assert "一个字太短" in (await chen.get("/console/queue", q="撤")).text
    api = "/api/v1/tickets"
    headers = await product.staff()
    listed = await product.client.get(api, params={"q": "撤回按钮"}, headers=headers)
    assert [one["number"] for one in listed.json()["tickets"]] == [number]
    assert (await product.client.get(api, params={"q": "撤"}, headers=headers)).status_code == 422

"""Saved searches: one's own, shared ones, what they mean to whoever looks, and refusals."""

import re
from html import unescape

from bot.saved_views.service import MAX_VIEWS
from bot.tables import Role
from tests.bot.web.plain_browser import HOSTILE, Browser, add, make_ticket, open_browser, shown
from tests.product import Product

SEARCH = "/console/search"
VIEWS = f"{SEARCH}/views"


async def views(browser: Browser) -> dict[str, str]:
    """Addresses by name."""
    page = await browser.get(SEARCH)
    part = page.text.partition('id="views"')[2].partition('<form class="search-form"')[0]
    found = re.findall(rf'href="({SEARCH}\?[^"]*)">([^<]*)</a>', part)
    return {unescape(name): unescape(address) for address, name in found}


async def test_a_view_means_whoever_looks(product: Product, chen: Browser, lin: Browser) -> None:
    mine, theirs = await make_ticket(product), await make_ticket(product)
    await product.desk("claim", mine)
    await product.desk("claim", theirs, who="lin")
    await chen.get(SEARCH)
    query = "engineer=me&status=open&days=7&nonsense=1&mark=w1-1"
    saved = await chen.post(VIEWS, name=f" 我的  在办{HOSTILE} "[:40], query=query, shared="1")
    assert saved.status_code == 303
    (name, address), *others = (await views(lin)).items()
    assert others == []
    assert name.startswith("我的 在办")
    assert "nonsense" not in address
    assert "mark" not in address
    for browser, seen, hidden in ((chen, mine, theirs), (lin, theirs, mine)):
        page = await browser.get(address)
        assert f"/console/tickets/{seen}" in page.text
        assert f"/console/tickets/{hidden}" not in page.text
        assert "<img src=x" not in page.text
        assert "陈工" in shown(page) or browser is chen


async def test_own_views_are_one_s_own(product: Product, chen: Browser, lin: Browser) -> None:
    await chen.get(SEARCH)
    await lin.get(SEARCH)
    await chen.post(VIEWS, name="待接", query="status=waiting")
    assert set(await views(chen)) == {"待接"}
    assert await views(lin) == {}
    await chen.post(VIEWS, name="待接", query="status=waiting&severity=重大", shared="1")
    assert list((await views(lin)).values()) == list((await views(chen)).values())
    page = await chen.get(SEARCH)
    view_id = re.findall(rf"{VIEWS}/([0-9a-f]+)/remove", page.text)[0]
    assert (await lin.post(f"{VIEWS}/{view_id}/remove")).status_code == 403
    await add(product, "ops", Role.OPERATIONS)
    boss = open_browser(product)
    async with boss.client:
        await boss.log_in("ops")
        await boss.get(SEARCH)
        assert (await boss.post(f"{VIEWS}/{view_id}/remove")).status_code == 303
    assert await views(chen) == {}
    assert (await chen.post(f"{VIEWS}/{view_id}/remove")).status_code == 303


async def test_what_cannot_be_kept_is_said_and_kept_on_the_page(
    product: Product, chen: Browser
) -> None:
    await chen.get(SEARCH)
    for name, query, told in (
        ("", "status=open", "请写视图名称"),
        ("长" * 41, "status=open", "最多 40 个字"),
        ("空的", "nonsense=1", "还没有选条件"),
    ):
        refused = await chen.post(VIEWS, name=name, query=query)
        assert (refused.status_code, told in shown(refused)) == (422, True), name
        assert name in refused.text or "nonsense" in query
    for n in range(MAX_VIEWS):
        await chen.post(VIEWS, name=f"第{n}个", query="status=open")
    assert "先删掉" in shown(await chen.post(VIEWS, name="再一个", query="status=open"))
    await add(product, "ed", Role.EDITOR)
    editor = open_browser(product)
    async with editor.client:
        await editor.log_in("ed")
        await editor.get("/workbench")
        assert (await editor.post(VIEWS, name="x", query="status=open")).status_code == 403
    chen.csrf = "forged"
    assert (await chen.post(VIEWS, name="x", query="status=open")).status_code == 403


async def test_waiting_and_days(product: Product, chen: Browser) -> None:
    free, taken = await make_ticket(product), await make_ticket(product)
    await product.desk("claim", taken)
    page = await chen.get(SEARCH, status="waiting", days="1")
    assert f"/console/tickets/{free}" in page.text
    assert f"/console/tickets/{taken}" not in page.text
    assert (await chen.get(SEARCH, days="8")).status_code == 422

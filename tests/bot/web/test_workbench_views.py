"""Saved views: one's own, shared ones, and nothing in them that the list could not ask for."""

import re
from html import unescape

import pytest

from bot.saved_views.service import MAX_VIEWS
from bot.tables import Role
from tests.bot.web.plain_browser import HOSTILE, Browser, Seat, shown
from tests.product import Product

AT = "/workbench/answers"
QUERY = "state=published&module=支付申请"


async def views(browser: Browser) -> dict[str, str]:
    """Addresses by name."""
    page = await browser.get(AT)
    part = page.text.partition('id="views"')[2].partition("</div>")[0]
    found = re.findall(r'href="(/workbench/answers\?[^"]*)">([^<]*)</a>', part)
    return {unescape(name): unescape(address) for address, name in found}


async def test_a_view_leads_to_the_same_list_again(seat: Seat) -> None:
    editor = await seat(Role.EDITOR)
    page = await editor.get(f"{AT}?{QUERY}")
    saved = await editor.post("/workbench/views", name="已发布的支付", query=QUERY)
    assert saved.status_code == 303
    known = await views(editor)
    again = await editor.get(known["已发布的支付"])
    assert again.text.count("data-answer=") == page.text.count("data-answer=") > 0


async def test_only_shared_views_are_seen_by_others(seat: Seat) -> None:
    editor, engineer = await seat(Role.EDITOR), await seat(Role.ENGINEER)
    await editor.post("/workbench/views", name="我的", query=QUERY)
    await editor.post("/workbench/views", name="大家的", query=QUERY, shared="1")
    assert set(await views(engineer)) == {"大家的"}
    refused = await engineer.post("/workbench/views", name="x", query=QUERY, shared="1")
    assert refused.status_code == 403
    assert (await engineer.post("/workbench/views", name="x", query=QUERY)).status_code == 303
    assert set(await views(engineer)) == {"大家的", "x"}


async def test_the_same_name_replaces_and_removing_is_for_owners(seat: Seat) -> None:
    editor, engineer = await seat(Role.EDITOR), await seat(Role.ENGINEER)
    for query in (QUERY, "stale=1"):
        await editor.post("/workbench/views", name="核对", query=query, shared="1")
    assert await views(editor) == {"核对": f"{AT}?stale=1"}
    found = re.search(
        r'action="(/workbench/views/[0-9a-f]{32}/remove)"', (await editor.get(AT)).text
    )
    assert found
    assert (await engineer.post(found[1])).status_code == 403
    assert (await editor.post(found[1])).status_code == 303
    assert (await editor.post(found[1])).status_code == 303
    assert await views(editor) == {}


async def test_nothing_but_filters_is_kept(seat: Seat) -> None:
    editor = await seat(Role.EDITOR)
    query = f"state=published&next=//evil&after=x&q={HOSTILE}&state=" + "x" * 5_000
    await editor.post("/workbench/views", name=HOSTILE, query=query)
    [(name, address)] = (await views(editor)).items()
    assert name == HOSTILE
    assert "evil" not in address
    page = await editor.get(AT)
    assert HOSTILE not in page.text


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": "", "query": QUERY}, "不能为空"),
        ({"name": "长" * 41, "query": QUERY}, "太长"),
        ({"name": "全部", "query": "state=nonsense"}, "请先筛选"),
    ],
)
async def test_a_senseless_view_is_refused_and_says_why(
    seat: Seat, fields: dict[str, str], reason: str
) -> None:
    editor = await seat(Role.EDITOR)
    page = await editor.post("/workbench/views", **fields)
    assert page.status_code == 422
    assert reason in shown(page)


async def test_there_is_an_end_to_views(product: Product, seat: Seat) -> None:
    editor = await seat(Role.EDITOR)
    for number in range(MAX_VIEWS):
        await editor.post("/workbench/views", name=str(number), query=QUERY)
    assert (await editor.post("/workbench/views", name="more", query=QUERY)).status_code == 422

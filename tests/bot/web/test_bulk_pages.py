"""One verb on many tickets: each by itself, with its outcome; refusals, roles, hostile forms."""

import re

import httpx

from bot.tables import Role
from tests.bot.web.plain_browser import Browser, add, make_ticket, open_browser, shown
from tests.product import Product

BULK, SEARCH = "/console/bulk", "/console/search"


async def post(browser: Browser, **fields: str | list[str]) -> httpx.Response:
    """A form with several values of one name."""
    body = {"csrf_token": browser.csrf, **fields}
    return await browser.client.post(BULK, data=body, headers={"Accept": "text/html"})


async def picks(browser: Browser, **search: str) -> list[str]:
    """What the search page offers to choose."""
    page = await browser.get(SEARCH, **search)
    return re.findall(r'name="pick" value="([^"]+)"', page.text)


def outcomes(page: httpx.Response) -> dict[str, bool]:
    """Each ticket, and whether it was done."""
    rows = page.text.split('data-number="')[1:]
    return {row.partition('"')[0]: "没有办成" not in row for row in rows}


async def test_each_ticket_by_itself_with_its_outcome(product: Product, chen: Browser) -> None:
    numbers = [await make_ticket(product, f"支付申请撤回按钮灰色{n}") for n in range(3)]
    chosen = await picks(chen, unit="一小")
    assert {one.partition(":")[0] for one in chosen} == set(numbers)
    asked = await post(chen, action="classify", pick=chosen, back=f"{SEARCH}?unit=一小")
    assert asked.status_code == 200
    assert "更正分类：3 张工单" in shown(asked)
    # Meanwhile somebody else changes one of them: it is not overwritten.
    await product.desk("claim", numbers[1], who="lin")
    told = await post(
        chen, action="classify", pick=chosen, go="1", category="权限账号", module="用户管理"
    )
    assert outcomes(told) == {number: number != numbers[1] for number in numbers}
    assert "3 张里办成 2 张" in shown(told)
    assert "林工" in shown(told)
    headers = await product.staff()
    for number in numbers:
        found = await product.client.get(f"/api/v1/tickets/{number}", headers=headers)
        assert (found.json()["module"] == "用户管理") == (number != numbers[1])
    again = await post(chen, action="classify", pick=chosen, go="1", category="权限账号")
    assert not any(outcomes(again).values())


async def test_the_same_note_is_written_once(product: Product, chen: Browser) -> None:
    number = await make_ticket(product)
    chosen = await picks(chen, unit="一小")
    for _ in range(2):
        told = await post(chen, action="note", pick=chosen, go="1", note="统一回复中", once="a1")
        assert outcomes(told) == {number: True}
    found = await product.client.get(f"/api/v1/tickets/{number}", headers=await product.staff())
    notes = [one for one in found.json()["transcript"] if one["kind"] == "note"]
    assert [one["text"] for one in notes] == ["统一回复中"]


async def test_the_rules_of_single_tickets_hold(product: Product, chen: Browser) -> None:
    mine, theirs, free = [await make_ticket(product) for _ in range(3)]
    await product.desk("claim", mine)
    await product.desk("claim", theirs, who="lin")
    chosen = await picks(chen, unit="一小")
    told = await post(chen, action="resolve", pick=chosen, go="1", cause="网络", solution="已恢复")
    assert outcomes(told) == {mine: True, theirs: False, free: False}
    told = await post(chen, action="close", pick=await picks(chen, unit="一小"), go="1")
    assert outcomes(told) == {mine: True, theirs: False, free: False}
    staff = product.services.searches
    me = next(one for one in await staff.colleagues(_principal()) if one[1] == "陈工")
    told = await post(
        chen, action="assign", pick=await picks(chen, unit="一小"), go="1", assignee_id=me[0]
    )
    assert outcomes(told)[free]
    told = await post(chen, action="incident", pick=chosen, go="1", incident="sj20200101-01")
    assert not any(outcomes(told).values())


def _principal() -> object:
    from bot.accounts.service import Principal

    return Principal("", "", "", "", Role.ADMIN, (), (), "", must_change_password=False)


async def test_forms_that_make_no_sense_are_refused(product: Product, chen: Browser) -> None:
    await make_ticket(product)
    chosen = await picks(chen, unit="一小")
    for fields, status in (
        ({"action": "close", "pick": []}, 422),
        ({"action": "withdraw", "pick": chosen}, 422),
        ({"action": "close", "pick": ["CW1"]}, 422),
        ({"action": "close", "pick": ["CW1:x"]}, 422),
        ({"action": "close", "pick": [f"CW1{'0' * 40}:1"]}, 422),
        ({"action": "close", "pick": [f"CW{n}:1" for n in range(101)]}, 422),
        ({"action": "note", "pick": chosen, "go": "1", "note": ""}, 422),
        ({"action": "note", "pick": chosen, "go": "1", "note": "字" * 10_001}, 422),
        ({"action": "classify", "pick": chosen, "go": "1", "category": "没有"}, 422),
        ({"action": "close", "pick": ["CW20200101-0001:1"], "go": "1"}, 200),
    ):
        assert (await post(chen, **fields)).status_code == status, fields  # type: ignore[arg-type]
    away = await post(chen, action="close", pick=chosen, back="https://elsewhere.example/")
    assert "elsewhere" not in away.text
    chen.csrf = "forged"
    assert (await post(chen, action="close", pick=chosen)).status_code == 403


async def test_who_only_reads_is_offered_nothing(product: Product) -> None:
    number = await make_ticket(product)
    await add(product, "man", Role.MANAGER)
    browser = open_browser(product)
    async with browser.client:
        await browser.log_in("man")
        assert number in (await browser.get(SEARCH, unit="一小")).text
        assert await picks(browser, unit="一小") == []
        assert (await post(browser, action="close", pick=[f"{number}:1"])).status_code == 403

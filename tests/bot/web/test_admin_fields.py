"""Custom fields: made by an administrator, filled in the console, searched for."""

from collections.abc import AsyncIterator

import pytest

from bot.tables import Role
from tests.bot.web.plain_browser import HOSTILE, Browser, add, make_ticket, open_browser, shown
from tests.product import Product

FIELDS, SEARCH = "/console/admin/fields", "/console/search"
VOUCHER = {"key": "voucher", "label": "凭证号", "kind": "line", "position": "1", "active": "1"}


@pytest.fixture
async def root(product: Product) -> AsyncIterator[Browser]:
    await add(product, "root", Role.ADMIN)
    browser = open_browser(product)
    await browser.log_in("root")
    yield browser
    await browser.client.aclose()


async def test_a_field_is_made_filled_and_found(
    product: Product, root: Browser, chen: Browser
) -> None:
    await root.get(FIELDS)
    assert (await root.post(FIELDS, **VOUCHER)).status_code == 303
    number = await make_ticket(product)
    await chen.get(f"/console/tickets/{number}")
    sheet = await chen.get(f"/console/tickets/{number}/sheets/mark")
    assert "凭证号" in sheet.text
    address = f"/console/tickets/{number}/do/mark"
    await chen.post(address, tags="年终、加急", field_voucher="PZ-2026-17")
    page = shown(await chen.get(f"/console/tickets/{number}"))
    assert all(word in page for word in ("年终", "加急", "凭证号", "PZ-2026-17"))
    found = await chen.get(SEARCH, tag="年终", field="voucher", value="PZ-2026-17")
    assert number in found.text
    assert number not in (await chen.get(SEARCH, tag="没有")).text
    half = await chen.get(SEARCH, field="voucher")
    assert half.status_code == 422
    await chen.post(address, tags="年终", field_voucher="")
    page = shown(await chen.get(f"/console/tickets/{number}"))
    assert "PZ-2026-17" not in page
    refused = await chen.post(address, tags="长" * 31)
    assert refused.status_code == 422


async def test_the_api_sets_tags_and_fields(product: Product, root: Browser) -> None:
    await root.get(FIELDS)
    await root.post(FIELDS, **VOUCHER)
    number, headers = await make_ticket(product), await product.staff("chen")
    address = f"/api/v1/tickets/{number}/mark"
    for body, status in (
        ({"tags": ["年终"], "fields": {"voucher": "1"}}, 200),
        ({"tags": ["年终"]}, 409),
        ({"fields": {"other": "1"}}, 422),
        ({"fields": {"Bad Key": "1"}}, 422),
        ({"tags": [HOSTILE]}, 422),
        ({"tags": ["x"] * 21}, 422),
        ({"colour": "红"}, 422),
    ):
        answer = await product.client.post(address, json=body, headers=headers)
        assert answer.status_code == status, body


async def test_changes_are_kept_and_nonsense_is_refused(root: Browser) -> None:
    await root.get(FIELDS)
    for over in (
        {"key": "Bad"},
        {"label": ""},
        {"kind": "colour"},
        {"kind": "choice", "choices": ""},
        {"position": "-1"},
        {"categories": "没有"},
    ):
        refused = await root.post(FIELDS, **{**VOUCHER, **over})
        assert refused.status_code == 422, over
    await root.post(FIELDS, **VOUCHER)
    assert (await root.post(FIELDS, **VOUCHER)).status_code == 422
    changed = {**VOUCHER, "version": "1", "label": HOSTILE, "active": ""}
    assert (await root.post(FIELDS, **changed)).status_code == 303
    page = await root.get(FIELDS)
    assert HOSTILE not in page.text
    assert "凭证号 →" in shown(page)
    assert "已停用" in shown(page)
    assert (await root.post(FIELDS, **changed)).status_code == 422
    assert (
        await root.post(FIELDS, **{**changed, "version": "2", "kind": "date"})
    ).status_code == 422


async def test_only_administrators_make_fields(chen: Browser) -> None:
    assert (await chen.get(FIELDS)).status_code == 403
    assert (await chen.post(FIELDS, **VOUCHER)).status_code == 403

"""Searching and doing one thing to many tickets, by keyboard, in a real browser."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.test_console_ui import PHONE, browser, sit_down, wait_for_an_engineer
from tests.product import Product

pytestmark = pytest.mark.browser

__all__ = ["browser"]


async def test_search_choose_and_note(browser: Browser, product: Product) -> None:
    chat, first = await wait_for_an_engineer(product, "支付申请送审后撤回按钮是灰色的")
    _, second = await wait_for_an_engineer(product, "支付申请的撤回按钮点不动")
    desk = await sit_down(browser, product, size=PHONE)
    page = desk.page
    await page.goto(f"{product.address}/console/search")
    await page.fill("[name=q]", "撤回按钮")
    await page.press("[name=q]", "Enter")
    await expect(page.locator(".hit")).to_have_count(2)
    await expect(page.locator(".hit mark").first).to_have_text("撤回按钮")
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await page.locator("h1").click()
    for key in ("j", "x", "j", "x"):
        await page.keyboard.press(key)
    await expect(page.locator("#picked")).to_have_text("已选 2 张")
    await page.locator("#bulk select").select_option("note")
    await page.locator("#bulk button").click()
    await page.fill("[name=note]", "同一个问题，等省厅补丁")
    await page.locator("main form button.btn-primary").click()
    await expect(page.locator("#outcomes .hit")).to_have_count(2)
    await expect(page.get_by_role("status")).to_contain_text("2 张里办成 2 张")
    headers = await product.staff()
    for number in (first, second):
        found = await product.client.get(f"/api/v1/tickets/{number}", headers=headers)
        assert "同一个问题，等省厅补丁" in [one["text"] for one in found.json()["transcript"]]
    assert "省厅补丁" not in str(await chat.read())
    assert desk.complaints == []

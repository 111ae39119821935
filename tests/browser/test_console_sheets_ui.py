"""The menu of verbs in a real browser: opening, refusing, keeping, doing."""

import pytest
from playwright.async_api import Browser, expect

from tests.bot.web.plain_browser import make_ticket
from tests.browser.test_console_ui import PHONE, browser, sit_down, wait_for_an_engineer
from tests.product import Product

__all__ = ["browser"]
pytestmark = pytest.mark.browser


async def test_a_ticket_is_escalated_from_the_menu(product: Product, browser: Browser) -> None:
    number = await make_ticket(product)
    desk = await sit_down(browser, product)
    page = desk.page
    await desk.open_ticket(number)
    await page.click("#do-claim")
    await expect(page.locator("#do-claim")).to_have_count(0)
    await page.click("#more summary")
    await page.click('[data-sheet*="/sheets/escalate"]')
    await expect(page.locator("dialog#sheet:modal")).to_be_visible()
    await page.select_option("#sheet-level", "省厅研发组")
    await page.fill("#sheet-why", "程序缺陷，要改代码")
    await page.click("#sheet .btn-primary")
    await expect(page.locator("#sheet .alert")).to_contain_text("缺陷还是需求")
    await expect(page.locator("#sheet-why")).to_have_value("程序缺陷，要改代码")
    await page.select_option("#sheet-order_kind", "缺陷")
    await page.click("#sheet .btn-primary")
    await expect(page.locator("#sheet")).to_have_count(0)
    await expect(page.locator("#head .state-pill")).to_have_text("已派单")
    await expect(page.locator("#order")).to_contain_text("已提交")
    await expect(page.locator("#messages")).to_contain_text("已提交省厅研发组处理")
    assert desk.complaints == []


async def test_the_menu_stays_open_while_others_work_on_the_ticket(
    product: Product, browser: Browser
) -> None:
    chat, number = await wait_for_an_engineer(product, "门户的菜单是空的")
    desk = await sit_down(browser, product)
    page = desk.page
    await desk.open_ticket(number)
    await page.focus("#more summary")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    first = page.locator("#more [data-sheet]").first
    await expect(first).to_be_focused()
    async with page.expect_response("**/panel*"):
        await chat.say("还是空的，刷新过了")
    await page.evaluate("document.querySelector('#head').dataset.seen = '1'")
    async with page.expect_response("**/panel*"):
        await chat.say("在线等")
    await expect(page.locator("#head[data-seen]")).to_have_count(0)
    await expect(page.locator("#more")).to_have_attribute("open", "")
    await expect(first).to_be_focused()
    assert desk.complaints == []


async def test_a_dialog_that_another_engineer_overtook_says_so(
    product: Product, browser: Browser
) -> None:
    number = await make_ticket(product)
    chen, lin = await sit_down(browser, product), await sit_down(browser, product, "lin")
    for desk in (chen, lin):
        await desk.open_ticket(number)
    await lin.page.click("#more summary")
    await lin.page.click('[data-sheet*="/sheets/split"]')
    await lin.page.fill("#sheet-title", "另一件事情")
    await lin.page.fill("#sheet-description", "打印也不行")
    await chen.page.click("#do-claim")
    await expect(chen.page.locator("#do-claim")).to_have_count(0)
    await lin.page.click("#sheet .btn-primary")
    await expect(lin.page.locator("#sheet .alert")).to_contain_text("陈工")
    await expect(lin.page.locator("#sheet-title")).to_have_value("另一件事情")
    await lin.page.click("#sheet .btn-primary")
    await expect(lin.page.locator("#related")).to_contain_text("拆分出")
    assert chen.complaints == lin.complaints == []


async def test_escape_and_cancel_close_a_dialog_also_on_a_phone(
    product: Product, browser: Browser
) -> None:
    number = await make_ticket(product)
    desk = await sit_down(browser, product, size=PHONE)
    page = desk.page
    await desk.open_ticket(number)
    for close in ("Escape", "cancel"):
        await page.click("#more summary")
        await page.click('[data-sheet*="/sheets/link"]')
        await expect(page.locator("dialog#sheet:modal")).to_be_visible()
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"]
        if close == "cancel":
            await page.click("#sheet [data-close]")
        else:
            await page.keyboard.press("Escape")
        await expect(page.locator("dialog#sheet")).not_to_be_visible()
    assert desk.complaints == []

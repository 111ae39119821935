"""An editor evaluates in a real browser: the page follows the run by itself, on a phone as well."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, ConsoleMessage, async_playwright, expect

from bot.tables import Role
from tests.browser.test_workbench_answer import sit_down
from tests.browser.widget_harness.chromium import ARGUMENTS, executable
from tests.product import Product

pytestmark = pytest.mark.browser


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield opened
        await opened.close()


async def test_an_editor_evaluates_and_reads_why(browser: Browser, product: Product) -> None:
    page = await sit_down(browser, product, Role.EDITOR)
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    page.on("console", note)
    await page.get_by_role("link", name="回答质量").click()
    await page.get_by_role("button", name="现在评测").click()
    await expect(page.locator("#running")).to_be_visible()
    await expect(page.get_by_role("button", name="现在评测")).to_be_disabled()
    # Nobody reloads: the page asks until the run is done.
    await expect(page.get_by_role("heading", name="最糟的问题和原因")).to_be_visible(timeout=90_000)
    await expect(page.locator("#running")).to_have_count(0)
    await expect(page.get_by_role("button", name="现在评测")).to_be_enabled()
    await expect(page.get_by_role("img", name="覆盖与准确")).to_be_visible()
    await page.set_viewport_size({"width": 390, "height": 844})
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="下载完整报告").click()
    downloaded = await waiting.value
    assert downloaded.suggested_filename.endswith(".html")
    await page.locator(".worst a").first.click()
    await expect(page.get_by_role("heading", name="试问")).to_be_visible()
    assert not errors

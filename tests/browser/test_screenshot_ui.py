"""A screenshot in a real browser: pasted, read, answered; the engineer sees picture and text."""

import base64
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, FrameLocator, Page, expect

from kb.ocr import IsolatedTextReader
from tests.browser.test_two_people import browser, log_in, open_widget, person
from tests.conftest import need
from tests.product import Product

pytestmark = pytest.mark.browser
__all__ = ["browser"]

ERROR_PAGE = """
<body style="margin:0;font:16px sans-serif;background:#eef">
<p style="padding:8px">当前位置：国库集中支付 &gt; 支付申请 &gt; 支付申请录入</p>
<div style="margin:60px auto;width:460px;padding:24px;background:#fff;border:1px solid #999">
<p>保存失败</p><p>指标可用余额不足，尚缺2,500.00元</p><button>知道了</button></div></body>
"""
PASTE = """(field, picture) => {
  const bytes = Uint8Array.from(atob(picture), (each) => each.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], "image.png", { type: "image/png" }));
  field.dispatchEvent(
    new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
async def error_screen(browser: Browser) -> AsyncIterator[bytes]:
    """What a user would have on the screen, as a picture."""
    page = await browser.new_page(viewport={"width": 900, "height": 420})
    await page.set_content(ERROR_PAGE)
    yield await page.screenshot()
    await page.close()


async def drawn(place: FrameLocator | Page, selector: str) -> None:
    """A picture is there, and its bytes came."""
    image = place.locator(selector).last
    await expect(image).to_be_visible()
    loaded = "one => one.complete && one.naturalWidth > 0"
    for _ in range(100):
        if await image.evaluate(loaded):
            return
        await image.page.wait_for_timeout(100)
    raise AssertionError(f"{selector} was not loaded")


async def test_a_pasted_error_is_answered_and_seen_by_the_engineer(
    browser: Browser, product: Product, error_screen: bytes
) -> None:
    need(IsolatedTextReader.is_installed(), "RapidOCR")
    theirs, desk = await person(browser, product, wide=False), await person(browser, product)
    page = await theirs.new_page()
    frame = await open_widget(page)

    await frame.locator("#file").set_input_files(
        {"name": "工具.exe", "mimeType": "application/octet-stream", "buffer": b"MZ"}
    )
    await expect(frame.locator("#filenote")).to_contain_text("不支持")

    picture = base64.b64encode(error_screen).decode()
    await frame.get_by_role("textbox").evaluate(PASTE, picture)
    await drawn(frame, ".kind-attachment img")
    answer = frame.locator(".kind-answer")
    await expect(answer).to_contain_text("指标可用余额不足怎么处理", timeout=60_000)
    await expect(frame.locator("#filenote")).to_be_empty()

    await frame.locator("#human").click()
    await expect(frame.locator(".kind-ticket")).to_be_visible()
    console = await desk.new_page()
    await log_in(console)
    await console.goto("/console?queue=waiting")
    await console.locator(".row-ticket").first.click()
    await drawn(console, ".msg-text .shot img")
    await console.get_by_text("识别出的文字").click()
    await expect(console.locator(".read pre")).to_contain_text("指标可用余额不足")

    await console.get_by_role("button", name="接单").first.click()
    await console.locator("#file").set_input_files(
        {"name": "口径.png", "mimeType": "image/png", "buffer": error_screen}
    )
    await console.get_by_role("button", name="发送文件").click()
    await drawn(frame, ".from-engineer.kind-attachment img")
    await drawn(console, ".from-engineer .shot img")
    await theirs.close()
    await desk.close()

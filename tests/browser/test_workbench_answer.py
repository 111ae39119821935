"""The life of an answer in a real browser: an editor, a reviewer, and a user who asks."""

import base64
import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, FrameLocator, Page, async_playwright, expect

from bot.tables import Role
from tests.bot.web.plain_browser import add
from tests.browser.test_two_people import ask, open_widget, person
from tests.browser.widget_harness.chromium import ARGUMENTS, executable
from tests.product import PASSWORD, Product, picture

pytestmark = pytest.mark.browser

QUESTION = "政府采购合同备案后怎么变更金额"
PASTE = """([element, content]) => {
  const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "screen.png", { type: "image/png" }));
  element.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true }));
}"""


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield opened
        await opened.close()


async def sit_down(browser: Browser, product: Product, role: Role) -> Page:
    """Somebody at the workbench."""
    await add(product, role.value, role)
    page = await (await person(browser, product)).new_page()
    await page.goto("/workbench")
    await page.get_by_label("用户名").fill(role.value)
    await page.get_by_label("密码").fill(PASSWORD)
    await page.get_by_role("button", name="登录").click()
    await expect(page.get_by_role("heading", name="总览")).to_be_visible()
    return page


async def write(page: Page) -> None:
    """A new answer with a pasted picture; the preview follows what is typed."""
    await page.get_by_role("link", name="新建答案").click()
    await page.get_by_label("标准问题").fill(QUESTION)
    area = page.locator("#answer")
    await area.press_sequentially("1. 打开采购合同备案。")
    await expect(page.locator("#preview")).to_contain_text("打开采购合同备案")
    content = base64.b64encode(picture()).decode()
    await page.evaluate(PASTE, [await area.element_handle(), content])
    await expect(area).to_have_value(re.compile(r"/media/[0-9a-f]{64}"))
    await expect(page.locator("#preview img")).to_be_visible()
    await page.get_by_label("相似问法").fill("采购合同金额改了怎么办")
    # The stroke looks for sections; it must not send the form that it is in.
    await page.locator("[name=section_words]").fill("合同备案")
    async with page.expect_response("**/workbench/new/sections"):
        await page.locator("[name=section_words]").press("Enter")
    await expect(page.locator("#answer")).to_be_visible()
    await page.keyboard.press("Control+s")
    await expect(page.get_by_role("heading", name=QUESTION).first).to_be_visible()


async def submit(page: Page) -> None:
    await page.get_by_role("button", name="提交审核").click()
    await expect(page.locator(".pill").first).to_have_text("待审核")


async def approve(page: Page) -> None:
    await page.goto("/workbench/review")
    await page.get_by_role("link", name=QUESTION).click()
    await page.get_by_role("button", name="通过并发布").click()
    await expect(page.locator(".pill").first).to_have_text("已发布")


async def asked(frame: FrameLocator, answer: str) -> None:
    """A user asks, and is given this answer last."""
    before = await frame.locator(".kind-answer").count()
    await ask(frame, QUESTION)
    await expect(frame.locator(".kind-answer")).to_have_count(before + 1)
    await expect(frame.locator(".kind-answer").last).to_contain_text(answer)


async def test_the_life_of_an_answer(product: Product, browser: Browser) -> None:
    editor = await sit_down(browser, product, Role.EDITOR)
    reviewer = await sit_down(browser, product, Role.REVIEWER)
    frame = await open_widget(await (await person(browser, product)).new_page())
    await write(editor)
    await submit(editor)
    await approve(reviewer)
    await asked(frame, "打开采购合同备案")
    await expect(frame.locator(".kind-answer img").last).to_be_visible()

    await editor.reload()
    await editor.get_by_role("link", name="编辑", exact=True).click()
    await reviewer.reload()
    await expect(reviewer.get_by_text("正在编辑这条答案")).to_be_visible()
    await editor.locator("#answer").fill("现在改为线下办理。")
    await editor.get_by_label("说明").fill("政策变了")
    await editor.get_by_role("button", name="保存为新版本").click()
    await submit(editor)
    await reviewer.goto("/workbench/review")
    await reviewer.get_by_role("link", name=QUESTION).click()
    await reviewer.get_by_role("link", name="查看改动").click()
    await expect(reviewer.locator("ins", has_text="线下办理").first).to_be_visible()
    await approve(reviewer)
    await asked(frame, "线下办理")

    await reviewer.get_by_role("link", name="版本与差异").click()
    await reviewer.locator('[data-version="1"]').get_by_role("button", name="恢复并发布").click()
    await expect(reviewer.locator(".pill").first).to_have_text("已发布")
    await asked(frame, "打开采购合同备案")

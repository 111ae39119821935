"""The main job in a real browser: a user asks, is answered, asks for more; an engineer takes over.

With CAIWEN_SCREENSHOTS=DIR the pictures of the documentation are drawn on the way.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    FrameLocator,
    Page,
    async_playwright,
    expect,
)

from tests.browser.widget_harness.chromium import ARGUMENTS, executable
from tests.product import PASSWORD, Product

pytestmark = pytest.mark.browser

SHOTS = os.environ.get("CAIWEN_SCREENSHOTS")


async def shoot(page: Page, name: str) -> None:
    """A picture for the documentation, when one is wanted."""
    if SHOTS:
        await page.wait_for_timeout(400)
        await page.screenshot(path=Path(SHOTS) / f"{name}.png")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield opened
        await opened.close()


async def person(browser: Browser, product: Product, *, wide: bool = True) -> BrowserContext:
    """A browser of one's own: own cookies, own storage."""
    size = {"width": 1440, "height": 900} if wide else {"width": 390, "height": 844}
    context = await browser.new_context(
        viewport=size,  # type: ignore[arg-type]  # width and height are all it needs
        base_url=product.address,
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
    )
    context.set_default_timeout(15_000)
    return context


async def open_widget(page: Page) -> FrameLocator:
    """From the portal into the conversation."""
    await page.goto("/portal")
    await page.get_by_role("button", name="在线咨询").click()
    frame = page.frame_locator("iframe")
    await expect(frame.locator(".kind-greeting")).to_have_count(1)
    return frame


async def ask(frame: FrameLocator, text: str) -> None:
    """Type a question and send it."""
    box = frame.get_by_role("textbox")
    await box.fill(text)
    await box.press("Enter")
    await expect(frame.locator("#log")).to_contain_text(text)


async def log_in(page: Page) -> None:
    """Into the console."""
    await page.goto("/console")
    await page.get_by_label("用户名").fill("chen")
    await page.get_by_label("密码").fill(PASSWORD)
    await page.get_by_role("button", name="登录").click()
    await page.wait_for_url("**/console*")


async def decline_until_ticket(frame: FrameLocator) -> None:
    """Nothing on offer fits."""
    ticket = frame.locator(".kind-ticket")
    for _ in range(4):
        await expect(ticket.or_(frame.locator(".kind-offer").last).last).to_be_visible()
        if await ticket.count():
            return
        await frame.get_by_role("button", name="都不是").last.click()
        await expect(ticket.or_(frame.locator(".kind-offer").nth(1)).last).to_be_visible()


async def test_a_user_and_an_engineer(browser: Browser, product: Product) -> None:
    theirs, desk = await person(browser, product), await person(browser, product)
    page = await theirs.new_page()
    await page.goto("/portal")
    await shoot(page, "portal")
    frame = await open_widget(page)
    await shoot(page, "widget-greeting")

    # A question from a sample guide: the right section, with its source and its picture.
    await ask(frame, "非税收入多缴误缴的，退付申请怎么录入")
    answer = frame.locator(".kind-answer")
    await expect(answer.or_(frame.locator(".kind-offer")).first).to_be_visible()
    if await frame.locator(".kind-offer").count():
        await frame.get_by_role("button", name="退付申请录入").first.click()
    await expect(answer).to_contain_text("进入【非税管理】—【退付管理】")
    await expect(answer).to_contain_text("非税收入退付操作手册")
    image = answer.get_by_role("img").first
    await expect(image).to_be_visible()
    assert await image.evaluate("img => img.complete && img.naturalWidth === 320")
    await shoot(page, "widget-answer")

    # What nobody can answer becomes a ticket with a severity and a promise.
    await ask(frame, "全单位的外币利息核算模块都报错打不开了")
    await decline_until_ticket(frame)
    ticket = frame.locator(".kind-ticket").last
    await expect(ticket).to_contain_text("前首次响应")
    await shoot(page, "widget-ticket")

    # The engineer sees it, takes it, and sees everything that was said.
    console = await desk.new_page()
    await console.goto("/login")
    await shoot(console, "login")
    await log_in(console)
    await console.get_by_text("外币利息核算").first.click()
    transcript = console.locator("#messages")
    await expect(transcript).to_contain_text("退付申请怎么录入")
    await expect(transcript).to_contain_text("全单位的外币利息核算模块都报错打不开了")
    await console.get_by_role("button", name="接单").first.click()
    await expect(frame.locator("#log")).to_contain_text("陈工")
    await shoot(console, "console")

    # A reply is in the user's widget within a second, and the other way round.
    await console.locator("#text").fill("您好，请发一下报错截图上的文字")
    await console.get_by_role("button", name="发送", exact=True).click()
    await expect(frame.locator("#log")).to_contain_text("请发一下报错截图上的文字")
    await expect(transcript.locator(".from-engineer .receipt")).to_have_text("已读")
    await ask(frame, "提示：利息核算服务未启动")
    await expect(transcript).to_contain_text("利息核算服务未启动")
    await shoot(page, "widget-engineer")

    # Resolved, with cause and solution; the user rates.
    await console.locator("#do-resolve").click()
    await console.locator("#cause").fill("核算服务未随升级启动")
    await console.locator("#solution").fill("已重启核算服务，刷新即可")
    await shoot(console, "console-resolve")
    await console.get_by_role("button", name="确认解决").click()
    await expect(frame.locator("#log")).to_contain_text("已重启核算服务，刷新即可")
    await frame.locator(".kind-resolved").get_by_role("button", name="已解决").click()
    stars = frame.locator(".kind-rating_request").last
    await expect(stars).to_be_visible()
    await stars.get_by_role("radio").last.check(force=True)
    await stars.get_by_role("button", name="提交评价").click()
    await expect(frame.locator("#log")).to_contain_text("谢谢您的评价")
    await shoot(page, "widget-rated")
    await theirs.close()
    await desk.close()


async def test_on_a_phone(browser: Browser, product: Product) -> None:
    context = await person(browser, product, wide=False)
    page = await context.new_page()
    frame = await open_widget(page)
    await ask(frame, "UKey插上没有反应怎么办")
    await expect(frame.locator(".kind-answer")).to_be_visible()
    wide = await frame.locator("body").evaluate("b => b.scrollWidth <= innerWidth")
    assert wide
    await shoot(page, "widget-phone")
    await log_in(page)
    await shoot(page, "console-phone")
    await context.close()

"""The workbench by keyboard in a real browser: submitting, and one answer after the other."""

import re

import pytest
from playwright.async_api import Browser, Page, expect

from bot.tables import Role
from kb import answer_editing
from kb.answer_text import AnswerText
from kb.answer_versions import Author
from tests.browser.test_workbench_answer import browser, sit_down
from tests.product import Product

pytestmark = pytest.mark.browser

__all__ = ["browser"]

FIRST, SECOND = "印鉴卡丢了怎么补办", "零余额账户怎么销户"


async def drafted(product: Product, question: str) -> str:
    """The address of a new draft."""
    now = product.services.clock()
    text = AnswerText(question=question, answer="按通知办理。")
    async with product.services.database.transaction() as session:
        done = await answer_editing.create(session, text, Author("a", "甲"), now=now)
    return f"/workbench/answers/{done.article_id}"


async def submit_by_key(page: Page, address: str) -> None:
    await page.goto(address)
    await page.locator("#comment").focus()
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".pill").first).to_have_text("草稿")
    await page.locator("#comment").blur()
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".pill").first).to_have_text("待审核")


async def test_one_answer_after_the_other_by_keyboard(product: Product, browser: Browser) -> None:
    first, second = await drafted(product, FIRST), await drafted(product, SECOND)
    editor = await sit_down(browser, product, Role.EDITOR)
    for address in (first, second):
        await submit_by_key(editor, address)
    reviewer = await sit_down(browser, product, Role.REVIEWER)
    await reviewer.goto("/workbench/review")
    await reviewer.keyboard.press("?")
    await expect(reviewer.get_by_role("dialog")).to_contain_text("提交审核")
    await reviewer.keyboard.press("Escape")
    await expect(reviewer.get_by_role("dialog")).to_have_count(0)
    await reviewer.keyboard.press("j")
    await expect(reviewer.get_by_role("link", name=FIRST)).to_be_focused()
    await reviewer.keyboard.press("Enter")
    await expect(reviewer).to_have_url(re.compile(f"{first}$"))
    for key, address in (("j", second), ("j", second), ("k", first)):
        await reviewer.keyboard.press(key)
        await expect(reviewer).to_have_url(re.compile(f"{address}$"))
        await expect(reviewer.locator(".pill").first).to_have_text("待审核")

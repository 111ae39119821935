"""A guide and an answer drawn from it, in a real browser: from import to stale to rolled back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, FrameLocator, Page, async_playwright, expect

from bot.tables import Role
from tests.browser.test_two_people import ask, open_widget, person
from tests.browser.test_workbench_answer import sit_down, submit
from tests.browser.widget_harness.chromium import ARGUMENTS, executable
from tests.product import Product

pytestmark = pytest.mark.browser

HEADING = "1.1 登记车辆购置申请"
#: What users ask; the guide itself does not say it in these words.
QUESTION = "买公车的申请单从哪里开始填"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield opened
        await opened.close()


def write_guide(folder: Path, step: str, *, version: int) -> Path:
    path = folder / f"车辆购置审批操作指南V{version}.0.md"
    path.write_text(
        f"""# 车辆购置审批操作指南

## 1 车辆购置

### {HEADING}

1. 进入车辆购置审批菜单。
2. 点击【{step}】按钮，填写车型与金额后保存。

### 1.2 查询审批进度

在已办页签输入车牌号，可以看到每个环节的经办人。
""",
        encoding="utf-8",
    )
    return path


async def import_guide(page: Page, path: Path, *, publish: bool) -> None:
    """Upload a file, leave the page, and come back to see it done."""
    await page.goto("/workbench/guides")
    await page.locator("#files").set_input_files(path)
    if publish:
        await page.get_by_label("导入后立即启用").check()
    await page.get_by_role("button", name="开始导入").click()
    address = page.url
    await page.goto("/workbench")
    await page.goto(address)
    await expect(page.locator('[data-status="imported"]')).to_be_visible()
    await expect(page.locator(".pill-job-done")).to_be_visible()
    await page.locator("#files").get_by_role("link").first.click()


async def draft(page: Page) -> str:
    """Begin an answer with the section's words; its address."""
    section = page.locator(f'[data-section="{HEADING}"]')
    await section.locator("summary").click()
    await section.get_by_role("button", name="用这一节起草答案").click()
    await expect(page.locator("#question")).to_have_value("登记车辆购置申请")
    await page.locator("#question").fill(QUESTION)
    await page.get_by_role("button", name="保存为新版本").click()
    await expect(page.locator(".pill").first).to_have_text("草稿")
    return page.url


async def approve(page: Page) -> None:
    await page.goto("/workbench/review")
    await page.get_by_role("link", name=QUESTION).click()
    await page.get_by_role("button", name="通过并发布").click()
    await expect(page.locator(".pill").first).to_have_text("已发布")


async def must_answer(page: Page, address: str) -> None:
    """Make the question one that this answer has to be given for."""
    await page.goto("/workbench/golden")
    await page.locator("#text").fill(QUESTION)
    await page.locator("#answer_id").fill(address.rsplit("/", 1)[1])
    await page.get_by_role("button", name="添加").click()
    await expect(page.locator("[data-golden]")).to_contain_text(QUESTION)


async def see_gate(page: Page) -> None:
    """What the golden questions get before and after, shown to who reviews the edited answer."""
    await page.goto("/workbench/review")
    await page.get_by_role("link", name=QUESTION).click()
    gate = page.locator("#gate")
    await expect(gate).to_contain_text("1 个必答题都没有变化")
    await expect(gate.locator("dt").first).to_have_text("首位命中")
    await expect(gate.locator("dd").first).to_have_text("100.0% → 100.0%")


async def asked(frame: FrameLocator, answer: str) -> None:
    before = await frame.locator(".kind-answer").count()
    await ask(frame, QUESTION)
    await expect(frame.locator(".kind-answer")).to_have_count(before + 1)
    await expect(frame.locator(".kind-answer").last).to_contain_text(answer)


async def test_the_life_of_a_guide_and_its_answer(
    product: Product, browser: Browser, tmp_path: Path
) -> None:
    editor = await sit_down(browser, product, Role.EDITOR)
    reviewer = await sit_down(browser, product, Role.REVIEWER)
    frame = await open_widget(await (await person(browser, product)).new_page())
    await import_guide(reviewer, write_guide(tmp_path, "登记", version=1), publish=True)
    await editor.goto(reviewer.url)
    address = await draft(editor)
    await submit(editor)
    await approve(reviewer)
    await asked(frame, "点击【登记】")
    await must_answer(editor, address)

    await import_guide(editor, write_guide(tmp_path, "新建", version=2), publish=False)
    await editor.get_by_role("link", name="第 2 版").click()
    await editor.get_by_role("link", name="与上一版比较").click()
    await expect(editor.locator('[data-fate="changed"] del')).to_have_text("登记")
    await expect(editor.locator('[data-fate="changed"]')).to_contain_text(QUESTION)
    await reviewer.goto(editor.url)
    await reviewer.get_by_role("link", name="打开指南").click()
    await reviewer.locator("summary", has_text="启用第 2 版").click()
    await expect(reviewer.locator("#gate")).to_contain_text("必答题")
    await expect(reviewer.locator("#gate")).not_to_contain_text("正在")
    await reviewer.get_by_role("button", name="确认启用").click()
    await expect(reviewer.get_by_role("status")).to_contain_text("新标出 1 条可能过时的答案")

    await editor.goto("/workbench")
    await editor.locator("#stale").click()
    await editor.get_by_role("link", name=QUESTION).click()
    await expect(editor.locator('[data-reason="section_changed"] ins')).to_have_text("新建")
    await editor.get_by_role("link", name="编辑", exact=True).click()
    await expect(editor.locator('[data-reason="section_changed"] ins')).to_have_text("新建")
    await editor.locator("#answer").fill("1. 进入车辆购置审批菜单，点击【新建】。")
    await editor.get_by_role("button", name="保存为新版本").click()
    await submit(editor)
    await see_gate(reviewer)
    await approve(reviewer)
    await expect(reviewer.locator(".pill-stale")).to_have_count(0)
    await asked(frame, "点击【新建】")

    await reviewer.goto(address)
    await reviewer.get_by_role("link", name="版本与差异").click()
    await reviewer.locator('[data-version="2"]').get_by_role("button", name="恢复并发布").click()
    await expect(reviewer.locator(".pill").first).to_have_text("已发布")
    await asked(frame, "点击【登记】")
    await reviewer.goto(address)
    await expect(reviewer.locator('[data-reason="section_changed"]')).to_be_visible()

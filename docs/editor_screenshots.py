"""Draws the pictures of the editors' manual that ``docs.screenshots`` does not.

``python -m docs.editor_screenshots [HOME]``, as ``docs.screenshots``.
"""

import sys
from pathlib import Path

import openpyxl
from playwright.sync_api import Browser, Page, expect

from docs.screenshots import DESKTOP, IMAGES, _ask, _at_workbench, _page, _shoot, _widget, served
from tests.browser.widget_harness.chromium import chromium

#: How users say it in words of their own.
ASKED = ("UKey插上去电脑一点反应都没有，灯也不亮", "我的UKey插电脑没反应了")


def _asked(browser: Browser, address: str) -> str:
    """People are led to an answer and say that it helped; what that answer is called."""
    title = ""
    for text in ASKED:
        frame = _widget(_page(browser, address, DESKTOP))
        _ask(frame, text)
        helpful = frame.get_by_role("button", name="有用")
        offered = frame.locator(".choice").first
        expect(helpful.or_(offered).first).to_be_visible()
        if offered.is_visible():
            offered.click()
        title = frame.locator(".answer h2").first.inner_text()
        helpful.first.click()
        expect(frame.locator(".feedback").last).to_contain_text("已")
    return title


def _proposals(editor: Page, title: str) -> None:
    editor.goto("/workbench/gaps")
    editor.get_by_role("button", name="现在整理").click()
    editor.goto(f"/workbench/answers?q={title}")
    editor.locator("#answers a").first.click()
    editor.get_by_role("link", name="编辑", exact=True).click()
    expect(editor.locator("#proposals input[type=checkbox]").first).to_be_visible()
    editor.locator("#proposals input[type=checkbox]").first.check()
    editor.locator("[name=section_words]").fill("UKey")
    editor.get_by_role("button", name="查找章节").click()
    expect(editor.locator("#sections input[type=radio]").nth(1)).to_be_visible()
    editor.evaluate("document.querySelector('#similar').scrollIntoView({block: 'start'})")
    _shoot(editor, "workbench-proposals")


def _views(editor: Page) -> None:
    editor.on("dialog", lambda dialog: dialog.accept())
    for query, name in (("state=published&module=支付管理", "支付已发布"), ("expired=1", "已过期")):
        editor.goto(f"/workbench/answers?{query}")
        editor.get_by_text("把现在的筛选存为视图").click()
        editor.locator("#view-name").fill(name)
        editor.get_by_label("给所有人用").check()
        editor.get_by_role("button", name="保存视图").click()
        expect(editor.get_by_role("link", name=name, exact=True)).to_be_visible()
    editor.goto("/workbench/answers?state=published")
    _shoot(editor, "workbench-views")


def _sheets(editor: Page, folder: Path) -> None:
    editor.goto("/workbench/answers?q=怎么")
    with editor.expect_download() as waiting:
        editor.get_by_role("link", name="导出表格").click()
    file = folder / "answers.xlsx"
    waiting.value.save_as(file)
    book = openpyxl.load_workbook(file)
    sheet = book.worksheets[0]
    columns = {cell.value: cell.column for cell in sheet[1]}
    sheet.cell(2, columns["适用对象（一行一个）"], "预算单位")
    sheet.cell(3, columns["财政年度"], "2026")
    sheet.cell(4, columns["财政年度"], "去年")
    sheet.append([None] * len(columns))
    last = sheet.max_row + 1
    sheet.cell(last, columns["标准问题"], "差旅费超标准怎么报")
    sheet.cell(last, columns["答案"], "1. 按规定标准填报。")
    book.save(file)
    editor.goto("/workbench/answer-sheets")
    editor.locator("#file").set_input_files(file)
    editor.get_by_role("button", name="先看看会改什么").click()
    expect(editor.locator("#fates")).to_be_visible()
    _shoot(editor, "workbench-sheets")


def _lexicon(editor: Page) -> None:
    editor.goto("/workbench/lexicon?kind=synonym&q=支付")
    editor.locator("#word").fill("财政授权支付")
    editor.locator("#variants").fill("授权付款\n零余额支付")
    _shoot(editor, "workbench-lexicon")


def _quality(editor: Page) -> None:
    editor.goto("/workbench/quality")
    editor.get_by_role("button", name="现在评测").click()
    expect(editor.get_by_role("heading", name="最糟的问题和原因")).to_be_visible(timeout=400_000)
    _shoot(editor, "workbench-quality")


def main() -> None:
    """Draw every picture."""
    home = Path(sys.argv[1] if len(sys.argv) > 1 else "var")
    IMAGES.mkdir(exist_ok=True)
    with served(home) as (address, copy), chromium() as browser:
        title = _asked(browser, address)
        editor = _at_workbench(browser, address, "editor")
        _proposals(editor, title)
        _views(editor)
        _sheets(editor, copy)
        _lexicon(editor)
        _quality(editor)


if __name__ == "__main__":
    main()

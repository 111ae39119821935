"""Answers taken away as a workbook, edited, and brought back: seen first, then saved as drafts."""

import gc
import re
from io import BytesIO
from typing import Any

import httpx
import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from bot.tables import Role
from tests.bot.web.plain_browser import Browser, shown
from tests.bot.web.test_workbench_answers import (
    QUESTION,
    closed_afterwards,
    do,
    publish,
    sit_down,
)
from tests.product import Product

__all__ = ["closed_afterwards"]
SHEETS = "/workbench/answer-sheets"
NAMES = ["答案编号", "版本", "标准问题", "相似问（一行一个）", "答案"]


async def taken(browser: Browser, query: str = "") -> Worksheet:
    answer = await browser.get(f"{SHEETS}/answers.xlsx{query}")
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    sheet: Any = openpyxl.load_workbook(BytesIO(answer.content)).worksheets[0]
    assert isinstance(sheet, Worksheet)
    return sheet


def place(sheet: Worksheet, question: str) -> int:
    """The row of a question."""
    return next(row[0].row for row in sheet.iter_rows() if row[2].value == question)


async def bring(browser: Browser, sheet: Worksheet | bytes) -> httpx.Response:
    content = sheet
    if not isinstance(content, bytes):
        out = BytesIO()
        assert sheet.parent is not None
        sheet.parent.save(out)
        content = out.getvalue()
    page = (await browser.get(SHEETS)).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    return await browser.client.post(
        SHEETS, data={"csrf_token": token[1]}, files={"file": ("答案.xlsx", content)}
    )


async def carry_out(browser: Browser, looked: httpx.Response, **fields: str) -> httpx.Response:
    key = re.search(r'name="key" value="([0-9a-f]{64})"', looked.text)
    assert key, shown(looked)
    return await browser.post(f"{SHEETS}/carry-out", key=key[1], **fields)


async def test_a_round_trip_changes_nothing(product: Product) -> None:
    editor, _, _ = await publish(product)
    sheet = await taken(editor)
    assert [cell.value for cell in sheet[1]][:5] == NAMES
    assert sheet.max_row > 10
    looked = await bring(editor, sheet)
    assert looked.status_code == 200
    assert f"没有变化： {sheet.max_row - 1}" in " ".join(shown(looked).split())
    assert "carry-out" not in looked.text


async def test_changed_and_new_rows_become_drafts(product: Product) -> None:
    editor, reviewer, at = await publish(product)
    sheet = await taken(editor, "?module=政府采购")
    row = place(sheet, QUESTION)
    sheet.cell(row, 5).value = "1. 在【合同变更】里改。"
    sheet.append(
        [None, None, "采购意向公开在哪里填", "意向公开", "在【采购意向】里填。", "政府采购"]
    )
    looked = await bring(editor, sheet)
    assert "修改" in shown(looked)
    saved = await carry_out(editor, looked, submit="1")
    assert "已保存并提交审核 2 条" in shown(saved)
    page = shown(await reviewer.get(at))
    assert "待审核" in page
    queue = shown(await reviewer.get("/workbench/review"))
    assert QUESTION in queue
    assert "采购意向公开在哪里填" in queue
    assert "表格导回" in (await reviewer.get(f"{at}/versions")).text
    # The same file once more: it is done with.
    again = await carry_out(editor, looked)
    assert again.status_code == 422
    assert "已经处理过" in shown(again)


async def test_rows_that_somebody_overtook_are_left_alone(product: Product) -> None:
    editor, reviewer, at = await publish(product)
    sheet = await taken(editor)
    row = place(sheet, QUESTION)
    sheet.cell(row, 5).value = "改一下。"
    looked = await bring(editor, sheet)
    fields = {"question": QUESTION, "answer": "同事先改了。", "kind": "answer"}
    seen = re.search(r'name="seen" value="(\d+)"', (await reviewer.get(f"{at}/edit")).text)
    assert seen
    assert (await reviewer.post(f"{at}/save", seen=seen[1], **fields)).status_code == 303
    saved = await carry_out(editor, looked)
    assert "导出之后有人改过" in shown(saved)
    assert "同事先改了" in (await editor.get(at)).text
    late = await bring(editor, sheet)
    assert "导出之后有人改过" in shown(late)
    assert "carry-out" not in late.text


async def test_bad_rows_are_named_and_hold_up_no_other(product: Product) -> None:
    editor, _, at = await publish(product)
    sheet = await taken(editor)
    row = place(sheet, QUESTION)
    sheet.cell(row, 5).value = "好的一行。"
    sheet.append(["0" * 32, 1, "没有这个编号", "", "x"])
    sheet.append([sheet.cell(row, 1).value, 1, "第二次", "", "x"])
    sheet.append([None, None, "缺答案", "", ""])
    sheet.append([None, None, "<script>alert(1)</script>", "", "x", "长" * 300])
    looked = await bring(editor, sheet)
    told = shown(looked)
    for words in ("找不到这个答案编号", "出现了两次", "不符合要求"):
        assert words in told
    assert "<script>alert" not in looked.text
    saved = await carry_out(editor, looked)
    assert "已保存 1 条草稿" in shown(saved)
    assert "好的一行" in (await editor.get(at)).text


async def test_what_waits_for_review_has_to_be_withdrawn_first(product: Product) -> None:
    editor, _, at = await publish(product)
    seen = re.search(r'name="seen" value="(\d+)"', (await editor.get(f"{at}/edit")).text)
    assert seen
    fields = {"question": QUESTION, "answer": "新的一版。", "kind": "answer"}
    assert (await editor.post(f"{at}/save", seen=seen[1], **fields)).status_code == 303
    assert (await do(editor, at, "do/submit")).status_code == 303
    sheet = await taken(editor)
    sheet.cell(place(sheet, QUESTION), 5).value = "又一版。"
    assert "请先撤回" in shown(await bring(editor, sheet))


async def test_only_editors_bring_back_and_files_are_judged(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    engineer = await sit_down(product, Role.ENGINEER)
    assert (await engineer.get(f"{SHEETS}/answers.xlsx")).status_code == 200
    refused = await engineer.post(f"{SHEETS}/carry-out", key="0" * 64)
    assert refused.status_code == 403
    for content in (b"", b"no workbook", b"PK\x03\x04"):
        answer = await bring(editor, content)
        assert answer.status_code == 422
        assert "alert-danger" in answer.text
    for key in ("", "../../etc/passwd", "0" * 64):
        assert (await editor.post(f"{SHEETS}/carry-out", key=key)).status_code == 422


async def test_an_upload_without_the_right_token_is_refused_and_closed(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    large = b"x" * 2_000_000  # beyond what is kept in memory: a file that has to be closed
    refused = await editor.client.post(
        SHEETS, data={"csrf_token": "wrong"}, files={"file": ("a.xlsx", large)}
    )
    assert refused.status_code == 403
    gc.collect()


async def test_questions_that_rows_take_from_answers_and_rows_are_shown(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    sheet = await taken(editor, "?module=政府采购")
    start = sheet.max_row + 1
    sheet.append([None, None, "公车私用怎么处理", "公务卡怎么还款", "写检查。"])
    sheet.append([None, None, "食堂饭卡丢了怎么补办", "饭卡补办", "去二楼。"])
    sheet.append([None, None, "食堂的饭卡怎么充值", "饭卡补办", "去一楼。"])
    looked = await bring(editor, sheet)
    told = looked.text.partition('id="thefts"')[2].partition("</div>")[0]
    assert f"第 {start} 行" in told
    assert "公务卡怎么还款" in told
    assert "在同一张表里" not in told or f"第 {start + 1} 行" in told
    saved = await carry_out(editor, looked)
    assert "已保存 3 条" in " ".join(shown(saved).split())

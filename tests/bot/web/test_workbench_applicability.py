"""For whom an answer is, from the editor's form to what users are told, offered and suggested."""

import re
from datetime import timedelta

import httpx
import pytest

from bot.tables import Role
from tests.bot.web.plain_browser import Browser, Seat, shown
from tests.product import Chat, Product

QUESTION = "公积金汇缴清册怎么上传"
FIELDS = {
    "question": QUESTION,
    "answer": "1. 打开【公积金汇缴】。\n2. 上传清册。",
    "similar": "公积金清册上传\n汇缴清册在哪里传",
    "owner": "何编辑",
}


async def do(browser: Browser, at: str, verb: str, **fields: str) -> httpx.Response:
    seen = re.search(r'name="seen" value="(\d+)"', (await browser.get(at)).text)
    return await browser.post(f"{at}/{verb}", seen=seen[1] if seen else "", **fields)


async def published(seat: Seat, **changes: str) -> str:
    editor, reviewer = await seat(Role.EDITOR), await seat(Role.REVIEWER)
    made = await editor.post("/workbench/new", **{**FIELDS, **changes})
    assert made.status_code == 303, shown(made)
    at = made.headers["location"]
    assert (await do(editor, at, "do/submit")).status_code == 303
    assert (await do(reviewer, at, "approve")).status_code == 303
    return at


async def suggested(product: Product, chat: Chat, typed: str) -> list[str]:
    answer = await product.client.get(
        f"/api/v1/conversations/{chat.id}/suggestions", params={"q": typed}, headers=chat.headers
    )
    assert answer.status_code == 200
    return list(answer.json())


async def told(chat: Chat, question: str = QUESTION) -> str:
    return "\n".join(message["text"] for message in await chat.say(question))


async def test_only_those_whom_it_concerns_are_told_offered_and_suggested(
    product: Product, seat: Seat
) -> None:
    await published(seat, audience="代理银行、财政局")
    bank = await product.open(name="甲", audience="代理银行,柜员")
    unit = await product.open(name="乙", audience="预算单位")
    unknown = await product.open(name="丙")
    assert await suggested(product, bank, "公积金") == [QUESTION]
    assert await suggested(product, unknown, "公积金") == [QUESTION]
    assert await suggested(product, unit, "公积金") == []
    assert "上传清册" in await told(bank)
    assert "上传清册" in await told(unknown)
    assert QUESTION not in "\n".join(
        f"{one['text']} {one['data']}" for one in await unit.say("公积金汇缴清册上传")
    ).replace("公积金汇缴清册上传", "")


async def test_what_has_expired_is_not_suggested_and_cannot_be_chosen(
    product: Product, seat: Seat
) -> None:
    today = product.services.clock().date()
    at = await published(seat, valid_until=(today - timedelta(days=2)).isoformat())
    chat = await product.open(name="甲")
    assert await suggested(product, chat, "公积金") == []
    chosen = await chat.say(QUESTION, kind="choose", answer_id=at.rpartition("/")[2])
    assert all(one["kind"] != "answer" for one in chosen)


async def test_a_question_about_another_year_is_not_answered(product: Product, seat: Seat) -> None:
    await published(seat, fiscal_year="2027")
    chat = await product.open(name="甲")
    assert "上传清册" not in await told(chat, f"2025年{QUESTION}")
    assert "上传清册" in await told(await product.open(name="乙"), f"2027年{QUESTION}")


async def test_the_list_and_the_workbook_are_narrowed_by_them(seat: Seat) -> None:
    at = await published(
        seat, audience="代理银行 财政局", fiscal_year="2025", valid_until="2025-12-31"
    )
    reader = await seat(Role.ENGINEER)
    for query in ("audience=代理银行", "year=2025", "expired=1", "year=2025&audience=财政局"):
        page = await reader.get(f"/workbench/answers?{query}")
        assert page.text.count("data-answer=") == 1, query
        assert at in page.text
    for query in ("audience=代理", "year=2024", "year=abcd"):
        page = await reader.get(f"/workbench/answers?{query}")
        assert page.text.count("data-answer=") != 1, query
    facts = shown(await reader.get(at))
    assert "代理银行、财政局" in facts
    assert "2025" in facts


@pytest.mark.parametrize(("field", "bad"), [("fiscal_year", "去年"), ("fiscal_year", "1066")])
async def test_a_senseless_year_is_refused_and_stays_typed(
    seat: Seat, field: str, bad: str
) -> None:
    editor = await seat(Role.EDITOR)
    page = await editor.post("/workbench/new", **{**FIELDS, field: bad})
    assert page.status_code == 422
    assert "财政年度" in shown(page)
    assert f'value="{bad}"' in page.text


async def test_the_section_it_is_drawn_from_is_found_and_chosen(seat: Seat) -> None:
    editor = await seat(Role.EDITOR)
    typed = {**FIELDS, "section_words": "退付申请", "note": "写了一半"}
    found = await editor.post("/workbench/new/sections", **typed)
    assert "《非税收入退付操作手册》" in shown(found)
    assert "上传清册" in found.text
    section = re.search(r'name="source_section_id" value="([0-9a-f]{32})"', found.text)
    assert section
    part = await editor.post("/workbench/new/sections", part=True, **typed)
    assert "<html" not in part.text
    made = await editor.post("/workbench/new", **FIELDS, source_section_id=section[1])
    assert made.status_code == 303, shown(made)
    at = made.headers["location"]
    page = await editor.get(f"{at}/edit")
    assert re.search(rf'value="{section[1]}" checked', page.text)
    changed = {**FIELDS, "answer": "别的话"}
    assert (await do(editor, at, "save", **changed, source_section_id="")).status_code == 303
    page = await editor.get(f"{at}/edit")
    assert section[1] not in page.text


@pytest.mark.parametrize("section", ["0" * 32, "x", "0" * 33])
async def test_a_section_that_there_is_not_is_refused(seat: Seat, section: str) -> None:
    editor = await seat(Role.EDITOR)
    page = await editor.post("/workbench/new", **FIELDS, source_section_id=section)
    assert page.status_code == 422
    assert "来源章节" in shown(page)

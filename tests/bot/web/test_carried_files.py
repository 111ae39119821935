"""Pictures and attachments stay with their words: from guide to draft, and through a workbook."""

import re
from io import BytesIO

import docx
import pytest
from PIL import Image as Picture

from bot.tables import Role
from bot.workbench.service import Whole
from tests.bot.test_faq_review import REVIEWER
from tests.bot.web.plain_browser import Browser, Seat, shown
from tests.bot.web.test_workbench_answers import do
from tests.bot.web.test_workbench_files import upload as attach
from tests.bot.web.test_workbench_guides import drafted, upload
from tests.bot.web.test_workbench_sheets import bring, carry_out, place, taken
from tests.kb.test_answer_files import PDF
from tests.product import Product, picture

HEADING, OTHER = "登记车辆购置申请", "查询审批进度"
QUESTION = "公积金汇缴清册怎么填"


def png(colour: str) -> bytes:
    buffer = BytesIO()
    Picture.new("RGB", (320, 120), colour).save(buffer, "PNG")
    return buffer.getvalue()


def guide_with_pictures(step: str) -> bytes:
    """Two sections with a screenshot each; the step stands in the first."""
    document = docx.Document()
    document.add_heading("车辆购置审批操作指南", 0)
    for heading, words, shot in (
        (HEADING, step, "#dce8f6"),
        (OTHER, "输入车牌号查询。", "#f6dcdc"),
    ):
        document.add_heading(heading, 1)
        document.add_paragraph(f"进入车辆购置审批菜单，{words}")
        document.add_picture(BytesIO(png(shot)))
    out = BytesIO()
    document.save(out)
    return out.getvalue()


async def bring_in(product: Product, browser: Browser, content: bytes) -> str:
    """The address of the guide, answering at once."""
    begun = await upload(browser, ("车辆购置审批操作指南.docx", content), publish="1")
    await product.services.guide_imports.settle()
    page = await browser.get(begun.headers["location"])
    found = re.search(r'href="(/workbench/guides/\w+)">', page.text.split('id="files"')[1])
    assert found is not None, shown(page)
    return found[1]


def pictures(text: str) -> list[str]:
    return re.findall(r"!\[[^\]]*\]\(/media/([0-9a-f]{64})\)", text)


async def words_of(browser: Browser, at: str) -> str:
    """The answer as the editor has it in the form."""
    page = await browser.get(f"{at}/edit")
    text = re.search(r'name="answer"[^>]*>([^<]*)</textarea>', page.text)
    assert text
    return text[1]


async def pictures_shown(browser: Browser, address: str) -> set[str]:
    found = set(re.findall(r'<img src="/media/([0-9a-f]{64})"', (await browser.get(address)).text))
    for sha256 in found:
        assert (await browser.get(f"/media/{sha256}")).headers["content-type"] == "image/png"
    return found


async def test_a_draft_and_a_new_version_of_a_guide_carry_their_pictures(
    product: Product, seat: Seat
) -> None:
    reviewer = await seat(Role.REVIEWER)
    guide = await bring_in(product, reviewer, guide_with_pictures("点击【登记】。"))
    at = await drafted(reviewer, guide, HEADING)
    [first] = pictures(await words_of(reviewer, at))
    assert await pictures_shown(reviewer, at) == {first}
    both = await pictures_shown(reviewer, guide)
    assert first in both
    assert len(both) == 2

    assert await bring_in(product, reviewer, guide_with_pictures("点击【新建】。")) == guide
    page = (await reviewer.get(guide)).text
    assert "点击【新建】" in page
    assert await pictures_shown(reviewer, guide) == both
    assert await pictures_shown(reviewer, at) == {first}
    again = await words_of(reviewer, await drafted(reviewer, guide, HEADING))
    assert pictures(again) == [first]
    assert "点击【新建】" in again
    other = await words_of(reviewer, await drafted(reviewer, guide, OTHER))
    assert set(pictures(other)) == both - {first}
    chat = await product.open(name="甲")
    [card] = [one for one in await chat.say(HEADING) if one["kind"] == "answer"]
    assert first in str(card["data"])


async def illustrated(editor: Browser, reviewer: Browser) -> tuple[str, str]:
    """The address of a published answer with a picture and an attachment, and its words."""
    kept = await attach(editor, PDF, "公积金汇缴清册.pdf")
    pasted = await editor.client.post(
        "/workbench/pictures",
        files={"file": ("屏幕.png", picture())},
        headers={"X-CSRF-Token": editor.csrf},
    )
    marks = [one.json()["markup"] for one in (kept, pasted)]
    text = f"1. 填好清册。\n{marks[1]}\n2. 上传。\n{marks[0]}"
    made = await editor.post("/workbench/new", question=QUESTION, answer=text)
    at = made.headers["location"]
    await do(editor, at, "do/submit")
    assert (await do(reviewer, at, "approve")).status_code == 303
    return at, text


async def kept(product: Product, at: str) -> Whole:
    """The answer with its versions, as the workbench has it."""
    article_id = at.rpartition("/")[2]
    return await product.services.workbench.answer(REVIEWER, article_id)


@pytest.mark.parametrize(
    ("column", "value"), [(0, ""), (4, "公积金汇缴清册如何填写"), (6, "住房公积金")]
)
async def test_a_workbook_brings_attachments_and_pictures_back(
    product: Product, seat: Seat, column: int, value: str
) -> None:
    editor, reviewer = await seat(Role.EDITOR), await seat(Role.REVIEWER)
    at, text = await illustrated(editor, reviewer)
    whole = await kept(product, at)
    assert whole.text.answer == text
    sheet = await taken(editor)
    if column:
        sheet.cell(place(sheet, QUESTION), column).value = value
    looked = await bring(editor, sheet)
    if column:
        saved = await carry_out(editor, looked)
        assert "已保存 1 条草稿" in shown(saved)
    else:
        assert "carry-out" not in looked.text
    again = await kept(product, at)
    assert again.text.answer == text
    assert len(again.versions) == len(whole.versions) + bool(column)
    assert again.seen == whole.seen + bool(column)
    if column:
        await do(editor, at, "do/submit")
        assert (await do(reviewer, at, "approve")).status_code == 303
    chat = await product.open(name="甲")
    [card] = [one for one in await chat.say(QUESTION) if one["kind"] == "answer"]
    assert [one["name"] for one in card["data"]["files"]] == ["公积金汇缴清册.pdf"]
    assert pictures(text)[0] in str(card["data"])

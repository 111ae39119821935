"""Golden questions are asked before anything goes live: answers, tables, guides, older versions."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.tables import Role
from store import audit
from tests.bot.web.plain_browser import Browser, shown
from tests.bot.web.test_workbench_answers import closed_afterwards, do, make, sit_down, told
from tests.bot.web.test_workbench_guides import GUIDES, UPLOADS, guide_text, imported, upload
from tests.product import Product, copy_workspace, make_settings, serving

__all__ = ["closed_afterwards"]
GOLDEN = "/workbench/golden"
#: Nothing of the sample content answers it, and nothing should.
FORBIDDEN = "食堂的饭卡丢了怎么补办"
CANTEEN = f"question,similar,answer,ref\n{FORBIDDEN},饭卡补办,去食堂二楼,ST1\n"
HARMLESS = "question,similar,answer,ref\n采购意向公开在哪里填,,在采购意向菜单里填,CG9\n"


@pytest.fixture
async def alone(prepared_workspace: Path, tmp_path: Path) -> AsyncIterator[Product]:
    """The product of a team of one, who reviews their own work."""
    home = tmp_path / "home"
    copy_workspace(prepared_workspace, home)
    settings = make_settings(home)
    kb = settings.kb.model_copy(update={"own_review": True})
    async with serving(settings.model_copy(update={"kb": kb})) as running:
        yield running


async def table(product: Product, browser: Browser, content: str, **fields: str) -> httpx.Response:
    """The page of the finished import of a table."""
    answer = await upload(browser, ("食堂问答.csv", content.encode()), **fields)
    assert answer.status_code == 303, shown(answer)
    await product.services.guide_imports.settle()
    return await browser.get(answer.headers["location"])


async def test_a_table_of_a_team_of_one_passes_the_gate(alone: Product) -> None:
    reviewer = await sit_down(alone, Role.REVIEWER)
    page = await table(alone, reviewer, HARMLESS, publish="1")
    assert 'data-fate="published"' in page.text
    assert "data-broken" not in page.text
    await reviewer.post(GOLDEN, text=FORBIDDEN, answer_id="")
    page = await table(alone, reviewer, CANTEEN, publish="1")
    assert 'data-fate="submitted"' in page.text
    assert 'data-fate="published"' not in page.text
    assert f"会变坏——{FORBIDDEN}" in shown(page)
    assert "食堂二楼" not in await told(alone, FORBIDDEN)
    async with alone.services.database.reading() as session:
        [gate] = await audit.entries_of(session, "golden:食堂问答.csv")
    assert gate.detail["blocked"]
    queue = await reviewer.get("/workbench/review")
    found = re.search(r'href="(/workbench/answers/[0-9a-f]{32})"', queue.text)
    assert found
    assert (await do(reviewer, found[1], "approve", override="新口径")).status_code == 303
    assert "食堂二楼" in await told(alone, FORBIDDEN)


async def test_an_entry_that_takes_questions_from_another_answer_waits_as_a_draft(
    alone: Product,
) -> None:
    reviewer = await sit_down(alone, Role.REVIEWER)
    rows = CANTEEN + "怎样登记公车私用,公务卡怎么还款,写检查,ST2\n"
    page = await table(alone, reviewer, rows, publish="1")
    assert "1 条会抢走别的答案的问法" in shown(page)
    assert 'data-fate="published"' in page.text
    [theft, *_] = re.findall(r"<li data-theft>(.*?)</li>", page.text)
    assert "公务卡怎么还款" in theft
    assert "写检查" not in await told(alone, "公务卡怎么还款")


async def version_of(reviewer: Browser, guide: str, number: int) -> str:
    """The address of what golden questions say of a version."""
    page = await reviewer.get(guide, version=str(number))
    found = re.search(r'hx-get="(/workbench/guide-versions/\w+/gate)"', page.text)
    assert found is not None
    return found[1]


async def test_a_guide_that_breaks_a_golden_question_needs_a_reason(product: Product) -> None:
    reviewer = await sit_down(product, Role.REVIEWER)
    guide = await imported(product, reviewer, guide_text())
    gate = await version_of(reviewer, guide, 1)
    assert "还没有必答题" in shown(await reviewer.get(gate))
    for asked in ("登记车辆购置申请", "车辆购置 登记车辆购置申请", "公务卡怎样还款呢"):
        await reviewer.post(GOLDEN, text=asked, answer_id="")
    told_before = shown(await reviewer.get(gate))
    assert "正确拒答" in told_before
    assert "会变坏" in told_before
    stopped = await reviewer.post(f"{guide}/publish", version="1")
    assert stopped.status_code == 409
    assert "登记车辆购置申请" in shown(stopped)
    assert "data-fate" not in stopped.text
    passed = await reviewer.post(f"{guide}/publish", version="1", override="必答题过时了")
    assert passed.status_code == 303
    # Once it answers, publishing it again would change nothing.
    assert "会变坏" not in shown(await reviewer.get(gate))


async def test_a_guide_to_answer_at_once_stays_a_draft_when_it_breaks_one(
    product: Product,
) -> None:
    reviewer = await sit_down(product, Role.REVIEWER)
    await reviewer.post(GOLDEN, text="登记车辆购置申请", answer_id="")
    files = ("车辆购置审批操作指南.md", guide_text())
    begun = await upload(reviewer, files, publish="1")
    await product.services.guide_imports.settle()
    page = await reviewer.get(begun.headers["location"])
    assert "data-broken" in page.text
    assert begun.headers["location"].startswith(UPLOADS)
    assert "点击【登记】" not in await told(product, "登记车辆购置申请")
    found = re.search(rf'href="({GUIDES}/\w+)">', page.text.split('id="files"')[1])
    assert found
    assert "pill-draft" in (await reviewer.get(found[1])).text


async def test_an_older_version_comes_back_through_the_gate(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    reviewer = await sit_down(product, Role.REVIEWER)
    at = await make(editor, question=FORBIDDEN, similar="饭卡补办", answer="去食堂二楼")
    await do(editor, at, "do/submit")
    assert (await do(reviewer, at, "approve")).status_code == 303
    harmless = {"question": "采购意向公开在哪里填", "similar": "", "answer": "在【采购意向】里填。"}
    assert (await do(editor, at, "save", kind="answer", **harmless)).status_code == 303
    await do(editor, at, "do/submit")
    assert (await do(reviewer, at, "approve")).status_code == 303
    await editor.post(GOLDEN, text=FORBIDDEN, answer_id="")
    stopped = await do(reviewer, at, "roll-back", number="1")
    assert stopped.status_code == 409
    assert FORBIDDEN in shown(stopped)
    assert "食堂二楼" not in await told(product, FORBIDDEN)
    back = await do(reviewer, at, "roll-back", number="1", override="旧口径仍对")
    assert back.status_code == 303
    assert "食堂二楼" in await told(product, FORBIDDEN)


async def test_what_a_publication_would_do_is_shown_to_who_decides(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    reviewer = await sit_down(product, Role.REVIEWER)
    await editor.post(GOLDEN, text=FORBIDDEN, answer_id="")
    at = await make(editor, question=FORBIDDEN, similar="饭卡补办", answer="去食堂二楼")
    await do(editor, at, "do/submit")
    assert f'hx-get="{at}/gate"' in (await reviewer.get(at)).text
    said = shown(await reviewer.get(f"{at}/gate"))
    assert "100.0% → 0.0%" in said
    assert FORBIDDEN in said
    assert "要写明理由" in said
    assert (await editor.get(f"{at}/gate")).status_code == 403

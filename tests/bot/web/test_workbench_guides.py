"""Guides on pages: import, versions, changes, facts, drafts, doubts, and release notes."""

import re
from datetime import date

import httpx
import pytest

from bot.tables import Role
from kb import repository
from tests.bot.web.plain_browser import HOSTILE, PAGE, Browser, shown
from tests.bot.web.test_workbench_answers import closed_afterwards, do, sit_down, told
from tests.product import Product

__all__ = ["closed_afterwards"]

GUIDES, UPLOADS = "/workbench/guides", "/workbench/guide-imports"
NOTES = "/workbench/release-notes"
STALE = {"stale": "1"}


def guide_text(step: str = "点击【登记】按钮", *, last: str = "") -> bytes:
    return f"""# 车辆购置审批操作指南

## 1 车辆购置

### 1.1 登记车辆购置申请

1. 进入车辆购置审批菜单。
2. {step}，填写车型与金额后保存。

### 1.2 查询审批进度

在已办页签输入车牌号或者申请编号，可以看到每个环节的经办人。
{last}
""".encode()


async def upload(browser: Browser, *files: tuple[str, bytes], **fields: str) -> httpx.Response:
    await browser.get(GUIDES)
    return await browser.client.post(
        UPLOADS,
        data={"csrf_token": browser.csrf, **fields},
        files=[("files", (name, content)) for name, content in files],
        headers=PAGE,
    )


async def imported(product: Product, browser: Browser, content: bytes, **fields: str) -> str:
    """The address of the guide that a file became."""
    answer = await upload(browser, ("车辆购置审批操作指南.md", content), **fields)
    assert answer.status_code == 303, shown(answer)
    await product.services.guide_imports.settle()
    page = await browser.get(answer.headers["location"])
    found = re.search(rf'href="({GUIDES}/\w+)">', page.text.split('id="files"')[1])
    assert found is not None, shown(page)
    return found[1]


async def drafted(editor: Browser, at: str, heading: str) -> str:
    """The address of an answer begun from a section."""
    page = await editor.get(at)
    section = re.search(rf'id="s-(\w+)" data-section="{re.escape(heading)}"', page.text)
    assert section is not None
    answer = await editor.post(f"{at}/sections/{section[1]}/draft")
    assert answer.status_code == 303
    return str(answer.headers["location"]).removesuffix("/edit")


async def publish(editor: Browser, reviewer: Browser, at: str) -> None:
    assert (await do(editor, at, "do/submit")).status_code == 303
    assert (await do(reviewer, at, "approve")).status_code == 303


async def test_an_answer_is_doubted_when_its_section_changes(any_product: Product) -> None:
    product = any_product
    editor = await sit_down(product, Role.EDITOR)
    reviewer = await sit_down(product, Role.REVIEWER)
    guide = await imported(product, reviewer, guide_text(), publish="1")
    at = await drafted(editor, guide, "1.1 登记车辆购置申请")
    assert "登记车辆购置申请" in (await editor.get(at)).text
    await publish(editor, reviewer, at)
    assert "点击【登记】" in await told(product, "登记车辆购置申请")
    assert "data-answer" not in (await editor.get("/workbench/answers", **STALE)).text

    again = await imported(product, editor, guide_text("点击【新建】按钮"))
    assert again == guide
    assert "data-reason" not in (await editor.get(at)).text
    assert (await reviewer.post(f"{guide}/publish", version="2")).status_code == 303
    assert 'id="stale"' in (home := await editor.get("/workbench")).text
    assert "wb-warn" in home.text
    assert at in (await editor.get("/workbench/answers", **STALE)).text
    assert f'{guide}/changes"><span class="pill pill-stale">1' in (await editor.get(GUIDES)).text
    assert f'pill-stale" href="{at}"' in (await editor.get(f"{guide}/changes")).text
    page = await editor.get(at)
    assert 'data-reason="section_changed"' in page.text
    assert "<del>登记</del>" in page.text
    assert "<ins>新建</ins>" in page.text

    form = await editor.get(f"{at}/edit")
    fields = dict(
        re.findall(r'name="(question|seen|source_title|owner)" value="([^"]*)"', form.text)
    )
    saved = await editor.post(f"{at}/save", **fields, answer="1. 点击【新建】。")
    assert saved.status_code == 303, shown(saved)
    assert 'data-reason="section_changed"' in (await editor.get(at)).text
    await publish(editor, reviewer, at)
    assert "data-reason" not in (await editor.get(at)).text
    await do(reviewer, at, "roll-back", number="1")
    assert 'data-reason="section_changed"' in (await editor.get(at)).text


async def test_still_right_settles_a_doubt(product: Product) -> None:
    reviewer = await sit_down(product, Role.REVIEWER)
    editor = await sit_down(product, Role.EDITOR)
    guide = await imported(product, reviewer, guide_text(), publish="1")
    at = await drafted(editor, guide, "1.1 登记车辆购置申请")
    await publish(editor, reviewer, at)
    await imported(product, reviewer, guide_text("点击【新建】按钮"), publish="1")
    assert (await editor.post(f"{at}/still-right", note="x" * 2_001)).status_code == 422
    assert (await editor.post(f"{at}/still-right", note="已核对")).status_code == 303
    assert "data-reason" not in (await editor.get(at)).text


async def test_changes_are_shown_section_by_section(product: Product) -> None:
    reviewer = await sit_down(product, Role.REVIEWER)
    guide = await imported(product, reviewer, guide_text(), publish="1")
    extra = "\n### 1.3 打印审批表\n\n选中已办结的申请，点击打印即可输出审批表。\n"
    await imported(product, reviewer, guide_text("点击【新建】按钮", last=extra), publish="1")
    page = await reviewer.get(f"{guide}/changes")
    fates = re.findall(r'data-fate="(\w+)"', page.text)
    assert sorted(fates) == ["changed", "new"]
    assert "1.3 打印审批表" in page.text
    same = await reviewer.get(f"{guide}/changes", old="2", new="2")
    assert "data-fate" not in same.text
    assert (await reviewer.get(f"{guide}/changes", old="9")).status_code == 404
    assert (await reviewer.get(guide, version="9")).status_code == 404


async def test_what_is_published_on_the_page_is_answered_at_once(product: Product) -> None:
    reviewer = await sit_down(product, Role.REVIEWER)
    question = "查询车辆购置的审批进度要输入什么"
    guide = await imported(product, reviewer, guide_text())
    assert "车牌号" not in await told(product, question)
    await reviewer.post(f"{guide}/publish", version="1")
    assert "车牌号" in await told(product, question)
    day = product.services.clock().date().isoformat()
    past = {"number": "1", "effective_until": "2020-01-01"}
    assert (await reviewer.post(f"{guide}/facts", **past)).status_code == 303
    assert "车牌号" not in await told(product, question)
    for path in (GUIDES, guide):
        assert "不在生效期内" in (await reviewer.get(path)).text
    await reviewer.post(f"{guide}/facts", number="1", effective_from=day, fiscal_year="2026")
    assert "车牌号" in await told(product, question)
    assert (await reviewer.post(f"{guide}/withdraw")).status_code == 303
    assert "车牌号" not in await told(product, question)


@pytest.mark.parametrize("kind", ["answer", "collect"])
async def test_an_answer_that_expired_after_it_was_offered_is_not_shown(
    product: Product, kind: str
) -> None:
    chat = await product.open(name="甲")
    async with product.services.database.transaction() as session:
        articles = await repository.published_articles(session)
        article = next(one for one in articles if one.kind == kind)
        article_id, said = article.id, article.answer.splitlines()[0]
        article.valid_until = date(2020, 1, 1)
    shown_now = await chat.say("这一条", kind="choose", answer_id=article_id)
    assert not any(said in message["text"] for message in shown_now)
    assert not any(message["kind"] == "answer" for message in shown_now)
    async with product.services.database.transaction() as session:
        again = await repository.article(session, article_id)
        assert again is not None
        again.valid_until = None
    other = await product.open(name="乙")
    told_now = await other.say("这一条", kind="choose", answer_id=article_id)
    assert any(said in message["text"] for message in told_now)


@pytest.mark.parametrize(
    "change",
    [
        {"issued": "去年"},
        {"effective_from": "明天"},
        {"effective_from": "2026-02-01", "effective_until": "2026-01-01"},
        {"fiscal_year": "二六"},
        {"regions": "、".join(map(str, range(101)))},
        {"document_number": "号" * 101},
    ],
)
async def test_bad_facts_are_named_and_nothing_typed_is_lost(
    product: Product, change: dict[str, str]
) -> None:
    editor = await sit_down(product, Role.EDITOR)
    guide = await imported(product, editor, guide_text())
    typed = {"number": "1", "audience": "还在的用户", **change}
    answer = await editor.post(f"{guide}/facts", **typed)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "还在的用户" in answer.text


async def test_files_that_cannot_be_read_are_refused_one_by_one(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    answer = await upload(
        editor,
        ("../../坏的.docx", b"PK\x03\x04 broken"),
        (f"{HOSTILE}.md", guide_text()),
        ("空.pdf", b""),
    )
    await product.services.guide_imports.settle()
    page = await editor.get(answer.headers["location"])
    assert re.findall(r'data-status="(\w+)"', page.text) == ["refused", "imported", "refused"]
    assert HOSTILE not in page.text
    assert "已完成" in shown(page)
    part = await editor.client.get(
        answer.headers["location"], headers={**PAGE, "HX-Request": "true"}
    )
    assert part.text.lstrip().startswith('<div id="job"')
    assert "hx-trigger" not in part.text
    assert not list((product.services.workspace.home / "imports").iterdir())


async def test_an_upload_without_files_or_with_too_many_is_refused(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    assert (await upload(editor)).status_code in (403, 422)
    many = [(f"{n}.md", b"# x") for n in range(51)]
    assert (await upload(editor, *many)).status_code == 422
    guide = await imported(product, editor, guide_text())
    chosen = {"guide_id": guide.rpartition("/")[2]}
    two = await upload(editor, ("a.md", b"# a"), ("b.md", b"# b"), **chosen)
    assert two.status_code == 422
    unknown = await upload(editor, ("a.md", b"# a"), guide_id="0" * 32)
    assert unknown.status_code == 404


async def test_only_uploads_may_be_large(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    large = b"\x00" * 1_500_000
    assert (await upload(editor, ("大.bin", large))).status_code == 303
    await product.services.guide_imports.settle()
    guide = await imported(product, editor, guide_text())
    assert (await editor.post(f"{guide}/facts", version="x" * 1_500_000)).status_code == 413


async def test_a_chosen_guide_gets_whatever_is_uploaded_as_its_version(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    guide = await imported(product, editor, guide_text())
    content = "# 另一个名字\n\n## 一、说明\n\n这里是完全不同的内容，以后都按这个办。\n".encode()
    at = await upload(editor, ("别的.md", content), guide_id=guide.rpartition("/")[2])
    assert at.status_code == 303
    await product.services.guide_imports.settle()
    assert 'data-version="2"' in (await editor.get(guide)).text


async def test_editors_import_and_reviewers_decide(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    engineer = await sit_down(product, Role.ENGINEER)
    guide = await imported(product, editor, guide_text())
    at_once = await upload(editor, ("a.md", guide_text("点开")), publish="1")
    assert at_once.status_code == 403
    assert (await editor.post(f"{guide}/publish", version="1")).status_code == 403
    assert (await editor.post(f"{guide}/withdraw")).status_code == 403
    for path in (GUIDES, guide, NOTES):
        assert (await engineer.get(path)).status_code == 200
    assert (await upload(engineer, ("a.md", b"# a"))).status_code == 403
    assert (await engineer.post(f"{guide}/facts", number="1")).status_code == 403
    assert (await engineer.post(NOTES, note="x")).status_code == 403
    editor.csrf = "guessed"
    assert (await editor.post(f"{guide}/facts", number="1")).status_code == 403


@pytest.mark.parametrize("part", ["x", "0" * 32, f"{'0' * 32}/changes"])
async def test_senseless_addresses_are_refused(product: Product, part: str) -> None:
    editor = await sit_down(product, Role.EDITOR)
    assert (await editor.get(f"{GUIDES}/{part}")).status_code in (404, 422)
    assert (await editor.get(f"{UPLOADS}/{part}")).status_code in (404, 422)


async def test_a_release_note_flags_what_is_chosen(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    empty = await editor.post(NOTES, note=" ")
    assert empty.status_code == 422
    note = f"{HOSTILE}\n1. 优化公务卡还款的页面\n2. 修复若干问题"
    preview = await editor.post(NOTES, name="十一月升级", note=note)
    assert "公务卡怎么还款" in preview.text
    assert HOSTILE not in preview.text
    found = re.search(r'<tr data-answer="(\w+)"', preview.text)
    assert found is not None
    nothing = await editor.post(NOTES, name="十一月升级", note=note, confirm="1")
    assert nothing.status_code == 422
    assert "公务卡怎么还款" in nothing.text
    done = await editor.post(NOTES, name="十一月升级", note=note, confirm="1", chosen=found[1])
    assert done.status_code == 303
    page = await editor.get(f"/workbench/answers/{found[1]}")
    assert 'data-reason="release_note"' in page.text
    assert "十一月升级" in page.text
    assert found[1] in (await editor.get("/workbench/answers", **STALE)).text
    assert "十一月升级" in (await editor.get(NOTES, flagged="true")).text


async def test_a_release_note_may_be_a_file(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    await editor.get(NOTES)

    async def send(name: str, content: bytes) -> httpx.Response:
        return await editor.client.post(
            NOTES,
            data={"csrf_token": editor.csrf, "note": ""},
            files={"file": (name, content)},
            headers=PAGE,
        )

    found = await send("说明.md", "# 升级说明\n\n公务卡还款改版，请知悉。\n".encode())
    assert found.status_code == 200, shown(found)
    assert "公务卡怎么还款" in found.text
    assert (await send("坏.docx", b"PK\x03\x04")).status_code == 422

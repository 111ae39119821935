"""The life of an answer through pages without scripts: draft, review, asked, edited, back."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from bot.tables import Role
from kb.retriever import Retriever
from kb.tables import ArticleRow
from tests.bot.web.plain_browser import HOSTILE, Browser, add, open_browser, shown
from tests.product import Product, picture

QUESTION = "政府采购合同备案后怎么变更金额"
FIELDS = {
    "question": QUESTION,
    "answer": "1. 打开【采购合同备案】。\n2. 点击【变更申请】，填写新的金额。",
    "similar": "采购合同金额改了怎么办\n合同备案变更",
    "module": "政府采购",
    "category": "操作咨询",
    "owner": "何编辑",
    "source_title": "政府采购操作指南",
}
ANSWERS = "/workbench/answers"


_OPENED: list[Browser] = []


@pytest.fixture(autouse=True)
async def closed_afterwards() -> AsyncIterator[None]:
    """Whoever sat down leaves."""
    yield
    while _OPENED:
        await _OPENED.pop().client.aclose()


async def sit_down(product: Product, role: Role, name: str = "") -> Browser:
    username = name or role.value
    await add(product, username, role)
    browser = open_browser(product)
    _OPENED.append(browser)
    await browser.log_in(username)
    await browser.get("/workbench")
    return browser


async def make(browser: Browser, **changes: str) -> str:
    """The address of a new draft."""
    answer = await browser.post("/workbench/new", **{**FIELDS, **changes})
    assert answer.status_code == 303, shown(answer)
    return answer.headers["location"]


async def do(browser: Browser, at: str, verb: str, **fields: str) -> httpx.Response:
    """Press a button of the answer's page."""
    seen = re.search(r'name="seen" value="(\d+)"', (await browser.get(at)).text)
    return await browser.post(f"{at}/{verb}", seen=seen[1] if seen else "", **fields)


async def publish(product: Product) -> tuple[Browser, Browser, str]:
    editor = await sit_down(product, Role.EDITOR)
    reviewer = await sit_down(product, Role.REVIEWER)
    at = await make(editor)
    assert (await do(editor, at, "do/submit")).status_code == 303
    assert (await do(reviewer, at, "approve")).status_code == 303
    return editor, reviewer, at


async def told(product: Product, question: str = QUESTION) -> str:
    """What a user is told now."""
    chat = await product.open(name="甲")
    return "\n".join(message["text"] for message in await chat.say(question))


async def test_the_whole_life_of_an_answer(any_product: Product) -> None:
    product = any_product
    editor, reviewer, at = await publish(product)
    assert "点击【变更申请】" in await told(product)
    page = await editor.get(f"{at}/edit")
    assert "采购合同金额改了怎么办" in page.text
    changed = {**FIELDS, "answer": "1. 现在改为线下办理。", "note": "政策变了"}
    assert (await do(editor, at, "save", **changed)).status_code == 303
    assert "点击【变更申请】" in await told(product)
    difference = await reviewer.get(f"{at}/versions")
    assert "<ins>" in difference.text
    assert "<del>" in difference.text
    await do(editor, at, "do/submit")
    assert QUESTION in (await reviewer.get("/workbench/review")).text
    await do(reviewer, at, "approve")
    assert "线下办理" in await told(product)
    assert (await do(reviewer, at, "roll-back", number="1")).status_code == 303
    assert "点击【变更申请】" in await told(product)
    assert (await do(reviewer, at, "do/archive")).status_code == 303
    assert "变更申请" not in await told(product)


async def test_the_author_cannot_approve_and_is_told_why(product: Product) -> None:
    reviewer = await sit_down(product, Role.REVIEWER)
    at = await make(reviewer)
    await do(reviewer, at, "do/submit")
    refused = await do(reviewer, at, "approve")
    assert refused.status_code == 409
    assert "请由另一位审核人审核" in shown(refused)


async def test_sending_back_keeps_the_reason_for_the_author(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    reviewer = await sit_down(product, Role.REVIEWER)
    at = await make(editor)
    await do(editor, at, "do/submit")
    assert (await do(reviewer, at, "do/send_back", note="")).status_code == 422
    assert (await do(reviewer, at, "do/send_back", note=f"请补图{HOSTILE}")).status_code == 303
    page = await editor.get(at)
    assert "请补图" in page.text
    assert HOSTILE not in page.text


@pytest.mark.parametrize("role", [Role.ENGINEER, Role.MANAGER, Role.OPERATIONS])
async def test_others_only_look(product: Product, role: Role) -> None:
    editor = await sit_down(product, Role.EDITOR)
    at = await make(editor)
    browser = await sit_down(product, role)
    for path in (ANSWERS, "/workbench/review", "/workbench/try", at, f"{at}/versions"):
        assert (await browser.get(path)).status_code == 200, path
    for path in ("/workbench/new", f"{at}/edit"):
        assert (await browser.get(path)).status_code == 403, path
    for path in (f"{at}/save", f"{at}/do/submit", f"{at}/approve", f"{at}/lock", "/workbench/new"):
        answer = await browser.post(path, **{**FIELDS, "seen": "1"})
        assert answer.status_code == 403, path


async def test_an_editor_cannot_publish_or_archive(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    at = await make(editor)
    await do(editor, at, "do/submit")
    for verb in ("approve", "do/archive", "do/send_back"):
        assert (await do(editor, at, verb, note="x")).status_code == 403


async def test_forms_of_other_sites_do_nothing(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    editor.csrf = "guessed"
    assert (await editor.post("/workbench/new", **FIELDS)).status_code == 403


async def test_what_was_typed_comes_back_when_a_colleague_was_faster(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    other = await sit_down(product, Role.EDITOR, "zhou")
    at = await make(editor)
    assert (await do(other, at, "save", **{**FIELDS, "answer": "周写的"})).status_code == 303
    late = await editor.post(f"{at}/save", **{**FIELDS, "answer": "我写的很长", "seen": "1"})
    assert late.status_code == 409
    assert "我写的很长" in late.text
    seen = re.search(r'name="seen" value="(\d+)"', late.text)
    assert seen is not None
    again = {**FIELDS, "answer": "我写的很长", "seen": seen[1]}
    assert (await editor.post(f"{at}/save", **again)).status_code == 303


async def test_a_colleague_in_the_editor_is_named_and_can_be_taken_over(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    other = await sit_down(product, Role.EDITOR, "zhou")
    at = await make(editor)
    await editor.get(f"{at}/edit")
    page = await other.get(f"{at}/edit")
    assert "editor 从" in shown(page)
    late = await do(other, at, "save", **{**FIELDS, "answer": "周写的"})
    assert late.status_code == 409
    assert "周写的" in late.text
    assert (await other.post(f"{at}/take-over")).status_code == 303
    assert (await editor.post(f"{at}/lock")).status_code == 409
    assert (await do(other, at, "save", **{**FIELDS, "answer": "周写的"})).status_code == 303
    await other.post(f"{at}/release")
    assert (await editor.post(f"{at}/lock")).status_code == 204


@pytest.mark.parametrize(
    "change",
    [
        {"question": " "},
        {"answer": ""},
        {"category": "<b>"},
        {"kind": "x"},
        {"valid_from": "昨天"},
        {"valid_from": "2026-12-01", "valid_until": "2026-01-01"},
        {"question": "问" * 501},
        {"similar": "\n".join(map(str, range(301)))},
    ],
)
async def test_bad_fields_are_named_and_nothing_typed_is_lost(
    product: Product, change: dict[str, str]
) -> None:
    editor = await sit_down(product, Role.EDITOR)
    answer = await editor.post("/workbench/new", **{**FIELDS, "source_title": "还在", **change})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "还在" in answer.text


async def test_what_a_table_brought_along_is_not_lost_by_editing(product: Product) -> None:
    """A category that is none of ours is shown, kept, and stays the only foreign one."""
    editor = await sit_down(product, Role.EDITOR)
    found = re.search(r'data-answer="(\w+)"', (await editor.get(ANSWERS)).text)
    assert found is not None
    at = f"{ANSWERS}/{found[1]}"
    async with product.services.database.transaction() as session:
        article = await session.get(ArticleRow, found[1])
        assert article is not None
        article.category = "老分类"
    page = await editor.get(f"{at}/edit")
    assert "<option selected>老分类</option>" in page.text
    kept = {**FIELDS, "category": "老分类", "answer": "改了"}
    assert (await do(editor, at, "save", **kept)).status_code == 303
    assert (await do(editor, at, "save", **{**kept, "category": "别的"})).status_code == 422


@pytest.mark.parametrize("role", [Role.EDITOR, Role.REVIEWER])
async def test_editors_begin_at_the_workbench(product: Product, role: Role) -> None:
    await add(product, "wu", role)
    browser = open_browser(product)
    _OPENED.append(browser)
    assert (await browser.log_in("wu")).headers["location"] == "/workbench"
    assert (await browser.get("/login")).headers["location"] == "/workbench"
    assert 'class="topbar-brand" href="/workbench"' in (await browser.get("/workbench")).text


async def test_a_question_taken_from_another_answer_is_shown_first(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    stolen = {**FIELDS, "similar": "电脑不认锁"}
    asked = await editor.post("/workbench/new", **stolen)
    assert asked.status_code == 422
    assert "UKey插上没有反应怎么办" in shown(asked)
    assert (
        await editor.post("/workbench/new", **stolen, confirmed="电脑不认锁")
    ).status_code == 303


async def test_a_date_is_kept_and_met(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    reviewer = await sit_down(product, Role.REVIEWER)
    at = await make(editor)
    await do(editor, at, "do/submit")
    for bad in ("morgen", "9999-01-01T00:00"):
        assert (await do(reviewer, at, "approve", publish_at=bad)).status_code == 422
    year = product.services.clock().year + 1
    moment = f"{year}-01-01T09:00"
    if (await do(reviewer, at, "approve", publish_at=moment)).status_code == 422:
        pytest.fail("a date within a year is refused")
    assert "1月1日" in shown(await reviewer.get(at))
    assert "变更申请" not in await told(product)


async def test_hostile_text_is_shown_as_text_everywhere(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    at = await make(
        editor,
        question=HOSTILE,
        answer=f"{HOSTILE} [x](javascript:alert(1)) ![x](http://evil/x.png)",
        similar=HOSTILE + "2",
        module=HOSTILE,
        owner=HOSTILE,
    )
    for path in (at, f"{at}/versions", f"{at}/edit", ANSWERS, "/workbench"):
        page = await editor.get(path)
        assert page.status_code == 200
        assert HOSTILE not in page.text
        assert 'href="javascript' not in page.text
        assert 'src="http' not in page.text


@pytest.mark.parametrize("part", ["x", "0" * 31, "0" * 33, "0" * 32])
async def test_senseless_ids_are_refused(product: Product, part: str) -> None:
    editor = await sit_down(product, Role.EDITOR)
    for path in (f"{ANSWERS}/{part}", f"{ANSWERS}/{part}/versions", f"{ANSWERS}/{part}/edit"):
        assert (await editor.get(path)).status_code in (404, 422)
    assert (await editor.post(f"{ANSWERS}/{part}/do/submit", seen="1")).status_code in (404, 422)


async def test_senseless_numbers_are_refused(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    at = await make(editor)
    for seen in ("", "-1", "²", "9" * 40):
        assert (await editor.post(f"{at}/do/submit", seen=seen)).status_code == 422
    assert (await editor.post(f"{at}/do/publish", seen="1")).status_code == 404
    assert (await editor.get(f"{at}/versions", old="77")).status_code == 404
    for after in ("x", "2026-01-01T00:00:00_", "2026-01-01T00:00:00+00:00_'--", "_"):
        assert (await editor.get(ANSWERS, after=after)).status_code == 200


async def test_a_pasted_picture_is_kept_and_shown_to_users(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    headers = {"X-CSRF-Token": editor.csrf}
    sent = await editor.client.post(
        "/workbench/pictures", files={"file": ("a.png", picture())}, headers=headers
    )
    assert sent.status_code == 201
    markup = sent.json()["markup"]
    shown_picture = await editor.client.get(markup[4:-1])
    assert shown_picture.headers["content-type"] == "image/png"
    preview = await editor.post("/workbench/preview", question="问", answer=f"看图\n{markup}")
    assert f'<img src="{markup[4:-1]}"' in preview.text


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", b"<svg onload=alert(1)>", b"\x89PNG\r\n\x1a\n"]
)
async def test_what_is_no_picture_is_refused(product: Product, content: bytes) -> None:
    editor = await sit_down(product, Role.EDITOR)
    headers = {"X-CSRF-Token": editor.csrf}
    files = {"file": ("a.png", content)}
    sent = await editor.client.post("/workbench/pictures", files=files, headers=headers)
    assert sent.status_code == 422


async def test_trying_a_question_shows_everything_and_records_nothing(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    page = await editor.get("/workbench/try", q="电脑不认锁", answer_from="0.99", offer_from="x")
    words = shown(page)
    for said in ("直接回答", "UKey插上没有反应怎么办", "现用阈值", "换成这两个阈值"):
        assert said in words
    found = Retriever(product.services.publishing.index).search("电脑不认锁")
    above = f"{(1.0 + found.probabilities[0]) / 2:.8f}"
    strict = await editor.get("/workbench/try", q="电脑不认锁", answer_from=above)
    assert "换成这两个阈值后会变成：给出候选" in shown(strict)
    for q in (HOSTILE, "\x00", "😀", "a" * 2_000):
        again = await editor.get("/workbench/try", q=q)
        assert again.status_code == 200
        assert HOSTILE not in again.text
    assert (await editor.get("/workbench/try", q="a" * 2_001)).status_code == 422


async def test_the_list_narrows_and_its_address_is_a_view(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    await make(editor)
    page = await editor.get(ANSWERS, state="draft", module="政府采购", owner="何编辑", q="变更")
    assert page.text.count("data-answer=") == 1
    assert "没有符合条件的答案" in (await editor.get(ANSWERS, q="100%")).text
    everything = await editor.get(ANSWERS, state="nonsense", sort="oldest")
    assert everything.text.count("data-answer=") == 11

"""Golden questions: kept, asked of what is live, and of a change before anybody sees it."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.tables import Role
from kb import answer_editing
from kb.answer_editing import Step
from kb.answer_text import AnswerText
from kb.answer_versions import Author
from store import audit
from tests.bot.web.plain_browser import Browser, add, open_browser, shown
from tests.product import Product

AT = "/workbench/golden"
#: Nobody here should answer this.
FORBIDDEN = "食堂的饭卡丢了怎么补办"


@pytest.fixture
async def editor(product: Product) -> AsyncIterator[Browser]:
    await add(product, "bian", Role.EDITOR)
    browser = open_browser(product)
    await browser.log_in("bian")
    await browser.get(AT)
    yield browser
    await browser.client.aclose()


def answer_id(product: Product, question: str) -> str:
    index = product.services.golden.index.current()
    return next(one.answer_id for one in index.answers if one.title == question)


async def test_questions_are_kept_asked_and_judged(product: Product, editor: Browser) -> None:
    right = answer_id(product, "公务卡怎么还款")
    wrong = answer_id(product, "电子票据开错了怎么冲红")
    for text, answer in (
        ("刷了公务卡怎么还钱", right),
        ("公务卡怎样还款呢", wrong),
        ("今天晚上吃什么好呢", ""),
    ):
        kept = await editor.post(AT, text=text, answer_id=answer)
        assert kept.status_code == 303
    assert "还没有问过" in shown(await editor.get(AT))
    assert (await editor.post(f"{AT}/run")).status_code == 303
    page = await editor.get(AT)
    assert page.text.count("pill-published") == 2
    assert page.text.count("pill-in_review") == 1
    assert "首位命中 50.0% · 前三命中" in shown(page)
    overview = await product.services.golden.overview()
    failed = next(one for one in overview.questions if one.answer_id == wrong)
    await editor.post(f"{AT}/{failed.id}/remove")
    await editor.post(f"{AT}/{failed.id}/remove")
    assert len((await product.services.golden.overview()).questions) == 2


async def test_the_answer_is_named_as_people_know_it(product: Product, editor: Browser) -> None:
    title = "公务卡怎么还款"
    right = answer_id(product, title)
    at = f"/workbench/answers/{right}"
    for number, name in enumerate((title, f"https://caiwen.example{at}?from=list")):
        kept = await editor.post(AT, text=f"刷了公务卡怎么还钱{number}", answer_id=name)
        assert kept.status_code == 303, shown(kept)
    kept_as = {one.answer_id for one in (await product.services.golden.overview()).questions}
    assert kept_as == {right}
    refused = await editor.post(AT, text="刷了公务卡怎么还", answer_id="没有这条答案")
    assert refused.status_code == 422
    assert 'value="没有这条答案"' in refused.text
    assert f"{AT}?answer={right}" in (await editor.get(at)).text


async def test_a_change_that_breaks_a_golden_question_is_blocked(
    product: Product, editor: Browser
) -> None:
    golden = product.services.golden
    right = answer_id(product, "公务卡怎么还款")
    await editor.post(AT, text="刷了公务卡怎么还钱", answer_id=right)
    gate = await golden.check({right: None})
    assert gate.blocked
    assert [gate.questions[key].text for key in gate.comparison.broken] == ["刷了公务卡怎么还钱"]
    live = golden.index.current()
    one = next(answer for answer in live.answers if answer.answer_id == right)
    harmless = await golden.check({right: replace(one, text="改了正文")})
    assert not harmless.blocked
    assert answer_id(product, "公务卡怎么还款") == right  # nobody has seen the candidate


@pytest.mark.parametrize(
    ("text", "answer"),
    [("", ""), ("   ", ""), ("问" * 501, ""), ("公务卡", "f" * 32), ("公务卡", "<script>")],
)
async def test_what_cannot_be_kept_is_said_and_the_form_keeps_it(
    product: Product, editor: Browser, text: str, answer: str
) -> None:
    refused = await editor.post(AT, text=text, answer_id=answer)
    assert refused.status_code == 422
    assert "<script>" not in refused.text.partition("<main")[2]
    assert not (await product.services.golden.overview()).questions


async def test_the_same_question_is_kept_once(product: Product, editor: Browser) -> None:
    await editor.post(AT, text="今天吃什么", answer_id="")
    assert (await editor.post(AT, text=" 今天吃什么 ", answer_id="")).status_code == 422


async def test_a_reviewer_is_stopped_and_may_go_on_with_a_reason(
    product: Product, editor: Browser
) -> None:
    await editor.post(AT, text=FORBIDDEN, answer_id="")
    database, now = product.services.database, product.services.clock()
    unwanted = AnswerText(question=FORBIDDEN, answer="去食堂二楼", similar=("饭卡丢了", "饭卡补办"))
    async with database.transaction() as session:
        author = Author("someone", "甲")
        made = await answer_editing.create(session, unwanted, author, now=now)
        step = Step(made.article_id, made.version, author, now)
        seen = (await answer_editing.submit(session, step)).version
    await add(product, "shen", Role.REVIEWER)
    reviewer = open_browser(product)
    await reviewer.log_in("shen")
    path = f"/workbench/answers/{made.article_id}"
    await reviewer.get(path)
    stopped = await reviewer.post(f"{path}/approve", seen=str(seen))
    assert stopped.status_code == 409
    assert FORBIDDEN in shown(stopped)
    passed = await reviewer.post(f"{path}/approve", seen=str(seen), override="新口径")
    assert passed.status_code == 303
    assert answer_id(product, FORBIDDEN) == made.article_id
    async with database.reading() as session:
        noted = await audit.entries_of(session, f"golden:{made.article_id}")
    assert [(one.detail["blocked"], one.detail["override"]) for one in noted] == [
        (True, ""),
        (False, "新口径"),
    ]
    await reviewer.client.aclose()


async def test_engineers_may_look_only(product: Product) -> None:
    await add(product, "gong", Role.ENGINEER)
    browser = open_browser(product)
    await browser.log_in("gong")
    assert (await browser.get(AT)).status_code == 200
    assert (await browser.post(AT, text="公务卡", answer_id="")).status_code == 403
    assert (await browser.post(f"{AT}/run")).status_code == 403
    await browser.client.aclose()

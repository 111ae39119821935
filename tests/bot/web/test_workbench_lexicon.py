"""The lexicon's pages: a change is felt by the next question, and can be taken back."""

import re
from pathlib import Path

import httpx
import pytest

from bot.tables import Role
from bot.workbench.lexicons import entries_of
from kb.lexicon_entries import searched
from kb.lexicon_store import lexicon_file
from tests.bot.web.plain_browser import HOSTILE, Browser, shown
from tests.bot.web.test_workbench_answers import closed_afterwards, sit_down
from tests.product import Product

__all__ = ["closed_afterwards"]
LEXICON = "/workbench/lexicon"
#: A made-up nickname that nothing knows.
NICKNAME = "蓝精灵套餐"


async def save(browser: Browser, **fields: str) -> httpx.Response:
    return await browser.post(LEXICON, **{"kind": "synonym", "seen": "0", **fields})


async def seen(browser: Browser, word: str) -> str:
    """The version that the form of a synonym names."""
    page = (await browser.get(f"{LEXICON}?kind=synonym&word={word}")).text
    found = re.search(r'name="seen" value="(\d+)">\s*<label', page)
    assert found
    return found[1]


async def told(product: Product, text: str) -> list[str]:
    chat = await product.open()
    return [m["kind"] for m in await chat.say(text)]


async def test_a_synonym_is_felt_by_the_next_question(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    question, word = f"系统里{NICKNAME}怎么弄", "电子票据冲红"
    assert "answer" not in await told(product, question)
    assert "随产品提供" in shown(await editor.get(f"{LEXICON}?q=ukey"))
    kept = await save(editor, word=word, variants=NICKNAME)
    assert kept.status_code == 303, shown(kept)
    assert "answer" in await told(product, question)
    for on in ("0", "1"):
        number = await seen(editor, word)
        switched = await editor.post(
            f"{LEXICON}/switch", kind="synonym", word=word, seen=number, on=on
        )
        assert switched.status_code == 303, shown(switched)
        assert ("answer" in await told(product, question)) is (on == "1")
    await save(editor, word=word, variants="红冲单", seen=await seen(editor, word))
    assert "answer" not in await told(product, question)
    back = {"kind": "synonym", "word": word, "seen": await seen(editor, word), "number": "1"}
    assert (await editor.post(f"{LEXICON}/restore", **back)).status_code == 303
    assert "answer" in await told(product, question)
    page = shown(await editor.get(f"{LEXICON}?kind=synonym&word={word}"))
    assert "以前的版本" in page


async def test_a_mix_up_is_asked_about_and_a_blocked_word_goes_to_people(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    pair = {
        "kind": "pair",
        "word": "blue",
        "variants": NICKNAME,
        "question": "请问是登录用的，还是盖章用的？",
        "options": "登录用的UKey插上没有反应\n电子章盖不上",
        "decided_by": "登录\n电子章",
    }
    assert (await save(editor, **pair)).status_code == 303
    chat = await product.open()
    (asked,) = await chat.say(f"系统里{NICKNAME}用不了")
    assert asked["text"].startswith("请问是登录用的")
    assert (await save(editor, kind="block", word="市长信箱")).status_code == 303
    kinds = await told(product, "UKey插上没有反应怎么办，不解决我写市长信箱")
    assert "answer" not in kinds
    assert "ticket" in kinds


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"word": "新词", "variants": "盾"}, "只有一个字"),
        ({"word": "新词", "variants": "u盾"}, "已经属于别的词条"),
        ({"word": "", "variants": "某个"}, "不能为空"),
        ({"word": "新词", "variants": "甲乙", "seen": "7"}, "有人改过"),
        ({"word": "新词", "variants": "甲乙", "seen": "x"}, "有人改过"),
    ],
)
async def test_what_is_refused_comes_back_as_typed(
    product: Product, fields: dict[str, str], words: str
) -> None:
    editor = await sit_down(product, Role.EDITOR)
    answer = await save(editor, **fields)
    assert answer.status_code == 422
    assert words in shown(answer)
    assert fields["variants"] in answer.text


async def test_two_editors_do_not_overwrite_one_another(product: Product) -> None:
    first = await sit_down(product, Role.EDITOR)
    second = await sit_down(product, Role.REVIEWER)
    assert (await save(first, word="新词", variants="甲乙")).status_code == 303
    late = await save(second, word="新词", variants="丙丁")
    assert late.status_code == 422
    assert "丙丁" in late.text
    assert (await save(second, word="新词", variants="丙丁", seen="1")).status_code == 303


async def test_roles_hostile_words_and_unknown_entries(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    engineer = await sit_down(product, Role.ENGINEER)
    assert (await engineer.get(LEXICON)).status_code == 200
    assert (await save(engineer, word="新词", variants="甲乙")).status_code == 403
    kept = await save(editor, word=f"新词{HOSTILE}", variants=f"甲乙{HOSTILE}")
    assert kept.status_code == 303
    page = await editor.get(f"{LEXICON}?q=新词")
    assert HOSTILE not in page.text
    for verb in ("switch", "restore"):
        lost = await editor.post(
            f"{LEXICON}/{verb}", kind="synonym", word="没有", seen="0", number="9", on="1"
        )
        assert lost.status_code == 422
        assert "不存在" in shown(lost)
    assert (await editor.get(f"{LEXICON}?kind=drop&word=%00")).status_code in (200, 422)


async def test_a_broken_file_counts_as_none(product: Product) -> None:
    path: Path = lexicon_file(product.services.settings.home)
    for content in (b"", b"[]", b'{"lexicon": 5, "pairs": 1, "blocked": null}', b"\xff"):
        path.write_bytes(content)
        assert "answer" in await told(product, "UKey插上没有反应怎么办")


async def test_words_that_are_no_other_are_felt_by_the_next_question(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    question = "电子缴款书开错了怎么冲红"
    assert "answer" in await told(product, question)
    apart = {"kind": "distinct", "word": "电子缴款书", "variants": "电子票据"}
    assert (await save(editor, **apart)).status_code == 303
    assert "answer" not in await told(product, question)
    refused = await save(editor, kind="distinct", word="票据", variants="票据")
    assert refused.status_code == 422
    assert "重复" in shown(refused)


async def test_related_words_are_entries_with_versions(product: Product) -> None:
    editor = await sit_down(product, Role.EDITOR)
    page = shown(await editor.get(f"{LEXICON}?kind=related&q=挂失"))
    assert "弄丢" in page
    assert "随产品提供" in page
    fields = {"kind": "related", "word": "丢失", "variants": "弄丢\n找不着"}
    assert (await save(editor, **fields)).status_code == 303
    page = shown(await editor.get(f"{LEXICON}?kind=related&word=丢失"))
    assert "下次训练" in page
    async with product.services.database.reading() as session:
        entries = await entries_of(session, product.services.lexicons.shipped)
    lexicon = searched(entries, product.services.lexicons.shipped.base)
    assert ("丢失", "弄丢", "找不着") in lexicon.related
    assert len(lexicon.related) > 100

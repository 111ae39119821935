"""Gaps that nobody spoke of: lists nobody chose from, and answers after which people ask again."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.dialogue.turn import Band, Search
from bot.gaps.tables import GapStatus
from bot.gaps.unchosen import PATIENCE
from bot.tables import Role
from tests.bot.web.plain_browser import Seat, shown
from tests.product import Chat, Product

LISTED = "退付的单子在哪里录"
ANSWERED = "公务卡怎么还款"
OTHER = "年终结转结余怎么办理"


def be_unsure(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the product list what it finds instead of answering with the first."""
    surely = product.services.knowledge.search

    def unsurely(*asked: Any, **about: Any) -> Search:
        found = surely(*asked, **about)
        return replace(found, band=Band.OFFER) if found.found else found

    monkeypatch.setattr(product.services.knowledge, "search", unsurely)


async def offered(product: Product, text: str = LISTED) -> tuple[Chat, dict[str, str]]:
    """A conversation that shows a list, and what is first on it."""
    chat = await product.open(unit="市一小")
    told = await chat.say(text)
    offer = next(one for one in told if one["kind"] == "offer")
    return chat, offer["data"]["candidates"][0]


async def collected(
    product: Product, after: timedelta = PATIENCE
) -> list[tuple[str, dict[str, int]]]:
    """Titles and reasons of all gaps, as they are known when so much time has passed."""
    gaps, now = product.services.gaps, product.services.clock() + after
    later = replace(gaps, clock=lambda: now)
    await later.collect()
    listed = await later.listed(statuses=[GapStatus.OPEN], least=1)
    opened = [await later.opened(one.counted.gap.id) for one in listed]
    return [(one.gap.title, {r.value: n for r, n in one.reasons.items()}) for one in opened]


async def test_a_list_that_nobody_chose_from_is_a_gap_after_a_while(
    any_product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_unsure(any_product, monkeypatch)
    await offered(any_product)
    assert await collected(any_product, PATIENCE - timedelta(minutes=5)) == []
    assert await collected(any_product) == [(LISTED, {"unchosen": 1})]
    assert await collected(any_product) == [(LISTED, {"unchosen": 1})]


async def test_an_answer_after_which_the_same_is_asked_is_a_gap_once(any_product: Product) -> None:
    chat = await any_product.open(unit="市一小")
    await chat.say(ANSWERED)
    await chat.say("公务卡还款怎么弄")
    assert await collected(any_product) == [(ANSWERED, {"asked_again": 1})]


async def test_who_chooses_has_found_it(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    be_unsure(product, monkeypatch)
    chat, first = await offered(product)
    await chat.say(first["title"], kind="choose", answer_id=first["answer_id"])
    assert await collected(product) == []


async def test_who_finds_it_in_other_words_has_found_it(product: Product) -> None:
    with pytest.MonkeyPatch.context() as patched:
        be_unsure(product, patched)
        chat, _ = await offered(product, "公务卡还钱")
    await chat.say(ANSWERED)
    assert await collected(product) == []


async def test_who_goes_on_to_another_matter_or_was_pleased_has_no_gap(product: Product) -> None:
    chat = await product.open(unit="市一小")
    [card] = await chat.say(ANSWERED)
    await chat.say(OTHER)
    assert await collected(product) == []
    pleased = await product.open(unit="市一小")
    [card] = await pleased.say(ANSWERED)
    await pleased.say("有用", kind="helpful", seq=card["seq"])
    await pleased.say("公务卡还款怎么弄")
    assert await collected(product) == []


async def test_what_somebody_said_outweighs_their_silence(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_unsure(product, monkeypatch)
    chat, _ = await offered(product)
    await chat.say("都不是", kind="none_of_these")
    assert await collected(product) == [(LISTED, {"none_of_these": 1})]


async def test_only_what_may_rest_is_kept_and_the_page_says_why(
    product: Product, seat: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_unsure(product, monkeypatch)
    await offered(product, f"{LISTED}，我的手机是13812345678<b>")
    [(title, reasons)] = await collected(product)
    assert "138****5678" in title
    assert reasons == {"unchosen": 1}
    [listed] = await product.services.gaps.listed(statuses=[GapStatus.OPEN], least=1)
    page = await (await seat(Role.EDITOR)).get(f"/workbench/gaps/{listed.counted.gap.id}")
    assert "列出的答案没人选" in shown(page)
    assert "13812345678" not in page.text

"""Canned phrases: checked when saved, filled for the ticket, offered where they fit."""

from collections.abc import AsyncIterator

import pytest

from bot.tables import Role
from tests.bot.web.plain_browser import HOSTILE, Browser, add, make_ticket, open_browser, shown
from tests.product import Product

PHRASES = "/console/admin/phrases"
GREETING = {"title": "问候", "text": "{name}您好，{number} 我是{engineer}。", "position": "1"}


@pytest.fixture
async def root(product: Product) -> AsyncIterator[Browser]:
    await add(product, "root", Role.ADMIN)
    browser = open_browser(product)
    await browser.log_in("root")
    await browser.get(PHRASES)
    yield browser
    await browser.client.aclose()


async def test_a_phrase_is_filled_and_offered_where_it_fits(
    product: Product, root: Browser, chen: Browser
) -> None:
    number, address = await make_ticket(product), "/api/v1/tickets/"
    headers = await product.staff("chen")
    shipped = (await product.client.get(f"{address}{number}", headers=headers)).json()["canned"]
    assert shipped
    assert (await root.post(PHRASES, **GREETING)).status_code == 303
    await root.post(PHRASES, title="别的模块", text="只给别的模块", module="没有这个模块")
    await root.post(PHRASES, title="原样", text="一般{{问题}}", position="9")
    found = (await product.client.get(f"{address}{number}", headers=headers)).json()
    name = found["requester"]["name"]
    greeting, plain = found["canned"]
    assert greeting.startswith(f"{name}您好，{number} 我是")
    assert plain == "一般{问题}"
    await chen.get(f"/console/tickets/{number}")
    await chen.post(f"/console/tickets/{number}/claim")
    page = await chen.get(f"/console/tickets/{number}")
    assert f"您好，{number} 我是" in shown(page)
    assert HOSTILE not in page.text


@pytest.mark.parametrize(
    "over",
    [
        {"title": ""},
        {"title": "长" * 41},
        {"text": ""},
        {"text": "长" * 501},
        {"text": "{password}"},
        {"text": "{name.__class__}"},
        {"text": "{name"},
        {"text": "{}"},
        {"text": "{name:>999999999}"},
        {"text": "{name!r}"},
        {"category": "没有"},
        {"module": "长" * 81},
        {"position": "-1"},
        {"id": "0" * 32, "version": "1"},
    ],
)
async def test_nonsense_is_refused(root: Browser, over: dict[str, str]) -> None:
    refused = await root.post(PHRASES, **{**GREETING, **over})
    assert refused.status_code == 422
    assert "还没有自己的常用语" in refused.text


async def test_phrases_are_changed_and_removed_with_their_history(root: Browser) -> None:
    await root.post(PHRASES, **GREETING)
    page = await root.get(PHRASES)
    phrase = page.text.split('data-phrase="')[1][:32]
    changed = {**GREETING, "title": HOSTILE, "id": phrase, "version": "1"}
    assert (await root.post(PHRASES, **changed)).status_code == 303
    assert (await root.post(PHRASES, **changed)).status_code == 422
    page = await root.get(PHRASES)
    assert "问候 →" in shown(page)
    assert HOSTILE not in page.text
    for _ in range(2):
        assert (await root.post(f"{PHRASES}/{phrase}/remove")).status_code == 303
    assert phrase not in (await root.get(PHRASES)).text


async def test_only_administrators_make_phrases(chen: Browser) -> None:
    assert (await chen.get(PHRASES)).status_code == 403
    assert (await chen.post(PHRASES, **GREETING)).status_code == 403

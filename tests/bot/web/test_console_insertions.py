"""What typing ``/`` in the reply box offers: answers and phrases, within one's scope."""

import html
import re

import httpx

from bot.accounts.service import add_staff
from bot.tables import Role
from tests.bot.web.plain_browser import HOSTILE, Browser, Seat, make_ticket
from tests.product import NOW, PASSWORD, Product


def offered(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [html.unescape(one) for one in re.findall(r'data-text="([^"]*)"', answer.text)]


async def test_words_find_answers_with_score_and_source(product: Product, chen: Browser) -> None:
    number = await make_ticket(product)
    answer = await chen.get(f"/console/tickets/{number}/insertions", q="支付申请怎么撤回")
    first = offered(answer)[0]
    assert first.startswith("支付申请送审后怎么撤回\n")
    assert re.search(r"<b>\d+%</b>", answer.text)
    source = re.search(r"<small>([^<]+)</small>", answer.text)
    assert source is not None
    assert source[1].split(" › ")[0] in first.splitlines()[-1]


async def test_phrases_come_without_words_and_narrow_with_them(
    product: Product, chen: Browser
) -> None:
    number = await make_ticket(product)
    address = f"/console/tickets/{number}/insertions"
    every = offered(await chen.get(address))
    assert len(every) == 5
    narrowed = offered(await chen.get(address, q="单据号 截图"))
    assert narrowed[0] in every
    assert "单据号" in narrowed[0]
    assert not set(narrowed[1:]) & set(every)


async def test_hostile_words_are_shown_and_oversized_ones_refused(
    product: Product, chen: Browser
) -> None:
    number = await make_ticket(product)
    address = f"/console/tickets/{number}/insertions"
    answer = await chen.get(address, q=HOSTILE)
    assert answer.status_code == 200
    assert HOSTILE not in answer.text
    assert (await chen.get(address, q="长" * 101)).status_code == 422


async def test_strangers_readers_and_other_regions_are_refused(
    product: Product, stranger: Browser, seat: Seat
) -> None:
    number = await make_ticket(product, region="云浦区")
    address = f"/console/tickets/{number}/insertions"
    assert (await stranger.get(address, q="撤回")).status_code == 303
    reader = await seat(Role.MANAGER)
    assert (await reader.get(address, q="撤回")).status_code == 403
    async with product.services.database.transaction() as session:
        await add_staff(
            session,
            username="far",
            password=PASSWORD,
            role=Role.ENGINEER,
            regions=["海滨区"],
            now=NOW,
        )
    await stranger.log_in("far")
    assert (await stranger.get(address, q="撤回")).status_code == 404

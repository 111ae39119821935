"""Presence over HTTP: the console answers beats, engineers choose, colleagues see it."""

import pytest

from bot.tables import Role
from tests.bot.web.plain_browser import Browser, add, open_browser, shown
from tests.product import Product


async def states(product: Product) -> dict[str, str]:
    answer = await product.client.get("/api/v1/desk/presence", headers=await product.staff())
    return {one["name"]: one["presence"] for one in answer.json()["colleagues"]}


async def test_a_beat_makes_online_and_a_choice_is_seen_by_colleagues(
    product: Product, chen: Browser, lin: Browser
) -> None:
    assert await states(product) == {"陈工": "off", "林工": "off"}
    assert (await chen.post("/console/presence/beat", part=True, idle="3")).status_code == 204
    assert (await states(product))["陈工"] == "online"
    chosen = await chen.post("/console/presence", presence="on_call", hours="8")
    assert chosen.status_code == 303
    page = await lin.get("/console/presence")
    assert "陈工" in shown(page)
    assert "值班" in shown(page)
    assert "自行接单" in shown(page)


async def test_the_part_is_the_top_bars(chen: Browser) -> None:
    await chen.post("/console/presence/beat", part=True, idle="0")
    part = await chen.post("/console/presence", part=True, presence="away", hours="")
    assert part.status_code == 200
    assert 'id="presence"' in part.text
    assert "data-beats" in part.text
    assert "<html" not in part.text


async def test_an_idle_console_is_away(product: Product, chen: Browser) -> None:
    await chen.post("/console/presence/beat", part=True, idle="9999")
    assert (await states(product))["陈工"] == "away"


@pytest.mark.parametrize("idle", ["", "-1", "x", "9" * 50, "１２"])
async def test_a_malformed_beat_is_still_a_sign_of_life(
    product: Product, chen: Browser, idle: str
) -> None:
    assert (await chen.post("/console/presence/beat", part=True, idle=idle)).status_code == 204
    assert (await states(product))["陈工"] == "online"


async def test_what_is_no_state_is_refused(chen: Browser) -> None:
    assert (await chen.post("/console/presence", presence="asleep")).status_code == 422


async def test_a_form_of_another_site_is_refused(chen: Browser) -> None:
    chen.csrf = "wrong"
    assert (await chen.post("/console/presence/beat", idle="1")).status_code == 403


async def test_programs_answer_beats_too(product: Product) -> None:
    headers = await product.staff()
    post = product.client.post
    url = "/api/v1/desk/presence"
    assert (await post(f"{url}/beat", json={"idle_s": 5}, headers=headers)).status_code == 204
    assert (await post(f"{url}/beat", json={"idle_s": -5}, headers=headers)).status_code == 422
    assert (await post(url, json={"presence": "off"}, headers=headers)).status_code == 204
    assert (await post(url, json={"presence": "no"}, headers=headers)).status_code == 422
    assert (await post(url, json={"presence": "off"})).status_code == 401
    assert (await states(product))["陈工"] == "off"


async def test_who_works_on_no_queue_is_not_there_or_away(product: Product) -> None:
    await add(product, "boss", Role.MANAGER)
    await add(product, "root", Role.ADMIN)
    for name, status in (("boss", 403), ("root", 422)):
        browser = open_browser(product)
        await browser.log_in(name)
        assert (await browser.get("/console/presence")).status_code == 200
        answer = await browser.post("/console/presence/beat", idle="1")
        assert answer.status_code == status
        await browser.client.aclose()


async def test_the_desk_stream_asks_for_beats(product: Product) -> None:
    headers = await product.staff()
    async with product.client.stream("GET", "/api/v1/desk/events", headers=headers) as answer:
        lines = answer.aiter_lines()
        assert any([line == "event: beat" async for line in _until(lines, "event: beat")])


async def _until(lines, last):  # type: ignore[no-untyped-def]  # an iterator over text
    async for line in lines:
        yield line
        if line == last:
            return

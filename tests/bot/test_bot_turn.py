"""The engineer lets the bot answer once: said as the bot's, never after the engineer spoke."""

import asyncio
from datetime import datetime
from typing import Any

import httpx
import pytest

from bot.conversations.thinking import Snapshot, Thinker, Thought
from bot.tables import Role
from tests.bot.web.plain_browser import add
from tests.product import Chat, Product

KNOWN = "UKey插上没有反应怎么办"
FOR_PEOPLE = "我要投诉，转人工"


@pytest.fixture
async def held(product: Product) -> tuple[Product, Chat, str]:
    """A conversation that an engineer has taken, with its ticket's number."""
    chat = await product.open(name="黄会计")
    await chat.say("门户的菜单是空的")
    await chat.say("转人工", kind="human")
    card = next(m for m in await chat.read() if m["kind"] == "ticket")
    number = str(card["data"]["number"])
    await product.desk("claim", number)
    return product, chat, number


async def lend(product: Product, number: str, who: str = "chen") -> httpx.Response:
    headers = await product.staff(who)
    answer = await product.client.post(f"/api/v1/tickets/{number}/bot-turn", headers=headers)
    await product.settle()
    return answer


async def shown(product: Product, number: str) -> dict[str, Any]:
    headers = await product.staff()
    found: dict[str, Any] = (
        await product.client.get(f"/api/v1/tickets/{number}", headers=headers)
    ).json()
    return found


async def test_the_bot_answers_once_and_the_word_stays(
    held: tuple[Product, Chat, str],
) -> None:
    product, chat, number = held
    # What the bot has dealt with already, it does not answer again.
    refused = await lend(product, number)
    assert (refused.status_code, refused.json()["type"]) == (409, "about:blank#nothing_to_answer")
    asked = (await chat.send(KNOWN)).json()["seq"]
    await product.settle()
    assert [m["sender"] for m in await chat.read(asked)] == []
    assert (await lend(product, number)).status_code == 202
    (answer,) = await chat.read(asked)
    assert (answer["sender"], answer["kind"]) == ("bot", "answer")
    ticket = await shown(product, number)
    assert (ticket["owner"], ticket["status"]) == ("engineer", "处理中")
    # Once; and what the user says next is the engineer's again.
    assert (await lend(product, number)).status_code == 409
    await chat.send("好的")
    await product.settle()
    assert [m["sender"] for m in await chat.read(asked)] == ["bot", "user"]
    assert (await product.desk("reply", number, text="不客气")).status_code == 200


async def test_who_does_not_sit_at_the_desk_lends_no_word(
    held: tuple[Product, Chat, str],
) -> None:
    product, chat, number = held
    await chat.send(KNOWN)
    for role in (Role.EDITOR, Role.REVIEWER, Role.MANAGER):
        await add(product, role.value, role)
        headers = await product.staff(role.value)
        answer = await product.client.post(f"/api/v1/tickets/{number}/bot-turn", headers=headers)
        assert answer.status_code == 403, role
    nobody = await product.client.post(f"/api/v1/tickets/{number}/bot-turn")
    assert nobody.status_code == 401
    assert (await lend(product, number)).status_code == 202


async def test_nobody_else_lends_the_word(held: tuple[Product, Chat, str]) -> None:
    product, chat, number = held
    await chat.send(KNOWN)
    assert (await lend(product, number, "lin")).status_code == 409
    await product.desk("return", number)
    assert (await lend(product, number)).status_code == 409


async def test_what_has_no_answer_is_told_to_the_engineer_alone(
    held: tuple[Product, Chat, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    product, chat, number = held
    asked = (await chat.send(FOR_PEOPLE)).json()["seq"]
    assert (await lend(product, number)).status_code == 202
    asked_again = (await chat.send(KNOWN)).json()["seq"]

    async def broken(*_args: object) -> Thought:
        raise RuntimeError

    monkeypatch.setattr(Thinker, "think", broken)
    assert (await lend(product, number)).status_code == 202
    ticket = await shown(product, number)
    notes = [m for m in ticket["transcript"] if m["kind"] == "bot_turn"]
    assert [("没能作答" in m["text"], m["audience"]) for m in notes] == [
        (False, "staff"),
        (True, "staff"),
    ]
    assert ticket["owner"] == "engineer"
    said = [(m["sender"], m["seq"]) for m in await chat.read(asked - 1)]
    assert said == [("user", asked), ("user", asked_again)]


async def test_who_speaks_first_makes_a_draft_of_it(
    held: tuple[Product, Chat, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    product, chat, number = held
    asked = (await chat.send(KNOWN)).json()["seq"]
    thinking, go, think = asyncio.Event(), asyncio.Event(), Thinker.think

    async def slow(self: Thinker, snapshot: Snapshot, now: datetime) -> Thought:
        thinking.set()
        await go.wait()
        return await think(self, snapshot, now)

    monkeypatch.setattr(Thinker, "think", slow)
    lending = asyncio.create_task(lend(product, number))
    await asyncio.wait_for(thinking.wait(), 30)
    assert (await product.desk("reply", number, text="我来答")).status_code == 200
    go.set()
    assert (await lending).status_code == 202
    assert [m["text"] for m in await chat.read(asked)] == ["我来答"]
    ticket = await shown(product, number)
    (draft,) = [m for m in ticket["transcript"] if m["kind"] == "draft"]
    assert KNOWN in draft["text"]
    assert ticket["owner"] == "engineer"

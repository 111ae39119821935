"""What the bot was thinking while an engineer took the word is a draft, and never said."""

import asyncio
from datetime import datetime

import pytest

from bot.conversations.thinking import Snapshot, Thinker, Thought
from tests.product import Product


async def test_words_in_flight_become_a_draft_for_the_engineer(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await product.open(name="黄会计")
    await chat.say("门户的菜单是空的")
    await chat.say("转人工", kind="human")
    card = next(m for m in await chat.read() if m["kind"] == "ticket")
    path, headers = f"/api/v1/tickets/{card['data']['number']}", await product.staff()
    for verb in ("claim", "return"):
        answer = await product.client.post(f"{path}/{verb}", headers=headers)
        assert answer.status_code == 200
    asked, go, think = asyncio.Event(), asyncio.Event(), Thinker.think

    async def held(self: Thinker, snapshot: Snapshot, now: datetime) -> Thought:
        asked.set()
        await go.wait()
        return await think(self, snapshot, now)

    monkeypatch.setattr(Thinker, "think", held)
    sent = await chat.send("UKey插上没有反应怎么办")
    await asyncio.wait_for(asked.wait(), 30)
    assert (await product.client.post(f"{path}/claim", headers=headers)).json()["owner"] == (
        "engineer"
    )
    go.set()
    await product.settle()
    assert not [m for m in await chat.read(sent.json()["seq"]) if m["sender"] == "bot"]
    shown = (await product.client.get(path, headers=headers)).json()["transcript"]
    (draft,) = [m for m in shown if m["kind"] == "draft"]
    assert "UKey插上没有反应怎么办" in draft["text"]
    assert "1. 先核对单据状态。" in draft["text"]
    assert "常见问题" in draft["text"]

"""How far an engineer's words have come, as the user's page tells it and the console hears it."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from sqlalchemy import update

from bot import repository
from bot.conversations.live import Watcher
from bot.conversations.recording import append
from bot.deliveries import handlers
from bot.tables import Sender
from bot.web.events import View, conversation_events
from connectors.base import PermanentError
from connectors.memory import MemoryChannel
from store.outbox import Claimed, OutboxRow, OutboxStatus
from tests.product import Chat, Product


async def tell(chat: Chat, **seen: Any) -> int:
    path = f"/api/v1/conversations/{chat.id}/seen"
    answer = await chat.product.client.post(path, json=seen, headers=chat.headers)
    return answer.status_code


async def heard(product: Product, chat: Chat, *, staff: bool = True) -> dict[str, Any]:
    """The state as a stream that opens now tells it."""
    watcher = Watcher("one", "one") if staff else None
    view = View(chat.id, Sender.USER, watcher)
    events: AsyncIterator[str] = conversation_events(product.services, view, 0)
    async with aclosing(events) as opened:  # type: ignore[type-var]  # it is a generator
        async for event in opened:
            if event.startswith("event: state"):
                state: dict[str, Any] = json.loads(event.partition("data: ")[2])
                return state
    raise AssertionError("no state")


async def test_what_was_received_and_read_only_moves_on(any_product: Product) -> None:
    chat = await any_product.open()
    await chat.say("公务卡怎么还款")
    newest = (await chat.read())[-1]["seq"]
    assert (await heard(any_product, chat)).items() >= {"received": 0, "read": 0}.items()
    assert await tell(chat, received=newest) == 204
    assert (await heard(any_product, chat)).items() >= {"received": newest, "read": 0}.items()
    assert await tell(chat, received=newest, read=newest) == 204
    assert await tell(chat, received=1, read=1) == 204
    state = await heard(any_product, chat)
    assert (state["received"], state["read"]) == (newest, newest)
    assert "read" not in await heard(any_product, chat, staff=False)


async def test_nothing_is_read_before_it_was_said(product: Product) -> None:
    chat = await product.open()
    newest = (await chat.read())[-1]["seq"]
    assert await tell(chat, received=newest + 1, read=newest + 1) == 204
    assert (await heard(product, chat))["read"] == 0


@pytest.mark.parametrize("seen", [{}, {"received": -1}, {"received": "x"}, {"received": 10**12}])
async def test_what_is_no_number_is_refused(product: Product, seen: dict[str, Any]) -> None:
    assert await tell(await product.open(), **seen) == 422


async def test_only_the_own_conversation_is_told_of(product: Product) -> None:
    mine, other = await product.open(), await product.open()
    path = f"/api/v1/conversations/{mine.id}/seen"
    answer = await product.client.post(path, json={"received": 1}, headers=other.headers)
    assert answer.status_code == 404
    assert (await product.client.post(path, json={"received": 1})).status_code == 404


async def test_a_platform_tells_that_it_took_the_words_and_no_more(product: Product) -> None:
    chat, taken = await product.open(), MemoryChannel()
    database, live = product.services.database, product.services.live
    deliver = handlers(database, live, {"memory": taken}, product.services.phrases)["deliver"]

    async def say(sender: Sender, text: str, left: OutboxStatus = OutboxStatus.SENT) -> Claimed:
        async with database.transaction() as session:
            conversation = await repository.lock_conversation(session, chat.id)
            assert conversation is not None
            # A line that is sent to, and that nobody else sends for.
            conversation.channel = "memory"
            now = product.services.clock()
            said = await append(
                session, conversation, sender=sender, kind="text", text=text, now=now
            )
            payload = {"conversation_id": chat.id, "seq": said.seq}
            # Settled before the product's own worker can see it.
            await session.execute(update(OutboxRow).values(status=left.value))
        return Claimed(0, "deliver", chat.id, payload, f"{text}", 1, "token")

    await deliver(await say(Sender.BOT, "机器人说的"))
    assert (await heard(product, chat))["received"] == 0
    said = await say(Sender.ENGINEER, "工程师说的")
    await deliver(said)
    state = await heard(product, chat)
    assert (state["received"], state["read"]) == (said.payload["seq"], 0)
    taken.failures = [PermanentError("blocked")]
    with pytest.raises(PermanentError):
        await deliver(await say(Sender.ENGINEER, "没有发出去", OutboxStatus.FAILED))
    await deliver(await say(Sender.ENGINEER, "后面的一句", OutboxStatus.FAILED))
    # Nobody may think that the lost one came.
    assert (await heard(product, chat))["received"] == said.payload["seq"]

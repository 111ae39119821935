"""Who is woken by news: nobody for what they have seen, everybody for what they have not."""

import asyncio

import pytest

from bot import background, repository
from bot.conversations.live import STAFF, Live, Wakeup
from bot.conversations.recording import append
from bot.tables import Sender
from tests.product import Product


def test_only_who_is_behind_is_woken() -> None:
    live = Live()
    with live.subscribe("c") as first, live.subscribe("c") as second, live.subscribe("d") as other:
        first.seen, second.seen = 7, 8
        live.publish_seq("c", 8)
        assert [one.is_set() for one in (first, second, other)] == [True, False, False]
    live.publish("c", STAFF)
    assert live.take_published() == {"c", STAFF}
    assert live.take_published() == set()


async def test_what_other_processes_write_is_noticed(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "WATCH_S", 0.02)
    chat = await product.open()
    database, live = product.services.database, Live()

    async def say(text: str, *, here: bool, wakeup: Wakeup) -> None:
        async with database.transaction() as session:
            conversation = await repository.lock_conversation(session, chat.id)
            assert conversation is not None
            await append(
                session,
                conversation,
                sender=Sender.BOT,
                kind="text",
                text=text,
                now=product.services.clock(),
            )
            if here:
                # Before the commit, so that no look of the watch comes between.
                wakeup.seen = conversation.last_seq
                live.publish(chat.id)

    with live.subscribe(chat.id) as follower, live.subscribe(STAFF) as desk:
        watching = asyncio.create_task(background.watch(database, live))
        try:
            async with asyncio.timeout(10):
                await desk.wait()  # the first look: what was there before
            for one in (follower, desk):
                one.clear()
            follower.seen = 1  # the greeting
            await say("另一个进程写的", here=False, wakeup=follower)
            async with asyncio.timeout(10):
                await asyncio.gather(follower.wait(), desk.wait())
            for one in (follower, desk):
                one.clear()
            await say("这个进程写的", here=True, wakeup=follower)
            follower.clear()
            await asyncio.sleep(0.1)
            assert not follower.is_set()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

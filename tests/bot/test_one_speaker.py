"""Random conversations of a user, the bot and two engineers: one speaker, and nothing lost.

The walk says, says again (as a channel does that was not heard), asks for a person, takes, answers,
lends the bot a turn, gives back, resolves, and stops the process in the middle of its thoughts.
"""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from bot import repository
from bot.conversations.thinking import Snapshot, Thinker, Thought
from bot.tables import Owner
from store.base import new_id
from tests.product import Chat, Product

SAID = ("UKey插上没有反应怎么办", "公务卡怎么还款", "门户的菜单是空的", "转人工", "谢谢", "已解决")
ENGINEERS = ("chen", "lin")
#: What ends an engineer's word.
GIVEN_BACK = ("returned", "moved")


@dataclass
class Walk:
    """One conversation, and what was done in it."""

    product: Product
    chat: Chat
    chance: random.Random
    sent: list[tuple[str, str]] = field(default_factory=list)
    replies: Counter[str] = field(default_factory=Counter)
    #: The newest message at each time the bot was lent a turn.
    lent: list[int] = field(default_factory=list)

    async def step(self) -> None:
        """Something happens; whether the bot has finished before the next thing does is open."""
        moves = {
            self.say: 5,
            self.say_again: 2,
            self.claim: 3,
            self.reply: 4,
            self.lend: 4,
            self.give_back: 1,
            self.resolve: 1,
            self.crash: 2,
        }
        (move,) = self.chance.choices(list(moves), list(moves.values()))
        await move()
        if self.chance.random() < 0.5:
            await self.product.settle()

    async def begin(self) -> None:
        """An engineer has the word, lends it once, and speaks before the bot has."""
        await self.say("门户的菜单是空的")
        await self.product.settle()
        await self.say("转人工", action={"kind": "human"})
        await self.product.settle()
        assert await self._verb("claim", "chen")
        await self.say(SAID[0])
        await self.lend("chen")
        assert len(self.lent) == 1
        await self.reply("chen")

    async def say(self, text: str = "", **more: Any) -> None:
        key, text = new_id(), text or self.chance.choice(SAID)
        self.sent.append((key, text))
        await self._post(key, text, **more)

    async def say_again(self) -> None:
        if self.sent:
            await self._post(*self.chance.choice(self.sent))

    async def _post(self, key: str, text: str, **more: Any) -> None:
        answer = await self.product.client.post(
            f"/api/v1/conversations/{self.chat.id}/messages",
            json={"client_msg_id": key, "text": text, **more},
            headers=self.chat.headers,
        )
        assert answer.status_code in (200, 202)

    async def claim(self) -> None:
        await self._verb("claim")

    async def reply(self, who: str = "") -> None:
        # Letters: numbers would be masked.
        text, key = "".join(self.chance.choices("甲乙丙丁戊己庚辛", k=24)), new_id()
        # Twice: the console did not hear the first answer.
        who = who or self.chance.choice(ENGINEERS)
        for _ in range(self.chance.choice((1, 2))):
            if await self._verb("reply", who, text=text, client_msg_id=key):
                self.replies[text] = 1

    async def lend(self, who: str = "") -> None:
        newest = (await self.chat.read())[-1]["seq"]
        if await self._verb("bot-turn", who):
            self.lent.append(newest)

    async def give_back(self) -> None:
        await self._verb("return")

    async def resolve(self) -> None:
        await self._verb("resolve", cause="原因", solution="办法")

    async def crash(self) -> None:
        """Whatever is being thought dies; the next start takes it up again."""
        conversations = self.product.services.conversations
        await conversations.stop()
        await conversations.recover()

    async def _verb(self, verb: str, who: str = "", **body: str) -> bool:
        number = await self._number()
        if not number:
            return False
        headers = await self.product.staff(who or self.chance.choice(ENGINEERS))
        path = f"/api/v1/tickets/{number}/{verb}"
        answer = await self.product.client.post(path, json=body, headers=headers)
        assert answer.status_code in (200, 202, 403, 404, 409, 412), answer.text
        return answer.status_code < 300

    async def _number(self) -> str:
        cards = [m for m in await self.chat.read() if m["kind"] == "ticket"]
        return str(cards[-1]["data"]["number"]) if cards else ""

    async def check(self) -> None:
        """What must hold once everything has been thought about."""
        await self.product.settle()
        async with self.product.services.database.reading() as session:
            row = await repository.conversation(session, self.chat.id)
            rows = await repository.messages_after(session, self.chat.id, after=0, staff=True)
        assert row is not None
        assert [one.seq for one in rows] == list(range(1, row.last_seq + 1))
        said = [one.client_msg_id for one in rows if one.sender == "user"]
        assert said == [key for key, _ in self.sent]
        words = Counter(one.text for one in rows if one.sender == "engineer")
        assert words == self.replies
        assert row.pending_seq is None
        assert (row.owner == Owner.ENGINEER.value) == (row.staff_id is not None)
        for at in _spoken_for_engineers(rows):
            since = max((one for one in self.lent if one < at), default=None)
            assert since is not None
            assert not [one for one in rows if since < one.seq < at and _is_reply(one)]


def _is_reply(one: Any) -> bool:
    return bool(one.sender == "engineer" and one.audience == "all")


def _spoken_for_engineers(rows: Any) -> list[int]:
    """Where the bot spoke to the user while an engineer had the word."""
    found, taken = [], False
    for one in rows:
        if one.kind == "joined":
            taken = True
        elif one.kind in GIVEN_BACK:
            taken = False
        elif taken and one.sender == "bot" and one.audience == "all":
            found.append(one.seq)
    return found


@pytest.fixture(autouse=True)
def slow_thoughts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thinking takes as long as a verb does, so that each comes in the middle of the other."""
    think, chance = Thinker.think, random.Random(7)

    async def slow(self: Thinker, snapshot: Snapshot, now: datetime) -> Thought:
        await asyncio.sleep(chance.uniform(0.02, 0.2))
        return await think(self, snapshot, now)

    monkeypatch.setattr(Thinker, "think", slow)


async def walk(product: Product, seed: int, steps: int, way: type[Walk] = Walk) -> Walk:
    chat = await product.open(name="黄会计", unit="市一小")
    gone = way(product, chat, random.Random(seed))
    await gone.begin()
    for _ in range(steps):
        await gone.step()
    await gone.check()
    return gone


async def test_one_speaks_and_nothing_is_lost(product: Product) -> None:
    for seed in range(2):
        await walk(product, seed, 40)


async def test_stopping_ends_even_what_has_not_begun(product: Product) -> None:
    chat = await product.open()
    conversations = product.services.conversations
    conversations.wake(chat.id)
    async with asyncio.timeout(30):
        await conversations.stop()
    # And what comes afterwards is thought about.
    assert await chat.say("UKey插上没有反应怎么办")


@pytest.mark.slow
async def test_one_speaks_through_many_conversations(product: Product) -> None:
    for seed in range(100, 115):
        await walk(product, seed, 80)

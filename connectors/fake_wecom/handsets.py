"""The members' phones: what each has typed and been shown, in the order that it happened."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from connectors.fake_wecom.letters import Letters
from connectors.fake_wecom.platform import FakeWecom, Shown
from connectors.fake_wecom.postman import Postman

#: A phone keeps the newest lines; memory must not grow through a long demonstration.
MOST_LINES = 500


class Fate(StrEnum):
    """What became of what a member sent."""

    UNDER_WAY = "under_way"
    TAKEN = "taken"
    LOST = "lost"


@dataclass(slots=True)
class Typed:
    """Something that a member sent."""

    number: int
    kind: str
    text: str
    at: datetime
    fate: Fate = Fate.UNDER_WAY


@dataclass(slots=True)
class Handsets:
    """Every member's phone. What is sent goes to the callback address without waiting."""

    platform: FakeWecom
    postman: Postman
    letters: Letters
    clock: Callable[[], datetime]
    typed: dict[str, list[Typed]] = field(default_factory=dict)
    _sending: set[asyncio.Task[None]] = field(default_factory=set)
    _count: int = 0

    def screen(self, member: str) -> Sequence[Typed | Shown]:
        """Everything on a phone, oldest first."""
        shown = [one for one in self.platform.shown if one.member == member]
        lines: list[Typed | Shown] = [*self.typed.get(member, ()), *shown]
        return sorted(lines, key=lambda line: line.at)[-MOST_LINES:]

    def send(self, member: str, kind: str, text: str, **fields: str | int) -> Typed:
        """Send a message of this type; ``text`` is what the phone shows of it."""
        return self._post(member, kind, text, self.letters.message(kind, member, **fields))

    def tell(self, member: str, event: str, text: str, **fields: str | int) -> Typed:
        """Do something that is an event, such as coming in."""
        return self._post(member, event, text, self.letters.event(event, member, **fields))

    def press(self, member: str, number: int, key: str) -> Typed | None:
        """Press a button of a card; ``None`` when it is not there or was replaced."""
        found = [o for o in self.platform.shown if (o.number, o.member) == (number, member)]
        labels = {k: label for one in found for label, k in one.look.buttons}
        if not found or key not in labels or found[0].replaced:
            return None
        return self.tell(
            member,
            "template_card_event",
            labels[key],
            EventKey=key,
            TaskId=found[0].look.task_id,
            CardType="button_interaction",
            ResponseCode=self.platform.press(found[0]),
        )

    async def settle(self) -> None:
        """Wait until everything is taken or given up."""
        while self._sending:
            await asyncio.gather(*self._sending)

    def _post(self, member: str, kind: str, text: str, plain: str) -> Typed:
        self._count += 1
        typed = Typed(self._count, kind, text, self.clock())
        lines = self.typed.setdefault(member, [])
        lines.append(typed)
        del lines[:-MOST_LINES]
        task = asyncio.create_task(self._carry(typed, plain))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
        return typed

    async def _carry(self, typed: Typed, plain: str) -> None:
        taken = await self.postman.bring(plain)
        typed.fate = Fate.TAKEN if taken else Fate.LOST

"""What was sent to whom: keeps the pace of one person, and goes on in the middle of a delivery.

The stored record is written before a send, so that a process that dies is not followed by one
that sends too fast, which the platforms answer by dropping messages without a word.
"""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from connectors import send_repository as rows
from connectors.base import Held
from connectors.pacing import Limit, Pace
from store.session import Database

#: Deliveries remembered in memory with the parts that went out.
_REMEMBERED = 10_000
#: Nothing asks about sends that are older; looked for once in so many sends.
_KEPT, _LOOK_EVERY = timedelta(days=1), 500


class Sends(Protocol):
    """What a channel has sent."""

    async def take(self, person: str, key: str, part: int, now: datetime) -> None:
        """Count a send that follows now. Raises :class:`Held` while the person must rest."""
        ...

    async def arrived(self, key: str) -> set[int]:
        """The parts of a delivery that need not be sent again."""
        ...

    async def mark_arrived(self, key: str, part: int) -> None:
        """The platform has taken this part."""
        ...


class MemorySends:
    """Forgets everything with the process."""

    def __init__(self, limits: Sequence[Limit]) -> None:
        self._pace = Pace(limits)
        self._arrived: OrderedDict[str, set[int]] = OrderedDict()

    async def take(self, person: str, key: str, part: int, now: datetime) -> None:
        """As :class:`Sends`."""
        self._pace.take(person, now)

    async def arrived(self, key: str) -> set[int]:
        """As :class:`Sends`."""
        return self._arrived.get(key, set())

    async def mark_arrived(self, key: str, part: int) -> None:
        """As :class:`Sends`."""
        self._arrived.setdefault(key, set()).add(part)
        self._arrived.move_to_end(key)
        if len(self._arrived) > _REMEMBERED:
            self._arrived.popitem(last=False)


class StoredSends:
    """Rows that every process of a deployment shares."""

    def __init__(self, database: Database, channel: str, limits: Sequence[Limit]) -> None:
        self._database = database
        self._channel = channel
        self._limits = tuple(limits)
        self._count = 0

    async def take(self, person: str, key: str, part: int, now: datetime) -> None:
        """As :class:`Sends`."""
        await self._forget_now_and_then(now)
        async with self._database.transaction(quick=True) as session:
            for limit in self._limits:
                at = await rows.nth_newest(
                    session,
                    channel=self._channel,
                    person=person,
                    after=now - limit.span,
                    n=limit.count,
                )
                if at is not None:
                    raise Held("pace of one person", (at + limit.span - now).total_seconds())
            sent = {"channel": self._channel, "person": person, "delivery_key": key}
            await rows.write(session, {**sent, "part": part, "sent_at": now})

    async def arrived(self, key: str) -> set[int]:
        """As :class:`Sends`."""
        async with self._database.peek() as session:
            return await rows.arrived(session, channel=self._channel, delivery_key=key)

    async def mark_arrived(self, key: str, part: int) -> None:
        """As :class:`Sends`."""
        async with self._database.transaction(quick=True) as session:
            await rows.mark_arrived(session, channel=self._channel, delivery_key=key, part=part)

    async def _forget_now_and_then(self, now: datetime) -> None:
        self._count += 1
        if self._count % _LOOK_EVERY == 1:
            async with self._database.transaction() as session:
                await rows.forget_before(session, now - _KEPT)

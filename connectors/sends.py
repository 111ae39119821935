"""What was sent to whom: keeps the pace of one person, and goes on in the middle of a delivery.

The stored record is written before a send, so that a process that dies is not followed by one
that sends too fast, which the platforms answer by dropping messages without a word.
"""

import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from connectors import send_repository as rows
from connectors.base import PersonHeld
from connectors.pacing import Limit, Pace
from store.session import Database

#: Deliveries remembered in memory with the parts that went out.
_REMEMBERED = 10_000
#: Two sends to one person have different slots for so long; a person gets fewer in that time.
SLOTS, DISTINCT = 7_200, timedelta(hours=4)
#: Between a send and its arrival; one that takes longer is counted from its end.
ON_ITS_WAY = timedelta(seconds=1)
#: Nothing asks about sends that are older; looked for once in so many sends.
_KEPT, _LOOK_EVERY = timedelta(days=1), 500


class Sends(Protocol):
    """What a channel has sent."""

    async def take(self, person: str, key: str, part: int, now: datetime) -> int:
        """Count a send that follows now; its slot, the same when it is sent again.

        Raises :class:`PersonHeld` while the person must rest.
        """
        ...

    async def mark_late(self, key: str, part: int, now: datetime) -> None:
        """A send was on its way until now: the platform counts it from then, and so do we."""
        ...

    async def arrived(self, key: str) -> set[int]:
        """The parts of a delivery that need not be sent again."""
        ...

    async def mark_arrived(self, key: str, part: int) -> None:
        """The platform has taken this part."""
        ...


@asynccontextmanager
async def counted(
    sends: Sends, person: str, key: str, part: int, clock: Callable[[], datetime]
) -> AsyncIterator[int]:
    """Around one send: its slot. Raises :class:`PersonHeld` while the person must rest.

    What is written down first may arrive much later, when the platform counts it in another
    minute than we would.
    """
    began = clock()
    slot = await sends.take(person, key, part, began)
    yield slot
    now = clock()
    if now - began > ON_ITS_WAY:
        await sends.mark_late(key, part, now)


class MemorySends:
    """Forgets everything with the process."""

    def __init__(self, limits: Sequence[Limit]) -> None:
        self._pace = Pace(limits)
        self._arrived: OrderedDict[str, set[int]] = OrderedDict()
        self._slots: OrderedDict[tuple[str, int], int] = OrderedDict()

    async def take(self, person: str, key: str, part: int, now: datetime) -> int:
        """As :class:`Sends`. Slots are told apart for everybody together, which is enough here."""
        self._pace.take(person, now)
        known = self._slots.get((key, part))
        if known is None:
            known = _first_slot(key, part)
            while known in self._slots.values():
                known = (known + 1) % SLOTS
            self._slots[key, part] = known
            if len(self._slots) > SLOTS // 2:
                self._slots.popitem(last=False)
        return known

    async def mark_late(self, key: str, part: int, now: datetime) -> None:
        """As :class:`Sends`; here it counts from its beginning all the same."""

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

    async def take(self, person: str, key: str, part: int, now: datetime) -> int:
        """As :class:`Sends`."""
        await self._forget_now_and_then(now)
        async with self._database.transaction(quick=True) as session:
            await rows.one_at_a_time(session, channel=self._channel, person=person)
            for limit in self._limits:
                at = await rows.nth_newest(
                    session,
                    channel=self._channel,
                    person=person,
                    after=now - limit.span,
                    n=limit.count,
                )
                if at is not None:
                    wait = at + limit.span - now
                    raise PersonHeld("pace of one person", wait.total_seconds())
            slot = await self._slot(session, person, key, part, now)
            sent = {"channel": self._channel, "person": person, "delivery_key": key}
            await rows.write(session, {**sent, "part": part, "sent_at": now, "slot": slot})
            return slot

    async def _slot(
        self, session: AsyncSession, person: str, key: str, part: int, now: datetime
    ) -> int:
        place = {"channel": self._channel, "delivery_key": key}
        known = await rows.slot_of(session, **place, part=part)
        if known is not None:
            return known
        slot, after = _first_slot(key, part), now - DISTINCT
        for _ in range(SLOTS):
            taken = await rows.is_slot_taken(
                session, channel=self._channel, person=person, after=after, slot=slot
            )
            if not taken:
                break
            slot = (slot + 1) % SLOTS
        return slot

    async def mark_late(self, key: str, part: int, now: datetime) -> None:
        """As :class:`Sends`."""
        place = {"channel": self._channel, "delivery_key": key}
        async with self._database.transaction(quick=True) as session:
            await rows.mark_late(session, **place, part=part, now=now)

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


def _first_slot(key: str, part: int) -> int:
    digest = hashlib.sha256(f"{key}:{part}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % SLOTS

"""Whether a platform may be asked for a token, after it has refused our credentials.

A few refusals in a row ban our address for an hour, for every process of it; so we stop before.
Refuses to know how a token is asked for.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.exc import IntegrityError

from store.leases import Lease
from store.session import Database

#: After this many refusals in a row we stay away for as long as a ban would last.
REFUSALS = 2
BAN, FIRST_REST = timedelta(hours=1), timedelta(seconds=30)
#: Whoever asks again after a rest asks alone for so long.
_ALONE = timedelta(seconds=15)


class Credentials(Protocol):
    """What became of the credentials lately."""

    async def rest(self, now: datetime) -> timedelta | None:
        """How long nobody may ask yet; ``None`` when the caller may."""
        ...

    async def refused(self, now: datetime) -> timedelta:
        """The platform did not take them; how long to stay away."""
        ...

    async def accepted(self) -> None:
        """It took them."""
        ...


class MemoryCredentials:
    """For one process; forgets everything with it."""

    def __init__(self) -> None:
        self._refusals = 0
        self._until: datetime | None = None

    async def rest(self, now: datetime) -> timedelta | None:
        """As :class:`Credentials`."""
        until = self._until
        return until - now if until is not None and now < until else None

    async def refused(self, now: datetime) -> timedelta:
        """As :class:`Credentials`."""
        self._refusals += 1
        rest = _rest_after(self._refusals)
        self._until = now + rest
        return rest

    async def accepted(self) -> None:
        """As :class:`Credentials`."""
        self._refusals, self._until = 0, None


class StoredCredentials:
    """A row that every process of a deployment shares: the refusals, and the end of the rest.

    Other credentials are another row, so that a corrected secret is tried at once.
    """

    def __init__(self, database: Database, *secret: str) -> None:
        self._database = database
        digest = hashlib.sha256("\0".join(secret).encode()).hexdigest()
        self._name = f"refused:{digest[:32]}"

    async def rest(self, now: datetime) -> timedelta | None:
        """As :class:`Credentials`."""
        async with self._database.glance() as session:
            if await session.get(Lease, self._name) is None:
                return None
        async with self._database.transaction() as session:
            row = await session.get(Lease, self._name, with_for_update=True)
            if row is None:
                return None
            if now < row.until:
                return row.until - now
            row.until = now + _ALONE
        return None

    async def refused(self, now: datetime) -> timedelta:
        """As :class:`Credentials`."""
        try:
            return await self._note(now)
        except IntegrityError:
            # Another process was refused for the first time in the same moment.
            return await self._note(now)

    async def _note(self, now: datetime) -> timedelta:
        async with self._database.transaction() as session:
            row = await session.get(Lease, self._name, with_for_update=True)
            if row is None:
                row = Lease(name=self._name, holder="0", until=now)
                session.add(row)
            refusals = int(row.holder) + 1
            rest = _rest_after(refusals)
            row.holder, row.until = str(refusals), now + rest
            return rest

    async def accepted(self) -> None:
        """As :class:`Credentials`."""
        async with self._database.glance() as session:
            if await session.get(Lease, self._name) is None:
                return
        async with self._database.transaction() as session:
            row = await session.get(Lease, self._name)
            if row is not None:
                await session.delete(row)


def _rest_after(refusals: int) -> timedelta:
    return BAN if refusals >= REFUSALS else FIRST_REST

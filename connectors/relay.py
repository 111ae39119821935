"""Moves outbox rows to the handlers that send them: claim, send, settle.

Refuses to know what a row means; a handler is chosen by the row's ``kind``.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime, timedelta

import structlog

from connectors.base import Held, PermanentError
from store import outbox
from store.base import new_id
from store.outbox import Claimed
from store.session import Database

Handler = Callable[[Claimed], Awaitable[None]]
Clock = Callable[[], datetime]

#: A worker that dies while sending gives its rows back after this; one that lives renews it.
LEASE = timedelta(seconds=15)
#: One send may take this long before it counts as failed.
SEND_TIMEOUT_S = 20.0

log = structlog.get_logger("connectors.relay")


class Relay:
    """One worker. Several may run, in one process or many: the leases keep them apart.

    Rows whose kind begins as one of ``without`` are left to a worker of their own; such a worker
    takes ``only`` these kinds.
    """

    def __init__(
        self,
        database: Database,
        handlers: Mapping[str, Handler],
        clock: Clock,
        *,
        idle_s: float = 0.5,
        without: Collection[str] = (),
        only: Collection[str] = (),
        lease: timedelta = LEASE,
    ) -> None:
        self._database = database
        self._handlers = dict(handlers)
        self._clock = clock
        self._idle_s = idle_s
        self._only = tuple(only)
        self._without = tuple(without)
        self._lease = lease
        self._wakeup = asyncio.Event()
        self._sent: list[Claimed] = []
        self._settling = asyncio.Lock()

    def wake(self) -> None:
        """Something was enqueued: look now rather than at the next tick."""
        self._wakeup.set()

    async def run(self) -> None:
        """Relay until cancelled. A failing database is waited out, never fatal."""
        while True:
            try:
                sent = await self.run_once()
            except Exception:
                log.exception("relay_failed")
                sent = 0
            if sent == 0:
                await self._sleep()

    async def run_once(self) -> int:
        """Claim and settle one batch; the number of rows tried."""
        now, token = self._clock(), new_id()
        async with self._database.glance() as session:
            if not await outbox.is_due(session, now=now, only=self._only, without=self._without):
                return 0
        async with self._database.transaction() as session:
            rows = await outbox.claim(
                session,
                now=now,
                lease=self._lease,
                token=token,
                only=self._only,
                without=self._without,
            )
        if rows:
            renewing = asyncio.create_task(self._renew(token))
            try:
                await asyncio.gather(*(self._send(row) for row in rows))
            finally:
                renewing.cancel()
        return len(rows)

    async def _renew(self, token: str) -> None:
        """Keep what is being sent, for as long as this worker lives."""
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            try:
                async with self._database.transaction() as session:
                    await outbox.renew(session, token, until=self._clock() + self._lease)
            except Exception:
                log.exception("lease_not_renewed")

    async def _sleep(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wakeup.wait(), self._idle_s)
        self._wakeup.clear()

    async def _send(self, row: Claimed) -> None:
        handler = self._handlers.get(row.kind)
        if handler is None:
            await self._settle_failed(row, "no handler for this kind")
            return
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await handler(row)
        except PermanentError as error:
            await self._settle_failed(row, str(error))
        except Held as held:
            log.info("send_held", row=row.id, kind=row.kind, wait_s=round(held.wait_s))
            await self._settle_held(row, held)
        except Exception as error:
            log.warning("send_failed", row=row.id, kind=row.kind, error=type(error).__name__)
            await self._settle_retry(row, f"{type(error).__name__}: {error}")
        else:
            await self._settle_sent(row)

    async def _settle_sent(self, row: Claimed) -> None:
        """Settled when this returns, together with whatever else has left meanwhile.

        Each commit waits for the disk, and those who write messages wait for it too.
        """
        self._sent.append(row)
        async with self._settling:
            # What was claimed together and leaves at once comes here in one turn of the loop.
            await asyncio.sleep(0)
            rows, self._sent = self._sent, []
            if not rows:
                return
            async with self._database.transaction(quick=True) as session:
                for one in rows:
                    await outbox.settle_sent(session, one, now=self._clock())

    async def _settle_retry(self, row: Claimed, error: str) -> None:
        async with self._database.transaction() as session:
            await outbox.settle_retry(session, row, error=error, now=self._clock())

    async def _settle_held(self, row: Claimed, held: Held) -> None:
        until = self._clock() + timedelta(seconds=held.wait_s)
        async with self._database.transaction() as session:
            await outbox.settle_held(session, row, error=str(held), until=until)

    async def _settle_failed(self, row: Claimed, error: str) -> None:
        log.error("send_failed_for_good", row=row.id, kind=row.kind)
        async with self._database.transaction() as session:
            await outbox.settle_failed(session, row, error=error, now=self._clock())

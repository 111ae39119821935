"""Takes notifications from the outbox to their channels: one queue per channel and urgency.

A channel that hangs holds up nobody else, and what is urgent does not wait behind what is not.
Every attempt is written down with its outcome. What waits for a channel that is off or broken
stays where it is. Refuses to decide what leaves; ``bot.notifications.planning`` does.
"""

import asyncio
import contextlib
from datetime import datetime, timedelta

import structlog

from bot.clock import Clock
from bot.notifications import repository as rows
from bot.notifications.delivery import (
    BROKEN_RETRY,
    Delivery,
    Outcome,
    note_outcome,
    notice_of,
)
from bot.notifications.errors import NotificationGone
from bot.notifications.events import Happened
from bot.notifications.makers import Makers
from bot.notifications.planning import PREFIX, REMINDER_KIND, Planner, channel_of
from bot.notifications.scan_repository import UNTAKEN
from bot.notifications.tables import ChannelState, Notification, NotificationChannel
from connectors.base import Held, PermanentError, PersonHeld, TransientError
from connectors.notify_base import Misconfigured, Notifier
from connectors.notify_pacing import LONGEST_PACE
from handoff import repository as tickets
from handoff.errors import TicketNotFound
from store import leases, outbox
from store.base import new_id
from store.outbox import Claimed
from store.session import Database

LEASE = timedelta(seconds=60)
#: Above every timeout of the connectors, well inside the lease.
SEND_TIMEOUT_S = 30.0
IDLE_S = 0.5
#: The one worker that sends says so anew well before this ends; another follows it after.
LEADING = timedelta(seconds=15)
_ANEW = LEADING / 3
_WORK = "notifications"

log = structlog.get_logger("bot.notifications")


class Sender:
    """One worker. Of several that run, one sends: paces and breakers are that one's.

    It holds a lease; when it dies, another follows within :data:`LEADING` and a look, at the pace
    that the written attempts leave. What died under way is not among them: one of each queue.
    """

    def __init__(self, database: Database, makers: Makers, planner: Planner, clock: Clock) -> None:
        self._database = database
        self._makers = makers
        self._planner = planner
        self._clock = clock
        self._wakeup = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._rests: dict[str, datetime] = {}
        self._telling = asyncio.Lock()
        self._holder = new_id()
        self._leads_until: datetime | None = None
        self._asks_at: datetime | None = None

    def wake(self) -> None:
        """Something was planned: look now rather than at the next tick."""
        self._wakeup.set()

    async def run(self) -> None:
        """Send until cancelled. A failing database is waited out, never fatal."""
        try:
            while True:
                try:
                    await self.start_due()
                except Exception:
                    log.exception("notifications_failed")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wakeup.wait(), IDLE_S)
                self._wakeup.clear()
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            await self._makers.close()
            await self._step_down()

    async def settle(self) -> None:
        """Work until nothing is due; for tests and for going down in order."""
        while await self.start_due():
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._step_down()

    async def start_due(self) -> int:
        """Begin work on every queue that has something due; how many are at work."""
        self._tasks = {kind: task for kind, task in self._tasks.items() if not task.done()}
        now = self._clock()
        if not await self._leads(now):
            return 0
        async with self._database.glance() as session:
            kinds = await outbox.due_kinds(session, PREFIX, now=now)
            channels = {one.id: one for one in await rows.channels(session)} if kinds else {}
        for kind in kinds:
            if kind in self._tasks or now < self._rests.get(kind, now):
                continue
            if kind == REMINDER_KIND:
                self._tasks[kind] = asyncio.create_task(self._remind_all())
            elif _sendable(channels.get(channel_of(kind)[0]), now):
                self._tasks[kind] = asyncio.create_task(self._send_all(kind))
        return len(self._tasks)

    async def _leads(self, now: datetime) -> bool:
        """Whether this worker is the one that sends; asks the others now and again."""
        if self._asks_at is not None and now < self._asks_at:
            return self._is_leading(now)
        until = now + LEADING
        async with self._database.transaction() as session:
            held = await leases.hold(session, _WORK, holder=self._holder, now=now, until=until)
        if held != self._is_leading(now):
            log.info("notifications_lead_changed", here=held)
            self._makers.forget_past()
        self._leads_until, self._asks_at = until if held else None, now + _ANEW
        return held

    def _is_leading(self, now: datetime) -> bool:
        return self._leads_until is not None and now < self._leads_until

    async def _step_down(self) -> None:
        """Let another follow at once."""
        if self._leads_until is None:
            return
        self._leads_until = self._asks_at = None
        async with self._database.transaction() as session:
            await leases.release(session, _WORK, holder=self._holder)

    async def _claim(self, kind: str) -> Claimed | None:
        async with self._database.transaction() as session:
            found = await outbox.claim(
                session, now=self._clock(), lease=LEASE, token=new_id(), limit=1, only=(kind,)
            )
        return found[0] if found else None

    async def _send_all(self, kind: str) -> None:
        """Send what this queue holds, in order, until it is empty or has to rest."""
        channel_id, urgent = channel_of(kind)
        try:
            while self._is_leading(self._clock()):
                async with self._database.glance() as session:
                    channel = await rows.channel(session, channel_id)
                if not _sendable(channel, self._clock()):
                    return
                row = await self._claim(kind)
                if row is None or not await self._send(kind, channel, row, urgent=urgent):
                    return
        except Exception:
            log.exception("notification_queue_failed", channel=channel_id)
            self._rests[kind] = self._clock() + timedelta(seconds=5)

    async def _send(
        self, kind: str, channel: NotificationChannel, row: Claimed, *, urgent: bool
    ) -> bool:
        """Send one and write down what became of it; whether the queue goes on."""
        found = await self._found(row)
        if found is None:
            async with self._database.transaction() as session:
                await outbox.settle_failed(
                    session, row, error="the notification is gone", now=self._clock()
                )
            return True
        notification, members = found
        began = asyncio.get_running_loop().time()
        outcome, error, wait_s = await self._try(channel, notification, members, urgent=urgent)
        now = self._clock()
        elapsed = int((asyncio.get_running_loop().time() - began) * 1000)
        ids = [notification.id, *(one.id for one in members)]
        delivery = Delivery(row, channel, notification, ids, outcome, error, elapsed)
        async with self._database.transaction() as session:
            await note_outcome(session, delivery, now=now, wait_s=wait_s)
        log.info(
            "notification_tried",
            channel=channel.id,
            notification=notification.id,
            outcome=outcome.value,
            error=error,
            ms=elapsed,
        )
        if outcome is Outcome.MISCONFIGURED:
            log.error("notification_channel_broken", channel=channel.id, error=error)
        if outcome is Outcome.HELD:
            self._rests[kind] = now + timedelta(seconds=wait_s)
        return outcome not in (Outcome.HELD, Outcome.MISCONFIGURED)

    async def _found(self, row: Claimed) -> tuple[Notification, list[Notification]] | None:
        async with self._database.glance() as session:
            notification = await session.get(Notification, str(row.payload.get("notification_id")))
            if notification is None:
                return None
            return notification, list(await rows.gathered(session, notification.id))

    async def _try(
        self,
        channel: NotificationChannel,
        notification: Notification,
        members: list[Notification],
        *,
        urgent: bool,
    ) -> tuple[Outcome, str, float]:
        notice = notice_of(notification, members, self._planner.phrases, urgent=urgent)
        breaker = self._makers.breaker(channel.id)
        now = self._clock()
        try:
            # What is urgent goes to see for itself; its own retries keep it from hammering.
            if channel.state == ChannelState.ON.value and not urgent:
                breaker.enter(now)
            async with asyncio.timeout(SEND_TIMEOUT_S):
                remark = await (await self._notifier(channel)).send(notice)
        except PersonHeld as held:
            return Outcome.PERSON_HELD, str(held)[:120], held.wait_s
        except Held as held:
            return Outcome.HELD, str(held)[:120], held.wait_s
        except Misconfigured as error:
            return Outcome.MISCONFIGURED, str(error)[:120], BROKEN_RETRY.total_seconds()
        except PermanentError as error:
            breaker.succeeded()
            return Outcome.REFUSED, str(error)[:120], 0.0
        except TransientError as error:
            breaker.failed(now)
            return Outcome.RETRY, f"{type(error).__name__}: {error}"[:120], 0.0
        except Exception as error:
            log.exception("notification_crashed", channel=channel.id)
            breaker.failed(now)
            return Outcome.RETRY, f"{type(error).__name__}:"[:120], 0.0
        breaker.succeeded()
        return Outcome.SENT, (remark or "")[:120], 0.0

    async def _notifier(self, channel: NotificationChannel) -> Notifier:
        """The channel's connector, which knows what was sent lately, whoever sent it."""
        notifier = self._makers.notifier(channel)
        async with self._telling:
            if not self._makers.knows_past(channel.id):
                since = self._clock() - LONGEST_PACE
                async with self._database.glance() as session:
                    past = await rows.sends_since(session, channel.id, since)
                self._makers.tell_past(channel, past)
        return notifier

    async def _remind_all(self) -> None:
        while (row := await self._claim(REMINDER_KIND)) is not None:
            now = self._clock()
            async with self._database.transaction() as session:
                happened = Happened.of(row.payload["happened"])
                try:
                    rule = await rows.rule(session, str(row.payload["rule_id"]))
                    ticket = await tickets.by_id(session, happened.ticket_id)
                    if rule.enabled and ticket.status in UNTAKEN:
                        number = int(row.payload["number"])
                        await self._planner.remind(session, rule, happened, number, now=now)
                except (NotificationGone, TicketNotFound):
                    log.info("reminder_without_subject", row=row.id)
                await outbox.settle_sent(session, row, now=now)
        self.wake()


def _sendable(channel: NotificationChannel | None, now: datetime) -> bool:
    """Whether to try: the channel is on, or broken and due to be looked at again."""
    if channel is None:
        return False
    if channel.state == ChannelState.BROKEN.value:
        return channel.retry_at is not None and channel.retry_at <= now
    return channel.state == ChannelState.ON.value

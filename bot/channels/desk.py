"""How the channels of conversations do, and the switch that stops one without losing anything.

What is said in a stopped channel waits in the outbox; what people write is recorded as ever.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.accounts.service import Principal
from bot.channels import repository as rows
from bot.channels.tables import ChannelPause
from bot.clock import Clock
from bot.errors import InvalidInput
from connectors.base import Channel, Held
from store import audit
from store.outbox import OutboxStatus
from store.session import Database

#: What counts as recent.
RECENT = timedelta(hours=24)
#: How often what waits for a stopped channel looks whether it may go.
LOOK_S = 10.0


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """One channel. ``sent`` is of the last day; ``waiting`` and ``failed`` are all there are."""

    name: str
    last_in: datetime | None
    last_out: datetime | None
    sent: int
    failed: int
    waiting: int
    oldest: datetime | None
    paused_by: str
    paused_at: datetime | None

    @property
    def error_percent(self) -> int | None:
        """Failed among what was settled; ``None`` when nothing was."""
        settled = self.sent + self.failed
        return round(100 * self.failed / settled) if settled else None


@dataclass(frozen=True, slots=True)
class ChannelDesk:
    """The channels that are sent to, in an administrator's hands."""

    database: Database
    channels: Mapping[str, Channel]
    clock: Clock
    wake: Callable[[], None]

    async def health(self, staff: Principal) -> Sequence[ChannelHealth]:
        """Every channel that is on. Raises :class:`NotPermitted`."""
        staff.require()
        return [await self._health(name) for name in sorted(self.channels)]

    async def set_paused(self, staff: Principal, channel: str, *, paused: bool) -> None:
        """Stop a channel's sending or let it go on.

        Raises :class:`NotPermitted`, :class:`InvalidInput` for a channel that is not on.
        """
        staff.require()
        if channel not in self.channels:
            raise InvalidInput("channel", "console.error.form")
        now = self.clock()
        async with self.database.transaction() as session:
            if (await rows.pause(session, channel) is not None) == paused:
                return
            if paused:
                session.add(ChannelPause(channel=channel, paused_by=staff.name, paused_at=now))
            else:
                await rows.resume(session, channel)
            await audit.record(
                session,
                actor=f"staff:{staff.staff_id}",
                action="channel_paused" if paused else "channel_resumed",
                subject=f"channel:{channel}",
                detail={},
                now=now,
            )
        self.wake()

    async def _health(self, name: str) -> ChannelHealth:
        async with self.database.reading() as session:
            stopped = await rows.pause(session, name)
            last_in = await rows.last_heard(session, name)
            found = await rows.deliveries(session, name, since=self.clock() - RECENT)
        counts = {status: count for status, count, _, _ in found}
        newest = {status: at for status, _, at, _ in found}
        oldest = {status: at for status, _, _, at in found}
        return ChannelHealth(
            name=name,
            last_in=last_in,
            last_out=newest.get(OutboxStatus.SENT.value),
            sent=counts.get(OutboxStatus.SENT.value, 0),
            failed=counts.get(OutboxStatus.FAILED.value, 0),
            waiting=counts.get(OutboxStatus.PENDING.value, 0),
            oldest=oldest.get(OutboxStatus.PENDING.value),
            paused_by=stopped.paused_by if stopped else "",
            paused_at=stopped.paused_at if stopped else None,
        )


async def check_open(database: Database, channel: str) -> None:
    """Raises :class:`Held` while a channel is stopped: no attempt is used up."""
    async with database.peek() as session:
        if await rows.pause(session, channel) is not None:
            raise Held("stopped by an administrator", LOOK_S)

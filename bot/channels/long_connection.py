"""Keeps a bot's one long connection: by one process, again after every cut, never in a fight.

Of all processes the one with the lease connects. Cuts are answered with growing pauses; a refused
account rests, for the platform bans who hammers; where another connection has taken over, it stays
so until somebody presses the button. Refuses to handle what comes; `bot.channels.bot_frames` does.
"""

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.channels.bot_frames import KIND, BotFrames
from bot.channels.bot_pump import BotPump
from bot.channels.bot_talk import BotTalk
from bot.channels.links import Links, LinkState, Traffic
from bot.channels.live import LiveChannels
from connectors.base import TransientError
from connectors.bot_outgoing import BotOutgoing
from connectors.relay import Relay
from connectors.settings import WecomBotSettings
from connectors.wecom_bot_frames import Callback
from connectors.wecom_bot_messages import BotMessage
from connectors.wecom_bot_socket import (
    ACK_S,
    BAD_CREDENTIALS,
    BROKEN,
    PING_S,
    BotSocket,
    SubscriptionRefused,
    TakenOver,
    open_socket,
)
from connectors.wecom_codes import Remedy, remedy
from store import leases
from store.base import new_id

_WORK = "wecom_bot"
#: Messages that may wait to be written down; then the platform has to wait too.
_MOST_HEARD = 1_000
_RECORD_AGAIN_S = 1.0
#: After the first refusal, and after every further one.
REFUSED_FIRST, REFUSED_AGAIN = timedelta(seconds=30), timedelta(hours=1)

log = structlog.get_logger("bot.wecom_bot")


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient it is, in seconds."""

    most_s: float = 60.0
    #: A connection that held for so many first pauses was a good one: the pauses begin anew.
    good: float = 5.0
    look_s: float = 2.0
    lease_s: float = 20.0
    ping_s: float = PING_S
    ack_s: float = ACK_S


class LeaseLost(Exception):
    """Another process does this now, or may."""


class LongConnection:
    """One process' part in it; of several that run, one connects."""

    def __init__(self, frames: BotFrames, pace: Pace | None = None) -> None:
        self._frames = frames
        self._channels: LiveChannels = frames.channels
        self._database = frames.files.intake.database
        self._clock = frames.files.intake.clock
        self.links = Links(self._database, self._clock)
        self._pace = pace or Pace()
        self._holder = new_id()
        self._holds_until: datetime | None = None
        self._failures = 0
        self._last_in: datetime | None = None
        self._heard: deque[tuple[BotMessage, str]] = deque()
        self._hearing = asyncio.Condition()
        # A worker of its own: a message does not wait behind a slow delivery.
        self._relay = Relay(
            self._database,
            frames.handlers(),
            self._clock,
            only=(KIND,),
            lease=timedelta(seconds=self._channels.settings.relay.lease_s),
        )

    async def run(self) -> None:
        """Keep it as it is set up, until cancelled."""
        while True:
            settings = self._channels.settings.wecom_bot
            await _until_one_ends(self._keep(settings), self._until_other_than(settings))

    async def _until_other_than(self, settings: WecomBotSettings) -> None:
        while self._channels.settings.wecom_bot == settings:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._channels.changed(), self._pace.look_s)

    async def _keep(self, settings: WecomBotSettings) -> None:
        if not settings.keeps_socket:
            await asyncio.Event().wait()
        await _until_one_ends(self._lead(settings), self._write_down(), self._relay.run())

    async def _lead(self, settings: WecomBotSettings) -> None:
        self._failures = 0
        try:
            while True:
                if not await self._holds() or not await self._may_connect(settings):
                    await asyncio.sleep(self._pace.look_s)
                    continue
                await self._connect(settings)
        finally:
            await asyncio.shield(self._step_down())

    async def _may_connect(self, settings: WecomBotSettings) -> bool:
        found = await self.links.health(settings)
        if found is None or found.state is LinkState.CONNECTING:
            return True
        if found.state is LinkState.TAKEN_OVER:
            return False
        return found.retry_at is None or found.retry_at <= self._clock()

    async def _connect(self, settings: WecomBotSettings) -> None:
        """One connection from its beginning to its end, and what follows from that."""
        began = asyncio.get_running_loop().time()
        try:
            async with open_socket(settings, self._clock(), ack_s=self._pace.ack_s) as socket:
                pump = self._pump(socket)
                await _until_one_ends(
                    socket.read(self._take),
                    self._talk(settings, socket, pump),
                    self._hold_on(settings, socket, pump),
                )
        except TakenOver:
            # Where another process of ours has the lease, all is well: it has connected.
            if await self._holds(anew=True):
                log.warning("bot_connection_taken_over")
                await self.links.note(settings, LinkState.TAKEN_OVER)
        except SubscriptionRefused as refused:
            await self._refused(settings, refused.code)
        except LeaseLost:
            log.warning("bot_lease_lost")
        except (*BROKEN, TransientError) as error:
            held_s = asyncio.get_running_loop().time() - began
            if held_s >= self._pace.good * settings.retry_s:
                self._failures = 0
            await self._broken(settings, type(error).__name__)

    async def _talk(self, settings: WecomBotSettings, socket: BotSocket, pump: BotPump) -> None:
        await socket.subscribe(settings)
        await self.links.note(settings, LinkState.CONNECTED)
        log.info("bot_connected")
        await _until_one_ends(pump.run(), socket.beat(self._pace.ping_s))

    def _pump(self, socket: BotSocket) -> BotPump:
        streams = self._channels.bot_streams
        if streams is None:
            raise TransientError("the channel is off")
        talk = BotTalk(self._frames.files, streams, self._channels.contents, self._frames.wake)
        outgoing = BotOutgoing(self._database, streams, self._clock)
        return BotPump(outgoing, talk, socket, self._clock)

    async def _take(self, found: Callback) -> None:
        message = self._frames.checked(found)
        self._last_in = self._clock()
        if message is None:
            return
        async with self._hearing:
            await self._hearing.wait_for(lambda: len(self._heard) < _MOST_HEARD)
            self._heard.append((message, found.request_id))
            self._hearing.notify_all()

    async def _write_down(self) -> None:
        """Record what was heard, in its order. A database that is away is waited out."""
        try:
            while True:
                async with self._hearing:
                    await self._hearing.wait_for(lambda: bool(self._heard))
                try:
                    await self._record_heard()
                except Exception:
                    log.exception("frame_not_recorded")
                    await asyncio.sleep(_RECORD_AGAIN_S)
        finally:
            await asyncio.shield(self._record_heard())

    async def _record_heard(self) -> None:
        while self._heard:
            # It stays there until it rests: this may be called off at any moment.
            message, request_id = self._heard[0]
            if await self._frames.record(message, request_id):
                self._relay.wake()
            async with self._hearing:
                if self._heard and self._heard[0] == (message, request_id):
                    self._heard.popleft()
                self._hearing.notify_all()

    async def _refused(self, settings: WecomBotSettings, code: int) -> None:
        if code != BAD_CREDENTIALS and remedy(code) is not Remedy.CREDENTIALS:
            await self._broken(settings, f"errcode {code}", code)
            return
        found = await self.links.health(settings)
        refusals = (found.refusals if found is not None else 0) + 1
        pause = REFUSED_FIRST if refusals == 1 else REFUSED_AGAIN
        log.error("bot_credentials_refused", code=code, times=refusals)
        await self.links.note(
            settings,
            LinkState.REFUSED,
            code=code,
            retry_at=self._clock() + pause,
            refusals=refusals,
        )

    async def _broken(self, settings: WecomBotSettings, error: str, code: int = 0) -> None:
        pause = min(settings.retry_s * 2.0 ** min(self._failures, 20), self._pace.most_s)
        # Many who were cut off together must not come back together.
        pause *= random.uniform(0.5, 1.0)  # noqa: S311  # spread, not a secret
        self._failures += 1
        log.warning("bot_connection_broken", error=error, pause_s=round(pause, 1))
        retry_at = self._clock() + timedelta(seconds=pause)
        await self.links.note(settings, LinkState.BROKEN, code=code, retry_at=retry_at)
        await asyncio.sleep(pause)

    async def _hold_on(self, settings: WecomBotSettings, socket: BotSocket, pump: BotPump) -> None:
        """Keep the lease while connected, and say how it goes. Raises :class:`LeaseLost`."""
        told: Traffic | None = None
        while True:
            await asyncio.sleep(self._pace.lease_s / 3)
            if not await self._holds(anew=True):
                raise LeaseLost
            now = Traffic(self._last_in, pump.last_out, socket.refused)
            if now != told:
                try:
                    await self.links.seen(settings, now)
                    told = now
                except Exception:
                    log.exception("bot_traffic_not_noted")

    async def _holds(self, *, anew: bool = False) -> bool:
        """Whether this process has the lease; a database that is away is waited out until its end.

        ``anew``: ask now, also where it was asked lately.
        """
        now = self._clock()
        fresh = timedelta(seconds=self._pace.lease_s * 2 / 3)
        if not anew and self._holds_until is not None and now < self._holds_until - fresh:
            return True
        until = now + timedelta(seconds=self._pace.lease_s)
        try:
            async with self._database.transaction() as session:
                held = await leases.hold(session, _WORK, holder=self._holder, now=now, until=until)
        except Exception:
            log.exception("bot_lease_not_renewed")
            return self._holds_until is not None and now < self._holds_until
        self._holds_until = until if held else None
        return held

    async def _step_down(self) -> None:
        """Let another follow at once. Also where it seems not to hold: a call was called off."""
        self._holds_until = None
        async with self._database.transaction() as session:
            await leases.release(session, _WORK, holder=self._holder)


async def _until_one_ends(*work: Coroutine[Any, Any, None]) -> None:
    """Run all of it until one of it ends or fails; then none of it runs. Raises as that one."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        if task in done:
            task.result()

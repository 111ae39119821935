"""Sends what lies ready over a bot's long connection: replies as they grow, greetings, pushes.

Every frame is the whole text so far, one at a time for each reply and not too often; what the
platform did not say it took is offered again. Refuses to connect, and to decide what is said.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.channels.bot_talk import BotTalk
from connectors.base import TransientError
from connectors.bot_outgoing import BotOutgoing, Ready
from connectors.bot_streams import Frame
from connectors.wecom_bot_frames import Command
from connectors.wecom_bot_socket import BROKEN, BotSocket, Unanswered
from connectors.wecom_codes import Remedy, remedy

#: How often to look for what another process has laid out.
LOOK_S = 0.3
#: How long a stream rests after what may pass.
_RESTS = {
    Remedy.RETRY: timedelta(seconds=5),
    Remedy.REST: timedelta(seconds=60),
    Remedy.CONFIGURATION: timedelta(seconds=60),
}
#: A frame that is passed over so often is not sent again, while others are answered.
MOST_SILENCES = 3

log = structlog.get_logger("bot.wecom_bot")


class BotPump:
    """The sending side of one connection."""

    def __init__(
        self,
        outgoing: BotOutgoing,
        talk: BotTalk,
        socket: BotSocket,
        clock: Callable[[], datetime],
    ) -> None:
        self._outgoing = outgoing
        self._talk = talk
        self._socket = socket
        self._clock = clock
        self._begun: set[str] = set()
        self._next: dict[str, datetime] = {}
        self._silences: dict[str, int] = {}
        self.last_out: datetime | None = None

    async def run(self) -> None:
        """Send until cancelled, or until the connection ends: raises why."""
        laid = self._talk.streams.laid
        while True:
            laid.clear()
            try:
                await self.send_ready()
            except (*BROKEN, TransientError):
                raise
            except Exception:
                # A database that is away is waited out; what lies there is offered again.
                log.exception("bot_pump_failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(laid.wait(), LOOK_S)

    async def send_ready(self) -> None:
        """Everything that may be sent now, one frame for each reply."""
        now = self._clock()
        ready = await self._outgoing.ready()
        open_now = {one.stream_id for one in ready}
        self._begun &= open_now
        self._next = {name: at for name, at in self._next.items() if name in open_now}
        self._silences = {name: n for name, n in self._silences.items() if name in open_now}
        due = [one for one in ready if self._next.get(one.stream_id, now) <= now]
        await asyncio.gather(*(self._tend(one) for one in due))

    async def _tend(self, ready: Ready) -> None:
        now = self._clock()
        frame = ready.frame(now, over=await self._is_over(ready, now))
        empty = (ready.push or ready.welcome) and not ready.parts
        if empty or ready.is_late(now):
            if frame.finish:
                await self._outgoing.taken(ready.stream_id, (), finish=True)
            return
        if ready.welcome and not frame.finish:
            return
        if not (frame.finish or frame.fresh or ready.stream_id not in self._begun):
            return
        await self._send(ready, frame)

    async def _is_over(self, ready: Ready, now: datetime) -> bool:
        settled = ready.may_end(now, self._talk.streams.settled)
        # A greeting waits in the outbox until it is sent: it would seem busy with itself.
        return settled and (ready.welcome or not await self._talk.is_busy(ready.conversation_id))

    async def _send(self, ready: Ready, frame: Frame) -> None:
        try:
            code = await self._socket.call(*await self._call(ready, frame))
        except Unanswered:
            await self._unanswered(ready)
            return
        self._silences.pop(ready.stream_id, None)
        if code == 0:
            self.last_out = self._clock()
            self._begun.add(ready.stream_id)
            # People read, and the platform counts; but the first words are waited for.
            if ready.parts:
                self._rest(ready, self._talk.streams.settled)
            await self._outgoing.taken(ready.stream_id, ready.part_ids, finish=frame.finish)
            await self._talk.hurry(ready.conversation_id)
            return
        log.warning("frame_not_taken", code=code, push=ready.push)
        if pause := _RESTS.get(remedy(code)):
            self._rest(ready, pause)
        else:
            await self._outgoing.refused(ready, f"errcode {code}")

    async def _unanswered(self, ready: Ready) -> None:
        """Whether it was taken is unknown; the same again changes nothing on the screen.

        Raises :class:`Unanswered` when nobody is there at all.
        """
        await self._socket.call(Command.PING)
        count = self._silences[ready.stream_id] = self._silences.get(ready.stream_id, 0) + 1
        self._rest(ready, _RESTS[Remedy.RETRY])
        if count >= MOST_SILENCES:
            log.warning("frame_unanswered", push=ready.push)
            await self._outgoing.refused(ready, "unanswered")

    def _rest(self, ready: Ready, pause: timedelta) -> None:
        self._next[ready.stream_id] = self._clock() + pause

    async def _call(self, ready: Ready, frame: Frame) -> tuple[Command, dict[str, Any], str]:
        if ready.card and ready.line.request_id:
            replaced = {
                "response_type": "update_template_card",
                "template_card": json.loads(ready.card),
            }
            return Command.UPDATE, replaced, ready.line.request_id
        if ready.card:
            card = {"msgtype": "template_card", "template_card": json.loads(ready.card)}
            return Command.SEND, {"chatid": ready.line.chat, **card}, ""
        if ready.push:
            told = {"chatid": ready.line.chat, "msgtype": "markdown"}
            return Command.SEND, {**told, "markdown": {"content": frame.text}}, ""
        if ready.welcome:
            text = {"msgtype": "text", "text": {"content": frame.text}}
            return Command.WELCOME, text, ready.line.request_id
        body = await self._talk.reply(frame)
        if ready.stream_id in self._begun:
            # The platform takes this name with the first frame only.
            body["stream"].pop("feedback")
        return Command.RESPOND, body, ready.line.request_id

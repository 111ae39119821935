"""Messages of a bot's long connection: written down first, then handled.

The platform never asks whether we have a message, so it rests in the outbox before anything is done
with it: whoever finds it there, after whatever crash, handles it. Refuses what is of another bot.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.channels.bot_talk import BotTalk
from bot.channels.files import ChannelFiles
from bot.channels.live import LiveChannels
from bot.masking import mask
from connectors import wecom_bot_messages
from connectors.base import Held
from connectors.bot_streams import Line
from connectors.errors import CallbackRefused, Flaw
from connectors.relay import Handler
from connectors.wecom_bot_frames import Callback
from connectors.wecom_bot_messages import BotFile, BotKind, BotMessage
from store import outbox
from store.outbox import Claimed

#: Rows of what came over the long connection.
KIND = "wecom_bot_frame"
#: Somebody who came in so long ago is not greeted any more.
_GREETED_WITHIN = timedelta(seconds=60)
_OFF_S = 30.0

log = structlog.get_logger("bot.wecom_bot")


@dataclass(frozen=True, slots=True)
class BotFrames:
    """What came, and what becomes of it. ``wake`` tells whoever sends that something may go now."""

    files: ChannelFiles
    channels: LiveChannels
    wake: Callable[[], None] = lambda: None

    def checked(self, found: Callback) -> BotMessage | None:
        """What came, if it is of use. Raises :class:`CallbackRefused` for what is not ours."""
        message = wecom_bot_messages.message(_plain(found))
        known = self.channels.settings.wecom_bot.bot_id
        if message.bot_id and message.bot_id != known:
            raise CallbackRefused(Flaw.RECEIVER)
        if message.kind in (BotKind.STREAM, BotKind.EVENT):
            # Nobody asks for replies here, and other events are of no use.
            log.info("event_ignored", kind=message.event or message.kind.value)
            return None
        return message

    async def record(self, message: BotMessage, request_id: str) -> bool:
        """Write a message down; ``False`` for a repetition."""
        now = self.files.intake.clock()
        async with self.files.intake.database.transaction() as session:
            return await outbox.enqueue(
                session,
                kind=KIND,
                payload=_payload(message, request_id, now),
                dedupe_key=f"{KIND}:{_short(message.person)}:{message.external_id}",
                available_at=now,
                # What one person says is handled in its order.
                conversation_id=_short(message.person),
            )

    def handlers(self) -> dict[str, Handler]:
        """What carries out the rows."""
        return {KIND: self._handle}

    async def _handle(self, row: Claimed) -> None:
        streams = self.channels.bot_streams
        if streams is None:
            raise Held("the channel is off", _OFF_S)
        talk = BotTalk(self.files, streams, self.channels.contents, self.wake)
        message = _message(row.payload["message"])
        line = Line(str(row.payload["request_id"]), message.chat)
        match message.kind:
            case BotKind.ENTER:
                came = datetime.fromisoformat(str(row.payload["at"]))
                if self.files.intake.clock() - came < _GREETED_WITHIN:
                    await talk.entered(message, line)
            case BotKind.VERDICT:
                await talk.judged(message)
            case BotKind.CARD:
                await talk.pressed(message, line)
            case _:
                await talk.asked(message, line)


def _short(person: str) -> str:
    return hashlib.sha256(person.encode()).hexdigest()[:32]


def _plain(found: Callback) -> bytes:
    # All in ASCII: lone surrogates can stand in JSON, and are replaced where texts are read.
    return json.dumps(found.body, sort_keys=True).encode()


def _payload(message: BotMessage, request_id: str, now: datetime) -> dict[str, Any]:
    # An address for one message is of no use where words are sent at any time.
    kept = replace(message, text=mask(message.text).text, response_url="")
    told = asdict(kept) | {"kind": message.kind.value}
    return {"message": told, "request_id": request_id, "at": now.isoformat()}


def _message(told: dict[str, Any]) -> BotMessage:
    files = tuple(BotFile(**one) for one in told["files"])
    return BotMessage(**(told | {"kind": BotKind(told["kind"]), "files": files}))

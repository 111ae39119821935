"""A conversation with 粤政易's bot, whichever way its messages come: opened, heard, judged, shown.

Callbacks and the long connection share this; refuses to know about either.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import structlog

from bot import repository
from bot.channels import menus
from bot.channels.files import ChannelFiles
from bot.tables import Owner
from connectors import wecom_messages
from connectors.base import Contents, InboundMessage
from connectors.bot_streams import BotStreams, Frame, Line, Part
from connectors.wecom_bot import NAME, PICTURE_BYTES
from connectors.wecom_bot_api import keyed
from connectors.wecom_bot_messages import BotKind, BotMessage
from connectors.wecom_cards import answered_card
from store import outbox
from store.outbox import OutboxStatus

_FORMS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")

log = structlog.get_logger("bot.wecom_bot")


@dataclass(frozen=True, slots=True)
class BotTalk:
    """What is done with a bot's messages and replies."""

    files: ChannelFiles
    streams: BotStreams
    contents: Contents | None
    wake: Callable[[], None]

    async def asked(self, message: BotMessage, line: Line | None = None) -> str:
        """Record a question, with a stream for its reply: its name."""
        conversation = await self.files.intake.conversation_of(said(message))
        stream_id = await self.streams.open(
            message.person,
            conversation.id,
            message.external_id,
            message.response_url,
            line=line,
        )
        # What waited for this person goes into it first.
        await self.hurry(conversation.id)
        await self._hand_over(message)
        return stream_id

    async def entered(self, message: BotMessage, line: Line | None = None) -> tuple[str, str]:
        """Greet somebody who came in: the stream of the greeting, and the conversation."""
        conversation = await self.files.intake.conversation_of(said(message))
        stream_id = await self.streams.open_welcome(
            message.person, conversation.id, message.external_id, line=line
        )
        await self.files.intake.greet(said(message))
        await self.hurry(conversation.id)
        return stream_id, conversation.id

    async def judged(self, message: BotMessage) -> None:
        """有用 or 没用 on a reply, with the person's own words about it if there are any."""
        person, seq = await self.streams.answer_in(message.stream_id)
        if message.helpful is None or not seq or person != message.person:
            log.info("verdict_ignored")
            return
        name = "helpful" if message.helpful else "unhelpful"
        found = menus.pressed(f"{name}:{seq}", self.files.intake.phrases)
        if found is None:
            return
        label, action = found
        text = f"{label}\n{message.text}" if message.text else label
        pressed = InboundMessage(NAME, message.external_id, text, message.person, action=action)
        await self.files.intake.receive(pressed)

    async def pressed(self, message: BotMessage, line: Line) -> None:
        """A button of a card: recorded as what it says, and the card shows that it was."""
        intake = self.files.intake
        found = wecom_messages.action(message.key) or menus.pressed(message.key, intake.phrases)
        if found is None:
            log.info("button_ignored", kind=message.event)
            return
        label, action = found
        if message.task_id:
            chosen = intake.phrases.say("channel.chosen", label=label[:20])
            card = {**answered_card(chosen, label, message.key), "task_id": message.task_id}
            shown = Part(message.person, message.external_id, 1, "", card=json.dumps(card))
            # First: the platform takes it for five seconds only.
            await self.streams.replace_card(shown, message.external_id, line)
        await intake.receive(replace(said(message, label), action=action))

    async def hurry(self, conversation_id: str) -> None:
        """Let what waits for this person go now."""
        async with self.files.intake.database.transaction() as session:
            await outbox.hurry(session, conversation_id, now=self.files.intake.clock())
        self.wake()

    async def is_busy(self, conversation_id: str) -> bool:
        """Whether more may be said soon: the bot is thinking, or an engineer is here."""
        async with self.files.intake.database.reading() as session:
            found = await repository.conversation(session, conversation_id)
            waiting = await outbox.has(session, conversation_id, OutboxStatus.PENDING)
        if found is None:
            return False
        return waiting or found.pending_seq is not None or found.owner == Owner.ENGINEER.value

    async def reply(self, frame: Frame) -> dict[str, Any]:
        """The body of a reply: its words so far, and its pictures at its end."""
        text = frame.text
        if frame.finish and not text:
            key = "channel.bot.below" if frame.superseded else "channel.bot.later"
            text = self.files.intake.phrases.say(key)
        pictures = [await self._picture(sha) for sha in frame.pictures]
        return stream_body(frame, text, [one for one in pictures if one is not None])

    async def _hand_over(self, message: BotMessage) -> None:
        if message.kind is BotKind.UNKNOWN:
            await self.files.intake.note(said(message), "unknown")
            return
        if message.text:
            await self.files.intake.receive(said(message, message.text))
        for n, file in enumerate(message.files, 1):
            sent = replace(said(message, suffix=f"/{n}"), action={"media_id": keyed(file)})
            await self.files.receive(sent, kind=file.kind)
            self.wake()

    async def _picture(self, sha256: str) -> bytes | None:
        if self.contents is None:
            return None
        content = await self.contents(sha256)
        taken = content is not None and len(content) <= PICTURE_BYTES
        return content if taken and content is not None and content.startswith(_FORMS) else None


def said(message: BotMessage, text: str = "", suffix: str = "") -> InboundMessage:
    """A bot's message as those of every channel are."""
    return InboundMessage(NAME, message.external_id + suffix, text, message.person)


def stream_body(
    frame: Frame, text: str = "", pictures: list[bytes] | None = None
) -> dict[str, Any]:
    """A running reply as the platform takes it."""
    told: dict[str, Any] = {
        "id": frame.stream_id,
        "finish": frame.finish,
        "content": text or frame.text,
        # A verdict comes back under this name.
        "feedback": {"id": frame.stream_id},
    }
    if pictures:
        told["msg_item"] = [{"msgtype": "image", "image": _image(one)} for one in pictures]
    return {"msgtype": "stream", "stream": told}


def _image(content: bytes) -> dict[str, str]:
    # The platform's choice: it only finds damage on the way.
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return {"base64": base64.b64encode(content).decode(), "md5": digest}

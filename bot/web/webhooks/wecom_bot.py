"""Callbacks of a 粤政易/政务微信 bot: verify, record, answer with the reply as far as it goes.

The platform asks again and again until a reply is finished. A refusal says nothing about its
reason; anything but 200 makes the platform send again, wanted only while we cannot record.
"""

import asyncio
import base64
import hashlib
import secrets
from dataclasses import replace
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response, status
from starlette.responses import JSONResponse

from bot import repository
from bot.assembly import Services
from bot.channels import menus
from bot.tables import Owner
from bot.web.security import AppServices
from bot.web.webhooks.wecom_callbacks import (
    address_check,
    body_of,
    refuse,
    signed,
    unsealed,
)
from connectors import wecom_bot_messages
from connectors.base import InboundMessage
from connectors.bot_streams import BotStreams, Frame
from connectors.errors import CallbackRefused, Flaw
from connectors.notify_http import as_json
from connectors.wecom_bot import NAME, PICTURE_BYTES
from connectors.wecom_bot_messages import BotKind, BotMessage
from connectors.wecom_crypto import Signed
from store import outbox
from store.outbox import OutboxStatus

router = APIRouter(prefix="/channels/wecom-bot", tags=["channels"])

#: A welcome must be on its way within five seconds; so long it is waited for.
WELCOME_S, _LOOK_S = 3.0, 0.1
_FORMS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")

log = structlog.get_logger("bot.web.wecom_bot")


@router.get("/callback", include_in_schema=False)
async def check_address(request: Request, app: AppServices) -> Response:
    """The platform's check of the address: the decrypted words, bare."""
    return address_check(request, app, NAME)


@router.post("/callback", include_in_schema=False)
async def receive(request: Request, app: AppServices) -> Response:
    """One question, event, or look at a reply. What was said is recorded when this answers 200."""
    try:
        found = signed(request, wecom_bot_messages.envelope(await body_of(request)))
        message = wecom_bot_messages.message(unsealed(app, NAME, found))
        known = app.channels.settings.wecom_bot.bot_id
        if known and message.bot_id != known:
            raise CallbackRefused(Flaw.RECEIVER)
    except CallbackRefused as refused:
        return refuse(refused)
    streams = app.channels.bot_streams
    answer = await _answer(app, streams, message) if streams is not None else None
    if answer is None:
        return Response(status_code=status.HTTP_200_OK)
    return JSONResponse(wecom_bot_messages.reply(_sealed(app, answer)))


def _sealed(app: Services, answer: bytes) -> Signed:
    timestamp = str(int(app.clock().timestamp()))
    keys = app.channels.settings.wecom_bot.keys()
    return keys.seal(answer, timestamp=timestamp, nonce=secrets.token_hex(8))


async def _answer(app: Services, streams: BotStreams, message: BotMessage) -> bytes | None:
    match message.kind:
        case BotKind.STREAM:
            return await _frame(app, streams, message.stream_id)
        case BotKind.ENTER:
            return await _welcome(app, streams, message)
        case BotKind.VERDICT:
            await _judged(app, streams, message)
        case BotKind.EVENT:
            log.info("event_ignored", kind=message.event)
        case _:
            stream_id = await _opened(app, streams, message)
            await _hand_over(app, message)
            return _stream(Frame(stream_id, "", finish=False))
    return None


async def _opened(app: Services, streams: BotStreams, message: BotMessage) -> str:
    """The stream of a question; what waited for this person goes into it first."""
    conversation = await app.channel_intake.conversation_of(_said(message))
    stream_id = await streams.open(
        message.person, conversation.id, message.external_id, message.response_url
    )
    await _hurry(app, conversation.id)
    return stream_id


async def _hurry(app: Services, conversation_id: str) -> None:
    async with app.database.transaction() as session:
        await outbox.hurry(session, conversation_id, now=app.clock())
    app.relay.wake()


def _said(message: BotMessage, text: str = "", suffix: str = "") -> InboundMessage:
    return InboundMessage(NAME, message.external_id + suffix, text, message.person)


async def _hand_over(app: Services, message: BotMessage) -> None:
    if message.kind is BotKind.UNKNOWN:
        await app.channel_intake.note(_said(message), "unknown")
        return
    if message.text:
        await app.channel_intake.receive(_said(message, message.text))
    for n, file in enumerate(message.files, 1):
        said = replace(_said(message, suffix=f"/{n}"), action={"media_id": file.url})
        await app.channel_files.receive(said, kind=file.kind)
        app.relay.wake()


async def _frame(app: Services, streams: BotStreams, stream_id: str) -> bytes:
    conversation_id = await streams.conversation_of(stream_id)
    if conversation_id is None:
        return _stream(Frame(stream_id, app.phrases.say("channel.bot.over"), finish=True))
    frame = await streams.poll(stream_id, busy=await _is_busy(app, conversation_id))
    if frame.fresh:
        await _hurry(app, conversation_id)
    text = frame.text
    if frame.finish and not text:
        key = "channel.bot.below" if frame.superseded else "channel.bot.later"
        text = app.phrases.say(key)
    pictures = [await _picture(app, sha) for sha in frame.pictures]
    return _stream(frame, text, [one for one in pictures if one is not None])


async def _is_busy(app: Services, conversation_id: str) -> bool:
    """Whether more may be said soon: the bot is thinking, or an engineer is here."""
    async with app.database.reading() as session:
        found = await repository.conversation(session, conversation_id)
        waiting = await outbox.has(session, conversation_id, OutboxStatus.PENDING)
    if found is None:
        return False
    return waiting or found.pending_seq is not None or found.owner == Owner.ENGINEER.value


async def _welcome(app: Services, streams: BotStreams, message: BotMessage) -> bytes | None:
    """Greet in the callback's own answer; what does not come in time waits for a question."""
    said = _said(message)
    conversation = await app.channel_intake.conversation_of(said)
    stream_id = await streams.open_welcome(message.person, conversation.id, message.external_id)
    await app.channel_intake.greet(said)
    await _hurry(app, conversation.id)
    text = ""
    for _ in range(int(WELCOME_S / _LOOK_S)):
        if not await _is_busy(app, conversation.id):
            break
        text = (await streams.poll(stream_id, busy=True)).text or text
        app.relay.wake()
        await asyncio.sleep(_LOOK_S)
    await streams.close(stream_id)
    return as_json({"msgtype": "text", "text": {"content": text}}) if text else None


async def _judged(app: Services, streams: BotStreams, message: BotMessage) -> None:
    """有用 or 没用 on a reply, with the person's own words about it if there are any."""
    person, seq = await streams.answer_in(message.stream_id)
    if message.helpful is None or not seq or person != message.person:
        log.info("verdict_ignored")
        return
    name = "helpful" if message.helpful else "unhelpful"
    found = menus.pressed(f"{name}:{seq}", app.phrases)
    if found is None:
        return
    label, action = found
    text = f"{label}\n{message.text}" if message.text else label
    said = InboundMessage(NAME, message.external_id, text, message.person, action=action)
    await app.channel_intake.receive(said)


async def _picture(app: Services, sha256: str) -> bytes | None:
    if app.channels.contents is None:
        return None
    content = await app.channels.contents(sha256)
    taken = content is not None and len(content) <= PICTURE_BYTES and content.startswith(_FORMS)
    return content if taken else None


def _stream(frame: Frame, text: str = "", pictures: list[bytes] | None = None) -> bytes:
    told: dict[str, Any] = {
        "id": frame.stream_id,
        "finish": frame.finish,
        "content": text or frame.text,
        # A verdict comes back under this name.
        "feedback": {"id": frame.stream_id},
    }
    if pictures:
        told["msg_item"] = [{"msgtype": "image", "image": _image(one)} for one in pictures]
    return as_json({"msgtype": "stream", "stream": told})


def _image(content: bytes) -> dict[str, str]:
    # The platform's choice: it only finds damage on the way.
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return {"base64": base64.b64encode(content).decode(), "md5": digest}

"""Callbacks of a 粤政易/政务微信 bot: verify, record, answer with the reply as far as it goes.

The platform asks again and again until a reply is finished. A refusal says nothing about its
reason; anything but 200 makes the platform send again, wanted only while we cannot record.
"""

import asyncio
import secrets

import structlog
from fastapi import APIRouter, Request, Response, status
from starlette.responses import JSONResponse

from bot.assembly import Services
from bot.channels.bot_talk import BotTalk, stream_body
from bot.web.security import AppServices
from bot.web.webhooks.wecom_callbacks import (
    address_check,
    body_of,
    refuse,
    signed,
    unsealed,
)
from connectors import wecom_bot_messages
from connectors.bot_streams import Frame
from connectors.errors import CallbackRefused, Flaw
from connectors.notify_http import as_json
from connectors.wecom_bot import NAME
from connectors.wecom_bot_messages import BotKind, BotMessage
from connectors.wecom_crypto import Signed

router = APIRouter(prefix="/channels/wecom-bot", tags=["channels"])

#: A welcome must be on its way within five seconds; so long it is waited for.
WELCOME_S, _LOOK_S = 3.0, 0.1

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
    streams, contents = app.channels.bot_streams, app.channels.contents
    answer = None
    if streams is not None:
        talk = BotTalk(app.channel_files, streams, contents, app.relay.wake)
        answer = await _answer(app, talk, message)
    if answer is None:
        return Response(status_code=status.HTTP_200_OK)
    return JSONResponse(wecom_bot_messages.reply(_sealed(app, answer)))


def _sealed(app: Services, answer: bytes) -> Signed:
    timestamp = str(int(app.clock().timestamp()))
    keys = app.channels.settings.wecom_bot.keys()
    return keys.seal(answer, timestamp=timestamp, nonce=secrets.token_hex(8))


async def _answer(app: Services, talk: BotTalk, message: BotMessage) -> bytes | None:
    match message.kind:
        case BotKind.STREAM:
            return await _frame(app, talk, message.stream_id)
        case BotKind.ENTER:
            return await _welcome(app, talk, message)
        case BotKind.VERDICT:
            await talk.judged(message)
        case BotKind.EVENT | BotKind.CARD:
            # No cards are sent in this mode.
            log.info("event_ignored", kind=message.event)
        case _:
            return as_json(stream_body(Frame(await talk.asked(message), "", finish=False)))
    return None


async def _frame(app: Services, talk: BotTalk, stream_id: str) -> bytes:
    conversation_id = await talk.streams.conversation_of(stream_id)
    if conversation_id is None:
        over = Frame(stream_id, app.phrases.say("channel.bot.over"), finish=True)
        return as_json(stream_body(over))
    frame = await talk.streams.poll(stream_id, busy=await talk.is_busy(conversation_id))
    if frame.fresh:
        await talk.hurry(conversation_id)
    return as_json(await talk.reply(frame))


async def _welcome(app: Services, talk: BotTalk, message: BotMessage) -> bytes | None:
    """Greet in the callback's own answer; what does not come in time waits for a question."""
    stream_id, conversation_id = await talk.entered(message)
    text = ""
    for _ in range(int(WELCOME_S / _LOOK_S)):
        if not await talk.is_busy(conversation_id):
            break
        text = (await talk.streams.poll(stream_id, busy=True)).text or text
        app.relay.wake()
        await asyncio.sleep(_LOOK_S)
    await talk.streams.close(stream_id)
    return as_json({"msgtype": "text", "text": {"content": text}}) if text else None

"""Callbacks of 粤政易/政务微信: verify, record, answer 200 with an empty body.

A refusal says nothing about its reason. Anything but 200 makes the platform send again, which is
wanted only while we cannot record.
"""

import structlog
from fastapi import APIRouter, Request, Response, status

from bot.assembly import Services
from bot.channels import menus, persons
from bot.deliveries import CARD_KIND
from bot.web.security import AppServices
from bot.web.webhooks.wecom_callbacks import (
    address_check,
    body_of,
    refuse,
    signed,
    unsealed,
)
from connectors import wecom_messages
from connectors.base import InboundMessage
from connectors.errors import CallbackRefused, Flaw
from connectors.wecom_messages import MEDIA, POINTERS, Kind, WecomMessage
from store import outbox

router = APIRouter(prefix="/channels/wecom", tags=["channels"])

#: The channel's name in rows.
CHANNEL = "wecom"

log = structlog.get_logger("bot.web.wecom")


@router.get("/callback", include_in_schema=False)
async def check_address(request: Request, app: AppServices) -> Response:
    """The platform's check of the address: the decrypted words, bare."""
    return address_check(request, app, CHANNEL)


@router.post("/callback", include_in_schema=False)
async def receive(request: Request, app: AppServices) -> Response:
    """One message or event. It is recorded when this answers 200."""
    try:
        found = signed(request, wecom_messages.envelope(await body_of(request)))
        message = wecom_messages.message(unsealed(app, CHANNEL, found))
        if message.receiver != app.channels.settings.wecom.corp_id or len(message.sender) > 64:
            raise CallbackRefused(Flaw.RECEIVER)
    except CallbackRefused as refused:
        return refuse(refused)
    await _hand_over(app, message)
    if app.channels.settings.wecom.directory:
        async with app.database.transaction() as session:
            await persons.ask_later(
                session, channel=CHANNEL, subject=message.sender, now=app.clock()
            )
    return Response(status_code=status.HTTP_200_OK)


async def _hand_over(app: Services, message: WecomMessage) -> None:
    inbound = InboundMessage(
        channel=CHANNEL,
        external_id=message.external_id,
        external_user=message.sender,
        text=message.text,
    )
    match message.kind:
        case Kind.ENTER:
            await app.channel_intake.greet(inbound)
        case Kind.CARD:
            await _pressed(app, message)
        case Kind.IDLE:
            log.error("wecom_app_idle", kind=message.event)
        case Kind.OTHER_EVENT:
            log.info("event_ignored", kind=message.event[:60])
        case kind if kind in (*MEDIA, *POINTERS, Kind.UNKNOWN) or not message.text:
            await _note(app, message)
        case _:
            await app.channel_intake.receive(inbound)


async def _pressed(app: Services, message: WecomMessage) -> None:
    found = wecom_messages.action(message.key) or menus.pressed(message.key, app.phrases)
    if found is None:
        log.info("button_ignored", kind=message.event)
        return
    text, action = found
    await app.channel_intake.receive(
        InboundMessage(CHANNEL, message.external_id, text, message.sender, action=action)
    )
    if message.response_code:
        await _replace_buttons(app, message, text)


async def _replace_buttons(app: Services, message: WecomMessage, text: str) -> None:
    """Later, by the outbox: the press itself rests already."""
    label = app.phrases.say("channel.chosen", label=text[:20])
    now = app.clock()
    async with app.database.transaction() as session:
        await outbox.enqueue(
            session,
            kind=CARD_KIND,
            payload={
                "user": message.sender,
                "response_code": message.response_code,
                "label": label,
            },
            dedupe_key=f"{CARD_KIND}:{message.external_id}",
            available_at=now,
        )
    app.relay.wake()


async def _note(app: Services, message: WecomMessage) -> None:
    media = {"media_id": message.media_id} if message.media_id else {}
    inbound = InboundMessage(
        CHANNEL, message.external_id, message.text, message.sender, action=media
    )
    spoken = message.kind is Kind.VOICE and message.text
    if spoken:
        # The platform has written down what was said.
        await app.channel_intake.receive(inbound)
        return
    kind = message.kind if message.kind in MEDIA | POINTERS else Kind.UNKNOWN
    await app.channel_files.receive(inbound, kind=kind.value)
    app.relay.wake()

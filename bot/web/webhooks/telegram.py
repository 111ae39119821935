"""Updates of Telegram: check the secret, record, answer 200 with an empty body.

A refusal says nothing about its reason. Anything but 2xx makes Telegram send again, which is
wanted only while we cannot record.
"""

import hmac
from typing import Annotated

import structlog
from fastapi import APIRouter, BackgroundTasks, Header, Request, Response, status

from bot.assembly import Services
from bot.channels.telegram import ADDRESS, hand_over
from bot.web.security import AppServices
from connectors import telegram_updates
from connectors.errors import CallbackRefused, Flaw
from connectors.telegram_settings import Mode

router = APIRouter(tags=["channels"])

#: No update is nearly this large.
MAX_BODY_BYTES = 256 * 1024

log = structlog.get_logger("bot.web.telegram")


@router.post(ADDRESS, include_in_schema=False)
async def receive(
    request: Request,
    app: AppServices,
    later: BackgroundTasks,
    x_telegram_bot_api_secret_token: Annotated[str, Header(max_length=300)] = "",
) -> Response:
    """One update. It is recorded when this answers 200."""
    try:
        _check(app, x_telegram_bot_api_secret_token)
        body = await request.body()
        if len(body) > MAX_BODY_BYTES:
            raise CallbackRefused(Flaw.SIZE)
        update = telegram_updates.read(body)
    except CallbackRefused as refused:
        log.warning("callback_refused", flaw=refused.flaw.value)
        return Response(status_code=status.HTTP_403_FORBIDDEN)
    await hand_over(app.channel_files, update)
    app.relay.wake()
    if update.query and app.channels.telegram is not None:
        later.add_task(app.channels.telegram.settle_press, update)
    return Response(status_code=status.HTTP_200_OK)


def _check(app: Services, sent: str) -> None:
    settings = app.channels.settings.telegram
    if not settings.enabled or settings.mode is not Mode.WEBHOOK:
        raise CallbackRefused(Flaw.RECEIVER)
    known = [one.webhook_secret.encode() for one in app.channels.accepted("telegram")]
    if not any(secret != b"" and hmac.compare_digest(sent.encode(), secret) for secret in known):
        raise CallbackRefused(Flaw.SIGNATURE)

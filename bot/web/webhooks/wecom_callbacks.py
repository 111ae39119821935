"""What callbacks of 政务微信's applications and bots share: the query, the age, the refusal.

A refusal says nothing about its reason: whoever forges callbacks must learn nothing.
"""

import re
from collections.abc import Sequence

import structlog
from fastapi import Request, Response, status

from bot.assembly import Services
from bot.clock import Clock
from connectors.errors import CallbackRefused, Flaw
from connectors.settings import BotMode, WecomBotSettings, WecomSettings
from connectors.wecom_bot import NAME as BOT
from connectors.wecom_crypto import CallbackKeys, Signed

#: No callback of the platform is nearly this large.
MAX_BODY_BYTES = 256 * 1024
MAX_QUERY = 200
_SECONDS = re.compile(r"[0-9]{1,12}")

log = structlog.get_logger("bot.web.wecom")


async def body_of(request: Request) -> bytes:
    """The body. Raises :class:`CallbackRefused` for one that is too large."""
    body = await request.body()
    if len(body) > MAX_BODY_BYTES:
        raise CallbackRefused(Flaw.SIZE)
    return body


def signed(request: Request, encrypted: str) -> Signed:
    """What the query says. Read by hand: a refusal of its form would tell more than ours."""
    query = request.query_params
    signature, timestamp, nonce = (
        query.get(name, "") for name in ("msg_signature", "timestamp", "nonce")
    )
    if max(map(len, (signature, timestamp, nonce))) > MAX_QUERY or len(encrypted) > MAX_BODY_BYTES:
        raise CallbackRefused(Flaw.SIZE)
    return Signed(signature, timestamp, nonce, encrypted)


def address_check(request: Request, app: Services, channel: str) -> Response:
    """The platform's check of the address: the decrypted words, bare."""
    try:
        plain = unsealed(app, channel, signed(request, request.query_params.get("echostr", "")))
    except CallbackRefused as refused:
        return refuse(refused)
    return Response(plain, media_type="text/plain")


def unsealed(app: Services, channel: str, found: Signed) -> bytes:
    """The words inside, under the first of the channel's keys that opens them.

    Raises :class:`CallbackRefused`, also for a channel that is switched off and for what is older
    than its settings allow.
    """
    now = app.channels.settings
    settings: WecomSettings | WecomBotSettings = now.wecom_bot if channel == BOT else now.wecom
    if not settings.enabled or (channel == BOT and now.wecom_bot.mode is BotMode.SOCKET):
        raise CallbackRefused(Flaw.RECEIVER)
    keys = [one.keys() for one in app.channels.accepted(channel)]
    return _fresh(_first(keys, found), found, app.clock, settings.clock_skew_s)


def _fresh(plain: bytes, found: Signed, clock: Clock, skew_s: int) -> bytes:
    if skew_s:
        sent = int(found.timestamp) if _SECONDS.fullmatch(found.timestamp) else 0
        if abs(clock().timestamp() - sent) > skew_s:
            raise CallbackRefused(Flaw.TIMESTAMP)
    return plain


def _first(keys: Sequence[CallbackKeys], found: Signed) -> bytes:
    refusals = []
    for one in keys:
        try:
            return one.open(found)
        except CallbackRefused as refused:
            refusals.append(refused)
    raise refusals[0] if refusals else CallbackRefused(Flaw.RECEIVER)


def refuse(refused: CallbackRefused) -> Response:
    """The same answer whatever was wrong."""
    log.warning("callback_refused", flaw=refused.flaw.value)
    return Response(status_code=status.HTTP_403_FORBIDDEN)

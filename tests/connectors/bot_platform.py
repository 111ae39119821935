"""The pretended platform's end of a bot's long connection, on a real port."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import httpx
from starlette.applications import Starlette

from bot.clock import utc_now
from connectors.fake_wecom.bot_sockets import PATH, FakeBotSocket
from connectors.fake_wecom.bots import FakeBot
from connectors.settings import BotMode, WecomBotSettings
from connectors.wecom_crypto import CallbackKeys
from tests.connectors.authority import Authority
from tests.listening import listening
from tests.postgres import free_port

SECRET = "the-secret-of-the-bot"
KEYS = CallbackKeys.of(
    token="", encoding_aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", receive_id=""
)


def socket_settings(platform: FakeBotSocket, **more: object) -> WecomBotSettings:
    """A bot that connects to this platform."""
    address = platform.bot.base_url.replace("http", "ws", 1) + PATH
    given = {
        "enabled": True,
        "mode": BotMode.SOCKET,
        "bot_id": platform.bot.bot_id,
        "secret": SECRET,
        "socket_url": address,
        "settle_s": 0.1,
        "retry_s": 0.05,
        "allowed_networks": ["127.0.0.0/8"],
    }
    return WecomBotSettings.model_validate(given | more)


@asynccontextmanager
async def a_bot_platform(
    authority: Authority | None = None, clock: Callable[[], datetime] = utc_now
) -> AsyncIterator[FakeBotSocket]:
    """The platform, by TLS when there is an authority."""
    own: dict[str, Any] = (
        {"ssl_certfile": authority.certificate, "ssl_keyfile": authority.key} if authority else {}
    )
    port = free_port()
    address = f"{'https' if authority else 'http'}://127.0.0.1:{port}"
    unused = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(500)))
    platform = FakeBotSocket(FakeBot(unused, "http://unused.test", KEYS, clock, address), SECRET)
    app = Starlette(routes=[*platform.routes(), *platform.bot.routes()])
    async with listening(app, port, ws_ping_interval=None, timeout_graceful_shutdown=1, **own):
        yield platform

"""A bot's long connection (document 101463): subscribe, keep alive, ask, and be told.

Trusts the deployment's authorities and goes through its proxy; nothing of the environment. Refuses
to connect anew, to keep what it is told, and to decide what is said (`bot.channels` does).
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import structlog
from typing_extensions import override
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI, ProxyError

from connectors.base import TransientError
from connectors.errors import CallbackRefused
from connectors.settings import WecomBotSettings
from connectors.wecom_api import gateway_headers
from connectors.wecom_bot_frames import Ack, Callback, Command, Kicked, decoded, encoded
from store.base import new_id

#: As the vendor's own clients do.
PING_S, ACK_S = 30.0, 5.0
OPEN_S, _CLOSE_S = 10.0, 2.0
#: Larger frames end the connection before they are read; smaller ones are refused one by one.
_MOST_BYTES = 4 * 1024 * 1024
#: Wrong bot id or secret.
BAD_CREDENTIALS = 853000
#: Why a connection could not be had or has ended, besides what this module raises itself.
BROKEN = (OSError, TimeoutError, ConnectionClosed, InvalidHandshake, InvalidURI, ProxyError)

log = structlog.get_logger("connectors.wecom_bot_socket")

Take = Callable[[Callback], Awaitable[None]]


class Unanswered(TransientError):
    """The platform says nothing to what it was sent; whether it took it is unknown."""


class SubscriptionRefused(Exception):
    """The platform does not take this bot's id and secret, or not now."""

    def __init__(self, code: int) -> None:
        super().__init__(f"errcode {code}")
        self.code = code


class TakenOver(Exception):
    """Another connection of the same bot goes on instead of this one."""


class _Connect(connect):
    """Goes where it is told: a redirect would take the bot's secret elsewhere."""

    @override
    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class BotSocket:
    """One connection, from its opening to its end."""

    def __init__(self, connection: ClientConnection, *, ack_s: float = ACK_S) -> None:
        self._connection = connection
        self._ack_s = ack_s
        self._asked: dict[str, asyncio.Future[int]] = {}
        #: Frames that were none, or of no use.
        self.refused = 0

    async def read(self, take: Take) -> None:
        """Hand over what comes until the connection ends.

        Raises :class:`TakenOver`, one of :data:`BROKEN`, and what ``take`` raises: nothing that
        was not recorded is passed over in silence.
        """
        while True:
            try:
                found = decoded(await self._connection.recv())
            except CallbackRefused as refused:
                self.refused += 1
                log.warning("frame_refused", flaw=refused.flaw.value)
                continue
            match found:
                case Kicked():
                    raise TakenOver
                case Ack():
                    self._answered(found)
                case Callback():
                    await self._handed(found, take)

    async def _handed(self, found: Callback, take: Take) -> None:
        try:
            await take(found)
        except CallbackRefused as refused:
            self.refused += 1
            log.warning("frame_refused", flaw=refused.flaw.value)

    def _answered(self, ack: Ack) -> None:
        waiting = self._asked.get(ack.request_id)
        if waiting is None or waiting.done():
            # Later than we waited, or to nothing that we asked.
            self.refused += 1
            log.warning("ack_unexpected")
            return
        waiting.set_result(ack.code)

    async def subscribe(self, settings: WecomBotSettings) -> None:
        """Say who we are. Raises :class:`SubscriptionRefused`; `read` must be under way."""
        told = {"bot_id": settings.bot_id, "secret": settings.secret}
        code = await self.call(Command.SUBSCRIBE, told)
        if code != 0:
            raise SubscriptionRefused(code)

    async def call(
        self, command: Command, body: Mapping[str, Any] | None = None, request_id: str = ""
    ) -> int:
        """Send a frame and wait for what the platform says of it; 0 is well.

        Raises :class:`Unanswered`, or one of :data:`BROKEN`.
        """
        name = request_id or f"{command.value}_{new_id()}"
        while (before := self._asked.get(name)) is not None:
            # Answers are told apart by this name alone.
            await asyncio.wait((before,))
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._asked[name] = answer
        try:
            async with asyncio.timeout(self._ack_s):
                await self._connection.send(encoded(command, name, body))
                return await answer
        except TimeoutError:
            raise Unanswered(command.value) from None
        finally:
            answer.cancel()
            del self._asked[name]

    async def beat(self, every_s: float = PING_S) -> None:
        """Ask now and again whether anybody is there. Raises :class:`Unanswered`."""
        while True:
            await asyncio.sleep(every_s)
            await self.call(Command.PING)


@asynccontextmanager
async def open_socket(
    settings: WecomBotSettings, now: datetime, *, ack_s: float = ACK_S
) -> AsyncIterator[BotSocket]:
    """A connection that nobody is subscribed on yet. Raises one of :data:`BROKEN`.

    A gateway on the way judges by ``now`` whether the headers that it wants are fresh.
    """
    secure = settings.socket_url.startswith("wss:")
    # At its lowest level the library writes down every frame, the bot's secret among them.
    wire = logging.getLogger("connectors.wecom_bot_socket.wire")
    wire.disabled = True
    context = ssl.create_default_context(cafile=settings.ca_bundle) if secure else None
    async with _Connect(
        settings.socket_url,
        ssl=context,
        proxy=settings.proxy or None,
        # The platform has pings of its own, and what it packs could be packed to do harm.
        ping_interval=None,
        compression=None,
        open_timeout=OPEN_S,
        close_timeout=_CLOSE_S,
        max_size=_MOST_BYTES,
        user_agent_header=None,
        additional_headers=gateway_headers(settings, now),
        logger=wire,
    ) as connection:
        yield BotSocket(connection, ack_s=ack_s)

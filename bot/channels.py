"""The channels of a deployment that have to be sent to, built from its settings."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from bot.clock import Clock
from bot.settings import Settings
from connectors.base import Channel
from connectors.sends import StoredSends
from connectors.telegram import TelegramChannel
from connectors.telegram_api import TelegramApi
from connectors.wecom import WecomChannel, limits
from connectors.wecom_api import WecomApi, make_client
from store.session import Database


@dataclass(frozen=True, slots=True)
class Channels:
    """Channels by name, and what closes the connections that they hold."""

    by_name: Mapping[str, Channel]
    #: Telegram's calls, for those that are no deliveries.
    telegram: TelegramApi | None = None
    closing: tuple[Callable[[], Awaitable[None]], ...] = field(default=())

    async def close(self) -> None:
        """Close every connection."""
        for close in self.closing:
            await close()


def build(
    settings: Settings, database: Database, clock: Clock, given: Mapping[str, Channel]
) -> Channels:
    """The channels that are on; those ``given`` stand in for ones of the same name."""
    found: dict[str, Channel] = dict(given)
    closing: list[Callable[[], Awaitable[None]]] = []
    if settings.wecom.enabled and "wecom" not in given:
        client = make_client(settings.wecom)
        sends = StoredSends(database, "wecom", limits(settings.wecom))
        found["wecom"] = WecomChannel(
            WecomApi(client, settings.wecom, clock), settings.wecom, clock, sends
        )
        closing.append(client.aclose)
    telegram = None
    if settings.telegram.enabled:
        telegram = TelegramApi(settings.telegram)
        found.setdefault("telegram", TelegramChannel(telegram, settings.telegram, clock))
        closing.append(telegram.close)
    return Channels(found, telegram, tuple(closing))

"""The channels of a deployment that have to be sent to, built from its settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from bot.clock import Clock
from bot.settings import Settings
from connectors.base import Channel
from connectors.wecom import WecomChannel
from connectors.wecom_api import WecomApi, make_client


@dataclass(frozen=True, slots=True)
class Channels:
    """Channels by name, and the HTTP clients that they hold."""

    by_name: Mapping[str, Channel]
    clients: tuple[httpx.AsyncClient, ...] = field(default=())

    async def close(self) -> None:
        """Close every connection."""
        for client in self.clients:
            await client.aclose()


def build(settings: Settings, clock: Clock, given: Mapping[str, Channel]) -> Channels:
    """The channels that are on; those ``given`` stand in for ones of the same name."""
    if not settings.wecom.enabled or "wecom" in given:
        return Channels(dict(given))
    client = make_client(settings.wecom)
    wecom = WecomChannel(WecomApi(client, settings.wecom, clock), settings.wecom, clock)
    return Channels({wecom.name: wecom, **given}, (client,))

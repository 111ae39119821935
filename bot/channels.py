"""The channels of a deployment that have to be sent to, built from its settings."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from bot.clock import Clock
from bot.settings import Settings
from bot.workspace import Workspace
from connectors.base import Channel
from connectors.identity_provider import IdentityProvider
from connectors.sends import StoredSends
from connectors.telegram import TelegramChannel
from connectors.telegram_api import TelegramApi
from connectors.wecom import WecomChannel, limits
from connectors.wecom_api import Fetched, WecomApi, make_client
from connectors.wecom_identity import WecomIdentity
from connectors.wecom_pictures import WecomPictures
from kb import repository as knowledge_rows
from kb.service import media_path
from store.session import Database


@dataclass(frozen=True, slots=True)
class Channels:
    """Channels by name, and what closes the connections that they hold."""

    by_name: Mapping[str, Channel]
    #: Fetches a file that a member of 政务微信 sent.
    fetch: Callable[[str], Awaitable[Fetched]] | None = None
    #: Says who members are, where a channel can.
    identity: IdentityProvider | None = None
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
    identity: IdentityProvider | None = None
    fetch: Callable[[str], Awaitable[Fetched]] | None = None
    if settings.wecom.enabled and "wecom" not in given:
        client = make_client(settings.wecom)
        wecom = WecomApi(client, settings.wecom, clock)
        sends = StoredSends(database, "wecom", limits(settings.wecom))
        pictures = WecomPictures(wecom, database, partial(_picture, settings, database), clock)
        found["wecom"] = WecomChannel(wecom, settings.wecom, clock, sends, pictures)
        closing.append(client.aclose)
        fetch = wecom.fetch
        identity = WecomIdentity(wecom, settings.wecom, clock)
    telegram = None
    if settings.telegram.enabled:
        telegram = TelegramApi(settings.telegram)
        found.setdefault("telegram", TelegramChannel(telegram, settings.telegram, clock))
        closing.append(telegram.close)
    return Channels(found, fetch, identity, telegram, tuple(closing))


async def _picture(settings: Settings, database: Database, sha256: str) -> bytes | None:
    """A picture of the knowledge base."""
    async with database.reading() as session:
        row = await knowledge_rows.media(session, sha256)
    if row is None:
        return None
    path = media_path(Workspace(settings.home).media, sha256, row.extension)
    return await asyncio.to_thread(path.read_bytes) if path.is_file() else None

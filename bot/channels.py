"""The channels of a deployment that have to be sent to, built from its settings."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from bot.attachments.intake import SUFFIX
from bot.clock import Clock
from bot.settings import Settings
from bot.workspace import Workspace
from connectors.base import Channel, Contents, Fetched
from connectors.bot_streams import BotStreams
from connectors.identity_provider import IdentityProvider
from connectors.sends import StoredSends
from connectors.telegram import TelegramChannel
from connectors.telegram_api import TelegramApi
from connectors.wecom import WecomChannel, limits
from connectors.wecom_api import WecomApi, make_client
from connectors.wecom_bot import NAME as BOT
from connectors.wecom_bot import WecomBotChannel
from connectors.wecom_bot_api import WecomBotApi, make_bot_client
from connectors.wecom_identity import WecomIdentity
from connectors.wecom_pictures import WecomPictures
from kb import repository as knowledge_rows
from kb.service import media_path
from store.session import Database

Fetch = Callable[[str], Awaitable[Fetched]]


@dataclass(frozen=True, slots=True)
class Channels:
    """Channels by name, and what closes the connections that they hold."""

    by_name: Mapping[str, Channel]
    #: Fetch a file that somebody sent, by channel.
    fetch: Mapping[str, Fetch] = field(default_factory=dict)
    #: Says who members are, where a channel can.
    identity: IdentityProvider | None = None
    #: Telegram's calls, for those that are no deliveries.
    telegram: TelegramApi | None = None
    #: Replies that a bot's platform comes to fetch.
    bot_streams: BotStreams | None = None
    #: A picture of the knowledge base or a file of a conversation by its content hash.
    contents: Contents | None = None
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
    fetch: dict[str, Fetch] = {}
    contents = partial(_contents, settings, database)
    if settings.wecom.enabled and "wecom" not in given:
        client = make_client(settings.wecom)
        wecom = WecomApi(client, settings.wecom, clock)
        sends = StoredSends(database, "wecom", limits(settings.wecom))
        pictures = WecomPictures(wecom, database, contents, clock)
        found["wecom"] = WecomChannel(wecom, settings.wecom, clock, sends, pictures)
        closing.append(client.aclose)
        fetch["wecom"] = wecom.fetch
        identity = WecomIdentity(wecom, settings.wecom, clock)
    streams = None
    if settings.wecom_bot.enabled:
        streams = BotStreams(database, clock, settings.wecom_bot.settle_s)
        bot = WecomBotApi(make_bot_client(settings.wecom_bot), settings.wecom_bot.keys())
        application = found.get("wecom") if settings.wecom_bot.by_application else None
        found[BOT] = WecomBotChannel(streams, bot, settings.wecom_bot, application)
        closing.append(bot.close)
        fetch[BOT] = bot.fetch
    telegram = None
    if settings.telegram.enabled:
        telegram = TelegramApi(settings.telegram)
        channel = TelegramChannel(telegram, settings.telegram, clock, contents=contents)
        found.setdefault("telegram", channel)
        fetch["telegram"] = telegram.fetch
        closing.append(telegram.close)
    return Channels(found, fetch, identity, telegram, streams, contents, tuple(closing))


async def _contents(settings: Settings, database: Database, sha256: str) -> bytes | None:
    """A picture of the knowledge base, or a file of a conversation."""
    workspace = Workspace(settings.home)
    async with database.reading() as session:
        row = await knowledge_rows.media(session, sha256)
    if row is None:
        path = media_path(workspace.attachments, sha256, SUFFIX)
    else:
        path = media_path(workspace.media, sha256, row.extension)
    return await asyncio.to_thread(path.read_bytes) if path.is_file() else None

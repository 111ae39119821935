"""The channels of a deployment that have to be sent to, built from its settings."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from bot.attachments.intake import SUFFIX
from bot.channels.links import Links
from bot.clock import Clock
from bot.settings import Settings
from bot.workspace import Workspace
from connectors.base import Channel, Contents, Fetched
from connectors.bot_streams import BotStreams
from connectors.credentials import StoredCredentials
from connectors.identity_provider import IdentityProvider
from connectors.sends import StoredSends
from connectors.settings import BotMode, WecomBotSettings, WecomSettings
from connectors.telegram import TelegramChannel
from connectors.telegram_api import TelegramApi
from connectors.telegram_settings import TelegramSettings
from connectors.wecom import WecomChannel, limits
from connectors.wecom_api import WecomApi, make_client
from connectors.wecom_bot import NAME as BOT
from connectors.wecom_bot import WecomBotChannel
from connectors.wecom_bot_api import WecomBotApi, make_bot_client
from connectors.wecom_identity import WecomIdentity
from connectors.wecom_notices import Application
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
    #: The application of 政务微信 that staff can be told by.
    application: Application | None = None
    #: Telegram's calls, for those that are no deliveries.
    telegram: TelegramApi | None = None
    #: Replies that a bot's platform comes to fetch.
    bot_streams: BotStreams | None = None
    #: A picture of the knowledge base or a file of a conversation by its content hash.
    contents: Contents | None = None
    #: Ask a platform whether it takes our credentials, by channel.
    probes: Mapping[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    closing: tuple[Callable[[], Awaitable[None]], ...] = field(default=())

    async def close(self) -> None:
        """Close every connection."""
        for close in self.closing:
            await close()


def build(
    settings: Settings, database: Database, clock: Clock, given: Mapping[str, Channel]
) -> Channels:
    """The channels that are on; those ``given`` stand in for ones of the same name."""
    made = Channels(dict(given), contents=partial(_contents, settings, database))
    if settings.wecom.enabled and "wecom" not in given:
        made = _with_application(made, settings.wecom, database, clock)
    if settings.wecom_bot.enabled:
        made = _with_bot(made, settings.wecom_bot, database, clock)
    if settings.telegram.enabled:
        made = _with_telegram(made, settings.telegram, clock)
    return made


def _with_application(
    before: Channels, settings: WecomSettings, database: Database, clock: Clock
) -> Channels:
    client = make_client(settings)
    account = (settings.corp_id, str(settings.agent_id), settings.secret)
    api = WecomApi(client, settings, clock, StoredCredentials(database, *account))
    sends = StoredSends(database, "wecom", limits(settings))
    assert before.contents is not None  # noqa: S101  # given at the start
    pictures = WecomPictures(api, database, before.contents, clock)
    channel = WecomChannel(api, settings, clock, sends, pictures)
    return replace(
        before,
        by_name={**before.by_name, "wecom": channel},
        fetch={**before.fetch, "wecom": api.fetch},
        probes={**before.probes, "wecom": api.check},
        application=Application(api, sends, settings.agent_id, settings.duplicate_check),
        identity=WecomIdentity(api, settings, clock),
        closing=(*before.closing, client.aclose),
    )


def _with_bot(
    before: Channels, settings: WecomBotSettings, database: Database, clock: Clock
) -> Channels:
    pushing = settings.mode is BotMode.SOCKET
    streams = BotStreams(database, clock, settings.settle_s, pushing=pushing)
    keys = None if pushing else settings.keys()
    api = WecomBotApi(make_bot_client(settings), keys)
    application = before.by_name.get("wecom") if settings.by_application else None
    probes = dict(before.probes)
    if pushing:
        probes[BOT] = partial(Links(database, clock).check, settings)
    channel = WecomBotChannel(streams, api, settings, application)
    return replace(
        before,
        by_name={**before.by_name, BOT: channel},
        fetch={**before.fetch, BOT: api.fetch},
        bot_streams=streams,
        probes=probes,
        closing=(*before.closing, api.close),
    )


def _with_telegram(before: Channels, settings: TelegramSettings, clock: Clock) -> Channels:
    api = TelegramApi(settings)
    channel = before.by_name.get("telegram") or TelegramChannel(
        api, settings, clock, contents=before.contents
    )
    return replace(
        before,
        by_name={**before.by_name, "telegram": channel},
        fetch={**before.fetch, "telegram": api.fetch},
        probes={**before.probes, "telegram": api.check},
        telegram=api,
        closing=(*before.closing, api.close),
    )


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

"""The channels as they are set up now: by the environment, and before it by what pages keep.

Every process looks for changes now and again and builds what changed anew; nobody has to restart
it. An account that cannot be opened leaves what was there. Refuses to show a secret anywhere.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

import structlog
from pydantic import BaseModel
from typing_extensions import override

from bot.channels import building as channels
from bot.channels import repository as rows
from bot.channels.building import Channels, Fetch
from bot.channels.h5_login import identity_secrets
from bot.channels.kinds import base_of, kind_of, with_account
from bot.channels.tables import ChannelAccount
from bot.clock import Clock
from bot.notifications.errors import NotificationInvalid, SecretsKeyMissing, SecretUnreadable
from bot.notifications.kinds import config_of
from bot.secrets_at_rest import Vault
from bot.settings import Settings
from connectors.base import Channel, Contents, TransientError
from connectors.bot_streams import BotStreams
from connectors.identity_provider import IdentityProvider
from connectors.telegram_api import TelegramApi
from connectors.wecom_notices import Application
from store.session import Database

#: How often a process looks whether another has changed anything.
LOOK_S = 5.0
_BUILT_OF = ("wecom", "wecom_bot", "telegram")
_T = TypeVar("_T")

log = structlog.get_logger("bot.live_channels")


def place_of(channel: str, name: str) -> str:
    """What a channel's sealed secret belongs to."""
    return f"channel_account:{channel}:{name}"


def opened(vault: Vault, channel: str, sealed: Mapping[str, str]) -> dict[str, str]:
    """Secrets by field. Raises :class:`SecretsKeyMissing` and :class:`SecretUnreadable`."""
    return {name: vault.open(text, place_of(channel, name)) for name, text in sealed.items()}


class _Now(Mapping[str, _T], Generic[_T]):
    """A mapping that is asked for anew at every look."""

    def __init__(self, found: Callable[[], Mapping[str, _T]]) -> None:
        self._found = found

    @override
    def __getitem__(self, key: str) -> _T:
        return self._found()[key]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._found())

    @override
    def __len__(self) -> int:
        return len(self._found())


@dataclass(frozen=True, slots=True)
class _Former:
    """An account with the secrets before the last change, and how long it is still taken."""

    account: BaseModel
    until: datetime


@dataclass(slots=True)
class _State:
    settings: Settings
    built: Channels
    former: Mapping[str, _Former] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)


class LiveChannels:
    """What requests, the relay and background work use of channels."""

    def __init__(
        self, settings: Settings, database: Database, clock: Clock, given: Mapping[str, Channel]
    ) -> None:
        self._base = settings
        self._database = database
        self._clock = clock
        self._given = dict(given)
        self._vault = settings.secrets.vault()
        self._state = _State(settings, channels.build(settings, database, clock, self._given))
        self._retired: list[Channels] = []
        self._changed = asyncio.Event()
        self._refreshing = asyncio.Lock()
        self.by_name: Mapping[str, Channel] = _Now(lambda: self._state.built.by_name)
        self.fetch: Mapping[str, Fetch] = _Now(lambda: self._state.built.fetch)
        #: What proofs of identity are signed with, by widget; and before the last change.
        self.proofs: Mapping[str, str] = _Now(lambda: identity_secrets(self._state.settings))
        self.former_proofs: Mapping[str, str] = _Now(self._former_proofs)

    @property
    def settings(self) -> Settings:
        """The settings with what pages keep in its place."""
        return self._state.settings

    @property
    def identity(self) -> IdentityProvider | None:
        """Says who members are, where a channel can."""
        return self._state.built.identity

    @property
    def application(self) -> Application | None:
        """The application of 政务微信 that staff can be told by."""
        return self._state.built.application

    @property
    def telegram(self) -> TelegramApi | None:
        """Telegram's calls, for those that are no deliveries."""
        return self._state.built.telegram

    @property
    def bot_streams(self) -> BotStreams | None:
        """Replies that a bot's platform comes to fetch."""
        return self._state.built.bot_streams

    @property
    def contents(self) -> Contents | None:
        """A picture of the knowledge base or a file of a conversation by its content hash."""
        return self._state.built.contents

    def accepted(self, channel: str) -> Sequence[Any]:
        """The settings whose secrets are taken from others now: the present, then the former."""
        former = self._former(channel)
        now = getattr(self._state.settings, channel)
        return [now] if former is None else [now, former]

    def _former(self, channel: str) -> BaseModel | None:
        found = self._state.former.get(channel)
        return found.account if found is not None and self._clock() < found.until else None

    def _former_proofs(self) -> Mapping[str, str]:
        names = [name for name in self._state.former if name.startswith("widget:")]
        accounts = {name.partition(":")[2]: self._former(name) for name in names}
        return {
            key: secret
            for key, account in accounts.items()
            if account is not None and (secret := getattr(account, "identity_secret", ""))
        }

    async def refresh(self) -> bool:
        """Take over what pages keep; whether anything has changed."""
        async with self._refreshing:
            async with self._database.glance() as session:
                versions = await rows.account_versions(session)
            if versions == self._state.versions:
                return False
            async with self._database.reading() as session:
                accounts = await rows.accounts(session)
            self._take_over(accounts)
            return True

    def _take_over(self, accounts: Sequence[ChannelAccount]) -> None:
        settings, former = self._base, {}
        for row in accounts:
            account: BaseModel | None
            try:
                account, before = self._accounts_of(row)
            except (NotificationInvalid, SecretsKeyMissing, SecretUnreadable) as error:
                self._complain(row.channel, error)
                account, before = self._as_it_was(row.channel), None
            if account is not None:
                settings = with_account(settings, row.channel, account)
            if before is not None and row.former_until is not None:
                former[row.channel] = _Former(before, row.former_until)
        versions = {row.channel: row.version for row in accounts}
        built = self._state.built
        if any(getattr(settings, n) != getattr(self._state.settings, n) for n in _BUILT_OF):
            self._retired.append(built)
            built = channels.build(settings, self._database, self._clock, self._given)
        self._state = _State(settings, built, former, versions)
        log.info("channels_taken_over", channels=sorted(versions))
        self._changed.set()
        self._changed = asyncio.Event()

    def _accounts_of(self, row: ChannelAccount) -> tuple[BaseModel, BaseModel | None]:
        kind = kind_of(row.channel)
        if kind is None:
            raise NotificationInvalid("channel", "value")
        plain = {**base_of(self._base, row.channel), **row.config}
        account = config_of(kind, plain, opened(self._vault, row.channel, row.secrets))
        if not row.former:
            return account, None
        former = opened(self._vault, row.channel, row.former)
        try:
            return account, config_of(kind, {**plain, "enabled": True}, former)
        except NotificationInvalid:
            # Secrets of another mode, or not all of them: nothing was signed with these.
            return account, None

    @staticmethod
    def _complain(channel: str, error: Exception) -> None:
        log.error("channel_account_unusable", channel=channel, error=type(error).__name__)

    def _as_it_was(self, channel: str) -> BaseModel | None:
        found = getattr(self._state.settings, channel, None)
        return found if isinstance(found, BaseModel) else None

    async def changed(self) -> None:
        """Until something is taken over."""
        await self._changed.wait()

    async def run(self) -> None:
        """Look for changes until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.refresh()
            except Exception:
                log.exception("channels_not_refreshed")

    async def probe(self, channel: str) -> None:
        """Ask the platform whether it takes our credentials. Raises as a channel does."""
        probe = self._state.built.probes.get(channel)
        if probe is None:
            raise TransientError("the channel is off")
        await probe()

    async def close(self) -> None:
        """Close every connection, of channels before the last change too."""
        for one in (*self._retired, self._state.built):
            await one.close()

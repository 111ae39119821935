"""How a bot's long connection does, written down for every process and its page.

What an account was refused for, and that another connection took it over, outlive the process: a
restart must neither hammer nor fight. Refuses to connect; `bot.channels.long_connection` does.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.accounts.service import Principal
from bot.channels.tables import BotLink
from bot.clock import Clock
from bot.errors import InvalidInput
from connectors.base import Held, PermanentError, TransientError
from connectors.settings import WecomBotSettings
from connectors.wecom_bot import NAME
from store import audit
from store.session import Database


class LinkState(StrEnum):
    """What a long connection does now."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    BROKEN = "broken"
    TAKEN_OVER = "taken_over"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class LinkHealth:
    """A long connection as a page shows it."""

    state: LinkState
    since: datetime
    retry_at: datetime | None = None
    code: int = 0
    refusals: int = 0
    last_in: datetime | None = None
    last_out: datetime | None = None
    bad_frames: int = 0


@dataclass(frozen=True, slots=True)
class Traffic:
    """When something last came and went, and how many frames were refused."""

    last_in: datetime | None
    last_out: datetime | None
    bad_frames: int


@dataclass(frozen=True, slots=True)
class Links:
    """The one row of the bot's connection."""

    database: Database
    clock: Clock

    async def health(self, settings: WecomBotSettings) -> LinkHealth | None:
        """How the connection of this account does; nothing before it was tried."""
        async with self.database.glance() as session:
            row = await session.get(BotLink, NAME)
        if row is None or row.account != _account(settings):
            return None
        return LinkHealth(
            LinkState(row.state),
            row.since,
            row.retry_at,
            row.code,
            row.refusals,
            row.last_in,
            row.last_out,
            row.bad_frames,
        )

    async def note(
        self,
        settings: WecomBotSettings,
        state: LinkState,
        *,
        code: int = 0,
        retry_at: datetime | None = None,
        refusals: int = 0,
    ) -> None:
        """Write down that the connection is in this state from now on."""
        account = _account(settings)
        async with self.database.transaction() as session:
            row = await session.get(BotLink, NAME) or BotLink(channel=NAME)
            if row.account != account:
                row.account, row.last_in, row.last_out = account, None, None
            if state is LinkState.CONNECTED:
                row.bad_frames = 0
            row.state, row.since, row.retry_at = state.value, self.clock(), retry_at
            row.code, row.refusals = code, refusals
            session.add(row)

    async def seen(self, settings: WecomBotSettings, traffic: Traffic) -> None:
        """Write down what came and went of late."""
        async with self.database.transaction() as session:
            row = await session.get(BotLink, NAME)
            if row is not None and row.account == _account(settings):
                row.last_in, row.last_out = traffic.last_in, traffic.last_out
                row.bad_frames = traffic.bad_frames

    async def take_back(self, staff: Principal, settings: WecomBotSettings) -> None:
        """Connect again, now: somebody has seen to the other side.

        Raises :class:`NotPermitted`, :class:`InvalidInput` where no long connection is kept.
        """
        staff.require()
        if not settings.keeps_socket:
            raise InvalidInput("channel", "console.error.form")
        async with self.database.transaction() as session:
            row = await session.get(BotLink, NAME)
            if row is None or row.state == LinkState.CONNECTED.value:
                return
            row.state, row.since, row.retry_at = LinkState.CONNECTING.value, self.clock(), None
            row.code = row.refusals = 0
            await audit.record(
                session,
                actor=f"staff:{staff.staff_id}",
                action="channel_account.reconnected",
                subject=f"channel:{NAME}",
                detail={},
                now=self.clock(),
            )

    async def check(self, settings: WecomBotSettings) -> None:
        """Whether the platform takes our credentials, as the connection itself knows.

        A second connection to try them would throw out the first. Raises as a channel does.
        """
        found = await self.health(settings)
        match found.state if found is not None else LinkState.CONNECTING:
            case LinkState.CONNECTED:
                return
            case LinkState.TAKEN_OVER:
                raise Held("taken over by another connection", 60.0)
            case LinkState.REFUSED:
                raise PermanentError(f"errcode {found.code if found is not None else 0}")
            case state:
                raise TransientError(state.value)


def _account(settings: WecomBotSettings) -> str:
    told = "\n".join((settings.socket_url, settings.bot_id, settings.secret))
    return hashlib.sha256(told.encode()).hexdigest()

"""Telling staff elsewhere what happened here: scanning, planning and sending, assembled.

Other parts use :meth:`Notifications.announce` for news that is not a ticket's; news of tickets is
noticed without anybody's help.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.notifications.admin import NotificationAdmin
from bot.notifications.events import Happened
from bot.notifications.makers import Makers
from bot.notifications.planning import Planner
from bot.notifications.scanning import Scanner
from bot.notifications.sending import Sender
from bot.phrases import Phrases
from bot.secrets_at_rest import Vault
from connectors.notify_settings import NotifySettings
from connectors.wecom_notices import Application
from handoff.contract import Terms
from store.session import Database

#: How often the database is asked for news.
SCAN_S = 1.0

log = structlog.get_logger("bot.notifications")


@dataclass(frozen=True, slots=True)
class Notifications:
    """The parts, and the two workers that run them."""

    database: Database
    settings: NotifySettings
    phrases: Phrases
    clock: Clock
    vault: Vault
    makers: Makers
    planner: Planner
    scanner: Scanner
    sender: Sender
    admin: NotificationAdmin

    @classmethod
    def create(
        cls,
        database: Database,
        settings: NotifySettings,
        vault: Vault,
        terms: Terms,
        phrases: Phrases,
        *,
        clock: Clock,
        application: Callable[[], Application | None],
    ) -> "Notifications":
        """The parts of one process."""
        makers = Makers(vault, settings, clock, application)
        planner = Planner(phrases, settings.public_url)
        sender = Sender(database, makers, planner, clock)
        silence = timedelta(minutes=settings.unanswered_minutes)
        return cls(
            database=database,
            settings=settings,
            phrases=phrases,
            clock=clock,
            vault=vault,
            makers=makers,
            planner=planner,
            scanner=Scanner(database, planner, terms, phrases, silence=silence),
            sender=sender,
            admin=NotificationAdmin(
                database=database,
                settings=settings,
                vault=vault,
                makers=makers,
                planner=planner,
                sender=sender,
                phrases=phrases,
                clock=clock,
            ),
        )

    async def announce(self, session: AsyncSession, happened: Happened, *, now: datetime) -> int:
        """Tell this in the caller's transaction; how many notifications that makes.

        The same ``happened.key`` is told once, however often it is announced.
        """
        return await self.planner.plan(session, happened, now=now)

    async def run_scanner(self) -> None:
        """Look for news until cancelled."""
        while True:
            try:
                if await self.scanner.run_once(self.clock()):
                    self.sender.wake()
            except Exception:
                log.exception("scan_failed")
            await asyncio.sleep(SCAN_S)

"""Where everybody who waits stands now, told to their windows whenever it changes.

A place that was true when somebody joined is a lie ten minutes later. The numbers come from the
queue and from what was really taken up lately (``handoff.routing``); where that says too little,
nothing is said of time. Kept in memory only: another process reckons its own.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot import repository
from bot.clock import Clock
from bot.conversations.live import Live
from handoff import repository as rows
from handoff import routing
from handoff.contract import Terms
from handoff.settings import HandoffSettings
from handoff.tables import Ticket
from handoff.ticket import Level
from store.session import Database

REFRESH_S = 5.0

log = structlog.get_logger("bot.queue_times")


@dataclass(frozen=True, slots=True)
class QueueTime:
    """One who waits. ``handed``: an engineer was given the ticket and has not begun."""

    position: int | None
    minutes: int | None
    off_hours: bool
    handed: bool

    def data(self) -> dict[str, object]:
        """As the widget is told."""
        return {
            "position": self.position,
            "minutes": self.minutes,
            "off_hours": self.off_hours,
            "handed": self.handed,
        }


class QueueTimes:
    """The places of all conversations that wait."""

    def __init__(
        self, database: Database, terms: Terms, settings: HandoffSettings, live: Live, clock: Clock
    ) -> None:
        self._database = database
        self._terms = terms
        self._settings = settings
        self._live = live
        self._clock = clock
        self._known: Mapping[str, QueueTime] = {}

    def of(self, conversation_id: str) -> QueueTime | None:
        """The place of a conversation; ``None`` before it is known."""
        return self._known.get(conversation_id)

    async def run(self) -> None:
        """Keep them up to date while anybody looks, until cancelled."""
        while True:
            try:
                if self._live.subscribers():
                    await self.refresh()
            except Exception:
                log.exception("queue_times_failed")
            await asyncio.sleep(REFRESH_S)

    async def refresh(self) -> int:
        """Reckon all places anew and wake those whose place has changed; how many."""
        now = self._clock()
        async with self._database.glance() as session:
            waiting = await repository.queued(session)
            ids = {one.id: one.ticket_id for one in waiting if one.ticket_id}
            tickets = await rows.by_ids(session, sorted(set(ids.values())))
            places = await self._places(session, list(tickets.values()), now)
        fresh = {
            conversation_id: places[ticket_id]
            for conversation_id, ticket_id in ids.items()
            if ticket_id in places
        }
        changed = [one for one, place in fresh.items() if self._known.get(one) != place]
        self._known = fresh
        self._live.publish(*changed)
        return len(changed)

    async def _places(
        self, session: AsyncSession, tickets: Sequence[Ticket], now: datetime
    ) -> dict[str, QueueTime]:
        """Each queue is read once, however many wait in it."""
        queues: dict[tuple[str, str], list[Ticket]] = {}
        for ticket in tickets:
            queues.setdefault((ticket.level, ticket.region), []).append(ticket)
        found: dict[str, QueueTime] = {}
        for (level, region), members in queues.items():
            regions = [region] if region else []
            entries = await rows.queue(session, level=Level(level), regions=regions)
            since = now - self._window
            claims = await rows.claims_since(session, since, level=Level(level), regions=regions)
            for ticket in members:
                found[ticket.id] = self._place(ticket, entries, claims, now)
        return found

    @property
    def _window(self) -> timedelta:
        return timedelta(minutes=self._settings.wait_window_minutes)

    def _place(
        self,
        ticket: Ticket,
        entries: Sequence[rows.QueueEntry],
        claims: Sequence[datetime],
        now: datetime,
    ) -> QueueTime:
        place = routing.place(
            entries,
            ticket.id,
            claims=claims,
            now=now,
            window=self._window,
            cap=timedelta(minutes=self._settings.wait_cap_minutes),
        )
        off_hours = not self._terms.calendar(ticket.calendar_id).is_working(now)
        wait = place.wait if place is not None and not off_hours else None
        return QueueTime(
            position=place.position if place else None,
            minutes=wait // timedelta(minutes=1) if wait is not None else None,
            off_hours=off_hours,
            handed=ticket.assignee_id is not None,
        )

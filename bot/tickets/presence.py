"""Engineers' presence: heartbeats of their consoles, what they choose, and who is there.

Refuses to judge what a heartbeat proves (``handoff.presence``) and to hand out work
(``bot.tickets.routing``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot import repository
from bot.accounts.service import DESK_ROLES, Principal
from bot.clock import Clock
from bot.conversations.live import STAFF, Live
from bot.tables import Role, Staff
from handoff import presence_repository as rows
from handoff.presence import Patience, after_beat, after_choice, presence_at
from handoff.presence_tables import RoutingProfile
from handoff.repository import Workload
from handoff.routing import Engineer, Presence
from handoff.settings import HandoffSettings
from handoff.ticket import Level
from store.session import Database

#: Which queue each role works on.
LEVELS: Mapping[Role, Level] = {
    Role.ENGINEER: Level.FIRST,
    Role.SECOND_LINE: Level.SECOND,
    Role.OPERATIONS: Level.CITY,
}
#: How far back assignments count for whose turn it is.
RECENT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Colleague:
    """One engineer as colleagues see them."""

    staff_id: str
    name: str
    post: str
    level: Level
    presence: Presence
    until: datetime | None
    open_tickets: int
    capacity: int


@dataclass(frozen=True, slots=True)
class Presences:
    """Who is there."""

    database: Database
    settings: HandoffSettings
    live: Live
    clock: Clock

    @property
    def patience(self) -> Patience:
        """The settings as durations."""
        return Patience(
            silent=timedelta(seconds=self.settings.presence_timeout_s),
            idle=timedelta(minutes=self.settings.away_minutes),
        )

    async def beat(self, staff: Principal, idle_s: int = 0) -> None:
        """The console of this account answered; colleagues learn of what that changes."""
        staff.require(*DESK_ROLES)
        now = self.clock()
        async with self.database.transaction() as session:
            row = await rows.profile(session, staff.staff_id)
            before = rows.attendance(row)
            after = after_beat(before, now, timedelta(seconds=idle_s))
            rows.write_attendance(row, after)
        if presence_at(before, now, self.patience) is not presence_at(after, now, self.patience):
            self.live.publish(STAFF)

    async def choose(self, staff: Principal, wanted: Presence, *, hours: int | None = None) -> None:
        """The engineer says whether they can be given work."""
        staff.require(*DESK_ROLES)
        async with self.database.transaction() as session:
            row = await rows.profile(session, staff.staff_id)
            rows.write_attendance(row, after_choice(self.clock(), wanted, hours))
        self.live.publish(STAFF)

    async def colleagues(self) -> list[Colleague]:
        """Everybody who works on tickets, who is there first, then by name."""
        now = self.clock()
        async with self.database.glance() as session:
            people = [one for one in await repository.all_staff(session) if _routed(one)]
            profiles = await rows.profiles(session)
            loads = await rows.loads(session, now - RECENT)
        found = [
            self._colleague(one, profiles.get(one.id), loads.get(one.id), now) for one in people
        ]
        order = list(Presence)
        return sorted(found, key=lambda one: (order.index(one.presence), one.level.rank, one.name))

    def _colleague(
        self, one: Staff, profile: RoutingProfile | None, load: Workload | None, now: datetime
    ) -> Colleague:
        known = rows.attendance(profile)
        return Colleague(
            staff_id=one.id,
            name=one.name,
            post=one.post,
            level=LEVELS[Role(one.role)],
            presence=presence_at(known, now, self.patience),
            until=known.chosen_until,
            open_tickets=load.open_tickets if load else 0,
            capacity=self.capacity(profile),
        )

    async def engineers(
        self, session: AsyncSession, now: datetime, *, lock: bool = False
    ) -> list[Engineer]:
        """Everybody who can be given tickets, with presence and load as they are now."""
        profiles = await rows.profiles(session, lock=lock)
        loads = await rows.loads(session, now - RECENT)
        return [
            self._engineer(one, profiles.get(one.id), loads.get(one.id), now)
            for one in await repository.all_staff(session)
            if _routed(one)
        ]

    def _engineer(
        self, one: Staff, profile: RoutingProfile | None, load: Workload | None, now: datetime
    ) -> Engineer:
        return Engineer(
            id=one.id,
            level=LEVELS[Role(one.role)],
            presence=presence_at(rows.attendance(profile), now, self.patience),
            open_tickets=load.open_tickets if load else 0,
            capacity=self.capacity(profile),
            regions=frozenset(one.regions),
            modules=frozenset(one.modules),
            last_assigned_at=load.last_assigned_at if load else None,
        )

    def capacity(self, profile: RoutingProfile | None) -> int:
        """How many open tickets the engineer is given at most; 0 for nothing at all."""
        own = profile.capacity if profile is not None else None
        return self.settings.capacity if own is None else own


def _routed(one: Staff) -> bool:
    return one.active and Role(one.role) in LEVELS

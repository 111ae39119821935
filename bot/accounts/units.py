"""The units whose people ask, in an administrator's hands: looked through, and set right.

A unit is what people or their channel say of themselves; two ways of writing one are made one by
moving its people. Refuses to rewrite tickets: what was written on them then stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.accounts import unit_repository as rows
from bot.accounts.service import Principal
from bot.accounts.unit_repository import Key, People
from bot.clock import Clock
from bot.errors import InvalidInput
from store import audit
from store.session import Database

#: Units that are shown at once; who looks for another one narrows the list.
SHOWN = 100
LATELY = timedelta(days=90)
NAME_CHARS, REGION_CHARS = 120, 80


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit. ``lately`` are the tickets of the last 90 days, ``open`` those not finished."""

    people: People
    open: int
    lately: int


@dataclass(frozen=True, slots=True)
class Units:
    """The administrator's verbs on units."""

    database: Database
    clock: Clock

    async def find(self, staff: Principal, *, region: str, name: str) -> Sequence[Unit]:
        """At most ``SHOWN`` units, those with the most people first. Raises `NotPermitted`."""
        staff.require()
        async with self.database.glance() as session:
            found = await rows.units(session, region=region, name=name, limit=SHOWN)
            lately = await rows.tickets_since(session, self.clock() - LATELY)
            unfinished = await rows.tickets_open(session)
        keys = [(one.region, one.name) for one in found]
        counts = [(unfinished.get(key, 0), lately.get(key, 0)) for key in keys]
        return [Unit(one, *both) for one, both in zip(found, counts, strict=True)]

    async def correct(self, staff: Principal, before: Key, after: Key) -> int:
        """Move all people of a unit; how many. Raises :class:`InvalidInput`, `NotPermitted`."""
        staff.require()
        region, name = (part.strip() for part in after)
        if not name or len(name) > NAME_CHARS or len(region) > REGION_CHARS:
            raise InvalidInput("name", "unit_admin.error.name")
        if (region, name) == before:
            raise InvalidInput("name", "unit_admin.error.same")
        async with self.database.transaction() as session:
            moved = await rows.move_people(session, before, (region, name))
            if not moved:
                raise InvalidInput("name", "unit_admin.error.gone")
            await audit.record(
                session,
                actor=f"staff:{staff.staff_id}",
                action="unit.corrected",
                subject=f"unit:{name}"[:120],
                detail={"from": " ".join(before), "to": f"{region} {name}", "people": moved},
                now=self.clock(),
            )
        return moved

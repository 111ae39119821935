"""Open incidents at hand, so that a message about one is recognised without asking the database.

While nothing is wrong a look costs nothing. What the board holds is replaced as a whole when an
incident changes, here or in another process. Refuses to write anything.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from bot.accounts.service import Principal
from bot.clock import Clock
from bot.dialogue.turn import KnownFault
from bot.incidents.desk import known_fault
from bot.incidents.likeness import MOST_CHARS, Reader, Reading, alike, matter_of, read
from handoff import incident_repository as rows
from handoff.incident import IncidentStatus
from handoff.incident_matching import codes_in, needed
from handoff.incident_tables import Incident
from store.session import Database

log = structlog.get_logger("bot.incidents")

#: Tickets that speak for an incident, and incidents that are known to conversations.
SPEAKERS, SHOWN = 20, 20
#: How often other processes' decisions are looked for.
LOOK_S = 3.0


@dataclass(frozen=True, slots=True)
class _Posted:
    """An open fault and what is known to be said of it."""

    fault: KnownFault
    code: str
    readings: tuple[Reading, ...]


class IncidentBoard:
    """Open faults of this process. Looking never waits for the database."""

    def __init__(self, database: Database, reader: Reader, clock: Clock) -> None:
        self._database = database
        self._reader = reader
        self._clock = clock
        self._mark: tuple[int, int] = (0, 0)
        self._posted: tuple[_Posted, ...] = ()
        self._proposed: tuple[Incident, ...] = ()
        self._turn = asyncio.Lock()

    @property
    def faults(self) -> tuple[KnownFault, ...]:
        """Every open fault that users are told of, the newest change first."""
        return tuple(one.fault for one in self._posted)

    def proposed_to(self, staff: Principal) -> int:
        """How many proposals wait for somebody who works in this account's modules."""
        return sum(staff.covers(region=None, module=one.module) for one in self._proposed)

    async def refresh(self) -> bool:
        """Take over what has changed; whether anything had."""
        async with self._turn:
            async with self._database.glance() as session:
                mark = await rows.mark(session)
                if mark == self._mark:
                    return False
                found = await rows.with_status(session, [IncidentStatus.OPEN], limit=SHOWN)
                proposed = await rows.with_status(session, [IncidentStatus.PROPOSED])
                told = [one for one in found if one.note]
                texts = [
                    [matter_of(member.ticket) for member in members]
                    for members in [
                        await rows.members(session, one.id, newest=SPEAKERS) for one in told
                    ]
                ]
            posted = [
                _Posted(
                    known_fault(incident),
                    incident.code,
                    await self._read([incident.title[:MOST_CHARS], *own]),
                )
                for incident, own in zip(told, texts, strict=True)
            ]
            self._posted, self._proposed, self._mark = tuple(posted), tuple(proposed), mark
            return True

    async def _read(self, texts: Sequence[str]) -> tuple[Reading, ...]:
        return tuple(await asyncio.to_thread(read, self._reader, texts, self._clock()))

    async def look(self, text: str, module: str | None = None) -> KnownFault | None:
        """The fault that ``text`` is most like, and how much; ``None`` while nothing is open."""
        posted = self._posted
        if not posted or not text.strip():
            return None
        return await asyncio.to_thread(self._look, posted, text[:MOST_CHARS], module)

    def _look(
        self, posted: tuple[_Posted, ...], text: str, module: str | None
    ) -> KnownFault | None:
        (asked,) = read(self._reader, [text], self._clock())
        codes = codes_in(text)
        scores = iter(alike(asked, [reading for one in posted for reading in one.readings]))
        best: KnownFault | None = None
        for one in posted:
            own = [next(scores) for _ in one.readings]
            score = 1.0 if one.code in codes else max(own, default=0.0)
            # What names another module must read more alike.
            score -= needed(0.0, module, one.fault.module)
            if best is None or score > best.likeness:
                best = replace(one.fault, likeness=round(max(score, 0.0), 3))
        return best

    async def run(self) -> None:
        """Refresh until cancelled; a failing database is waited out."""
        while True:
            try:
                await self.refresh()
            except Exception:
                log.exception("incident_board_failed")
            await asyncio.sleep(LOOK_S)

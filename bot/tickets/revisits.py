"""Call-backs after closing: planned by rule, listed for the desk, results written down.

Refuses to choose tickets (``handoff.callbacks``) and to call anybody.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot import repository
from bot.accounts.service import DESK_ROLES, READING_ROLES, Principal
from bot.clock import Clock
from bot.errors import CallBackDone, CallBackNotFound, InvalidInput
from bot.masking import mask
from bot.tables import User
from handoff import callbacks, callbacks_repository
from handoff.callbacks import Finished, Result, Why
from handoff.callbacks_tables import CallBack
from handoff.contract import Terms
from handoff.settings import HandoffSettings
from handoff.tables import Ticket
from store import audit
from store.base import new_id
from store.session import Database
from store.vocabulary import Severity

#: How far back a process that was down looks for what was closed meanwhile.
LOOK_BACK = timedelta(days=14)
#: Closings may become visible a little late: this much is looked at again.
OVERLAP = timedelta(minutes=15)
PLAN_S = 60.0
#: The span that results are counted over.
RESULTS_OVER = timedelta(days=30)
NOTE_CHARS = 2_000

log = structlog.get_logger("bot.revisits")


@dataclass(frozen=True, slots=True)
class Listed:
    """A call to make or made, and whom to ask."""

    call_back: CallBack
    ticket: Ticket
    asker: User | None
    by: str


class Revisits:
    """Plans call-backs and keeps what came of them."""

    def __init__(
        self, database: Database, terms: Terms, settings: HandoffSettings, clock: Clock
    ) -> None:
        self._database = database
        self._terms = terms
        self._settings = settings
        self._clock = clock
        self._planned: datetime | None = None

    async def run(self) -> None:
        """Plan now and again, until cancelled."""
        while True:
            try:
                await self.plan()
            except Exception:
                log.exception("call_backs_failed")
            await asyncio.sleep(PLAN_S)

    async def plan(self) -> int:
        """A call-back for every closed ticket that should have one and has none; how many."""
        now = self._clock()
        since = max(now - LOOK_BACK, (self._planned or now - LOOK_BACK) - OVERLAP)
        async with self._database.glance() as session:
            closed = await callbacks_repository.closed_since(session, since)
        wanted = [(ticket, why) for ticket in closed if (why := self._why(ticket)) is not None]
        made = 0
        if wanted:
            async with self._database.transaction() as session:
                for ticket, why in wanted:
                    made += await self._plan_one(session, ticket, why, now)
        # A full page means that there is more: the next round goes on where this one ended.
        full = len(closed) == callbacks_repository.PAGE
        self._planned = (closed[-1].closed_at or now) if full else now
        return made

    def _why(self, ticket: Ticket) -> Why | None:
        finished = Finished(ticket.id, Severity(ticket.severity), ticket.reopened)
        percent = self._settings.callback_sample_percent
        return callbacks.wanted(finished, sample_percent=percent)

    async def ask_for(self, session: AsyncSession, ticket: Ticket, now: datetime) -> bool:
        """A call-back because a rule wants it; ``False`` when there is one already."""
        return await self._plan_one(session, ticket, Why.RULE, now)

    async def _plan_one(
        self, session: AsyncSession, ticket: Ticket, why: Why, now: datetime
    ) -> bool:
        calendar = self._terms.calendar(ticket.calendar_id)
        closed = ticket.closed_at or now
        try:
            async with session.begin_nested():
                session.add(
                    CallBack(
                        id=new_id(),
                        ticket_id=ticket.id,
                        why=why.value,
                        due_at=callbacks.due(calendar, closed, self._settings.callback_days),
                        created_at=now,
                    )
                )
                await session.flush()
        except IntegrityError:
            # Another worker planned it at the same moment.
            return False
        return True

    async def listed(self, staff: Principal, *, done: bool) -> list[Listed]:
        """Calls to make or made, within the account's scope."""
        staff.require(*READING_ROLES)
        async with self._database.reading() as session:
            found = await callbacks_repository.listed(
                session, done=done, regions=staff.regions, modules=staff.modules
            )
            ids = {ticket.requester_id for _, ticket in found if ticket.requester_id}
            people = await repository.users_by_id(session, sorted(ids))
            names = {one.id: one.name for one in await repository.all_staff(session)}
        return [
            Listed(
                call_back=one,
                ticket=ticket,
                asker=people.get(ticket.requester_id or ""),
                by=names.get(one.staff_id or "", ""),
            )
            for one, ticket in found
        ]

    async def results(self, staff: Principal) -> Mapping[str, int]:
        """How many calls ended how in the last thirty days."""
        staff.require(*READING_ROLES)
        async with self._database.glance() as session:
            since = self._clock() - RESULTS_OVER
            return await callbacks_repository.results_since(session, since)

    async def record(self, staff: Principal, call_back_id: str, result: Result, note: str) -> None:
        """What came of a call. Who was not reached is called again the next working day.

        Raises :class:`CallBackNotFound`, :class:`CallBackDone`, or :class:`InvalidInput` when
        dissatisfaction comes without its reason.
        """
        staff.require(*DESK_ROLES)
        words = mask(note.strip()).text
        if len(words) > NOTE_CHARS or (result is Result.UNSATISFIED and not words):
            raise InvalidInput("note", "call_backs.bad_note")
        now = self._clock()
        async with self._database.transaction() as session:
            row, ticket = await self._held(session, staff, call_back_id)
            row.attempts += 1
            row.result, row.staff_id = result.value, staff.staff_id
            row.note = "\n".join(part for part in (row.note, words) if part)
            if callbacks.is_over(result, row.attempts):
                row.done_at = now
            else:
                row.due_at = callbacks.due(self._terms.calendar(ticket.calendar_id), now, 1)
            await audit.record(
                session,
                actor=f"staff:{staff.staff_id}",
                action="call_back.recorded",
                subject=f"ticket:{ticket.number}",
                detail={"result": result.value, "attempt": row.attempts},
                now=now,
            )

    @staticmethod
    async def _held(
        session: AsyncSession, staff: Principal, call_back_id: str
    ) -> tuple[CallBack, Ticket]:
        found = await callbacks_repository.held(session, call_back_id)
        if found is None:
            raise CallBackNotFound(call_back_id)
        row, ticket = found
        if not staff.covers(region=ticket.region or None, module=ticket.module):
            raise CallBackNotFound(call_back_id)
        if row.done_at is not None:
            raise CallBackDone(call_back_id)
        return row, ticket

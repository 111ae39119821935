"""Trials on the tickets of the last month, in the background, before something is switched on.

One at a time in a process. How far it has got, and what came of it, is in the database, so any
process can show it, and an interrupted one is seen as such. Refuses to change any ticket, and to
know what is tried.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.accounts.service import Principal
from bot.background_task import BackgroundTask
from bot.clock import Clock
from bot.errors import InvalidInput
from handoff import rule_trial_repository as rows
from handoff.errors import HandoffError, RuleGone
from handoff.rule_past import About
from handoff.rule_tables import RuleTrial
from handoff.rule_trial_repository import Past
from store.base import new_id
from store.session import Database

SPAN, KEPT = timedelta(days=30), timedelta(days=30)
#: Tickets that are read together.
BATCH = 500
#: A trial that has not moved for so long was interrupted.
SILENT = timedelta(minutes=1)

log = structlog.get_logger("bot.rules")


class Judge(Protocol):
    """What is tried. ``judge`` runs in a thread."""

    @property
    def matched(self) -> int:
        """How often it would have acted so far."""
        ...

    async def ids(self, session: AsyncSession, since: datetime) -> Sequence[str]:
        """The tickets to look at, the newest first."""
        ...

    def is_possible(self, about: About) -> bool:
        """Whether a ticket is worth reading what was done to it."""
        ...

    def judge(self, one: Past) -> None:
        """Look at one ticket. Raises ``HandoffError`` for one that cannot be read."""
        ...

    def result(self) -> Mapping[str, Any]:
        """What came of it, as JSON."""
        ...


@dataclass(frozen=True, slots=True)
class Tried:
    """What the row of a trial says about what is tried."""

    kind: str
    name: str
    rule: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TrialRuns:
    """The trials of one process."""

    database: Database
    clock: Clock
    _background: BackgroundTask = field(default_factory=BackgroundTask)

    async def start(self, staff: Principal, tried: Tried, judge: Judge) -> str:
        """Begin; the trial's id. Raises :class:`InvalidInput` while another one is going on."""
        if self._background.is_running:
            raise InvalidInput("trial", "rules.error.busy")
        trial_id, now = new_id(), self.clock()
        async with self.database.transaction() as session:
            await rows.forget(session, now - KEPT)
            session.add(
                RuleTrial(
                    id=trial_id,
                    kind=tried.kind,
                    name=tried.name,
                    staff_id=staff.staff_id,
                    since=now - SPAN,
                    state="running",
                    started_at=now,
                    beat_at=now,
                    looked_at=0,
                    total=0,
                    matched=0,
                    rule=dict(tried.rule),
                    result={},
                    error="",
                )
            )
        self._background.task = asyncio.create_task(self._run(trial_id, judge, now))
        return trial_id

    async def trial(self, trial_id: str, kind: str) -> RuleTrial:
        """How a trial of this kind stands. Raises ``RuleGone``."""
        async with self.database.reading() as session:
            found = await rows.trial(session, trial_id)
        if found is None or found.kind != kind:
            raise RuleGone(trial_id)
        return found

    def is_silent(self, trial: RuleTrial) -> bool:
        """Whether nobody works on a trial any more that is not done."""
        return trial.state == "running" and self.clock() - trial.beat_at > SILENT

    async def settle(self) -> None:
        """Wait for the trial in the background."""
        await self._background.settle()

    async def stop(self) -> None:
        """Give up the trial in the background."""
        await self._background.stop()

    async def _run(self, trial_id: str, judge: Judge, now: datetime) -> None:
        try:
            await self._try(trial_id, judge, now)
            await self._end(trial_id, {"state": "done", "result": dict(judge.result())})
        except Exception:
            log.exception("rule_trial_failed", trial_id=trial_id)
            await self._end(trial_id, {"state": "failed", "error": "broken"})

    async def _try(self, trial_id: str, judge: Judge, now: datetime) -> None:
        async with self.database.glance() as session:
            ids = await judge.ids(session, now - SPAN)
        await self._end(trial_id, {"total": len(ids)})
        for start in range(0, len(ids), BATCH):
            async with self.database.glance() as session:
                some = ids[start : start + BATCH]
                tickets = await rows.past(session, some, judge.is_possible)
            await asyncio.to_thread(_judge, judge, tickets)
            looked_at = min(start + BATCH, len(ids))
            async with self.database.transaction() as session:
                beat = self.clock()
                await rows.advance(
                    session, trial_id, looked_at=looked_at, matched=judge.matched, now=beat
                )

    async def _end(self, trial_id: str, values: Mapping[str, Any]) -> None:
        async with self.database.transaction() as session:
            found = await rows.trial(session, trial_id)
            if found is not None:
                for name, value in values.items():
                    setattr(found, name, value)


def _judge(judge: Judge, tickets: Sequence[Past]) -> None:
    for one in tickets:
        try:
            judge.judge(one)
        except HandoffError as error:
            log.warning("rule_trial_skipped", number=one.number, error=type(error).__name__)

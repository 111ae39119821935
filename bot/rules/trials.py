"""Rules tried on last month's tickets, in the background, before they are switched on.

One at a time in a process. How far it has got, and what came of it, is in the database, so any
process can show it, and an interrupted one is seen as such. Refuses to change any ticket.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from statistics import median
from typing import Any

import structlog

from bot.accounts.service import Principal
from bot.background_task import BackgroundTask
from bot.clock import Clock
from bot.errors import InvalidInput
from bot.rules.admin import LOOK_ROLES, RuleAdmin
from handoff import rule_repository
from handoff import rule_trial_repository as rows
from handoff.contract import Terms
from handoff.errors import HandoffError, RuleGone
from handoff.rule_past import seen
from handoff.rule_tables import RuleTrial
from handoff.rule_trial import Found, is_possible, try_on
from handoff.rule_trial_repository import Past
from handoff.rules import Effect, Rule
from store.base import new_id
from store.session import Database

SPAN, KEPT = timedelta(days=30), timedelta(days=30)
#: Tickets that are read together, and the most that are shown one by one.
BATCH, SHOWN = 500, 200
#: A trial that has not moved for so long was interrupted.
SILENT = timedelta(minutes=1)

log = structlog.get_logger("bot.rules")


@dataclass(slots=True)
class Tally:
    """What would have happened, added up."""

    rule: Rule
    matched: int = 0
    taken: int = 0
    effects: list[dict[str, int]] = field(default_factory=list)
    really: list[list[float]] = field(default_factory=list)
    shown: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.effects = [{one.value: 0 for one in Effect} for _ in self.rule.steps]
        self.really = [[] for _ in self.rule.steps]

    def add(self, one: Past, match: Found) -> None:
        """One ticket that the rule would have fitted."""
        self.matched += 1
        self.taken += match.taken is not None
        for number, tried in enumerate(match.steps):
            self.effects[number][tried.effect.value] += 1
            if tried.really is not None:
                self.really[number].append(tried.really.total_seconds() / 60)
        if len(self.shown) < SHOWN:
            self.shown.append(_shown(one, match))

    def result(self) -> dict[str, Any]:
        """As the row keeps it."""
        return {
            "taken": self.taken,
            "steps": [
                {
                    "effects": effects,
                    "really": len(really),
                    "median": round(median(really)) if really else None,
                }
                for effects, really in zip(self.effects, self.really, strict=True)
            ],
            "tickets": self.shown,
        }


def _shown(one: Past, match: Found) -> dict[str, Any]:
    return {
        "number": one.number,
        "title": one.title,
        "at": match.at.isoformat(),
        "effects": [tried.effect.value for tried in match.steps],
        "really": [
            None if tried.really is None else round(tried.really.total_seconds() / 60)
            for tried in match.steps
        ],
        "taken": None if match.taken is None else round(match.taken.total_seconds() / 60),
        "level": match.level.value,
        "severity": match.severity.value,
        "status": match.status.value,
    }


@dataclass(frozen=True, slots=True)
class RuleTrials:
    """The verbs."""

    database: Database
    terms: Terms
    admin: RuleAdmin
    clock: Clock
    _background: BackgroundTask = field(default_factory=BackgroundTask)

    async def start(self, staff: Principal, rule: Rule) -> str:
        """Try a rule, saved or not, on the tickets of the last month; the trial's id.

        Raises ``RuleInvalid``, and :class:`InvalidInput` while another one is being tried.
        """
        staff.require(*LOOK_ROLES)
        await self.admin.check(staff, rule)
        if self._background.is_running:
            raise InvalidInput("trial", "rules.error.busy")
        trial_id, now = new_id(), self.clock()
        async with self.database.transaction() as session:
            await rows.forget(session, now - KEPT)
            session.add(
                RuleTrial(
                    id=trial_id,
                    kind="ticket",
                    name=rule.name,
                    staff_id=staff.staff_id,
                    since=now - SPAN,
                    state="running",
                    started_at=now,
                    beat_at=now,
                    looked_at=0,
                    total=0,
                    matched=0,
                    rule={**rule_repository.content(rule), "id": rule.id},
                    result={},
                    error="",
                )
            )
        self._background.task = asyncio.create_task(self._run(trial_id, rule, now))
        return trial_id

    async def trial(self, staff: Principal, trial_id: str) -> RuleTrial:
        """How a trial stands. Raises ``RuleGone``."""
        staff.require(*LOOK_ROLES)
        async with self.database.reading() as session:
            found = await rows.trial(session, trial_id)
        if found is None:
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

    async def _run(self, trial_id: str, rule: Rule, now: datetime) -> None:
        try:
            tally = await self._try(trial_id, rule, now)
            await self._end(trial_id, {"state": "done", "result": tally.result()})
        except Exception:
            log.exception("rule_trial_failed", trial_id=trial_id)
            await self._end(trial_id, {"state": "failed", "error": "broken"})

    async def _try(self, trial_id: str, rule: Rule, now: datetime) -> Tally:
        tally = Tally(rule)
        async with self.database.glance() as session:
            ids = await rows.opened_since(session, now - SPAN)
        await self._end(trial_id, {"total": len(ids)})
        for start in range(0, len(ids), BATCH):
            async with self.database.glance() as session:
                some = ids[start : start + BATCH]
                tickets = await rows.past(session, some, partial(is_possible, rule))
            await asyncio.to_thread(self._judge, rule, tickets, tally, now)
            looked_at = min(start + BATCH, len(ids))
            async with self.database.transaction() as session:
                beat = self.clock()
                await rows.advance(
                    session, trial_id, looked_at=looked_at, matched=tally.matched, now=beat
                )
        return tally

    def _judge(self, rule: Rule, tickets: Sequence[Past], tally: Tally, now: datetime) -> None:
        for one in tickets:
            try:
                history = list(seen(one.about, one.events, self.terms))
                for match in try_on(rule, history, now):
                    tally.add(one, match)
            except HandoffError as error:
                log.warning("rule_trial_skipped", number=one.number, error=type(error).__name__)

    async def _end(self, trial_id: str, values: Mapping[str, Any]) -> None:
        async with self.database.transaction() as session:
            found = await rows.trial(session, trial_id)
            if found is not None:
                for name, value in values.items():
                    setattr(found, name, value)

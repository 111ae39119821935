"""Looks for tickets that rules are for: after events, and as time passes.

Reads what others have committed instead of being told, so no verb can forget to tell; how far it
has looked is kept. What a rule did wakes no rule, so they cannot chase each other. The moments at
which waiting makes a rule fit are reckoned once for each state of a ticket and kept in memory;
they are the same after a restart, and what was missed meanwhile is done once.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.conversations.live import STAFF
from bot.notifications.feed import Follower
from bot.rules.acting import RuleActing
from handoff import repository as rows
from handoff import rule_repository
from handoff.errors import HandoffError
from handoff.lifecycle import Event
from handoff.rule_moments import fits
from handoff.rule_past import RULE, About, first_in, seen
from handoff.rule_repository import Active, Waiting
from handoff.rules import Occasion
from handoff.ticket import Action, ActorKind

#: Pause between looks; waiting is looked at this often.
LOOK_S, TIME_EVERY = 1.0, timedelta(seconds=5)
#: Tickets whose moments are reckoned before others get their turn.
_BATCH = 20
CURSOR = "ticket_rules"

log = structlog.get_logger("bot.rules")

Moments = Mapping[str, datetime]


@dataclass(slots=True)
class _Memory:
    """What is known between looks; nothing of it is needed after a restart."""

    rules: Sequence[tuple[str, int]] = ()
    moments: dict[str, tuple[Waiting, Moments]] = field(default_factory=dict)
    settled: set[tuple[str, str, int]] = field(default_factory=set)
    looked_at: datetime | None = None


class RuleRunner:
    """One worker's eyes; several may look at one database, to no harm."""

    def __init__(self, acting: RuleActing) -> None:
        self._acting = acting
        self._follower = Follower(
            acting.database, CURSOR, rule_repository.newest_event, rule_repository.event_ids
        )
        self._memory = _Memory()

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            try:
                if await self.run_once():
                    self._acting.live.publish(STAFF)
            except Exception:
                log.exception("rules_failed")
            await asyncio.sleep(LOOK_S)

    async def run_once(self) -> int:
        """One look at what is new and at what has waited; how often a rule acted."""
        now = self._acting.clock()
        async with self._acting.database.glance() as session:
            active = await rule_repository.active(session)
        acted = await self._look_at_events(active, now)
        last = self._memory.looked_at
        if last is None or now - last >= TIME_EVERY:
            acted += await self._look_at_time(active, now)
            self._memory.looked_at = now
        return acted

    async def _look_at_events(self, active: Sequence[Active], now: datetime) -> int:
        fresh = await self._follower.fresh(now)
        if not fresh:
            return 0
        acted = 0
        for ticket_id, wanted in (await self._wanted(active, fresh)).items():
            acted += await self._act(ticket_id, wanted, active)
        async with self._acting.database.transaction() as session:
            await self._follower.move(session, fresh, now)
        self._follower.moved(fresh)
        return acted

    async def _wanted(
        self, active: Sequence[Active], fresh: Sequence[int]
    ) -> dict[str, list[Active]]:
        """Which rules each ticket is to be shown to, because of these events."""
        asked = [one for one in active if one.rule.occasion is not Occasion.TIME]
        if not asked:
            return {}
        found: dict[str, dict[str, Active]] = {}
        async with self._acting.database.glance() as session:
            events = await rule_repository.done(session, fresh)
        for event in events:
            if event.actor_kind == ActorKind.SYSTEM.value and event.actor_id.startswith(RULE):
                continue
            opened = event.action == Action.OPEN.value
            for one in asked:
                if event.at >= one.since and (opened or one.rule.occasion is Occasion.CHANGED):
                    found.setdefault(event.ticket_id, {})[one.rule.id] = one
        order = [one.rule.id for one in active]
        return {
            ticket: sorted(rules.values(), key=lambda one: order.index(one.rule.id))
            for ticket, rules in found.items()
        }

    async def _act(self, ticket_id: str, wanted: Sequence[Active], active: Sequence[Active]) -> int:
        """Look without holding anything first: most tickets are no rule's business."""
        try:
            async with self._acting.database.glance() as session:
                promising = await self._promising(session, ticket_id, wanted)
            if not promising:
                return 0
            return await self._acting.act(ticket_id, wanted, [one.rule.id for one in active])
        except HandoffError as error:
            # Somebody was faster, or its contract is gone: the other tickets go on.
            log.warning("rules_skipped", ticket_id=ticket_id, error=type(error).__name__)
            return 0

    async def _promising(
        self, session: AsyncSession, ticket_id: str, wanted: Sequence[Active]
    ) -> bool:
        ticket = await rows.by_id(session, ticket_id)
        events = await rows.events_of(session, ticket_id)
        about, terms = rule_repository.about(ticket), self._acting.terms
        *_, newest = seen(about, events, terms)
        at = max(self._acting.clock(), newest.situation.start)
        return any(fits(one.rule, newest.situation, at) for one in wanted)

    async def _look_at_time(self, active: Sequence[Active], now: datetime) -> int:
        timed = [one for one in active if one.rule.occasion is Occasion.TIME]
        if not timed:
            return 0
        waiting = await self._reckon(timed)
        due = self._due(timed, waiting, now)
        memory = self._memory
        async with self._acting.database.glance() as session:
            ids = ({rule for rule, _, _ in due}, {ticket for _, ticket, _ in due})
            memory.settled |= await rule_repository.fired(session, *ids)
        acted = 0
        for ticket_id in dict.fromkeys(key[1] for key in due if key not in memory.settled):
            keys = [key for key in due if key[1] == ticket_id]
            wanted = [one for one in timed if any(key[0] == one.rule.id for key in keys)]
            acted += await self._act(ticket_id, wanted, active)
            memory.settled |= set(keys)
        return acted

    def _due(
        self, timed: Sequence[Active], waiting: Sequence[Waiting], now: datetime
    ) -> list[tuple[str, str, int]]:
        """Rules that have begun to fit since they were switched on, and were not looked at."""
        found = []
        for one in waiting:
            moments = self._memory.moments[one.ticket_id][1]
            for active in timed:
                moment = moments.get(active.rule.id)
                key = (active.rule.id, one.ticket_id, one.reopened)
                if moment is None or key in self._memory.settled:
                    continue
                if active.since <= moment <= now:
                    found.append(key)
        return found

    async def _reckon(self, timed: Sequence[Active]) -> Sequence[Waiting]:
        """Know the moments of every open ticket as it is now."""
        memory = self._memory
        rules = [(one.rule.id, one.version) for one in timed]
        if rules != memory.rules:
            memory.rules, memory.moments, memory.settled = rules, {}, set()
        async with self._acting.database.glance() as session:
            waiting = await rule_repository.waiting(session)
        known = {one.ticket_id for one in waiting}
        for gone in memory.moments.keys() - known:
            del memory.moments[gone]
        changed = [one for one in waiting if memory.moments.get(one.ticket_id, (None,))[0] != one]
        for start in range(0, len(changed), _BATCH):
            await self._reckon_some(timed, changed[start : start + _BATCH])
        return waiting

    async def _reckon_some(self, timed: Sequence[Active], some: Sequence[Waiting]) -> None:
        async with self._acting.database.glance() as session:
            tickets = await rows.by_ids(session, [one.ticket_id for one in some])
            events = {one.ticket_id: await rows.events_of(session, one.ticket_id) for one in some}
        for one in some:
            about = rule_repository.about(tickets[one.ticket_id])
            told = events[one.ticket_id]
            moments = await asyncio.to_thread(self._moments, timed, one, about, told)
            self._memory.moments[one.ticket_id] = (one, moments)

    def _moments(
        self, timed: Sequence[Active], one: Waiting, about: About, events: Sequence[Event]
    ) -> Moments:
        try:
            history = list(seen(about, events, self._acting.terms))
        except HandoffError as error:
            log.warning("rules_unreadable", ticket_id=one.ticket_id, error=type(error).__name__)
            return {}
        fitted = {
            active.rule.id: first_in(active.rule, history, episode=one.reopened) for active in timed
        }
        return {rule_id: fit.at for rule_id, fit in fitted.items() if fit is not None}

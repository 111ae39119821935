"""Notification rules tried on what happened in the last month: what would have gone to whom.

Looks at what was done to tickets and at their deadlines. Refuses to send or to keep anything, and
to guess at what is not told by a ticket's history: silence, alerts, incidents, rules of tickets.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.accounts.service import Principal
from bot.cards import local_time
from bot.conversations.greeting import LOCAL
from bot.notifications.admin import LOOK_ROLES, NotificationAdmin
from bot.notifications.events import Happened, NoticeEvent
from bot.notifications.forms import RuleForm
from bot.notifications.planning import Planner, Target, targets
from bot.notifications.rules import concerns, digest_at, leaves_at
from bot.notifications.scanning import news_of, told_percents
from bot.notifications.tables import NotificationRule
from bot.rules.trial_runs import SPAN, TrialRuns, Tried
from handoff import lifecycle, sla
from handoff import rule_trial_repository as rows
from handoff.contract import Terms
from handoff.rule_past import About, Seen, seen
from handoff.rule_tables import RuleTrial
from handoff.rule_trial_repository import Past
from handoff.sla import Milestone

KIND = "notification"
#: Messages that are shown one by one.
SHOWN = 200
#: News that a trial cannot know of.
UNSEEN = (NoticeEvent.UNANSWERED, NoticeEvent.INCIDENT, NoticeEvent.ALERT, NoticeEvent.RULE)
_CLOCK = {NoticeEvent.SLA_WARNING, NoticeEvent.SLA_BREACHED}


@dataclass(slots=True)
class Messages:
    """What would have been sent, added up. ``since`` and ``now`` bound what is looked at."""

    rule: NotificationRule
    targets: Sequence[Target]
    planner: Planner
    terms: Terms
    since: datetime
    now: datetime
    matched: int = 0
    sent: int = 0
    events: Counter[str] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)
    days: Counter[str] = field(default_factory=Counter)
    digests: set[datetime] = field(default_factory=set)
    shown: list[dict[str, Any]] = field(default_factory=list)

    async def ids(self, session: AsyncSession, since: datetime) -> Sequence[str]:
        """Tickets to which something was done, or whose deadlines ran."""
        return await rows.touched_since(session, since)

    def is_possible(self, about: About) -> bool:
        """What never changes about a ticket is nothing to these rules."""
        del about
        return True

    def judge(self, one: Past) -> None:
        """Every piece of news of one ticket that the rule is for."""
        for happened in self._news(one):
            if self.since <= happened.at <= self.now and concerns(self.rule, happened):
                self._add(happened)

    def _news(self, one: Past) -> Iterator[Happened]:
        severity = ""
        for moment in seen(one.about, one.events, self.terms):
            now = moment.snapshot.severity
            kind = news_of(moment.event.action.value, severity, now)
            severity = now.value
            if kind is not None:
                yield _happened(one, moment, kind, moment.event.at)
        if not self.rule.events or _CLOCK & set(self.rule.events):
            yield from self._deadlines(one)

    def _deadlines(self, one: Past) -> Iterator[Happened]:
        """Each deadline and warning when it came, as the clock stood until the next event."""
        told: set[tuple[object, ...]] = set()
        known = 0
        ahead: tuple[Milestone, ...] = ()
        for number, moment in enumerate(seen(one.about, one.events, self.terms), 1):
            snapshot, until = moment.snapshot, moment.until or self.now
            clock = tuple(lifecycle.clock_events(one.events[:number]))
            if len(clock) != known:  # Reckoning is the dear part; most events change nothing.
                known, ahead = len(clock), sla.milestones(clock, self.terms)
            percents = told_percents(self.terms, snapshot.contract_id)
            for near in ahead:
                key = (near.target, near.percent, snapshot.severity, snapshot.reopened)
                if near.percent not in percents or key in told:
                    continue
                if moment.event.at <= near.at < until:
                    told.add(key)
                    yield self._deadline(one, moment, near)

    def _deadline(self, one: Past, moment: Seen, near: Milestone) -> Happened:
        kind = NoticeEvent.SLA_BREACHED if near.percent == 100 else NoticeEvent.SLA_WARNING
        target = self.planner.phrases.say(f"notify.target.{near.target.value}")
        values = {"target": target, "percent": str(near.percent)}
        return _happened(one, moment, kind, near.at, **values)

    def _add(self, happened: Happened) -> None:
        self.matched += 1
        self.events[happened.event.value] += 1
        leaves = leaves_at(self.rule, happened.severity, happened.at)
        gathers = digest_at(self.rule, happened.severity, happened.at)
        way = "digest" if gathers else "held" if leaves > happened.at else "at_once"
        self.ways[way] += 1
        messages = 0 if gathers in self.digests else len(self.targets)
        if gathers is not None:
            self.digests.add(gathers)
        self.sent += messages
        at = gathers or leaves
        self.days[at.astimezone(LOCAL).date().isoformat()] += messages
        for target in self.targets:
            self.people[target.recipient] += bool(messages)
        if len(self.shown) < SHOWN:
            self.shown.append(self._sample(happened, at, way))

    def _sample(self, happened: Happened, leaves: datetime, way: str) -> dict[str, Any]:
        filled = self.planner.filled(self.rule, happened, self.targets[0], happened.at)
        return {
            "number": happened.subject,
            "event": happened.event.value,
            "severity": happened.severity.value,
            "at": happened.at.isoformat(),
            "leaves": leaves.isoformat(),
            "way": way,
            "title": filled["title"],
        }

    def result(self) -> dict[str, Any]:
        """As the row keeps it; the samples newest first."""
        busiest = max(self.days.items(), key=lambda one: (one[1], one[0]), default=("", 0))
        return {
            "sent": self.sent,
            "events": dict(self.events.most_common()),
            "people": dict(self.people.most_common()),
            "ways": dict(self.ways),
            "busiest": {"day": busiest[0], "count": busiest[1]},
            "per_day": round(self.sent / max(1, (self.now - self.since) / timedelta(days=1)), 1),
            "unseen": [one.value for one in UNSEEN if _asked(self.rule, one)],
            "messages": sorted(self.shown, key=lambda one: one["at"], reverse=True),
        }


def _asked(rule: NotificationRule, event: NoticeEvent) -> bool:
    return not rule.events or event.value in rule.events


def _happened(one: Past, moment: Seen, kind: NoticeEvent, at: datetime, **values: str) -> Happened:
    snapshot = moment.snapshot
    return Happened(
        key=f"trial:{one.number}",
        event=kind,
        at=at,
        severity=snapshot.severity,
        subject=one.number,
        region=snapshot.region,
        values={
            "title": one.title,
            "unit": one.about.unit,
            "module": snapshot.module or "",
            "status": snapshot.status.value,
            "level": snapshot.level.value,
            "opened": local_time(one.events[0].at),
            **values,
        },
    )


@dataclass(frozen=True, slots=True)
class NotificationTrials:
    """The verbs."""

    terms: Terms
    admin: NotificationAdmin
    runs: TrialRuns

    async def start(self, staff: Principal, rule_id: str, form: RuleForm) -> str:
        """Try a rule, saved or not, as if it were on; the trial's id.

        Raises ``NotificationInvalid``, and :class:`InvalidInput` while another one is being tried.
        """
        staff.require(*LOOK_ROLES)
        rule, channel = await self.admin.drafted(staff, form)
        rule.enabled = True
        now = self.runs.clock()
        whom = tuple(targets(channel, rule.recipients))
        since = now - SPAN
        messages = Messages(rule, whom, self.admin.planner, self.terms, since, now)
        content = {"id": rule_id, "channel": channel.name}
        return await self.runs.start(staff, Tried(KIND, rule.name, content), messages)

    async def trial(self, staff: Principal, trial_id: str) -> RuleTrial:
        """How a trial stands. Raises ``RuleGone``."""
        staff.require(*LOOK_ROLES)
        return await self.runs.trial(trial_id, KIND)

"""Rules of tickets tried on last month's tickets before they are switched on.

Refuses to change any ticket; how a trial goes on is in ``trial_runs``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.accounts.service import Principal
from bot.rules.admin import LOOK_ROLES, RuleAdmin
from bot.rules.trial_runs import TrialRuns, Tried
from handoff import rule_repository
from handoff import rule_trial_repository as rows
from handoff.contract import Terms
from handoff.rule_past import About, seen
from handoff.rule_tables import RuleTrial
from handoff.rule_trial import Found, is_possible, try_on
from handoff.rule_trial_repository import Past
from handoff.rules import Effect, Rule

KIND = "ticket"
#: The most that are shown one by one.
SHOWN = 200


@dataclass(slots=True)
class Tally:
    """What would have happened, added up."""

    rule: Rule
    terms: Terms
    now: datetime
    matched: int = 0
    taken: int = 0
    effects: list[dict[str, int]] = field(default_factory=list)
    really: list[list[float]] = field(default_factory=list)
    shown: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.effects = [{one.value: 0 for one in Effect} for _ in self.rule.steps]
        self.really = [[] for _ in self.rule.steps]

    async def ids(self, session: AsyncSession, since: datetime) -> Sequence[str]:
        """The tickets of the month."""
        return await rows.opened_since(session, since)

    def is_possible(self, about: About) -> bool:
        """Whether the rule could fit at all."""
        return is_possible(self.rule, about)

    def judge(self, one: Past) -> None:
        """Every time that the rule would have fitted."""
        history = list(seen(one.about, one.events, self.terms))
        for match in try_on(self.rule, history, self.now):
            self.add(one, match)

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

    terms: Terms
    admin: RuleAdmin
    runs: TrialRuns

    async def start(self, staff: Principal, rule: Rule) -> str:
        """Try a rule, saved or not, on the tickets of the last month; the trial's id.

        Raises ``RuleInvalid``, and :class:`InvalidInput` while another one is being tried.
        """
        staff.require(*LOOK_ROLES)
        await self.admin.check(staff, rule)
        content = {**rule_repository.content(rule), "id": rule.id}
        tally = Tally(rule, self.terms, self.runs.clock())
        return await self.runs.start(staff, Tried(KIND, rule.name, content), tally)

    async def trial(self, staff: Principal, trial_id: str) -> RuleTrial:
        """How a trial stands. Raises ``RuleGone``."""
        staff.require(*LOOK_ROLES)
        return await self.runs.trial(trial_id, KIND)

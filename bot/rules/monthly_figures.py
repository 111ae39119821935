"""How long first responses and resolutions of one month took on average, from the event fold.

A ticket's first response counts in the month in which it was given, its resolution in the month of
the last one. Two lengths each: of the contract's own clock (working time, pauses and holidays
left out, as the deadline itself is reckoned) and from beginning to end. Looked through in the
background, for a large city's month takes minutes. Refuses to show tickets outside of the scope of
who asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.accounts.service import Principal
from bot.errors import InvalidInput
from bot.rules.admin import LOOK_ROLES
from bot.rules.trial_runs import TrialRuns, Tried
from handoff import lifecycle, sla
from handoff import rule_trial_repository as rows
from handoff.contract import Target, Terms
from handoff.errors import RuleGone
from handoff.rule_past import About
from handoff.rule_tables import RuleTrial
from handoff.rule_trial_repository import Past

KIND = "monthly"
TARGETS = (Target.RESPOND, Target.RESOLVE)
#: Tickets that are listed one by one; the sums are of all.
LISTED = 5_000


@dataclass(frozen=True, slots=True)
class Month:
    """One month: its name and where it begins and ends."""

    name: str
    start: datetime
    end: datetime

    @classmethod
    def of(cls, typed: str, now: datetime) -> "Month":
        """The month ``YYYY-MM`` where ``now`` is. Raises :class:`InvalidInput`."""
        try:
            start = datetime.strptime(f"{typed}-01", "%Y-%m-%d").replace(tzinfo=now.tzinfo)
        except ValueError:
            raise InvalidInput("month", "figures.error.month") from None
        if start > now:
            raise InvalidInput("month", "figures.error.month")
        end = (start + timedelta(days=32)).replace(day=1)
        return cls(start.strftime("%Y-%m"), start.astimezone(UTC), end.astimezone(UTC))


@dataclass(slots=True)
class Sum:
    """Lengths added up, in seconds. ``timed``: those that a promise of the contract timed."""

    count: int = 0
    timed: int = 0
    late: int = 0
    used_s: int = 0
    elapsed_s: int = 0

    def add(self, used: timedelta | None, elapsed: timedelta, *, late: bool) -> None:
        """One ticket."""
        self.count += 1
        self.late += late
        self.elapsed_s += int(elapsed.total_seconds())
        if used is not None:
            self.timed += 1
            self.used_s += int(used.total_seconds())

    def row(self) -> dict[str, Any]:
        """As it is kept, with the averages in minutes."""
        return {
            "count": self.count,
            "timed": self.timed,
            "late": self.late,
            "used": round(self.used_s / 60),
            "elapsed": round(self.elapsed_s / 60),
            "used_mean": round(self.used_s / 60 / self.timed, 1) if self.timed else None,
            "elapsed_mean": round(self.elapsed_s / 60 / self.count, 1) if self.count else None,
        }


@dataclass(slots=True)
class Averages:
    """The month's sums by contract and region."""

    terms: Terms
    staff: Principal
    month: Month
    now: datetime
    matched: int = 0
    sums: dict[tuple[str, str], dict[Target, Sum]] = field(default_factory=dict)
    listed: list[dict[str, Any]] = field(default_factory=list)

    async def ids(self, session: AsyncSession, since: datetime) -> Sequence[str]:
        """Tickets that were answered or solved in the month."""
        del since
        return await rows.met_between(session, self.month.start, self.month.end)

    def is_possible(self, about: About) -> bool:
        """Every ticket of the month counts."""
        del about
        return True

    def judge(self, one: Past) -> None:
        """Add one ticket, if it is in the scope of who asked."""
        snapshot = lifecycle.replay(one.events, self.terms)
        if not self.staff.covers(region=snapshot.region or None, module=snapshot.module):
            return
        contract = self.terms.contract(snapshot.contract_id).name
        state = sla.fold(lifecycle.clock_events(one.events), self.terms, self.now)
        met = {Target.RESPOND: snapshot.responded_at, Target.RESOLVE: snapshot.resolved_at}
        told: dict[str, Any] = {}
        for target in TARGETS:
            at = met[target]
            if at is None or not self.month.start <= at < self.month.end:
                continue
            found = state.targets.get(target)
            used = found.used if found is not None and found.bound is not None else None
            elapsed = at - one.events[0].at
            late = found is not None and found.breached
            sums = self.sums.setdefault((contract, snapshot.region), {t: Sum() for t in TARGETS})
            sums[target].add(used, elapsed, late=late)
            told[target.value] = {
                "used": None if used is None else round(used.total_seconds() / 60, 1),
                "elapsed": round(elapsed.total_seconds() / 60, 1),
            }
        if told:
            self.matched += 1
            if len(self.listed) < LISTED:
                about = {"contract": contract, "region": snapshot.region}
                self.listed.append({"number": one.number, **about, **told})

    def result(self) -> Mapping[str, Any]:
        """As the row keeps it."""
        return {
            "groups": [
                {
                    "contract": contract,
                    "region": region,
                    **{target.value: sums[target].row() for target in TARGETS},
                }
                for (contract, region), sums in sorted(self.sums.items())
            ],
            "tickets": sorted(self.listed, key=lambda one: str(one["number"])),
        }


@dataclass(frozen=True, slots=True)
class MonthlyFigures:
    """The verbs."""

    terms: Terms
    runs: TrialRuns

    async def start(self, staff: Principal, month: Month) -> str:
        """Begin to look through a month; what to ask for it with.

        Raises :class:`InvalidInput` while something else is looked through.
        """
        staff.require(*LOOK_ROLES)
        averages = Averages(self.terms, staff, month, self.runs.clock())
        return await self.runs.start(staff, Tried(KIND, month.name, {}), averages)

    async def figures(self, staff: Principal, run_id: str) -> RuleTrial:
        """How far it has got. Raises ``RuleGone``, also for what somebody else asked for."""
        staff.require(*LOOK_ROLES)
        found = await self.runs.trial(run_id, KIND)
        if found.staff_id != staff.staff_id:
            raise RuleGone(run_id)
        return found

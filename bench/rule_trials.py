"""How long the trial of a rule takes over a large city's month: ``python -m bench rule_trials``.

Makes 100,000 tickets with their events, tries one rule of tickets and one of notifications on all
of them as the administrator's button does, and prints seconds and the memory that it took besides.
``CAIWEN_BENCH_SHARE=0.02`` makes a fiftieth of it.
"""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from sqlalchemy.ext.asyncio import AsyncSession

from bench.console import filled, share
from bench.console_data import Size, utc_now
from bot.accounts.service import Principal
from bot.assembly import load_all_terms
from bot.notifications.events import NoticeEvent
from bot.notifications.planning import Planner, Target
from bot.notifications.tables import NotificationChannel, NotificationRule
from bot.phrases import load
from bot.rules.notification_trials import Messages
from bot.rules.trial_runs import Judge, TrialRuns, Tried
from bot.rules.trials import Tally
from bot.settings import Settings, data_dir
from bot.tables import Role
from handoff import rule_trial_repository as rows
from handoff.contract import Terms
from handoff.rules import Condition, Match, Occasion, Operator, Rule, Step, StepKind
from store.session import Database

TICKETS = 100_000
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
#: One that has to reckon deadlines and working minutes on every ticket.
RULE = Rule(
    "r",
    "trial",
    Occasion.TIME,
    Match.ANY,
    (
        Condition("untaken_minutes", Operator.AT_LEAST, ("20",)),
        Condition("resolve_percent", Operator.AT_LEAST, ("80",)),
    ),
    (Step(StepKind.NOTE, "", "{number}"),),
)


class Everything:
    """Looks at all tickets, as if the month had been so large."""

    async def ids(self, session: AsyncSession, since: datetime) -> Sequence[str]:
        """Every ticket."""
        del since
        return await rows.opened_since(session, LONG_AGO)


class AllTally(Everything, Tally):
    """A rule of tickets."""


class AllMessages(Everything, Messages):
    """A rule of notifications."""


@dataclass(slots=True)
class Memory:
    """The most memory of this process since it was made, in MiB above the beginning."""

    begun: float
    most: float = 0.0

    @classmethod
    def now(cls) -> "Memory":
        """Begin."""
        return cls(_mib())

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            self.most = max(self.most, _mib() - self.begun)
            await asyncio.sleep(0.05)


def _mib() -> float:
    return float(psutil.Process().memory_info().rss) / 2**20


def _notified(terms: Terms, now: datetime) -> AllMessages:
    channel = NotificationChannel(id="c", name="c", kind="wecom_robot", config={}, secrets={})
    rule = NotificationRule(
        id="n",
        channel_id="c",
        enabled=True,
        **{name: [] for name in ("recipients", "severities", "regions", "days")},
        repeat_recipients=[],
        events=[NoticeEvent.OPENED, NoticeEvent.SLA_WARNING, NoticeEvent.SLA_BREACHED],
        **dict.fromkeys(("active_from", "active_until", "quiet_from", "quiet_until"), ""),
        **dict.fromkeys(("title_template", "text_template"), ""),
        **dict.fromkeys(("digest_minutes", "repeat_minutes", "repeat_times"), 0),
        major_breaks_quiet=True,
    )
    planner = Planner(load(data_dir() / "locales" / "zh-CN.yml"), "")
    return AllMessages(rule, (Target(channel, "", ()),), planner, terms, LONG_AGO, now)


async def _measure(database: Database, judge: Judge, kind: str) -> None:
    runs = TrialRuns(database, utc_now)
    staff = Principal("s", "s", "s", "", Role.ADMIN, (), (), "", must_change_password=False)
    memory = Memory.now()
    watching = asyncio.create_task(memory.watch())
    began = time.perf_counter()
    trial_id = await runs.start(staff, Tried(kind, kind, {"id": ""}), judge)
    await runs.settle()
    took = time.perf_counter() - began
    watching.cancel()
    trial = await runs.trial(trial_id, kind)
    print(
        f"{kind:14} {trial.state}: {trial.total} tickets, {trial.matched} matches,"
        f" {took:.1f} s, {memory.most:.0f} MiB above {memory.begun:.0f} MiB",
        flush=True,
    )


async def _run(home: Path) -> None:
    settings = Settings(home=home)
    terms, now = load_all_terms(settings), utc_now() + timedelta(minutes=1)
    database = Database(settings.effective_database_url)
    try:
        await _measure(database, AllTally(RULE, terms, now), "ticket")
        await _measure(database, _notified(terms, now), "notification")
    finally:
        await database.dispose()


def main(arguments: Sequence[str] = ()) -> None:
    """Fill a database and try both."""
    del arguments
    tickets = int(TICKETS * share())
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(filled(Path(folder), Size(tickets, 2 * tickets, 10)))
        asyncio.run(_run(Path(folder)))

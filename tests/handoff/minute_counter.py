"""A second, independent reckoning: walks through time minute by minute with counters.

It shares nothing with ``handoff``: holidays, hours and contracts are typed here from the published
notices and the contracts, and a deadline is simply the minute at which a counter is full. Slow,
simple, and the judge of ``worked_examples.tsv``. Knows local time only; whole minutes only.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

MINUTE = timedelta(minutes=1)
RANKS = {"一般": 0, "紧急": 1, "重大": 2}

#: Days off by the State Council's yearly notices (国办发明电): month.day, or first-last.
DAYS_OFF = {
    2021: "1.1-1.3 2.11-2.17 4.3-4.5 5.1-5.5 6.12-6.14 9.19-9.21 10.1-10.7",
    2023: "1.1-1.2 1.21-1.27 4.5 4.29-5.3 6.22-6.24 9.29-10.6 12.30-12.31",
    2024: "1.1 2.10-2.17 4.4-4.6 5.1-5.5 6.10 9.15-9.17 10.1-10.7",
    2025: "1.1 1.28-2.4 4.4-4.6 5.1-5.5 5.31-6.2 10.1-10.8",
    2026: "1.1-1.3 2.15-2.23 4.4-4.6 5.1-5.5 6.19-6.21 9.25-9.27 10.1-10.7",
}
#: Weekend days worked in exchange.
WORKED = {
    2021: "2.7 2.20 4.25 5.8 9.18 9.26 10.9",
    2023: "1.28 1.29 4.23 5.6 6.25 10.7 10.8",
    2024: "2.4 2.18 4.7 4.28 5.11 9.14 9.29 10.12",
    2025: "1.26 2.8 4.27 9.28 10.11",
    2026: "1.4 2.14 2.28 5.9 9.20 10.10",
}
#: No notice yet: the law's own dates.
STATUTORY = {(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)}

HOURS = {
    "foshan": ((8, 30, 12, 0), (14, 0, 17, 30)),
    "guangdong": ((8, 30, 12, 0), (14, 30, 17, 30)),
    "changzhou": ((9, 0, 12, 0), (13, 30, 17, 30)),
    "guangxi": ((8, 0, 12, 0), (15, 0, 18, 0)),
}
#: 壮族三月三.
REGION_OFF = {"guangxi": {2021: "4.14-4.16", 2023: "4.21-4.23"}}
REGION_WORKED = {"guangxi": {2021: "4.18"}}

#: Minutes and clock ("all" or "work") by contract and severity.
PROMISES: dict[str, dict[str, tuple[str, dict[str, int]]]] = {
    "foshan": {
        "重大": ("all", {"respond": 10, "resolve": 60, "report": 120}),
        "紧急": ("all", {"respond": 15, "resolve": 120, "report": 120}),
        "一般": ("work", {"respond": 30, "resolve": 480, "report": 120}),
    },
    "changzhou": {
        "重大": ("work", {"resolve": 120}),
        "紧急": ("work", {"respond": 30, "resolve": 60}),
        "一般": ("work", {"respond": 30, "resolve": 60}),
    },
    "guangxi": {
        "重大": ("work", {"respond": 30, "arrange": 60, "resolve": 120, "report": 120}),
        "紧急": ("work", {"respond": 30, "arrange": 60, "resolve": 120, "report": 120}),
        "一般": ("work", {"respond": 10}),
    },
}
CALENDAR_OF = {"foshan": "foshan", "changzhou": "changzhou", "guangxi": "guangxi"}
#: Targets that only faults and data problems have.
FAULTS_ONLY = {"report"}
FAULTS = {"系统故障", "数据问题"}


def _named(day: date, days: dict[int, str]) -> bool:
    """Whether ``day`` is among ``month.day`` and ``month.day-month.day`` of its year."""
    for word in days.get(day.year, "").split():
        first, _, last = word.partition("-")
        if _pair(first) <= (day.month, day.day) <= _pair(last or first):
            return True
    return False


def _pair(word: str) -> tuple[int, int]:
    month, day = word.split(".")
    return int(month), int(day)


def is_working_day(calendar: str, day: date) -> bool:
    """By the region's own days, then the notices, then the law, then the week."""
    if _named(day, REGION_WORKED.get(calendar, {})):
        return True
    if _named(day, REGION_OFF.get(calendar, {})):
        return False
    if _named(day, WORKED):
        return True
    if _named(day, DAYS_OFF):
        return False
    if day.year not in DAYS_OFF and (day.month, day.day) in STATUTORY:
        return False
    return day.weekday() < 5


def is_working_minute(calendar: str, minute: datetime) -> bool:
    """Whether the minute that begins then is worked."""
    if not is_working_day(calendar, minute.date()):
        return False
    clock = (minute.hour, minute.minute)
    return any((h1, m1) <= clock < (h2, m2) for h1, m1, h2, m2 in HOURS[calendar])


@dataclass
class Counter:
    """One severity's promise for the target: minutes counted since the ticket rose to it."""

    minutes: int = 0
    full_at: datetime | None = None
    was_held: bool = False
    tally: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """``deadline`` is ``None`` while the time stands still; ``tally`` are minutes by day."""

    deadline: datetime | None
    breached_at: datetime | None
    tally: dict[str, int]


class MinuteClock:
    """One target of one ticket."""

    def __init__(self, contract: str, severity: str, category: str, opened: datetime, target: str):
        self.contract, self.severity, self.category = contract, severity, category
        self.calendar = CALENDAR_OF[contract]
        self.target = target
        self.now = opened
        self.paused = False
        self.met_at: datetime | None = None
        self.at_end: tuple[datetime | None, dict[str, int]] | None = None
        self.breached_at: datetime | None = None
        self.stopped = False
        self.counters = {level: Counter() for level in RANKS}
        self.counters[severity].was_held = True

    def budget(self, level: str) -> int | None:
        if self.target in FAULTS_ONLY and self.category not in FAULTS:
            return None
        return PROMISES[self.contract].get(level, ("work", {}))[1].get(self.target)

    def reached(self) -> list[str]:
        """Severities that the ticket has or exceeds."""
        return [level for level in RANKS if RANKS[level] <= RANKS[self.severity]]

    def advance(self, until: datetime) -> None:
        while self.now < until:
            self.tick()

    def tick(self) -> None:
        self.now += MINUTE
        if self.met_at is None and not self.stopped:
            self.count()
            self.judge()

    def count(self) -> None:
        if self.paused and self.target != "respond":
            return
        minute = self.now - MINUTE
        for level in self.reached():
            clock = PROMISES[self.contract].get(level, ("work", {}))[0]
            if clock == "all" or is_working_minute(self.calendar, minute):
                counter = self.counters[level]
                counter.minutes += 1
                day = minute.strftime("%m-%d")
                if counter.full_at is None:
                    counter.tally[day] = counter.tally.get(day, 0) + 1
                if counter.minutes == self.budget(level):
                    counter.full_at = self.now

    def judge(self) -> None:
        full = self.full()
        if full is not None and full < self.now and self.breached_at is None:
            self.breached_at = full

    def in_force(self) -> list[Counter]:
        return [
            self.counters[level]
            for level in self.reached()
            if self.counters[level].was_held and self.budget(level) is not None
        ]

    def full(self) -> datetime | None:
        times = [counter.full_at for counter in self.in_force() if counter.full_at]
        return min(times) if times else None

    def change_severity(self, severity: str) -> None:
        lower = min(RANKS[self.severity], RANKS[severity])
        for level, rank in RANKS.items():
            if rank > lower:
                self.counters[level] = Counter()
        self.severity = severity
        self.counters[severity].was_held = True

    def do(self, verb: str, word: str) -> None:
        """One verb of a story; ``now`` only looks."""
        change = getattr(self, f"_{verb}")
        change(word)
        if self.met_at is None and not self.stopped:
            self.judge()

    def _now(self, _: str) -> None:
        return

    def _pause(self, _: str) -> None:
        self.paused = True

    def _resume(self, _: str) -> None:
        self.paused = False

    def _severity(self, word: str) -> None:
        self.change_severity(word)

    def _category(self, word: str) -> None:
        self.category = word

    def _calendar(self, word: str) -> None:
        self.calendar = word

    def _contract(self, word: str) -> None:
        self.contract, self.calendar = word, CALENDAR_OF[word]

    def _met(self, word: str) -> None:
        if word == self.target:
            self.meet()

    def _resolve(self, _: str) -> None:
        self.paused = False
        if self.target != "report":
            self.meet()

    def _reopen(self, _: str) -> None:
        if self.target == "resolve":
            self.met_at = self.at_end = None

    def _stop(self, _: str) -> None:
        self.at_end = self.at_end or self.project()
        self.paused, self.stopped = False, True

    def meet(self) -> None:
        if self.met_at is None:
            self.at_end = self.project()
            self.met_at = self.now

    def project(self) -> tuple[datetime | None, dict[str, int]]:
        """When a counter in force will be full if nothing more happens, and its minutes by day."""
        future = copy.deepcopy(self)
        standing = future.paused and future.target != "respond"
        limit = future.now + timedelta(days=400)
        while not standing and future.full() is None and future.in_force():
            future.tick()
            assert future.now < limit, "no deadline within a year"
        deadline = future.full()
        full = [counter for counter in future.in_force() if counter.full_at == deadline]
        return deadline, full[0].tally if deadline else {}


def story_of(text: str) -> Iterator[tuple[datetime, str, str]]:
    """``2026-02-13 17:10 pause 等用户; …`` as moments, verbs and words."""
    for part in filter(None, (part.strip() for part in text.split(";"))):
        day, clock, verb, *words = part.split()
        yield datetime.fromisoformat(f"{day} {clock}"), verb, " ".join(words)


def reckon(
    contract: str, *, category: str, severity: str, opened: datetime, story: str, target: str
) -> Verdict:
    """The deadline and breach as they stand at the story's last moment."""
    clock = MinuteClock(contract, severity, category, opened, target)
    for at, verb, word in story_of(story):
        clock.advance(at)
        clock.do(verb, word)
    deadline, tally = clock.at_end or clock.project()
    return Verdict(deadline, clock.breached_at, tally)

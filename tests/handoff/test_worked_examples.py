"""The published table of worked examples, against the product and against the minute counter."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from handoff.clock_events import (
    CalendarChanged,
    CategoryChanged,
    ClockEvent,
    Met,
    Paused,
    Reopened,
    Resumed,
    SeverityChanged,
    Started,
    Stopped,
    Transferred,
)
from handoff.contract import Target
from handoff.explanation import explain
from handoff.sla import fold
from handoff.ticket import PauseReason
from store.vocabulary import Category, Severity
from tests.handoff.minute_counter import reckon, story_of
from tests.handoff.terms import ZONE, local, shipped_terms

TABLE = Path(__file__).with_name("worked_examples.tsv")


@dataclass(frozen=True)
class Example:
    no: str
    group: str
    contract: str
    category: str
    severity: str
    opened: str
    story: str
    target: str
    deadline: str
    breached: str
    minutes_by_day: str


def examples() -> list[Example]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return [
            Example(**{key.replace(" ", "_"): text for key, text in row.items()}) for row in rows
        ]


EXAMPLES = examples()
EACH = pytest.mark.parametrize(
    "example", EXAMPLES, ids=[f"{example.no} {example.group}" for example in EXAMPLES]
)


def events_of(example: Example) -> tuple[list[ClockEvent], datetime]:
    """The example's story as clock events, and the moment it is looked at."""
    opened = datetime.fromisoformat(example.opened).replace(tzinfo=ZONE)
    severity, category = Severity(example.severity), Category(example.category)
    events: list[ClockEvent] = [Started(opened, severity, category, example.contract)]
    now = opened
    for naive, verb, word in story_of("" if example.story == "-" else example.story):
        now = naive.replace(tzinfo=ZONE)
        if verb != "now":
            events.append(EVENTS[verb](now, word))
    return events, now


EVENTS: dict[str, Callable[[datetime, str], ClockEvent]] = {
    "pause": lambda now, word: Paused(now, PauseReason(word)),
    "resume": lambda now, _: Resumed(now),
    "severity": lambda now, word: SeverityChanged(now, Severity(word)),
    "category": lambda now, word: CategoryChanged(now, Category(word)),
    "calendar": CalendarChanged,
    "contract": Transferred,
    "met": lambda now, word: Met(now, Target(word)),
    "resolve": lambda now, _: Met(now, Target.RESOLVE),
    "reopen": lambda now, _: Reopened(now),
    "stop": lambda now, _: Stopped(now),
}


def test_the_table_is_large_and_covers_what_was_promised() -> None:
    groups = {example.group for example in EXAMPLES}
    assert len(EXAMPLES) >= 150
    assert {
        "lunch",
        "Spring Festival",
        "make-up workday",
        "pause over a weekend or holiday",
        "reopen",
        "severity raised after the lower deadline passed",
        "year end",
        "leap day",
        "two regions",
    } <= groups


@EACH
def test_the_product_agrees(example: Example) -> None:
    events, now = events_of(example)
    state = fold(events, shipped_terms(), now).targets[Target(example.target)]
    assert (local(state.deadline), local(state.breached_at)) == (
        example.deadline,
        example.breached,
    )


@EACH
def test_the_minute_counter_agrees(example: Example) -> None:
    verdict = reckon(
        example.contract,
        category=example.category,
        severity=example.severity,
        opened=datetime.fromisoformat(example.opened),
        story="" if example.story == "-" else example.story,
        target=example.target,
    )
    shown = [
        moment.strftime("%Y-%m-%d %H:%M") if moment else "-"
        for moment in (verdict.deadline, verdict.breached_at)
    ]
    tally = " + ".join(f"{day} {minutes}" for day, minutes in verdict.tally.items()) or "-"
    assert [*shown, tally] == [example.deadline, example.breached, example.minutes_by_day]


@EACH
def test_the_explanation_tells_the_same_story(example: Example) -> None:
    """Minutes told as counted add up by day to the table's, and the last line is the deadline."""
    events, now = events_of(example)
    lines = explain(events, shipped_terms(), Target(example.target), now)
    by_day: dict[str, int] = {}
    for line in lines:
        start, amount = line.values.get("start"), line.values.get("amount")
        if line.key.startswith("sla.explain.counted"):
            assert isinstance(start, datetime)
            end = line.values["end"]
            assert isinstance(end, datetime)
            assert end - start == amount
            for day, minutes in _split_by_day(start, end):
                by_day[day] = by_day.get(day, 0) + minutes
    told = {line.key: line.values for line in lines}
    if example.deadline == "-":
        assert "sla.explain.standing_still" in told
    else:
        deadline = told["sla.explain.deadline"]["deadline"]
        assert isinstance(deadline, datetime)
        assert local(deadline) == example.deadline
        tally = " + ".join(f"{day} {minutes}" for day, minutes in by_day.items())
        assert tally == example.minutes_by_day
    assert ("sla.explain.breached" in told) == (example.breached != "-")


def _split_by_day(start: datetime, end: datetime) -> Iterator[tuple[str, int]]:
    first, last = start.astimezone(ZONE), end.astimezone(ZONE)
    if first.date() == last.date():
        yield first.strftime("%m-%d"), int((last - first).total_seconds() // 60)
        return
    midnight = last.replace(hour=0, minute=0)
    yield first.strftime("%m-%d"), int((midnight - first).total_seconds() // 60)
    if last > midnight:
        yield last.strftime("%m-%d"), int((last - midnight).total_seconds() // 60)

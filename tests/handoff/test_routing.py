"""Places in the queue, the expected wait, and who gets a ticket."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoff.repository import QueueEntry
from handoff.routing import (
    Engineer,
    Method,
    Presence,
    Work,
    expected_wait,
    in_order,
    pick_engineer,
    place,
)
from handoff.ticket import Level
from store.vocabulary import Severity
from tests.handoff.terms import at

NOW = at("2026-03-10 10:00")
MINUTE = timedelta(minutes=1)
WINDOW, CAP = timedelta(hours=2), timedelta(hours=4)


def entry(ticket_id: str, **over: object) -> QueueEntry:
    base = QueueEntry(ticket_id, None, Severity.GENERAL, NOW + 30 * MINUTE, NOW - 5 * MINUTE)
    return replace(base, **over)  # type: ignore[arg-type]  # named by the tests


def claims(*minutes_ago: int) -> list[datetime]:
    return [NOW - minutes * MINUTE for minutes in minutes_ago]


class TestQueue:
    def test_due_first_then_more_severe_then_longer_waiting(self) -> None:
        entries = [
            entry("later", due=NOW + 60 * MINUTE),
            entry("no promise", due=None, severity=Severity.MAJOR),
            entry("waiting longer", queued_at=NOW - 9 * MINUTE),
            entry("general"),
            entry("severe", severity=Severity.MAJOR),
            entry("overdue", due=NOW - 60 * MINUTE),
        ]
        assert [found.ticket_id for found in in_order(entries)] == [
            "overdue",
            "severe",
            "waiting longer",
            "general",
            "later",
            "no promise",
        ]

    def test_a_place_and_its_wait(self) -> None:
        entries = [entry("a", due=NOW), entry("b"), entry("c", due=None)]
        found = place(entries, "b", claims=claims(5, 10), now=NOW, window=WINDOW, cap=CAP)
        assert found is not None
        assert (found.position, found.length, found.wait) == (2, 3, 10 * MINUTE)

    def test_not_in_the_queue_any_more(self) -> None:
        assert place([entry("a")], "b", claims=[], now=NOW, window=WINDOW, cap=CAP) is None

    @given(
        st.permutations(
            [
                entry(name, due=due)
                for name, due in [("a", NOW), ("b", NOW), ("c", None), ("d", NOW - MINUTE)]
            ]
        )
    )
    def test_the_order_does_not_depend_on_the_input(self, entries: list[QueueEntry]) -> None:
        assert [found.ticket_id for found in in_order(entries)] == ["d", "a", "b", "c"]


class TestWait:
    @pytest.mark.parametrize(
        ("position", "ago", "expected"),
        [
            (1, (12, 8, 4), 4),
            (3, (12, 8, 4), 12),
            (1, (1, 1, 1, 1), 1),
            (2, (30, 10), 30),
            (1, (), None),
            (1, (5,), None),
            (1, (200, 190), None),
            (30, (60, 30), None),
        ],
    )
    def test_known_rates(self, position: int, ago: tuple[int, ...], expected: int | None) -> None:
        wait = expected_wait(position, claims=claims(*ago), now=NOW, window=WINDOW, cap=CAP)
        assert wait == (None if expected is None else expected * MINUTE)

    @given(st.lists(st.integers(0, 119), min_size=2, max_size=20), st.integers(1, 40))
    def test_further_back_never_waits_less(self, ago: list[int], position: int) -> None:
        def wait(place_: int) -> timedelta:
            found = expected_wait(
                place_, claims=claims(*ago), now=NOW, window=WINDOW, cap=timedelta(days=9)
            )
            assert found is not None
            return found

        assert MINUTE <= wait(position) <= wait(position + 1)


def engineer(name: str, **over: object) -> Engineer:
    base = Engineer(name, Level.FIRST, Presence.ONLINE, open_tickets=2, capacity=8)
    return replace(base, **over)  # type: ignore[arg-type]  # named by the tests


class TestPicking:
    WORK = Work(Level.FIRST, Severity.GENERAL, "禅城区", "项目库")

    def picked(self, *engineers: Engineer, work: Work = WORK, **options: Method) -> str | None:
        found = pick_engineer(engineers, work, **options)
        return found.id if found else None

    def test_the_least_loaded_then_the_longest_idle(self) -> None:
        busy = engineer("a", open_tickets=5)
        recent = engineer("b", last_assigned_at=NOW)
        idle = engineer("c", last_assigned_at=NOW - MINUTE)
        never = engineer("d")
        assert self.picked(busy, recent, idle) == "c"
        assert self.picked(busy, recent, idle, never) == "d"

    def test_load_is_relative_to_capacity(self) -> None:
        junior = engineer("a", open_tickets=2, capacity=3)
        senior = engineer("b", open_tickets=4, capacity=10)
        assert self.picked(junior, senior) == "b"

    def test_round_robin_forgets_the_load(self) -> None:
        busy = engineer("a", open_tickets=7, last_assigned_at=NOW - 9 * MINUTE)
        idle = engineer("b", open_tickets=0, last_assigned_at=NOW)
        assert self.picked(busy, idle, method=Method.ROUND_ROBIN) == "a"
        assert self.picked(busy, idle) == "b"

    @pytest.mark.parametrize(
        "unable",
        [
            engineer("x", open_tickets=8),
            engineer("x", level=Level.SECOND),
            engineer("x", presence=Presence.AWAY),
            engineer("x", presence=Presence.OFF),
            engineer("x", presence=Presence.ON_CALL),
            engineer("x", regions=frozenset({"南海区"})),
            engineer("x", modules=frozenset({"账户管理"})),
        ],
    )
    def test_who_cannot_take_it(self, unable: Engineer) -> None:
        assert self.picked(unable) is None
        assert self.picked(unable, engineer("able", open_tickets=7)) == "able"

    def test_experts_go_before_generalists(self) -> None:
        expert = engineer("a", modules=frozenset({"项目库"}), open_tickets=7)
        assert self.picked(engineer("b", open_tickets=0), expert) == "a"

    def test_on_call_is_for_what_cannot_wait(self) -> None:
        on_call = engineer("a", presence=Presence.ON_CALL)
        urgent = replace(self.WORK, severity=Severity.URGENT)
        assert self.picked(on_call, work=urgent) == "a"
        assert self.picked(on_call, engineer("b"), work=urgent) == "b"

    def test_a_ticket_without_module_goes_to_anybody(self) -> None:
        specialist = engineer("a", modules=frozenset({"账户管理"}))
        assert self.picked(specialist, work=replace(self.WORK, module=None)) == "a"

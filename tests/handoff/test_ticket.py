"""The transition table: its promises, and the page that is derived from it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoff.errors import IllegalTransition, NoHigherLevel, NotPermitted
from handoff.reference import transitions_page
from handoff.ticket import (
    FINAL_STATUSES,
    HOLDER_ACTIONS,
    OPEN_STATUSES,
    OPENED,
    PERFORMERS,
    TRANSITIONS,
    Action,
    Actor,
    ActorKind,
    Level,
    Status,
    allowed_actions,
    check_performer,
    level_above,
    next_status,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "ticket-transitions.md"

ENGINEER = Actor(ActorKind.ENGINEER, "e1", "陈工")


def test_the_documented_page_is_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == transitions_page()


def test_the_main_way() -> None:
    status = OPENED
    way = [
        (Action.ASSIGN, Status.DISPATCHED),
        (Action.CLAIM, Status.IN_PROGRESS),
        (Action.PAUSE, Status.SUSPENDED),
        (Action.RESUME, Status.IN_PROGRESS),
        (Action.RESOLVE, Status.RESOLVED),
        (Action.REOPEN, Status.DISPATCHED),
        (Action.CLAIM, Status.IN_PROGRESS),
        (Action.RESOLVE, Status.RESOLVED),
        (Action.CLOSE, Status.CLOSED),
    ]
    for action, expected in way:
        status = next_status(status, action)
        assert status is expected


@given(st.sampled_from(list(Status)), st.sampled_from(list(Action)))
def test_every_pair_is_decided_by_the_table_alone(status: Status, action: Action) -> None:
    if (status, action) in TRANSITIONS:
        assert next_status(status, action) is TRANSITIONS[(status, action)]
        assert action in allowed_actions(status)
    else:
        with pytest.raises(IllegalTransition) as refused:
            next_status(status, action)
        assert (refused.value.status, refused.value.action) == (status, action)
        assert action not in allowed_actions(status)


def test_final_statuses_are_left_by_nothing() -> None:
    for (status, _), end in TRANSITIONS.items():
        if status in FINAL_STATUSES:
            assert end is status


def test_every_status_is_reached_and_can_end() -> None:
    def reached(start: Status) -> set[Status]:
        seen, todo = {start}, [start]
        while todo:
            status = todo.pop()
            found = {end for (begin, _), end in TRANSITIONS.items() if begin is status} - seen
            seen |= found
            todo += found
        return seen

    assert reached(OPENED) == set(Status)
    for status in Status:
        assert reached(status) & FINAL_STATUSES


def test_a_claimed_ticket_cannot_be_claimed() -> None:
    assert (Status.IN_PROGRESS, Action.CLAIM) not in TRANSITIONS
    assert (Status.SUSPENDED, Action.CLAIM) not in TRANSITIONS


def test_every_action_has_performers_and_a_use() -> None:
    assert set(PERFORMERS) == set(Action)
    assert all(PERFORMERS[action] for action in Action)
    assert {action for _, action in TRANSITIONS} == set(Action) - {Action.OPEN}
    assert OPEN_STATUSES.isdisjoint(FINAL_STATUSES)
    assert all(ActorKind.ENGINEER in PERFORMERS[action] for action in HOLDER_ACTIONS)


def test_buttons_for_each_kind_of_actor() -> None:
    assert allowed_actions(Status.RESOLVED, ActorKind.USER) == (
        Action.ADD_INFORMATION,
        Action.REOPEN,
        Action.CLOSE,
    )
    assert Action.CLAIM not in allowed_actions(Status.NEW, ActorKind.USER)
    assert allowed_actions(Status.CLOSED, ActorKind.USER) == ()


def test_who_may_act() -> None:
    check_performer(Action.CLAIM, ENGINEER)
    with pytest.raises(NotPermitted) as refused:
        check_performer(Action.CLAIM, Actor(ActorKind.BOT, "bot", ""))
    assert (refused.value.action, refused.value.actor_kind) == (Action.CLAIM, ActorKind.BOT)
    assert ENGINEER.reference == "engineer:e1"


def test_escalation_goes_up_only() -> None:
    assert level_above(Level.FIRST) is Level.SECOND
    assert level_above(Level.FIRST, Level.PROVINCE) is Level.PROVINCE
    for level, wanted in [
        (Level.PROVINCE, None),
        (Level.SECOND, Level.FIRST),
        (Level.CITY, Level.CITY),
    ]:
        with pytest.raises(NoHigherLevel):
            level_above(level, wanted)

"""The answer cut keeps its promise on what it saw, and on what comes next."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.calibration_cuts import answer_cut
from kb.evaluation_curves import Outcome

OUTCOMES = st.lists(
    st.builds(
        lambda score, right: Outcome(score, right, True),
        st.floats(0.01, 1).map(lambda score: round(score, 2)),
        st.booleans(),
    ),
    max_size=200,
)


def drawn(chance: np.random.Generator, count: int) -> list[Outcome]:
    """Questions whose scores are true."""
    scores = chance.random(count)
    return [Outcome(float(score), bool(chance.random() < score), True) for score in scores]


def test_the_lowest_cut_that_keeps_the_target() -> None:
    good = [Outcome(0.9 - number / 1_000, True, True) for number in range(100)]
    bad = [Outcome(0.5 - number / 1_000, False, True) for number in range(100)]
    chosen = answer_cut(good + bad, 0.95)
    assert chosen is not None
    assert chosen.answered == 104  # (4 + 1) / (104 + 1) < 0.05 < (5 + 1) / (105 + 1)
    assert 0.496 < chosen.cut < 0.497
    assert chosen.coverage == pytest.approx(104 / 200)
    assert chosen.bound < chosen.precision


def test_too_few_right_answers_promise_nothing() -> None:
    assert answer_cut([], 0.95) is None
    assert answer_cut([Outcome(0.9, True, True)] * 18, 0.95) is None
    assert answer_cut([Outcome(0.9, True, True)] * 19, 0.95) is not None
    assert answer_cut([Outcome(0.9, False, True)] * 500, 0.5) is None


def test_the_bound_is_clopper_and_pearsons() -> None:
    chosen = answer_cut([Outcome(0.9, True, True)] * 45, 0.95)
    assert chosen is not None
    assert chosen.bound == pytest.approx(0.1 ** (1 / 45), abs=1e-6)


def test_the_promise_holds_for_questions_that_come_next() -> None:
    chance = np.random.default_rng(11)
    reached = []
    for _ in range(200):
        chosen = answer_cut(drawn(chance, 400), 0.9)
        if chosen is None:
            continue  # by chance an early mistake too many; nothing is promised then
        given_next = [one for one in drawn(chance, 2_000) if one.score >= chosen.cut]
        reached.append(np.mean([one.right for one in given_next]))
    assert len(reached) > 150
    assert np.mean(reached) >= 0.9


@settings(max_examples=60)
@given(OUTCOMES, st.floats(0.5, 0.99))
def test_what_is_chosen_keeps_the_target(outcomes: list[Outcome], target: float) -> None:
    chosen = answer_cut(outcomes, target)
    if chosen is not None:
        given_now = [one for one in outcomes if one.score >= chosen.cut]
        wrong = sum(not one.right for one in given_now)
        assert len(given_now) == chosen.answered
        assert (wrong + 1) / (len(given_now) + 1) <= 1 - target + 1e-9

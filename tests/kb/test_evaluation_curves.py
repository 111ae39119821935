"""Curves and reliability: known values, and what must hold for any outcomes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.evaluation_curves import (
    CURVE_POINTS,
    Outcome,
    calibration_error,
    coverage_precision,
    reliability,
)

OUTCOMES = st.lists(
    st.builds(
        lambda score, right, foreign: Outcome(score, right and not foreign, not foreign),
        st.floats(0, 1),
        st.booleans(),
        st.booleans(),
    ),
    max_size=300,
)


def test_a_known_curve() -> None:
    outcomes = [
        Outcome(0.9, True, True),
        Outcome(0.8, False, False),
        Outcome(0.8, True, True),
        Outcome(0.1, False, True),
    ]
    high, middle, low = coverage_precision(outcomes)
    assert (high.cut, high.coverage, high.precision) == (0.9, pytest.approx(1 / 3), 1.0)
    assert (middle.cut, middle.coverage) == (0.8, pytest.approx(2 / 3))
    assert middle.precision == pytest.approx(2 / 3)
    assert (low.coverage, low.precision) == (1.0, 0.5)


def test_weights_count() -> None:
    heavy = [Outcome(0.5, True, True, weight=3.0), Outcome(0.5, False, True)]
    assert coverage_precision(heavy)[0].precision == 0.75
    assert calibration_error(heavy) == pytest.approx(0.25)


def test_true_and_false_scores() -> None:
    honest = [Outcome(0.75, number < 3, True) for number in range(4)]
    assert calibration_error(honest) == pytest.approx(0.0)
    boasting = [Outcome(1.0, False, True)] * 5
    assert calibration_error(boasting) == pytest.approx(1.0)
    (only,) = reliability(boasting)
    assert (only.low, only.high, only.count, only.share_right) == (0.9, 1.0, 5, 0.0)


@given(OUTCOMES)
def test_a_lower_cut_covers_more(outcomes: list[Outcome]) -> None:
    points = coverage_precision(outcomes)
    assert len(points) <= CURVE_POINTS
    assert [one.cut for one in points] == sorted((one.cut for one in points), reverse=True)
    assert [one.coverage for one in points] == sorted(one.coverage for one in points)
    assert all(0 <= one.precision <= 1 for one in points)
    assert sum(one.count for one in reliability(outcomes)) == len(outcomes)
    assert 0 <= calibration_error(outcomes) <= 1

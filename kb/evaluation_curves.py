"""How far a score can be trusted: coverage against precision, and stated against found shares.

Pure counting over questions whose outcome is known. Refuses to choose a cut; `kb.calibration_cuts`
does that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Points of a curve that are kept: a plot shows no more.
CURVE_POINTS = 100
RELIABILITY_BINS = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question: its best candidate's score (0 to 1), whether that answers, whether any does.

    `weight` is what the question counts for.
    """

    score: float
    right: bool
    answerable: bool
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """With this cut: the share of answerable questions answered, and how many answers are right."""

    cut: float
    coverage: float
    precision: float


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Questions with a score from `low` to `high`: their mean score, and the share right."""

    low: float
    high: float
    count: int
    mean_score: float
    share_right: float


def coverage_precision(
    outcomes: Sequence[Outcome], points: int = CURVE_POINTS
) -> tuple[CurvePoint, ...]:
    """The curve from the highest cut to the lowest; equal scores are answered together."""
    if not outcomes:
        return ()
    order = np.argsort([-one.score for one in outcomes], kind="stable")
    scores, right, answerable, weights = _columns(outcomes, order)
    answered = np.cumsum(weights)
    correct = np.cumsum(weights * right)
    reached = np.cumsum(weights * answerable)
    last = np.flatnonzero(np.append(scores[:-1] != scores[1:], True))
    total = max(float(reached[-1]), 1e-12)
    chosen = last[
        np.unique(np.linspace(0, len(last) - 1, min(points, len(last))).round().astype(int))
    ]
    return tuple(
        CurvePoint(
            float(scores[place]),
            float(reached[place] / total),
            float(correct[place] / answered[place]),
        )
        for place in chosen
    )


def reliability(
    outcomes: Sequence[Outcome], bins: int = RELIABILITY_BINS
) -> tuple[ReliabilityBin, ...]:
    """Bins of equal width; those without a question are left out."""
    found = []
    for number, inside in enumerate(_binned(outcomes, bins)):
        total = sum(one.weight for one in inside)
        if total > 0:
            mean = sum(one.weight * one.score for one in inside) / total
            right = sum(one.weight * one.right for one in inside) / total
            edges = number / bins, (number + 1) / bins
            found.append(ReliabilityBin(*edges, len(inside), mean, right))
    return tuple(found)


def calibration_error(outcomes: Sequence[Outcome], bins: int = RELIABILITY_BINS) -> float:
    """The expected calibration error over bins of equal width (Guo et al. 2017); 0 for nothing."""
    total = sum(one.weight for one in outcomes)
    error = sum(
        abs(sum(one.weight * (one.score - one.right) for one in inside))
        for inside in _binned(outcomes, bins)
    )
    return error / total if total else 0.0


def _binned(outcomes: Sequence[Outcome], bins: int) -> list[list[Outcome]]:
    """By score; a score of 1 belongs to the last bin."""
    binned: list[list[Outcome]] = [[] for _ in range(bins)]
    for one in outcomes:
        binned[min(int(max(one.score, 0.0) * bins), bins - 1)].append(one)
    return binned


def _columns(
    outcomes: Sequence[Outcome], order: NDArray[np.int64]
) -> tuple[NDArray[np.float64], ...]:
    rows = np.array(
        [[one.score, one.right, one.answerable, one.weight] for one in outcomes], dtype=np.float64
    )[order]
    return tuple(rows.T)

"""Calibrates a deployment: fits the score map, chooses the cuts, and says what they come to.

Figures that are told are cross-checked: each fifth of the questions is judged by a fit on the
other four. Refuses with too few questions, and where no cut keeps the precision that is asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kb.calibration_cuts import AnswerCut, answer_cut
from kb.calibration_map import Asked, ScoreMap, fit_map
from kb.errors import CalibrationRefused
from kb.evaluation_curves import (
    CurvePoint,
    Outcome,
    ReliabilityBin,
    calibration_error,
    coverage_precision,
    reliability,
)
from kb.fusion import Cuts

#: With fewer questions the cuts would follow chance.
FEWEST_ANSWERABLE, FEWEST_UNANSWERABLE = 50, 20
#: Once scores are true, candidates are offered when the right one is as likely as not among them.
OFFER_FROM = 0.5
FOLDS = 5
_SEED = 20261121


@dataclass(frozen=True, slots=True)
class Measured:
    """What scores and cuts do: expected calibration error, shares, and what plots need."""

    error: float
    coverage: float
    precision: float
    curve: tuple[CurvePoint, ...]
    bins: tuple[ReliabilityBin, ...]


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The fit, and what was before and is after on questions that it has not seen."""

    score_map: ScoreMap
    cuts: Cuts
    chosen: AnswerCut
    answerable: int
    unanswerable: int
    before: Measured
    after: Measured


def calibrate(questions: Sequence[Asked], *, in_force: Cuts, target: float) -> Calibrated:
    """Fit on all questions; `in_force` are the cuts that unmapped scores are judged by now.

    Raises CalibrationRefused.
    """
    answerable = sum(one.answerable for one in questions)
    unanswerable = len(questions) - answerable
    if answerable < FEWEST_ANSWERABLE or unanswerable < FEWEST_UNANSWERABLE:
        raise CalibrationRefused("few", answerable=answerable, unanswerable=unanswerable)
    fitted = _fit(questions, target)
    if fitted is None:
        raise CalibrationRefused("target", answerable=answerable, unanswerable=unanswerable)
    score_map, chosen = fitted
    plain = [ScoreMap().outcome(one) for one in questions]
    return Calibrated(
        score_map=score_map,
        cuts=Cuts(chosen.cut, min(chosen.cut, OFFER_FROM)),
        chosen=chosen,
        answerable=answerable,
        unanswerable=unanswerable,
        before=_measured(plain, [one.score >= in_force.answer for one in plain]),
        after=_cross_checked(questions, target),
    )


def _fit(questions: Sequence[Asked], target: float) -> tuple[ScoreMap, AnswerCut] | None:
    score_map = fit_map(questions)
    chosen = answer_cut([score_map.outcome(one) for one in questions], target)
    return (score_map, chosen) if chosen else None


def _cross_checked(questions: Sequence[Asked], target: float) -> Measured:
    order = np.random.default_rng(_SEED).permutation(len(questions))
    outcomes: list[Outcome] = []
    direct: list[bool] = []
    for fold in range(FOLDS):
        unseen = set(order[fold::FOLDS].tolist())
        fitted = _fit([one for n, one in enumerate(questions) if n not in unseen], target)
        score_map, cut = (fitted[0], fitted[1].cut) if fitted else (ScoreMap(), 1.0)
        for number in sorted(unseen):
            outcome = score_map.outcome(questions[number])
            outcomes.append(outcome)
            direct.append(outcome.score >= cut)
    return _measured(outcomes, direct)


def _measured(outcomes: Sequence[Outcome], direct: Sequence[bool]) -> Measured:
    given = [one for one, is_direct in zip(outcomes, direct, strict=True) if is_direct]
    weight = sum(one.weight for one in given)
    answerable = sum(one.weight for one in outcomes if one.answerable)
    reached = sum(one.weight for one in given if one.answerable)
    return Measured(
        error=calibration_error(outcomes),
        coverage=reached / answerable if answerable else 0.0,
        precision=sum(one.weight for one in given if one.right) / weight if weight else 1.0,
        curve=coverage_precision(outcomes),
        bins=reliability(outcomes),
    )

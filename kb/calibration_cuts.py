"""Chooses from which score an answer is given directly.

The cut keeps a promise on the questions that it is chosen on, with one wrong answer added to those
that were seen: the correction by which conformal risk control holds for the next question too
(Angelopoulos et al. 2024), as long as users go on asking such questions in such a mix. Beside it
stands a lower bound that needs no such trust in one choice. Refuses to choose on too few.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kb.evaluation_curves import Outcome

#: How sure the stated lower bound of the precision is.
CONFIDENCE = 0.9


@dataclass(frozen=True, slots=True)
class AnswerCut:
    """A cut and what it did: shares of answerable questions answered, and of answers right.

    `bound` is the Clopper-Pearson lower bound of the precision at CONFIDENCE.
    """

    cut: float
    answered: int
    coverage: float
    precision: float
    bound: float


def answer_cut(outcomes: Sequence[Outcome], target: float) -> AnswerCut | None:
    """The lowest cut that keeps the precision at `target`; None when no cut does."""
    if not outcomes:
        return None
    order = np.argsort([-one.score for one in outcomes], kind="stable")
    ranked = [outcomes[place] for place in order]
    scores = np.array([one.score for one in ranked])
    weights = np.array([one.weight for one in ranked])
    wrong = np.cumsum(weights * [not one.right for one in ranked])
    answered = np.cumsum(weights)
    spare = float(weights.max())
    kept = (wrong + spare) / (answered + spare) <= 1.0 - target + 1e-12
    kept &= np.append(scores[:-1] != scores[1:], True)
    if not kept.any():
        return None
    last = int(np.flatnonzero(kept)[-1])
    return _described(ranked, last, _between(scores, last))


def _between(scores: np.ndarray, last: int) -> float:
    """Half-way to the next lower score, so that neither side depends on rounding."""
    below = float(scores[last + 1]) if last + 1 < len(scores) else 0.0
    middle = (float(scores[last]) + below) / 2
    return float(min(max(middle, 1e-6), 1.0 - 1e-9))


def _described(ranked: Sequence[Outcome], last: int, cut: float) -> AnswerCut:
    from scipy.stats import beta  # noqa: PLC0415  # large and rarely used

    given = ranked[: last + 1]
    weight = sum(one.weight for one in given)
    answerable = sum(one.weight for one in ranked if one.answerable)
    reached = sum(one.weight for one in given if one.answerable)
    precision = sum(one.weight for one in given if one.right) / weight
    # Weighted questions say as much as this many of equal weight (Kish).
    effective = weight**2 / sum(one.weight**2 for one in given)
    right = precision * effective
    bound = beta.ppf(1.0 - CONFIDENCE, right, effective - right + 1.0) if right > 0 else 0.0
    return AnswerCut(
        cut=cut,
        answered=len(given),
        coverage=reached / answerable if answerable else 0.0,
        precision=precision,
        bound=float(bound),
    )

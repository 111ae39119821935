"""Makes scores say how often they are right: two numbers laid over an index's fitted weights.

`scale` makes all differences larger or smaller (temperature scaling, Guo et al. 2017), `shift`
speaks for or against "none of them" (the offset of Platt's scaling). Within one question the order
of the candidates never changes. Fitted by maximum likelihood with a weak pull to changing nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kb.evaluation_curves import Outcome
from kb.fusion import Cuts, Floats, Fusion, Weights

#: How far the logarithm of the scale, and the shift, may go before it takes much evidence.
_SPREAD_SCALE, _SPREAD_SHIFT = 0.7, 3.0
_LEAST, _MOST = 0.05, 20.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: by how much each candidate's logit is above that of "none of them".

    `right` says which candidates answer it; none where it should not be answered.
    """

    margins: Floats
    right: NDArray[np.bool_]
    answerable: bool
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class ScoreMap:
    """The two numbers; (1, 0) changes nothing."""

    scale: float = 1.0
    shift: float = 0.0

    def probabilities(self, asked: Asked) -> Floats:
        """Per candidate the mapped probability that it answers."""
        logits = self.scale * asked.margins - self.shift
        highest = max(0.0, float(logits.max(initial=0.0)))
        exponentials = np.exp(logits - highest)
        return np.asarray(exponentials / (exponentials.sum() + np.exp(-highest)))

    def outcome(self, asked: Asked) -> Outcome:
        """What the best candidate comes to."""
        probabilities = self.probabilities(asked)
        if not len(probabilities):
            return Outcome(0.0, False, asked.answerable, asked.weight)
        best = int(probabilities.argmax())
        return Outcome(
            float(probabilities[best]), bool(asked.right[best]), asked.answerable, asked.weight
        )

    def applied(self, fusion: Fusion, cuts: Cuts) -> Fusion:
        """The same weights with mapped scores, and these cuts."""
        weights = fusion.weights
        scale = self.scale
        mapped = Weights(
            article=tuple(scale * value for value in weights.article),
            passage=tuple(scale * value for value in weights.passage),
            article_bias=scale * weights.article_bias,
            passage_bias=scale * weights.passage_bias,
            none=(scale * weights.none[0] + self.shift, *(scale * v for v in weights.none[1:])),
        )
        return replace(fusion, weights=mapped, cuts=cuts, unmapped=weights)


def margins_of(probabilities: Sequence[float]) -> Floats:
    """The margins of candidates whose unmapped probabilities, all of them, are these."""
    known = np.asarray(probabilities, dtype=np.float64)
    none = max(1.0 - float(known.sum()), 1e-12)
    return np.asarray(np.log(np.maximum(known, 1e-12)) - np.log(none))


def fit_map(questions: Sequence[Asked]) -> ScoreMap:
    """The map under which what is known of these questions is likeliest."""
    stacked = _Stacked([one for one in questions if len(one.margins)])
    from scipy.optimize import minimize  # noqa: PLC0415  # large and rarely used

    result = minimize(stacked.loss, np.zeros(2), method="Nelder-Mead")
    scale = float(np.clip(np.exp(result.x[0]), _LEAST, _MOST))
    return ScoreMap(scale, float(result.x[1]))


class _Stacked:
    """All candidates of all questions in one row; questions without any tell nothing."""

    def __init__(self, questions: Sequence[Asked]) -> None:
        sizes = np.array([len(one.margins) for one in questions], dtype=np.int64)
        self._starts = np.concatenate([[0], np.cumsum(sizes)])[:-1].astype(np.int64)
        self._sizes = sizes
        nothing = np.zeros(0)
        self._margins = np.concatenate([nothing, *(one.margins for one in questions)])
        self._right = np.concatenate([nothing, *(one.right for one in questions)])
        self._weights = np.array([one.weight for one in questions])
        self._is_found = np.array([bool(one.right.any()) for one in questions], bool)

    def loss(self, packed: Floats) -> float:
        """Negative log-likelihood, and the pull to changing nothing."""
        loss = 0.5 * (packed[0] / _SPREAD_SCALE) ** 2 + 0.5 * (packed[1] / _SPREAD_SHIFT) ** 2
        if not len(self._sizes):
            return float(loss)
        logits = float(np.exp(np.clip(packed[0], -3.0, 3.0))) * self._margins - packed[1]
        highest = np.maximum(np.maximum.reduceat(logits, self._starts), 0.0)
        exponentials = np.exp(logits - np.repeat(highest, self._sizes))
        none = np.exp(-highest)
        # A right answer that is no candidate cannot be found by any map: nothing here answers.
        right = np.add.reduceat(exponentials * self._right, self._starts)
        likely = np.where(self._is_found, right, none)
        share = likely / (np.add.reduceat(exponentials, self._starts) + none)
        return float(loss - self._weights @ np.log(np.maximum(share, 1e-12)))

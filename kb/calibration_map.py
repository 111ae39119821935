"""Makes scores say how often they are right: two numbers laid over an index's fitted weights.

`scale` makes all differences larger or smaller (temperature scaling, Guo et al. 2017), `shift`
speaks for or against "none of them" (the offset of Platt's scaling). Within one question the order
of the candidates never changes. Fitted by maximum likelihood with a weak pull to changing nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

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
    result = minimize(_loss, np.zeros(2), args=(questions,), method="Nelder-Mead")
    scale = float(np.clip(np.exp(result.x[0]), _LEAST, _MOST))
    return ScoreMap(scale, float(result.x[1]))


def _loss(packed: Floats, questions: Sequence[Asked]) -> float:
    score_map = ScoreMap(float(np.exp(np.clip(packed[0], -3.0, 3.0))), float(packed[1]))
    loss = 0.5 * (packed[0] / _SPREAD_SCALE) ** 2 + 0.5 * (packed[1] / _SPREAD_SHIFT) ** 2
    for asked in questions:
        probabilities = score_map.probabilities(asked)
        # A right answer that is no candidate cannot be found by any map: nothing here answers.
        likely = probabilities[asked.right].sum() if asked.right.any() else 1 - probabilities.sum()
        loss -= asked.weight * np.log(max(float(likely), 1e-12))
    return float(loss)

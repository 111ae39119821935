"""Fits the weights of the signals and the cuts of the bands on questions whose answer is known.

The questions are held out of the index they are asked of, some with their whole entry, so that
"none of them" is learnt too. Nothing here is guessed; with too few questions the shipped weights,
fitted on the sample content, are kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from kb.fusion import QUERY_SIGNALS, SIGNALS, Cuts, Floats, Fusion, Weights, scores
from kb.search_index import Hits

#: With fewer labelled questions of either sort the fit would follow chance.
FEWEST_SAMPLES = 30
#: How strongly fitted weights are drawn to the shipped ones, per spread of their signal.
_PRIOR = 0.01
#: A signal that hardly varies here must not take on any weight.
_LEAST_SPREAD = 0.02
#: The questions that nothing answers count for this share of all in the fit.
UNANSWERABLE_SHARE = 0.3

DEFAULT = Fusion(
    Weights(
        article=(4.0, 4.0, 3.0, 1.0, 2.0, 2.0, 2.0, 1.0),
        passage=(2.0, 2.0, 4.0, 8.0, 2.0, 2.0, 2.0, 4.0),
        article_bias=0.0,
        passage_bias=0.0,
        none=(5.0, 2.0, 2.0),
    ),
    Cuts(answer=0.6, offer=0.35),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A question's candidates; `gold` is the row of its answer, None when nothing answers it."""

    hits: Hits
    gold: int | None

    @property
    def place(self) -> int | None:
        """Where the answer is among the candidates, if it is."""
        if self.gold is None:
            return None
        found = np.flatnonzero(self.hits.answers == self.gold)
        return int(found[0]) if len(found) else None


def fit(samples: Sequence[Sample], *, precision: float, prior: Fusion = DEFAULT) -> Fusion:
    """Weights and cuts for the samples; `precision` is wanted of direct answers."""
    answerable = sum(sample.gold is not None for sample in samples)
    if min(answerable, len(samples) - answerable) < FEWEST_SAMPLES:
        return prior
    weights = fit_weights(samples, prior.weights)
    return Fusion(weights, fit_cuts(samples, weights, precision))


def fit_weights(samples: Sequence[Sample], prior: Weights) -> Weights:
    """Maximum likelihood of the right candidate, or of none, drawn gently to the prior."""
    problem = _Problem(samples)
    start = _pack(prior)
    result = minimize(
        problem.loss, start, args=(start,), jac=True, method="L-BFGS-B", options={"maxiter": 300}
    )
    return _unpack(result.x)


def fit_cuts(samples: Sequence[Sample], weights: Weights, precision: float) -> Cuts:
    """The lowest answer cut that reaches the precision, and the best split for offering."""
    shares = _sample_weights(samples)
    ranked = [_ranked(sample, weights) for sample in samples]
    first = np.array([row[0] for row in ranked])
    right = np.array([row[1] for row in ranked])
    answer = _precise_cut(first, right, shares, precision)
    joint = np.array([row[2] for row in ranked])
    useful = np.array([row[3] for row in ranked])
    return Cuts(answer=answer, offer=min(answer, _balanced_cut(joint, useful, shares)))


def _ranked(sample: Sample, weights: Weights) -> tuple[float, bool, float, bool]:
    """First score, whether it is right; joint score of three, whether the answer is there."""
    hits = sample.hits
    if not len(hits.answers):
        return 0.0, False, 0.0, False
    scored = scores(weights, hits.signals, hits.is_passage, hits.query)
    order = np.argsort(-scored, kind="stable")[:3]
    golds = [hits.answers[place] == sample.gold for place in order]
    return float(scored[order[0]]), bool(golds[0]), float(scored[order].sum()), any(golds)


def _precise_cut(
    values: Floats, right: NDArray[np.bool_], shares: Floats, precision: float
) -> float:
    order = np.argsort(-values, kind="stable")
    reached = np.cumsum((right * shares)[order]) / np.cumsum(shares[order])
    enough = np.flatnonzero(reached >= precision)
    return float(values[order][enough[-1]]) if len(enough) else 1.0


def _balanced_cut(values: Floats, useful: NDArray[np.bool_], shares: Floats) -> float:
    """The cut with the highest sum of hit rate and correct refusal rate."""
    order = np.argsort(-values, kind="stable")
    kept = (useful * shares)[order].cumsum() / max((useful * shares).sum(), 1e-9)
    wrong = (~useful * shares)[order].cumsum() / max((~useful * shares).sum(), 1e-9)
    return float(values[order][int(np.argmax(kept - wrong))])


def _sample_weights(samples: Sequence[Sample]) -> Floats:
    """Weights that sum to 1, the unanswerable together to their share."""
    answerable = np.array([sample.gold is not None for sample in samples])
    share = np.where(
        answerable,
        (1.0 - UNANSWERABLE_SHARE) / max(answerable.sum(), 1),
        UNANSWERABLE_SHARE / max((~answerable).sum(), 1),
    )
    return np.asarray(share / share.sum())


class _Problem:
    """All candidates of all samples in one matrix, each sample closed by its "none" row."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        rows = [_design(sample) for sample in samples]
        self._design = np.concatenate(rows)
        sizes = np.array([len(row) for row in rows])
        self._starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        self._sizes = sizes
        places = [sample.place for sample in samples]
        self._gold = self._starts + np.array(
            [
                size - 1 if place is None else place
                for size, place in zip(sizes, places, strict=True)
            ]
        )
        self._shares = _sample_weights(samples)
        self._pull = _PRIOR * np.maximum(self._design.std(axis=0), _LEAST_SPREAD) ** 2

    def loss(self, packed: Floats, prior: Floats) -> tuple[float, Floats]:
        """Mean negative log-likelihood plus the pull to the prior, and its gradient."""
        logits = self._design @ packed
        highest = np.maximum.reduceat(logits, self._starts)
        exponentials = np.exp(logits - np.repeat(highest, self._sizes))
        sums = np.add.reduceat(exponentials, self._starts)
        value = float(self._shares @ (np.log(sums) + highest - logits[self._gold]))
        expected = exponentials / np.repeat(sums / self._shares, self._sizes)
        expected[self._gold] -= self._shares
        away = packed - prior
        gradient = self._design.T @ expected + 2.0 * self._pull * away
        return value + float(self._pull @ away**2), np.asarray(gradient)


def _design(sample: Sample) -> Floats:
    """One row per candidate, then the row of "none"; columns as `_pack` orders the weights."""
    hits, count = sample.hits, len(SIGNALS)
    rows = np.zeros((len(hits.answers) + 1, 2 * count + 2 + len(QUERY_SIGNALS)))
    passage = hits.is_passage
    rows[:-1, :count] = hits.signals * ~passage[:, None]
    rows[:-1, count] = ~passage
    rows[:-1, count + 1 : 2 * count + 1] = hits.signals * passage[:, None]
    rows[:-1, 2 * count + 1] = passage
    rows[-1, 2 * count + 2 :] = hits.query
    return rows


def _pack(weights: Weights) -> Floats:
    return np.array(
        [
            *weights.article,
            weights.article_bias,
            *weights.passage,
            weights.passage_bias,
            *weights.none,
        ]
    )


def _unpack(packed: Floats) -> Weights:
    count = len(SIGNALS)
    values = [float(value) for value in packed]
    return Weights(
        article=tuple(values[:count]),
        article_bias=values[count],
        passage=tuple(values[count + 1 : 2 * count + 1]),
        passage_bias=values[2 * count + 1],
        none=tuple(values[2 * count + 2 :]),
    )

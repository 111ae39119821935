"""Fits the weights of the signals on questions whose answer is known.

The questions are held out of the index they are asked of, some with their whole entry, so that
"none of them" is learnt too. With few questions the fit stays near the shipped weights, with too
few it is left out; see ADR 7 for where those weights and the cuts come from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from kb.fusion import QUERY_SIGNALS, SIGNALS, Cuts, Floats, Fusion, Weights
from kb.search_index import Hits


class Asked(StrEnum):
    """Where a held-out question comes from."""

    ANSWERED = "answered"  # its entry is in the index
    REMOVED = "removed"  # its entry was taken out: the hardest to refuse
    FOREIGN = "foreign"  # an everyday question that no entry was ever about


#: What each sort of question counts for in the fit, however many of it there are.
SHARES: Mapping[Asked, float] = {Asked.ANSWERED: 0.7, Asked.REMOVED: 0.2, Asked.FOREIGN: 0.1}
#: With fewer labelled questions of either sort the fit would follow chance.
FEWEST_SAMPLES = 30
#: How strongly fitted weights are drawn to the shipped ones, per spread of their signal.
_PULL = 0.06
#: A signal that hardly varies here must not take on any weight.
_LEAST_SPREAD = 0.02

#: Where every fit starts, and what is used as it is while there are too few questions to fit on.
#: Articles come first: among many of them a passage must fit well to be the better answer.
PRIOR = Weights(
    article=(4.0, 4.0, 3.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 0.5, 0.5, 0.5, 1.0),
    passage=(0.0, 1.4, 13.3, 8.5, 3.0, 0.0, 4.0, 0.0, 0.3, 7.5, 5.4, 22.8, 10.8, 2.0),
    article_bias=0.0,
    passage_bias=3.7,
    none=(5.0, 2.0, 2.0, 2.0, 2.0),
)
#: For guides, alone or with a few articles, which bring no questions to fit on: fitted on the dev
#: split of `data/evaluation/questions.tsv` over the sample guides.
GUIDES_ONLY = Weights(
    article=PRIOR.article,
    passage=(0.0, 0.0, 6.6, 0.0, 0.0, 0.0, 7.1, 0.0, 0.0, 19.4, 3.0, 29.9, 0.0, 1.5),
    article_bias=0.0,
    passage_bias=8.0,
    none=(6.6, 3.9, 2.4, 0.0, 9.9),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A question's candidates; `gold` is the row of its answer, None when nothing answers it."""

    hits: Hits
    gold: int | None
    asked: Asked

    @property
    def place(self) -> int | None:
        """Where the answer is among the candidates, if it is."""
        if self.gold is None:
            return None
        found = np.flatnonzero(self.hits.answers == self.gold)
        return int(found[0]) if len(found) else None


def fit(samples: Sequence[Sample], cuts: Cuts, prior: Weights = PRIOR) -> Fusion:
    """The weights that make the right candidate, or none, likeliest; drawn to the prior."""
    answered = sum(sample.gold is not None for sample in samples)
    if min(answered, len(samples) - answered) < FEWEST_SAMPLES:
        return Fusion(prior, cuts)
    problem = _Problem([_without_passages(sample) for sample in samples])
    start = _pack(prior)
    from scipy.optimize import minimize  # noqa: PLC0415  # large and rarely used

    result = minimize(
        problem.loss, start, args=(start,), jac=True, method="L-BFGS-B", options={"maxiter": 400}
    )
    return Fusion(_unpack(result.x), cuts)


def _without_passages(sample: Sample) -> Sample:
    """A question whose entry was removed may well be answered by a passage that stayed."""
    if sample.asked is not Asked.REMOVED:
        return sample
    return Sample(sample.hits.only(~sample.hits.is_passage), sample.gold, sample.asked)


def _sample_weights(samples: Sequence[Sample]) -> Floats:
    """Weights that sum to 1; each sort of question has its share."""
    counts = {asked: sum(sample.asked is asked for sample in samples) for asked in Asked}
    weights = np.array([SHARES[sample.asked] / counts[sample.asked] for sample in samples])
    return np.asarray(weights / weights.sum())


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
        self._pull = _PULL * np.maximum(self._design.std(axis=0), _LEAST_SPREAD) ** 2

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

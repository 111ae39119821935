"""Brings the signals of the two searches together to one score between 0 and 1.

The score of a candidate is the probability that it answers the question: a softmax over the
candidates and the possibility that none of them does. Pure arithmetic; what weighs how much is
fitted elsewhere (`kb.calibration`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: What is known of one candidate, each 0 to 1, then how far each is behind the best candidate's.
SIGNALS = (
    "dense_best",  # likeness of its most similar question, heading or sentence
    "dense_mean",  # likeness of all of them together
    "head",  # BM25 on questions or headings
    "body",  # BM25 on all its words
    "window",  # BM25 on its best sentence or two, title included
    "sound",  # BM25 on how it is pronounced
    "covered",  # how much of what the question is about its words hold
    "behind_dense_best",
    "behind_dense_mean",
    "behind_head",
    "behind_body",
    "behind_window",
    "behind_sound",
    "behind_covered",
)
#: What is known of the question as a whole, towards "none of them".
QUERY_SIGNALS = (
    "constant",
    "unknown_characters",
    "unknown_pairs",
    "unknown_words",
    "shortness",
)


class Band(StrEnum):
    """What the bot may do with a result."""

    ANSWER = "answer"
    OFFER = "offer"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Weights:
    """One weight per signal, for articles and for passages, and those of "none of them"."""

    article: tuple[float, ...]
    passage: tuple[float, ...]
    article_bias: float
    passage_bias: float
    none: tuple[float, ...]

    def __post_init__(self) -> None:
        sizes = (len(self.article), len(self.passage), len(self.none))
        if sizes != (len(SIGNALS), len(SIGNALS), len(QUERY_SIGNALS)):
            raise ValueError(f"weights for other signals than these: {sizes}")


@dataclass(frozen=True, slots=True)
class Cuts:
    """`answer`: the first candidate's score from which it is given as the answer.

    `offer`: the joint score of the first three from which they are offered instead.
    """

    answer: float
    offer: float

    def band(self, scores: Floats) -> Band:
        """The band for scores in descending order."""
        if len(scores) and scores[0] >= self.answer:
            return Band.ANSWER
        if len(scores) and float(scores[:3].sum()) >= self.offer:
            return Band.OFFER
        return Band.NONE


@dataclass(frozen=True, slots=True)
class Fusion:
    """Fitted weights and cuts, as an index keeps them.

    `unmapped` are the weights before a deployment's calibration; None where none is in force.
    """

    weights: Weights
    cuts: Cuts
    unmapped: Weights | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, signals by name."""
        return {"signals": list(SIGNALS), "query_signals": list(QUERY_SIGNALS)} | asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The inverse; a signal that is newer than the fit weighs nothing.

        Raises ValueError when it was fitted for signals that there are no longer.
        """
        signals = content["signals"]
        is_known = set(signals) <= set(SIGNALS)
        if not is_known or tuple(content["query_signals"]) != QUERY_SIGNALS:
            raise ValueError("the fusion was fitted for other signals")
        weights = content["weights"]
        return cls(
            Weights(
                article=_placed(signals, weights["article"]),
                passage=_placed(signals, weights["passage"]),
                article_bias=weights["article_bias"],
                passage_bias=weights["passage_bias"],
                none=tuple(weights["none"]),
            ),
            Cuts(**content["cuts"]),
        )


def _placed(signals: Sequence[str], weights: Sequence[float]) -> tuple[float, ...]:
    """Weights in the order of `SIGNALS`."""
    named = dict(zip(signals, weights, strict=True))
    return tuple(named.get(signal, 0.0) for signal in SIGNALS)


def scores(
    weights: Weights, signals: Floats, is_passage: NDArray[np.bool_], query: Floats
) -> Floats:
    """Per candidate the probability that it answers; they add up to less than 1.

    `signals` has one row per candidate, `query` holds the query's signals.
    """
    article = signals @ np.asarray(weights.article) + weights.article_bias
    passage = signals @ np.asarray(weights.passage) + weights.passage_bias
    logits = np.where(is_passage, passage, article)
    none = float(query @ np.asarray(weights.none))
    highest = max(none, float(logits.max(initial=none)))
    exponentials = np.exp(logits - highest)
    return np.asarray(exponentials / (exponentials.sum() + np.exp(none - highest)))


def shown_scores(ranked: Floats, is_passage: NDArray[np.bool_]) -> Floats:
    """The scores that candidates are shown with, for probabilities in descending order.

    An article's is its probability. Guides say the same thing in several places, so a passage is
    shown with the probability that it or one of the passages ranked after it answers. Never more
    than the candidate before.
    """
    together = np.where(is_passage, ranked, 0.0)[::-1].cumsum()[::-1]
    shown = np.where(is_passage, together, ranked)
    return np.asarray(np.minimum.accumulate(shown)) if len(shown) else shown

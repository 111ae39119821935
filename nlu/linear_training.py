"""Fits the linear classifier of :mod:`nlu.linear`: one linear support-vector machine a label.

Their margins become probabilities by one temperature, fitted on held-out folds. Deterministic.

Refuses to choose its own training data or to save anything.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix
from scipy.special import logsumexp
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from nlu.errors import TrainingFailed
from nlu.features import MARK_WEIGHT, grams, mark_features
from nlu.linear import Floats, LinearModel, text_vector

_SEED = 20261121
_FOLDS = 5


@dataclass(frozen=True, slots=True)
class LinearOptions:
    """How to fit.

    ``min_texts`` is in how many texts an n-gram must occur to be a feature. ``balance`` evens out
    the labels: 1 gives each the same weight however rare it is, 0 each text.
    """

    penalty_inverse: float = 1.0
    min_texts: int = 2
    balance: float = 1.0


def fit_linear(
    texts: Sequence[str],
    labels: Sequence[str],
    options: LinearOptions | None = None,
    *,
    weights: Sequence[float] | None = None,
) -> LinearModel:
    """A calibrated model of folded texts; ``weights`` is how much each of them counts, else 1.

    Raises TrainingFailed with fewer than two labels, which leaves nothing to tell apart.
    """
    chosen = options or LinearOptions()
    names = tuple(sorted(set(labels)))
    if len(names) < 2:
        raise TrainingFailed(f"{len(names)} label(s) in {len(texts)} examples")
    vocabulary, idf = _vocabulary(texts, chosen.min_texts)
    matrix = _matrix(texts, vocabulary, idf)
    targets = np.array([names.index(label) for label in labels])
    material = Material(matrix, targets, np.array(weights or [1.0] * len(texts)), len(names))
    fitted, bias = _fit(material, chosen)
    return LinearModel(names, vocabulary, idf, fitted, bias, _temperature(material, chosen))


@dataclass(frozen=True, slots=True)
class Material:
    """Texts as rows of features, the place of each one's label and its weight.

    ``labels`` is how many labels there are; a part of the texts may lack some.
    """

    matrix: csr_matrix
    targets: NDArray[np.int64]
    weights: NDArray[np.float64]
    labels: int

    def part(self, rows: NDArray[np.int64]) -> "Material":
        """Some of the texts."""
        return Material(self.matrix[rows], self.targets[rows], self.weights[rows], self.labels)


def _vocabulary(texts: Sequence[str], min_texts: int) -> tuple[dict[str, int], Floats]:
    """The features, and the smoothed inverse document frequency of each (a mark's weight)."""
    spread = Counter(gram for text in texts for gram in set(grams(text)))
    kept = sorted(gram for gram, times in spread.items() if times >= min(min_texts, len(texts)))
    rarity = [np.log((1 + len(texts)) / (1 + spread[gram])) + 1 for gram in kept]
    marked = sorted({mark for text in texts for mark in mark_features(text)})
    weights = [*rarity, *(MARK_WEIGHT for _ in marked)]
    places = {feature: place for place, feature in enumerate([*kept, *marked])}
    return places, np.array(weights, dtype=np.float32)


def _matrix(texts: Sequence[str], vocabulary: dict[str, int], idf: Floats) -> csr_matrix:
    rows = [text_vector(text, vocabulary, idf) for text in texts]
    ends = np.cumsum([0, *(len(places) for places, _ in rows)])
    places = np.concatenate([places for places, _ in rows])
    values = np.concatenate([values for _, values in rows])
    return csr_matrix((values, places, ends), shape=(len(texts), len(vocabulary)))


def _fit(material: Material, options: LinearOptions) -> tuple[Floats, Floats]:
    """Weights (features, labels) and bias. Labels that no target has get a hopeless bias."""
    often = np.bincount(material.targets, minlength=material.labels)
    rarity = len(material.targets) / (np.count_nonzero(often) * np.maximum(often, 1))
    model = LinearSVC(
        C=options.penalty_inverse,
        class_weight=dict(enumerate(rarity**options.balance)),
        random_state=_SEED,
    )
    model.fit(material.matrix, material.targets, sample_weight=material.weights)
    weights = np.zeros((material.matrix.shape[1], material.labels), dtype=np.float32)
    bias = np.full(material.labels, -30.0, dtype=np.float32)
    present = model.classes_
    if len(present) == 2:
        # scikit-learn keeps one row for two classes; the softmax needs both.
        weights[:, present] = np.stack([-model.coef_[0], model.coef_[0]], axis=1)
        bias[present] = np.array([-model.intercept_[0], model.intercept_[0]])
    else:
        weights[:, present] = model.coef_.T
        bias[present] = model.intercept_
    return weights, bias


def _temperature(material: Material, options: LinearOptions) -> float:
    """The temperature that makes held-out probabilities most likely; 1 where it cannot be told."""
    scores = cross_scores(material, options)
    if scores is None:
        return 1.0
    targets = material.targets

    def loss(log_temperature: float) -> float:
        scaled = scores / np.exp(log_temperature)
        chosen = scaled[np.arange(len(targets)), targets]
        return float(np.mean(logsumexp(scaled, axis=1) - chosen))

    fitted = minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded")
    return float(np.exp(fitted.x))


def cross_scores(material: Material, options: LinearOptions) -> NDArray[np.float64] | None:
    """Scores of every row by a model that has not seen it; None with too few rows of a label."""
    if np.bincount(material.targets, minlength=material.labels).min() < _FOLDS:
        return None
    scores = np.zeros((len(material.targets), material.labels))
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=_SEED)
    for seen, unseen in folds.split(material.matrix, material.targets):
        weights, bias = _fit(material.part(seen), options)
        scores[unseen] = material.matrix[unseen] @ weights + bias
    return scores

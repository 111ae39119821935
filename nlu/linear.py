"""A linear classifier over text features, in numpy alone, and its safe file format.

Loads from ``json`` and ``npz`` without unpickling anything, in milliseconds. Training needs a
library and lives in :mod:`nlu.linear_training`. Labels are plain strings: any domain's will do.
"""

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from nlu.errors import ModelUnreadable
from nlu.features import VERSION, grams, mark_features

MANIFEST_FILE = "manifest.json"
VOCABULARY_FILE = "vocabulary.json"
WEIGHTS_FILE = "weights.npz"

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Weights of shape (features, labels) over TF-IDF n-grams and marks; see `text_vector`.

    ``temperature`` turns scores into calibrated probabilities: softmax(scores / temperature).
    """

    labels: tuple[str, ...]
    vocabulary: Mapping[str, int]
    idf: Floats
    weights: Floats
    bias: Floats
    temperature: float

    def probabilities(self, folded: str) -> Floats:
        """One probability for each label; the base rates for a text of unknown features."""
        scores = self.scores(folded) / self.temperature
        exponents = np.exp(scores - scores.max())
        shares: Floats = exponents / exponents.sum()
        return shares

    def scores(self, folded: str) -> Floats:
        """One uncalibrated score for each label."""
        places, values = self.vector(folded)
        if not len(places):
            return self.bias
        scores: Floats = values @ self.weights[places] + self.bias
        return scores

    def vector(self, folded: str) -> tuple[NDArray[np.int64], Floats]:
        """The places and values of a text's known features; may be empty."""
        return text_vector(folded, self.vocabulary, self.idf)

    def telling(self, folded: str, label: str) -> str:
        """The words of the text that speak most for a label against the others; may be empty."""
        column = self.labels.index(label)
        places, values = self.vector(folded)
        rows = self.weights[places]
        gains = values * (rows[:, column] - rows.mean(axis=1))
        strength = dict(zip(places.tolist(), gains.tolist(), strict=True))
        spoken = {
            gram: strength[place]
            for gram in grams(folded)
            if len(gram) > 1 and (place := self.vocabulary.get(gram)) is not None and gram in folded
        }
        best = max(spoken, key=lambda gram: spoken[gram], default="")
        return best if best and spoken[best] > 0 else ""

    def save(self, folder: Path) -> None:
        """Write the model's files into an existing folder."""
        manifest = {
            "features": VERSION,
            "labels": list(self.labels),
            "temperature": self.temperature,
            "vocabulary": len(self.vocabulary),
        }
        ordered = sorted(self.vocabulary, key=self.vocabulary.__getitem__)
        _write_json(folder / MANIFEST_FILE, manifest)
        _write_json(folder / VOCABULARY_FILE, ordered)
        np.savez(folder / WEIGHTS_FILE, idf=self.idf, weights=self.weights, bias=self.bias)

    @classmethod
    def load(cls, folder: Path) -> "LinearModel":
        """Read what :meth:`save` wrote. Raises ModelUnreadable for anything else."""
        try:
            manifest = json.loads((folder / MANIFEST_FILE).read_text("utf-8"))
            ordered = json.loads((folder / VOCABULARY_FILE).read_text("utf-8"))
            with np.load(folder / WEIGHTS_FILE, allow_pickle=False) as arrays:
                idf, weights, bias = arrays["idf"], arrays["weights"], arrays["bias"]
            model = cls(
                tuple(manifest["labels"]),
                {gram: place for place, gram in enumerate(ordered)},
                idf,
                weights,
                bias,
                float(manifest["temperature"]),
            )
        except (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile) as unreadable:
            raise ModelUnreadable(
                folder, f"{type(unreadable).__name__}: {unreadable}"
            ) from unreadable
        _check(model, manifest, folder)
        return model


def text_vector(
    folded: str, vocabulary: Mapping[str, int], idf: Floats
) -> tuple[NDArray[np.int64], Floats]:
    """A folded text's features, as places and values; none where no n-gram is known.

    The n-grams are a sublinear TF-IDF vector of length one; each mark of the text stands beside it
    with its own weight, so that it counts the same in a long message as in a short one.
    """
    counts: Counter[int] = Counter()
    for gram in grams(folded):
        place = vocabulary.get(gram)
        if place is not None:
            counts[place] += 1
    places = np.fromiter(counts.keys(), dtype=np.int64, count=len(counts))
    tally = (1.0 + math.log(times) for times in counts.values())
    values: Floats = np.fromiter(tally, dtype=np.float32, count=len(counts)) * idf[places]
    length = float(np.sqrt(values @ values))
    if not length:
        return places, values
    marked = np.array(_known_marks(folded, vocabulary), dtype=np.int64)
    unit: Floats = values / np.float32(length)
    return np.concatenate([places, marked]), np.concatenate([unit, idf[marked]])


def _known_marks(folded: str, vocabulary: Mapping[str, int]) -> list[int]:
    features = mark_features(folded)
    return [vocabulary[feature] for feature in features if feature in vocabulary]


def _check(model: LinearModel, manifest: Mapping[str, Any], folder: Path) -> None:
    features, labels = len(model.vocabulary), len(model.labels)
    shapes = (model.idf.shape, model.weights.shape, model.bias.shape)
    if manifest.get("features") != VERSION:
        raise ModelUnreadable(folder, f"features of version {manifest.get('features')}")
    if not labels or shapes != ((features,), (features, labels), (labels,)):
        raise ModelUnreadable(folder, f"shapes {shapes} for {features} features, {labels} labels")
    if not model.temperature > 0 or not all(np.isfinite(a).all() for a in (model.idf, model.bias)):
        raise ModelUnreadable(folder, "numbers out of range")


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

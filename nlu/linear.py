"""A linear classifier over text features, in numpy alone, and its safe file format.

Loads from ``json`` and ``npz`` without unpickling anything, in milliseconds. Training needs a
library and lives in :mod:`nlu.linear_training`. Labels are plain strings: any domain's will do.
"""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
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

#: No word of evidence begins or ends with these: "户的" tells nobody anything.
_BOUND = frozenset("的地得了着过吗呢吧啊呀嘛么是和与跟我你您他她它们这那哪就都也还把被给请个")


@dataclass(frozen=True, slots=True)
class Reading:
    """The features of one text that a model knows, read once for all that is asked about them."""

    folded: str
    grams: Sequence[str]
    places: NDArray[np.int64]
    values: Floats


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

    def read(self, folded: str) -> Reading:
        """The known features of a text; there may be none."""
        spelled = grams(folded)
        return Reading(folded, spelled, *_vector(folded, spelled, self.vocabulary, self.idf))

    def probabilities(self, text: str | Reading) -> Floats:
        """One probability for each label; the base rates for a text of unknown features."""
        reading = self.read(text) if isinstance(text, str) else text
        scores = self._scores(reading) / self.temperature
        exponents = np.exp(scores - scores.max())
        shares: Floats = exponents / exponents.sum()
        return shares

    def telling(self, text: str | Reading, label: str) -> str:
        """The words of the text that speak most for a label against the others; may be empty.

        They are an n-gram of it, none that begins or ends with a character that only binds words.
        """
        reading = self.read(text) if isinstance(text, str) else text
        column = self.labels.index(label)
        rows = self.weights[reading.places]
        gains = reading.values * (rows[:, column] - rows.mean(axis=1))
        strength = dict(zip(reading.places.tolist(), gains.tolist(), strict=True))
        spoken = {
            gram: strength[place]
            for gram in reading.grams
            if len(gram) > 1
            and gram.isalnum()
            and not _BOUND & {gram[0], gram[-1]}
            and (place := self.vocabulary.get(gram)) is not None
            and gram in reading.folded
        }
        best = max(spoken, key=lambda gram: spoken[gram], default="")
        return best if best and spoken[best] > 0 else ""

    def _scores(self, reading: Reading) -> Floats:
        if not len(reading.places):
            return self.bias
        scores: Floats = reading.values @ self.weights[reading.places] + self.bias
        return scores

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
    return _vector(folded, grams(folded), vocabulary, idf)


def _vector(
    folded: str, spelled: Sequence[str], vocabulary: Mapping[str, int], idf: Floats
) -> tuple[NDArray[np.int64], Floats]:
    counts: Counter[int] = Counter()
    for gram in spelled:
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

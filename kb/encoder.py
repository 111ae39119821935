"""The default embedding model at search time: a bag of features, each with a trained vector.

Sums rows of a table in numpy; needs neither torch nor sentence-transformers, which know the same
model as `kb.encoder_module.NgramBag`. Knows nothing of training or of indexes.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file as load_arrays

from kb.ngrams import pairs, pieces, sounds, tokens, words
from kb.related import is_mark

VOCABULARY_FILE = "vocabulary.json"
WEIGHTS_FILE = "model.safetensors"

Vectors = NDArray[np.float32]


#: How much a feature of each sort counts before training; see ADR 8 for what was tried.
CHARACTER = 1.0
PAIR = 0.7
WORD = 0.7
SOUND = 1.0
PIECE = 0.3


def weighted_features(text: str) -> dict[str, float]:
    """The distinct features of a search text with their weights; its marks are none.

    What is related is learnt here from similar questions, and better than it was written down.
    """
    units = [unit for unit in tokens(text) if not is_mark(unit)]
    features = dict.fromkeys(units, CHARACTER)
    features |= dict.fromkeys(pairs(units), PAIR)
    features |= dict.fromkeys(words(text), WORD)
    features |= dict.fromkeys(sounds(units), SOUND)
    return features | dict.fromkeys(pieces(units), PIECE)


class Vocabulary:
    """Features with row numbers; unknown ones are left out."""

    def __init__(self, entries: Sequence[str]) -> None:
        self.entries = tuple(entries)
        self._rows = {entry: row for row, entry in enumerate(self.entries)}

    def __len__(self) -> int:
        return len(self.entries)

    def bag(self, text: str) -> tuple[list[int], list[float]]:
        """Row numbers of the text's known features, and their weights."""
        known = self._rows
        found = [
            (known[feature], weight)
            for feature, weight in weighted_features(text).items()
            if feature in known
        ]
        return [row for row, _ in found], [weight for _, weight in found]

    def save(self, folder: Path) -> None:
        """Write `vocabulary.json`."""
        text = json.dumps({"entries": self.entries}, ensure_ascii=False)
        (folder / VOCABULARY_FILE).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The inverse of `save`."""
        return cls(json.loads((folder / VOCABULARY_FILE).read_text(encoding="utf-8"))["entries"])


class NgramEncoder:
    """The same bag in numpy alone, for one query at a time; equal to the module within 1e-6."""

    def __init__(self, vocabulary: Vocabulary, weights: Vectors) -> None:
        self._vocabulary = vocabulary
        self._weights = weights

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        return int(self._weights.shape[1])

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, one row per text; all zero for a text of unknown n-grams only."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for number, text in enumerate(texts):
            rows, weights = self._vocabulary.bag(text)
            if rows:
                vectors[number] = np.asarray(weights, dtype=np.float32) @ self._weights[rows]
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `NgramBag.save` wrote."""
        weights = load_arrays(folder / WEIGHTS_FILE)["embedding.weight"]
        return cls(Vocabulary.load(folder), weights.astype(np.float32, copy=False))

"""The default embedding model at search time: a bag of n-grams, each with a trained vector.

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

from kb.ngrams import ngrams

VOCABULARY_FILE = "vocabulary.json"
WEIGHTS_FILE = "model.safetensors"

Vectors = NDArray[np.float32]


class Vocabulary:
    """N-grams with row numbers; unknown n-grams are left out."""

    def __init__(self, entries: Sequence[str], longest: int) -> None:
        self.entries = tuple(entries)
        self.longest = longest
        self._rows = {entry: row for row, entry in enumerate(self.entries)}

    def __len__(self) -> int:
        return len(self.entries)

    def rows(self, text: str) -> list[int]:
        """Row numbers of the text's distinct known n-grams, in order of first occurrence."""
        known = self._rows
        found = dict.fromkeys(known.get(entry, -1) for entry in ngrams(text, self.longest))
        found.pop(-1, None)
        return list(found)

    def save(self, folder: Path) -> None:
        """Write `vocabulary.json`."""
        content = {"longest": self.longest, "entries": self.entries}
        text = json.dumps(content, ensure_ascii=False)
        (folder / VOCABULARY_FILE).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The inverse of `save`."""
        content = json.loads((folder / VOCABULARY_FILE).read_text(encoding="utf-8"))
        return cls(content["entries"], content["longest"])


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
            rows = self._vocabulary.rows(text)
            if rows:
                vectors[number] = self._weights[rows].sum(axis=0)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `NgramBag.save` wrote."""
        weights = load_arrays(folder / WEIGHTS_FILE)["embedding.weight"]
        return cls(Vocabulary.load(folder), weights.astype(np.float32, copy=False))

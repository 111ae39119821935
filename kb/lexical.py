"""BM25 over characters, character pairs and words, per answer and per field.

The head field holds questions or headings, the body field the answer's own words. Scores are
shares of the highest score that the query could reach, hence comparable between queries.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import bm25s
import numpy as np
from numpy.typing import NDArray

from kb.ngrams import pairs, tokens, words

_K1 = 1.2
_B = 0.6
#: `w:` and two characters: such a word is a pair of neighbours already.
_SHORT_WORD = 4


def lexical_tokens(text: str) -> list[str]:
    """Characters, pairs of neighbours, and segmented words of three or more characters."""
    units = tokens(text)
    return [*units, *pairs(units), *(word for word in words(text) if len(word) > _SHORT_WORD)]


class LexicalField:
    """One BM25 index over one text per answer."""

    def __init__(self, index: bm25s.BM25, size: int) -> None:
        self._index = index
        self._size = size
        self._vocabulary: dict[str, int] = index.vocab_dict
        pointers = np.asarray(index.scores["indptr"])
        frequency = np.diff(pointers)
        self._idf = np.log1p((size - frequency + 0.5) / (frequency + 0.5)).astype(np.float32)
        self._idf_unknown = float(np.log1p((size + 0.5) / 0.5))

    @classmethod
    def build(cls, texts: Sequence[str]) -> Self:
        """Index one text per answer."""
        index = bm25s.BM25(k1=_K1, b=_B, method="lucene")
        # bm25s cannot index nothing at all; the empty token occurs in no query.
        documents = [lexical_tokens(text) or [""] for text in texts] or [[""]]
        index.index(documents, show_progress=False)
        return cls(index, len(texts))

    def scores(self, tokens: Sequence[str]) -> NDArray[np.float32]:
        """Per answer the share of the query's highest possible score, 0 to 1."""
        known = [self._vocabulary[token] for token in tokens if token in self._vocabulary]
        highest = self._highest(tokens)
        if not known or highest <= 0.0:
            return np.zeros(self._size, dtype=np.float32)
        raw = self._index.get_scores_from_ids(known)
        return np.asarray(raw[: self._size] / highest, dtype=np.float32)

    def known_share(self, tokens: Sequence[str]) -> float:
        """How much of the query, weighted by rarity, the field has ever seen; 0 to 1."""
        highest = self._highest(tokens)
        unknown = sum(token not in self._vocabulary for token in tokens) * self._idf_unknown
        return 1.0 - unknown / highest if highest > 0.0 else 0.0

    def save(self, folder: Path) -> None:
        """Write the index into a folder of its own."""
        self._index.save(str(folder), show_progress=False)

    @classmethod
    def load(cls, folder: Path, size: int) -> Self:
        """The inverse of `save`; `size` is the number of answers."""
        return cls(bm25s.BM25.load(str(folder), load_corpus=False), size)

    def _highest(self, tokens: Sequence[str]) -> float:
        weights = (
            float(self._idf[row])
            if (row := self._vocabulary.get(token)) is not None
            else self._idf_unknown
            for token in tokens
        )
        return sum(weights)

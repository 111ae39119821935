"""Character-pair BM25: the yardstick that every retrieval figure is printed beside.

Deliberately plain: lower-cased characters and pairs, k1 1.2, b 0.75, no word lists, no training.
"""

from collections import defaultdict
from collections.abc import Sequence

import bm25s
import numpy as np
from numpy.typing import NDArray


def pair_tokens(text: str) -> list[str]:
    """Pairs of neighbouring characters without spaces."""
    bare = "".join(text.lower().split())
    return [bare[start : start + 2] for start in range(len(bare) - 1)] or [bare]


class PairBm25:
    """BM25 over one text per answer, or over several of which the best counts."""

    def __init__(self, texts: Sequence[str], owners: Sequence[int] | None = None) -> None:
        self._index = bm25s.BM25(k1=1.2, b=0.75, method="lucene")
        self._index.index([pair_tokens(text) for text in texts], show_progress=False)
        places: defaultdict[int, list[int]] = defaultdict(list)
        for place, owner in enumerate(owners or range(len(texts))):
            places[owner].append(place)
        self._places = [places[owner] for owner in sorted(places)]

    def scores(self, query: str) -> NDArray[np.float32]:
        """One score per owner, in order."""
        known = [token for token in pair_tokens(query) if token in self._index.vocab_dict]
        if not known:
            return np.zeros(len(self._places), dtype=np.float32)
        raw = self._index.get_scores(known)
        return np.array([raw[own].max() for own in self._places], dtype=np.float32)

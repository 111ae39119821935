"""The scores of a BM25 index from the tokens of its texts, in arrays throughout.

bm25s counts with one Python object per token, which at 20,000 answers takes most of the time and
memory of a build. What comes out is what bm25s keeps, so that it searches, saves and loads it.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import bm25s
import numpy as np
from numpy.typing import NDArray

K1 = 1.2


def bm25_index(documents: Iterable[list[str]], length_weight: float) -> bm25s.BM25:
    """An index of texts given as tokens, in the variant that bm25s calls lucene.

    `length_weight` is b. A text without tokens is one of the empty token, which no query has; so
    is a collection without texts, which bm25s could not index.
    """
    rows: defaultdict[str, int] = defaultdict()
    rows.default_factory = rows.__len__
    found, lengths = array("i"), array("i")
    for document in documents:
        tokens = document or [""]
        found.extend([rows[token] for token in tokens])
        lengths.append(len(tokens))
    if not lengths:
        found.append(rows[""])
        lengths.append(1)
    index = bm25s.BM25(k1=K1, b=length_weight, method="lucene")
    index.scores = dict(_scores(np.asarray(found), np.asarray(lengths), length_weight))
    index.vocab_dict = dict(rows)
    index.unique_token_ids_set = set(rows.values())
    index.nonoccurrence_array = None
    return index


def _scores(
    tokens: NDArray[np.int32], lengths: NDArray[np.int32], length_weight: float
) -> Mapping[str, Any]:
    """A matrix of texts by tokens, kept by tokens: its values, their texts, where tokens begin."""
    count = len(lengths)
    # One number per occurrence, in the order in which the matrix is kept.
    places = tokens.astype(np.int64) * count
    places += np.repeat(np.arange(count), lengths)
    places.sort()
    firsts = np.flatnonzero(np.diff(places, prepend=-1))
    times = np.diff(firsts, append=len(places))
    token, text = np.divmod(places[firsts], count)
    frequency = np.bincount(token)
    rarity = np.log1p((count - frequency + 0.5) / (frequency + 0.5))
    norm = K1 * (1.0 - length_weight + length_weight * lengths / lengths.mean())
    return {
        "data": (rarity[token] * times / (times + norm[text])).astype(np.float32),
        "indices": text.astype(np.int32),
        "indptr": np.concatenate([[0], np.cumsum(frequency)]),
        "num_docs": count,
    }

"""Nearest vectors with FAISS; the only module that imports faiss.

Exact up to a size where scanning everything still takes a millisecond or two, clustered above it.
Refuses to know what the vectors stand for.
"""

from pathlib import Path
from typing import Self

import faiss
import numpy as np
from numpy.typing import NDArray

from kb.encoder import Vectors

#: Up to this many numbers (vectors times dimension) every vector is compared.
EXACT_NUMBERS = 4_000_000
_PROBED_SHARE = 0.12
#: As many as FAISS asks for, to place a centre well.
_POINTS_PER_LIST = 40


class DenseIndex:
    """Unit vectors by row number; likeness is the dot product."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        return int(self._index.d)

    @classmethod
    def build(cls, vectors: Vectors) -> Self:
        """Index the rows of a matrix; the same rows always give the same index."""
        count, dimension = vectors.shape
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if vectors.size <= EXACT_NUMBERS:
            flat = faiss.IndexFlatIP(dimension)
            flat.add(vectors)
            return cls(flat)
        lists = max(1, min(int(4 * np.sqrt(count)), count // _POINTS_PER_LIST))
        # The Python wrapper keeps the coarse index alive as long as the index itself.
        coarse = faiss.IndexFlatIP(dimension)
        index = faiss.IndexIVFFlat(coarse, dimension, lists, faiss.METRIC_INNER_PRODUCT)
        index.cp.niter = 8
        index.cp.max_points_per_centroid = 2 * _POINTS_PER_LIST
        index.train(vectors)
        index.add(vectors)
        return cls(_probing(index))

    def search(self, vector: Vectors, limit: int) -> tuple[NDArray[np.int64], Vectors]:
        """The nearest rows and their likeness, best first; fewer than `limit` if there are."""
        limit = min(limit, len(self))
        if limit == 0:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        likeness, rows = self._index.search(vector.reshape(1, -1), limit)
        found = rows[0] >= 0
        return rows[0][found], likeness[0][found]

    def save(self, path: Path) -> None:
        """Write the index to one file."""
        faiss.write_index(self._index, str(path))

    @classmethod
    def load(cls, path: Path) -> Self:
        """The inverse of `save`."""
        index = faiss.read_index(str(path))
        return cls(_probing(index) if isinstance(index, faiss.IndexIVFFlat) else index)


def use_one_thread() -> None:
    """One query is too little work to share; threads of their own only fight over the cores."""
    faiss.omp_set_num_threads(1)


def _probing(index: faiss.IndexIVFFlat) -> faiss.Index:
    index.nprobe = max(8, int(index.nlist * _PROBED_SHARE))
    return index

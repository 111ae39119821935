"""Groups of texts that ask about the same thing.

Average linkage over the likeness of vectors or of the characters themselves, whichever is higher:
a trained embedder knows nothing of a word that the knowledge base has never had, and those are
just the words that gaps are about. Pure; the same texts give the same groups in any order.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Floats = NDArray[np.float32]

#: Likeness from which two groups are one. Chosen on data/evaluation/messages.tsv (479 messages
#: about 230 subjects): B-cubed precision 0.90 and recall 0.70; lower joins what does not belong.
NEARER_THAN = 0.45
#: Average linkage needs every pair: more texts than this are the caller's to thin out.
MOST_TEXTS = 3_000
_LONGEST_GRAM = 3
_BLANKS = re.compile(r"\s\s+")


def likenesses(texts: Sequence[str], vectors: Floats) -> Floats:
    """How alike each two texts are, 0 to 1; shape (texts, texts).

    ``vectors`` are unit vectors, one row per text; a row of zeros says that nothing is known.
    Raises ValueError when there are too many texts or the shapes differ.
    """
    if len(texts) > MOST_TEXTS:
        raise ValueError(f"more than {MOST_TEXTS} texts")
    if len(vectors) != len(texts):
        raise ValueError("one vector per text")
    alike = np.asarray(vectors, dtype=np.float32) @ np.asarray(vectors, dtype=np.float32).T
    if any(text.strip() for text in texts):
        spelled = _spelled(texts)
        alike = np.maximum(alike, (spelled @ spelled.T).toarray())
    alike = np.clip((alike + alike.T) / 2, 0.0, 1.0)
    np.fill_diagonal(alike, 1.0)
    return np.asarray(alike, dtype=np.float32)


def _spelled(texts: Sequence[str]) -> csr_matrix:
    """A unit row per text: its characters, pairs and triples, by rarity and the logarithm of how
    often. As scikit-learn's TfidfVectorizer, which would take 56 MiB of every server.
    """
    counted = [Counter(_grams(text)) for text in texts]
    columns: dict[str, int] = {}
    for counts in counted:
        for gram in counts:
            columns.setdefault(gram, len(columns))
    places = np.array([columns[gram] for counts in counted for gram in counts], np.int64)
    often = np.array([count for counts in counted for count in counts.values()], np.float64)
    ends = np.cumsum([0, *map(len, counted)])
    rarity = np.log((1 + len(texts)) / (1 + np.bincount(places, minlength=len(columns)))) + 1
    values = (1 + np.log(often)) * rarity[places]
    rows = np.repeat(np.arange(len(texts)), np.diff(ends))
    norms = np.sqrt(np.bincount(rows, values**2, minlength=len(texts)))  # only read where not 0
    return csr_matrix((values / norms[rows], places, ends), shape=(len(texts), len(columns)))


def _grams(text: str) -> Iterator[str]:
    folded = _BLANKS.sub(" ", text.lower())
    for size in range(1, _LONGEST_GRAM + 1):
        yield from (folded[start : start + size] for start in range(len(folded) - size + 1))


def groups(alike: Floats, *, nearer_than: float = NEARER_THAN) -> list[list[int]]:
    """Row numbers that belong together, the largest group first; each row in exactly one."""
    from scipy.cluster.hierarchy import fcluster, linkage  # noqa: PLC0415  # large and rarely used
    from scipy.spatial.distance import squareform  # noqa: PLC0415  # large and rarely used

    count = len(alike)
    if count < 2:
        return [[row] for row in range(count)]
    distances = np.asarray(1.0 - alike, dtype=np.float64)
    np.fill_diagonal(distances, 0.0)
    tree = linkage(squareform(distances, checks=False), method="average")
    labels = fcluster(tree, t=1.0 - nearer_than, criterion="distance")
    found: dict[int, list[int]] = {}
    for row, label in enumerate(labels):
        found.setdefault(int(label), []).append(row)
    return sorted(found.values(), key=lambda rows: (-len(rows), rows[0]))


def most_typical(alike: Floats, rows: Sequence[int]) -> int:
    """The row that is nearest to all the others of its group; the first of several."""
    inside = alike[np.ix_(rows, rows)]
    return rows[int(np.argmax(inside.mean(axis=1).round(6)))]

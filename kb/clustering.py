"""Groups of texts that ask about the same thing.

Average linkage over the likeness of vectors or of the characters themselves, whichever is higher:
a trained embedder knows nothing of a word that the knowledge base has never had, and those are
just the words that gaps are about. Pure; the same texts give the same groups in any order.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.feature_extraction.text import TfidfVectorizer

Floats = NDArray[np.float32]

#: Likeness from which two groups are one. Chosen on data/evaluation/messages.tsv (479 messages
#: about 230 subjects): B-cubed precision 0.90 and recall 0.70; lower joins what does not belong.
NEARER_THAN = 0.45
#: Average linkage needs every pair: more texts than this are the caller's to thin out.
MOST_TEXTS = 3_000


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
        counted = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
        spelled = counted.fit_transform([text or " " for text in texts])
        alike = np.maximum(alike, (spelled @ spelled.T).toarray())
    alike = np.clip((alike + alike.T) / 2, 0.0, 1.0)
    np.fill_diagonal(alike, 1.0)
    return np.asarray(alike, dtype=np.float32)


def groups(alike: Floats, *, nearer_than: float = NEARER_THAN) -> list[list[int]]:
    """Row numbers that belong together, the largest group first; each row in exactly one."""
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

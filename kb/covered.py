"""How much of what a question is about the words of an answer hold.

A word counts by how little it is everyday speech and how few answers have it: that an answer lacks
"please" or "how" says nothing, that it lacks the one word that the question is about says that it
answers another. Refuses to rank: it only weighs.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kb.ngrams import pairs, tokens

Rows = NDArray[np.int64]
Shares = NDArray[np.float64]

#: What a word counts for that an answer has in parts: by its pairs and by its characters.
_BY_PAIRS, _BY_CHARACTERS = 0.8, 0.4


class Holder(Protocol):
    """A field that knows which answers have a token."""

    def holds(self, token: str, rows: Rows) -> NDArray[np.bool_]:
        """Per row whether the answer has it."""


def load_everyday(path: Path) -> dict[str, float]:
    """How much each word of everyday speech says of a subject, 0 to 1; empty without the file.

    Raises ValueError for a line that is not a word, a tab and a share.
    """
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {word: float(share) for word, share in rows}


def covered(words: Mapping[str, float], rows: Rows, holders: Sequence[Holder]) -> Shares:
    """Per row the share of the words, by weight, that any of the fields has; 0 without words."""
    total = sum(words.values())
    sums = np.zeros(len(rows))
    if total <= 0.0:
        return sums
    held: dict[str, Shares] = {}
    for word, weight in words.items():
        sums += weight * _share(word, rows, holders, held)
    return sums / total


def _share(word: str, rows: Rows, holders: Sequence[Holder], held: dict[str, Shares]) -> Shares:
    units = tokens(word)
    by_character = _mean(units, rows, holders, held)
    if len(units) == 1:
        return by_character
    by_pair = _mean(list(pairs(units)), rows, holders, held)
    parts = np.maximum(_BY_PAIRS * by_pair, _BY_CHARACTERS * by_character)
    return np.where(by_pair >= 1.0, 1.0, parts)


def _mean(
    sought: Iterable[str], rows: Rows, holders: Sequence[Holder], held: dict[str, Shares]
) -> Shares:
    """The share of the tokens that each answer has; `held` keeps what was looked up."""
    found = [np.zeros(len(rows))]
    for token in sought:
        if token not in held:
            having = [holder.holds(token, rows) for holder in holders]
            held[token] = np.any(having, axis=0).astype(np.float64)
        found.append(held[token])
    return np.asarray(np.sum(found, axis=0) / max(len(found) - 1, 1))

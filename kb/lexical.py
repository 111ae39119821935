"""BM25 over characters, character pairs and words, or over sounds; per answer.

Scores are shares of the highest score that the query could reach, hence comparable between
queries. Which text of an answer is looked at is the caller's choice.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import bm25s
import numpy as np
from numpy.typing import NDArray

from kb.ngrams import pairs, sounds, tokens, words
from kb.postings import bm25_index

#: `w:` and two characters: such a word is a pair of neighbours already.
_SHORT_WORD = 4
_STARTS_FILE = "starts.npy"

Tokenise = Callable[[str], list[str]]


def lexical_tokens(text: str) -> list[str]:
    """Characters, pairs of neighbours, and segmented words of three or more characters."""
    units = tokens(text)
    return [*units, *pairs(units), *(word for word in words(text) if len(word) > _SHORT_WORD)]


def sound_tokens(text: str) -> list[str]:
    """Syllables without tones and pairs of them: homophone slips do not hurt."""
    syllables = sounds(tokens(text))
    return [*syllables, *pairs(syllables)]


class LexicalField:
    """One BM25 index over texts, each of which belongs to an answer; the best text counts."""

    def __init__(self, index: bm25s.BM25, tokenise: Tokenise, starts: NDArray[np.int64]) -> None:
        self._index = index
        self._tokenise = tokenise
        self._starts = starts
        self._vocabulary: dict[str, int] = index.vocab_dict
        count = int(starts[-1])
        self._postings = np.asarray(index.scores["indptr"])
        self._holding = np.asarray(index.scores["indices"])
        frequency = np.diff(self._postings)
        self._idf = np.log1p((count - frequency + 0.5) / (frequency + 0.5)).astype(np.float32)
        self._idf_unknown = float(np.log1p((count + 0.5) / 0.5))

    @classmethod
    def build(
        cls, texts: Sequence[Sequence[str]], tokenise: Tokenise, length_weight: float
    ) -> Self:
        """Index the texts of each answer; `length_weight` is BM25's b."""
        documents = (tokenise(text) for own in texts for text in own)
        index = bm25_index(documents, length_weight)
        return cls(index, tokenise, np.cumsum([0, *map(len, texts)]))

    def scores(self, query: str) -> NDArray[np.float32]:
        """Per answer the share of the query's highest possible score, 0 to 1."""
        sought = list(dict.fromkeys(self._tokenise(query)))
        known = [self._vocabulary[token] for token in sought if token in self._vocabulary]
        highest = self._highest(sought)
        best = np.zeros(len(self._starts) - 1, dtype=np.float32)
        if not known or highest <= 0.0:
            return best
        raw = np.asarray(self._index.get_scores_from_ids(known))
        filled = np.diff(self._starts) > 0
        if filled.any():
            best[filled] = np.maximum.reduceat(raw, self._starts[:-1][filled]) / highest
        return best

    def holds(self, token: str, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Per answer row whether it has the token; for a field of one text per answer."""
        place = self._vocabulary.get(token)
        if place is None:
            return np.zeros(len(rows), bool)
        start, end = self._postings[place], self._postings[place + 1]
        holding = self._holding[start:end]
        found = np.searchsorted(holding, rows)
        return np.asarray(holding[np.minimum(found, len(holding) - 1)] == rows)

    @property
    def mean_distinct(self) -> float:
        """How many different tokens a text has on average."""
        texts = max(int(self._starts[-1]), 1)
        return max(len(self._index.scores["data"]) / texts, 1.0)

    def rarity(self, token: str) -> float | None:
        """The token's weight, or None when no text contains it."""
        row = self._vocabulary.get(token)
        return None if row is None else float(self._idf[row])

    @property
    def rarity_of_news(self) -> float:
        """The weight of a token that the first text contains now."""
        return float(np.log1p((int(self._starts[-1]) + 0.5) / 1.5))

    @property
    def rarity_of_unknown(self) -> float:
        """The weight of a token that no text contains."""
        return self._idf_unknown

    def save(self, folder: Path) -> None:
        """Write the index into a folder of its own."""
        self._index.save(str(folder), show_progress=False)
        np.save(folder / _STARTS_FILE, self._starts)

    @classmethod
    def load(cls, folder: Path, tokenise: Tokenise) -> Self:
        """The inverse of `save`; the tokens must be those it was built with."""
        index = bm25s.BM25.load(str(folder), load_corpus=False)
        return cls(index, tokenise, np.load(folder / _STARTS_FILE))

    def _highest(self, sought: Sequence[str]) -> float:
        rows = (self._vocabulary.get(token) for token in sought)
        return sum(self._idf_unknown if row is None else float(self._idf[row]) for row in rows)

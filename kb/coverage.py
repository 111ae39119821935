"""How much of a question the knowledge base has ever seen: the plainest sign of a foreign subject.

Counts in how many answers each character, pair and word occurs. Refuses to say which answer fits.
"""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

import rjieba

from kb.ngrams import pairs, tokens


def _pairs(text: str) -> Iterable[str]:
    return pairs(tokens(text))


def _segments(text: str) -> Iterable[str]:
    return (word for word in rjieba.cut(text) if word.strip())


#: In the order of the shares that `Coverage.unknown_shares` returns.
KINDS: Mapping[str, Callable[[str], Iterable[str]]] = {
    "characters": tokens,
    "pairs": _pairs,
    "words": _segments,
}

#: How much more a word says that is not everyday speech.
_EVERYDAY_POWER = 2.0


class Coverage:
    """Per kind of unit, in how many of the answers it occurs."""

    def __init__(
        self,
        counts: Mapping[str, Mapping[str, int]],
        answers: int,
        everyday: Mapping[str, float],
    ) -> None:
        self._counts = counts
        self._answers = answers
        self.everyday = everyday

    @classmethod
    def build(cls, texts: Sequence[str], everyday: Mapping[str, float]) -> Self:
        """Count over one text per answer; `everyday` see `kb.covered`."""
        counts = {
            kind: Counter(unit for text in texts for unit in set(units(text)))
            for kind, units in KINDS.items()
        }
        return cls(counts, len(texts), everyday)

    def extended(self, texts: Sequence[str]) -> Self:
        """The same with more answers; what it was stays as it is."""
        counts = {kind: dict(known) for kind, known in self._counts.items()}
        for kind, units in KINDS.items():
            for unit in (unit for text in texts for unit in set(units(text))):
                counts[kind][unit] = counts[kind].get(unit, 0) + 1
        return type(self)(counts, self._answers + len(texts), self.everyday)

    def unknown_shares(self, query: str) -> list[float]:
        """Per kind the share of the query, weighted by rarity, that no answer contains; 0 to 1."""
        return [self._unknown(set(units(query)), kind) for kind, units in KINDS.items()]

    def content(self, query: str) -> dict[str, float]:
        """The words of a query and what each says of its subject."""
        counts = self._counts["words"]
        return {
            word: self.everyday.get(word, 1.0) ** _EVERYDAY_POWER
            * self._rarity(counts.get(word, 0))
            for word in _segments(query)
        }

    def save(self, path: Path) -> None:
        """Write to one file."""
        content = {
            "answers": self._answers,
            "counts": self._counts,
            "everyday": self.everyday,
        }
        path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """The inverse of `save`; an older file has no everyday words."""
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls(content["counts"], content["answers"], content.get("everyday", {}))

    def _unknown(self, units: set[str], kind: str) -> float:
        counts = self._counts[kind]
        rarity = {unit: self._rarity(counts.get(unit, 0)) for unit in units}
        total = sum(rarity.values())
        unknown = sum(weight for unit, weight in rarity.items() if unit not in counts)
        return unknown / total if total else 1.0

    def _rarity(self, count: int) -> float:
        return math.log1p((self._answers - count + 0.5) / (count + 0.5))

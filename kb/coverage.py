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


#: By kind, in how many texts each unit occurs.
Counts = Mapping[str, Mapping[str, int]]


def counted(texts: Sequence[str]) -> Counts:
    """Of one text per answer."""
    return {
        kind: Counter(unit for text in texts for unit in set(units(text)))
        for kind, units in KINDS.items()
    }


class Coverage:
    """Per kind of unit, in how many of the answers it occurs.

    `added` counts what came since, so that the many counts below need not be copied for it.
    """

    def __init__(
        self,
        counts: Counts,
        answers: int,
        everyday: Mapping[str, float],
        added: Sequence[Counts] = (),
    ) -> None:
        self._counts = counts
        self._answers = answers
        self.everyday = everyday
        self._added = added

    @classmethod
    def build(cls, texts: Sequence[str], everyday: Mapping[str, float]) -> Self:
        """Count over one text per answer; `everyday` see `kb.covered`."""
        return cls(counted(texts), len(texts), everyday)

    def extended(self, laid: Sequence[tuple[int, Counts]]) -> Self:
        """The same with more answers, how many with which counts; what it was stays as it is."""
        answers = self._answers + sum(number for number, _ in laid)
        added = (*self._added, *(counts for _, counts in laid))
        return type(self)(self._counts, answers, self.everyday, added)

    def unknown_shares(self, query: str) -> list[float]:
        """Per kind the share of the query, weighted by rarity, that no answer contains; 0 to 1."""
        return [self._unknown(set(units(query)), kind) for kind, units in KINDS.items()]

    def content(self, query: str) -> dict[str, float]:
        """The words of a query and what each says of its subject."""
        return {
            word: self.everyday.get(word, 1.0) ** _EVERYDAY_POWER
            * self._rarity(self._count("words", word))
            for word in _segments(query)
        }

    def save(self, path: Path) -> None:
        """Write to one file."""
        counts = {
            kind: dict(sum((Counter(one[kind]) for one in self._added), Counter(known)))
            for kind, known in self._counts.items()
        }
        content = {"answers": self._answers, "counts": counts, "everyday": self.everyday}
        path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """The inverse of `save`; an older file has no everyday words."""
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls(content["counts"], content["answers"], content.get("everyday", {}))

    def _unknown(self, units: set[str], kind: str) -> float:
        counts = {unit: self._count(kind, unit) for unit in units}
        rarity = {unit: self._rarity(count) for unit, count in counts.items()}
        total = sum(rarity.values())
        unknown = sum(weight for unit, weight in rarity.items() if not counts[unit])
        return unknown / total if total else 1.0

    def _count(self, kind: str, unit: str) -> int:
        return sum((one[kind].get(unit, 0) for one in self._added), self._counts[kind].get(unit, 0))

    def _rarity(self, count: int) -> float:
        return math.log1p((self._answers - count + 0.5) / (count + 0.5))

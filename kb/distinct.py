"""Words that look alike or stand side by side and are never one another: 退付 is no 支付.

Likeness of texts cannot tell such words apart, so that a question about the one is answered from
the other. Where a question names one of them and an answer is headed by another, without ever
saying the word that was asked for, the answer is doubted: it may be offered, not given. What is
distinct is content (`data/lexicon/distinct.yml`, and what editors add).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

#: The most that the score of a doubted answer may be.
DOUBTED = 0.2


@dataclass(frozen=True, slots=True)
class Distinct:
    """Words of which none stands for another; `neutral` are longer ones that merely hold one."""

    words: tuple[str, ...]
    neutral: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """What `dataclasses.asdict` made of it; raises KeyError or TypeError."""
        return cls(tuple(map(str, row["words"])), tuple(map(str, row.get("neutral", ()))))


class DistinctWords:
    """All groups, ready to be looked for."""

    def __init__(self, groups: Sequence[Distinct], form: Callable[[str], str]) -> None:
        """`form` gives a word the form of the texts that are compared."""
        self._form = form
        self._groups = [found for one in groups if (found := _group(one, form)) is not None]

    def named(self, query: str) -> Sequence["Named"]:
        """The groups that a query, in its search form, names a word of."""
        found = ((group, group.words_in(query)) for group in self._groups)
        return [Named(group, words, self._form) for group, words in found if words]


@dataclass(frozen=True, slots=True)
class _Group:
    pattern: re.Pattern[str]
    words: frozenset[str]

    def words_in(self, text: str) -> frozenset[str]:
        return self.words & frozenset(self.pattern.findall(text))


@dataclass(frozen=True, slots=True)
class Named:
    """A group with those of its words that a query names."""

    group: _Group
    words: frozenset[str]
    form: Callable[[str], str]

    def is_mistaken(self, heads: str, body: str) -> bool:
        """Whether an answer is headed by other words of the group and never says these."""
        headed = self.group.words_in(self.form(heads))
        if not headed or headed & self.words:
            return False
        return not self.group.words_in(self.form(body)) & self.words


def _group(one: Distinct, form: Callable[[str], str]) -> _Group | None:
    words = frozenset(map(form, one.words)) - {""}
    if len(words) < 2:  # synonyms made them one
        return None
    every = sorted(words | set(map(form, one.neutral)) - {""}, key=lambda word: (-len(word), word))
    return _Group(re.compile("|".join(map(re.escape, every))), words)

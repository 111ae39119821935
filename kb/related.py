"""Marks a text with every line of related words that it touches.

A mark is one character of Unicode's private area, which no written text keeps. Search reads it as
a character among others, so that a guide's word and a user's word for the same thing meet without
either being replaced. What belongs together is content (`data/lexicon/related.yml`); which mark
stands for which line is a matter of one index, which keeps its lines.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence

_FIRST, _LAST = "\ue000", "\uf8ff"
#: As many lines as there are marks; later ones are left out.
MOST_LINES = ord(_LAST) - ord(_FIRST) + 1
#: A single character is part of too many words to mean anything.
SHORTEST = 2


def is_mark(token: str) -> bool:
    """Whether a token is a mark."""
    return _FIRST <= token[0] <= _LAST


def unmarked(text: str) -> str:
    """The text as it was before it was marked."""
    return " ".join(word for word in text.split() if not is_mark(word))


class RelatedWords:
    """The lines of related words, looked up by the first two characters of their words."""

    def __init__(self, lines: Sequence[Sequence[str]], form: Callable[[str], str]) -> None:
        """`form` gives a word the form of the texts that are going to be marked."""
        self._starting: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        for number, line in enumerate(lines[:MOST_LINES]):
            for word in set(map(form, line)):
                if len(word) >= SHORTEST:
                    self._starting[word[:SHORTEST]].add((word, chr(ord(_FIRST) + number)))

    def marked(self, text: str) -> str:
        """The text, and behind it the marks of the lines that it touches, in their order."""
        starting = self._starting
        if not starting:
            return text
        marks = {
            mark
            for place in range(len(text) - SHORTEST + 1)
            for word, mark in starting.get(text[place : place + SHORTEST], ())
            if text.startswith(word, place)
        }
        return " ".join([text, *sorted(marks)])

"""Texts made fit for reading without moving a character, so that offsets stay true.

Refuses to judge meaning. Nothing here changes the length of a text except the cut at
:data:`nlu.types.MAX_TEXT_CHARS`.
"""

import functools
from dataclasses import dataclass

import opencc

from nlu.types import MAX_TEXT_CHARS

_FULL_WIDTH = range(0xFF01, 0xFF5F)
_FULL_WIDTH_SHIFT = 0xFEE0
_HAN = range(0x4E00, 0xA000)
_UNREADABLE = [*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000), 0xFEFF, 0xFFFE, 0xFFFF]


def readable(text: str) -> str:
    """The text cut to its maximum, control characters and lone surrogates blanked.

    Lone surrogates cannot be sent as UTF-8; control characters only carry binary noise.
    """
    return text[:MAX_TEXT_CHARS].translate(_BLANKS)


@dataclass(frozen=True, slots=True)
class Folded:
    """A readable text as it was said, and the same in its common spelling, place by place."""

    said: str
    spelled: str

    def words(self, start: int, end: int) -> str:
        """What was said between two places."""
        return self.said[start:end]


class Folding:
    """One spelling for one character: half-width, lower case, simplified.

    Keeps every offset: each character becomes exactly one character.
    """

    def __init__(self) -> None:
        self._table = _full_width_table() | _lower_case_table() | _simplified_table()

    def fold(self, text: str) -> str:
        """The readable text with every character in its common spelling."""
        return readable(text).translate(self._table)

    def read(self, text: str) -> Folded:
        """The readable text in both forms."""
        return Folded(readable(text), self.fold(text))


def _full_width_table() -> dict[int, str]:
    table = {code: chr(code - _FULL_WIDTH_SHIFT).lower() for code in _FULL_WIDTH}
    return table | {0x3000: " "}


def _lower_case_table() -> dict[int, str]:
    return {code: chr(code).lower() for code in range(ord("A"), ord("Z") + 1)}


@functools.cache
def _simplified_table() -> dict[int, str]:
    # One conversion of all characters, a line each, so that no phrase rule joins two of them.
    characters = [chr(code) for code in _HAN]
    simplified = opencc.OpenCC("t2s").convert("\n".join(characters)).split("\n")
    pairs = zip(characters, simplified, strict=True)
    return {ord(old): new for old, new in pairs if old != new and len(new) == 1}


_BLANKS = dict.fromkeys(_UNREADABLE, " ")

"""Cuts search text into the n-grams that the trained embedder and the lexical index look at.

Chinese by characters, Latin words and numbers whole and in pieces. Pure: the same text always
gives the same n-grams.
"""

import re
from collections.abc import Iterator

_TOKEN = re.compile(r"[a-z0-9.+#%]+|[^\sa-z0-9]")

#: Sizes of the pieces of a Latin word, its ends marked; short words are only taken whole.
PIECE_SIZES = (3, 4)
PIECE_WORD_CHARS = 4


def tokens(text: str) -> list[str]:
    """Single Chinese characters; whole Latin words and numbers."""
    return _TOKEN.findall(text)


def ngrams(text: str, longest: int) -> Iterator[str]:
    """Token n-grams of 1 to `longest` tokens, then the pieces of longer Latin words."""
    units = tokens(text)
    for size in range(1, longest + 1):
        for start in range(len(units) - size + 1):
            yield "\t".join(units[start : start + size])
    for unit in units:
        if len(unit) >= PIECE_WORD_CHARS and unit[0].isascii():
            yield from _pieces(f"<{unit}>")


def _pieces(word: str) -> Iterator[str]:
    for size in PIECE_SIZES:
        for start in range(len(word) - size + 1):
            yield "~" + word[start : start + size]

"""Cuts search text into the features that the trained embedder and the lexical index look at.

Chinese by characters, character pairs, segmented words and sounds; Latin words and numbers whole
and in pieces. Pure: the same text always gives the same features.
"""

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

import rjieba

from kb.related import is_mark

# Only single characters are read aloud here. The library's phrases would take 46 MiB of every
# process and change none of their readings; it looks at these variables when it is imported.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")
os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "1")
from pypinyin import Style, pinyin

_TOKEN = re.compile(r"[a-z0-9.+#%]+|[^\sa-z0-9]")

#: Length of the pieces of a Latin word, its start marked; short words are only taken whole.
PIECE_CHARS = 4


def tokens(text: str) -> list[str]:
    """Single Chinese characters; whole Latin words and numbers."""
    return _TOKEN.findall(text)


def pairs(units: list[str]) -> Iterator[str]:
    """Each two neighbouring tokens; a mark has no neighbours."""
    written = (unit for unit in units if not is_mark(unit))
    return (f"{left}\t{right}" for left, right in pairwise(written))


def words(text: str) -> Iterator[str]:
    """Segmented Chinese words of two or more characters."""
    return (f"w:{word}" for word in rjieba.cut(text) if len(word) > 1 and not word.isascii())


def sounds(units: list[str]) -> list[str]:
    """How each token is pronounced, without tones: what a homophone slip leaves intact."""
    return [f"p:{_sound(unit)}" for unit in units if not is_mark(unit)]


def pieces(units: list[str]) -> Iterator[str]:
    """Pieces of longer Latin words, so that other forms of a word are alike."""
    for unit in units:
        if len(unit) >= PIECE_CHARS and unit[0].isascii():
            marked = f"<{unit}"
            for start in range(len(marked) - PIECE_CHARS + 1):
                yield f"~{marked[start : start + PIECE_CHARS]}"


@lru_cache(maxsize=20_000)
def _sound(token: str) -> str:
    if token[0].isascii():
        return token
    return str(pinyin(token, style=Style.NORMAL, errors="default")[0][0])

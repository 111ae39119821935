"""What a linear model sees of a text: n-grams of its folded, masked spelling, and its marks.

Refuses to know labels. Any change here changes saved models; raise :data:`VERSION` with it.
"""

import re
from itertools import pairwise

from nlu.marks import marks

#: Saved models of another version are refused.
VERSION = 4

#: The weight of a mark, where all n-grams together have length one; tried from 0.05 to 0.5.
MARK_WEIGHT = 0.1
_MARK = "\x04"  # starts no n-gram: control characters are blanked before
_WORD = "\x05"  # nor does this
_LONGEST_GRAM = 4
#: Chinese is read by its characters; words that blanks part are read whole, too, and by pairs.
_LATIN = re.compile(r"[a-z][a-z0-9']*")
_DIGITS = re.compile(r"\d")
_REPEATED = re.compile(r"(.)\1{2,}", re.DOTALL)
_BLANKS = re.compile(r"\s+")
#: Between Chinese characters blanks mean nothing; between Latin words they part them.
_IDLE_BLANKS = re.compile(r"(?<![!-~])\s|\s(?![!-~])")


def spelling(folded: str) -> str:
    """The folded text with digits masked, long repetitions cut, and idle blanks dropped."""
    masked = _DIGITS.sub("0", _BLANKS.sub(" ", folded.strip()))
    return _REPEATED.sub(r"\1\1", _IDLE_BLANKS.sub("", masked))


def grams(folded: str) -> list[str]:
    """Every n-gram of one to four characters, the text's ends marked; Latin words and pairs."""
    spelled = spelling(folded)
    text = f"\x02{spelled}\x03"
    characters = [
        text[start : start + size]
        for size in range(1, _LONGEST_GRAM + 1)
        for start in range(len(text) - size + 1)
    ]
    words = _LATIN.findall(spelled)
    pairs = (f"{first} {second}" for first, second in pairwise(words))
    return [*characters, *(_WORD + word for word in (*words, *pairs))]


def mark_features(folded: str) -> list[str]:
    """The marks of a text, named so that none is an n-gram."""
    return [_MARK + mark for mark in marks(folded)]

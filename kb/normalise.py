"""The form of a text that search works on.

Users' words are never shown in this form: it folds width, case and script, replaces slips and
synonyms, masks numbers, and leaves out courtesy. Pure and thread-safe.
"""

import re
import threading
import unicodedata
from functools import cached_property

from opencc import OpenCC

from kb.distinct import DistinctWords
from kb.lexicon import Lexicon
from kb.related import RelatedWords
from kb.stored_text import storable

#: Longer input is cut: no question needs more, and work per query stays bounded.
QUERY_CHARS = 500

_URL = re.compile(r"https?://\S+|www\.\S+")
_LONG_NUMBER = re.compile(r"(?<![a-z0-9])[a-z]{0,4}\d[\d\-]{5,}(?![a-z0-9])")
_NOT_WORD = re.compile(r"[^\w%+#.]+|_+")
_LONE_DOT = re.compile(r"(?<!\w)\.|\.(?!\w)")
_REPEATED = re.compile(r"(.{1,4}?)\1{2,}")
_BETWEEN_CJK = re.compile(r"(?<=[\u4e00-\u9fff]) +(?=[\u4e00-\u9fff])")


class Normaliser:
    """Turns written text into search text with one lexicon."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self._replacements = lexicon.replacement_pattern()
        self._fillers = lexicon.filler_pattern()
        # OpenCC's converter keeps state while converting.
        self._lock = threading.Lock()

    @cached_property
    def _converter(self) -> OpenCC:
        return OpenCC("t2s")

    @cached_property
    def _related(self) -> RelatedWords:
        return RelatedWords(self.lexicon.related, self.text)

    @cached_property
    def distinct(self) -> DistinctWords:
        """Words that never stand for one another."""
        return DistinctWords(self.lexicon.distinct, self.text)

    def fold(self, text: str) -> str:
        """Width, case, script, spacing and punctuation folded; every word kept."""
        text = unicodedata.normalize("NFKC", storable(text)).lower()
        with self._lock:
            text = self._converter.convert(text)
        text = _BETWEEN_CJK.sub("", _URL.sub(" ", text))
        text = _LONG_NUMBER.sub(" ", text)
        text = _LONE_DOT.sub(" ", _NOT_WORD.sub(" ", text))
        return text.strip()

    def text(self, text: str) -> str:
        """A text of the knowledge base: folded, lexicon forms replaced."""
        return self._replace(self.fold(text))

    def marked(self, text: str) -> str:
        """A normalised text as search sees it: with the marks of related words behind it."""
        return self._related.marked(text)

    def query(self, text: str) -> str:
        """A user's question: as `text`, without repetitions and courtesy.

        A question that is nothing but courtesy stays whole, so that it can still be found.
        """
        folded = _REPEATED.sub(r"\1", self.fold(text[:QUERY_CHARS]))
        bare = self._fillers.sub(" ", folded) if self._fillers else folded
        bare = " ".join(bare.split())
        return self._replace(bare if _has_content(bare) else folded)

    def _replace(self, text: str) -> str:
        if self._replacements is None:
            return text
        return self._replacements.sub(lambda match: self.lexicon.replacements[match.group()], text)


def _has_content(text: str) -> bool:
    return sum(character.isalnum() for character in text) >= 2

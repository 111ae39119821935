"""Which section of a guide an answer was written from, where only its source line says so.

Pure. Says nothing rather than guess: an answer that names only the guide must share its words
with one section.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from kb.section_matching import SectionText, grams

#: Share of an answer's text that must stand in a section to have been written from it.
_DRAWN = 0.5
_BLANK = re.compile(r"\s+")
_NUMBER = re.compile(r"\d+(?:\.\d+)+")


class SectionFinder:
    """The sections of one guide version, prepared once for any number of answers."""

    def __init__(self, guide_title: str, sections: Sequence[SectionText]) -> None:
        self._title = _squeezed(guide_title)
        self._sections = sections
        self._headings = [one.bare_heading for one in sections]
        self._by_gram: defaultdict[str, list[int]] = defaultdict(list)
        for at, section in enumerate(sections):
            for gram in grams(section.text):
                self._by_gram[gram].append(at)

    def find(self, source_title: str, answer: str) -> SectionText | None:
        """The section by its heading in the source line, by its number, or by shared words."""
        rest = _squeezed(source_title).replace(self._title, "")
        named = self._by_heading(rest) or self._by_number(rest) if rest else None
        return named or self._by_words(answer)

    def _by_heading(self, rest: str) -> SectionText | None:
        """The longest heading that the line has; of equal ones that of the named number."""
        found = [
            section
            for heading, section in zip(self._headings, self._sections, strict=True)
            if 1 < len(heading) <= len(rest) and heading in rest
        ]
        if not found:
            return None
        return max(
            found,
            key=lambda one: (
                len(one.bare_heading),
                bool(one.number) and one.number in rest,
                len(one.path),
            ),
        )

    def _by_number(self, rest: str) -> SectionText | None:
        numbers = _NUMBER.findall(rest)
        if not numbers:
            return None
        found = [one for one in self._sections if one.number.rstrip(".、") == numbers[-1]]
        return found[0] if len(found) == 1 else None

    def _by_words(self, answer: str) -> SectionText | None:
        words = grams(answer)
        shared = Counter(at for gram in words for at in self._by_gram.get(gram, ()))
        if not shared:
            return None
        at, count = min(shared.items(), key=lambda one: (-one[1], one[0]))
        return self._sections[at] if count / len(words) >= _DRAWN else None


def _squeezed(text: str) -> str:
    return _BLANK.sub("", text)

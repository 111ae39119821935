"""Which section of a guide an answer was written from, where only its source line says so.

Pure. Says nothing rather than guess: an answer that names only the guide must share its words
with one section.
"""

import re
from collections.abc import Sequence

from kb.section_matching import SectionText, contained, grams

#: Share of an answer's text that must stand in a section to have been written from it.
_DRAWN = 0.5
_BLANK = re.compile(r"\s+")
_NUMBER = re.compile(r"\d+(?:\.\d+)+")


def named_section(
    sections: Sequence[SectionText], *, guide_title: str, source_title: str, answer: str
) -> SectionText | None:
    """The section by its heading in the source line, by its number there, or by shared words."""
    rest = _squeezed(source_title).replace(_squeezed(guide_title), "")
    return _by_heading(sections, rest) or _by_number(sections, rest) or _by_words(sections, answer)


def _by_heading(sections: Sequence[SectionText], rest: str) -> SectionText | None:
    """The longest heading that the line has; of equal ones that of the named number, the last."""
    found = [one for one in sections if len(one.bare_heading) > 1 and one.bare_heading in rest]
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


def _by_number(sections: Sequence[SectionText], rest: str) -> SectionText | None:
    numbers = _NUMBER.findall(rest)
    found = [one for one in sections if numbers and one.number.rstrip(".、") == numbers[-1]]
    return found[0] if len(found) == 1 else None


def _by_words(sections: Sequence[SectionText], answer: str) -> SectionText | None:
    words = grams(answer)
    ranked = sorted(
        ((contained(words, grams(one.text)), -at) for at, one in enumerate(sections) if one.text),
        reverse=True,
    )
    if not ranked or ranked[0][0] < _DRAWN:
        return None
    return sections[-ranked[0][1]]


def _squeezed(text: str) -> str:
    return _BLANK.sub("", text)

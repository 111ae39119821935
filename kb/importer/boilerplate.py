"""Drops what a file repeats or decorates with: tables of contents, rules, page numbers.

Only whole lines go. A line that might be content stays.
"""

import re
from collections.abc import Iterator, Sequence

from kb.importer.elements import Element, Line, Role
from kb.importer.labels import read_label
from kb.importer.shape import is_boilerplate

_CONTENTS = re.compile(r"(?:目\s*录|目\s*次|contents|table of contents)$", re.IGNORECASE)
_PAGE_AT_END = re.compile(r"\D\s*\d{1,4}$")
_BLANKS = re.compile(r"\s+")
_ENTRY_CHARS = 60


def without_boilerplate(elements: Sequence[Element]) -> tuple[Element, ...]:
    """The stream without tables of contents and decoration."""
    kept = [element for element in elements if not _is_decoration(element)]
    return tuple(_without_typed_contents(kept))


def is_contents_title(text: str) -> bool:
    """目录, 目 录, `一、 目录`."""
    label = read_label(text)
    return _CONTENTS.match(label.rest if label else text) is not None


def _is_decoration(element: Element) -> bool:
    if not isinstance(element, Line) or element.role is Role.CODE:
        return False
    if element.role is Role.CONTENTS:
        return True
    return not element.icons and is_boilerplate(element.text)


def _without_typed_contents(elements: Sequence[Element]) -> Iterator[Element]:
    later = _last_places(elements)
    inside = False
    for index, element in enumerate(elements):
        if isinstance(element, Line) and is_contents_title(element.text):
            inside = True
            continue
        if inside:
            inside = isinstance(element, Line) and _is_entry(element, index, later)
        if not inside:
            yield element


def _is_entry(line: Line, index: int, later: dict[str, int]) -> bool:
    """A line below 目录 that ends in a page number, or that comes again as a heading."""
    text = line.text
    if len(text) > _ENTRY_CHARS:
        return False
    again = later.get(_key(text), index) > index
    return again or (line.level is None and _PAGE_AT_END.search(text) is not None)


def _last_places(elements: Sequence[Element]) -> dict[str, int]:
    return {
        _key(element.text): index
        for index, element in enumerate(elements)
        if isinstance(element, Line)
    }


def _key(text: str) -> str:
    return _BLANKS.sub("", text)

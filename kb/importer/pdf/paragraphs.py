"""Puts wrapped lines back into paragraphs and drops what pages repeat."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from kb.importer.labels import read_label
from kb.importer.pdf.page import TextLine
from kb.importer.shape import is_boilerplate

_LEAST_EDGE = 0.6  # of the page's width
_MARGIN = 0.1  # of the page's height, above and below
_LEAST_REPEATS = 3
_SAME_SIZE = 0.2
_FULL_ENDS = "。！？!?；;：:"
_GAP = 1.8  # of a line's height; double spacing is common
_LONG_WORD = re.compile(r"[!-~]{8,60}")
_LATIN_WIDTH = 0.5  # of the font size
_DIGITS = re.compile(r"\d+")
_ROMAN_OR_DIGITS = re.compile(r"[-–—\s]*(?:\d{1,4}|[ivxIVX]{1,5})[-–—\s]*$")


def without_repeats(pages: Sequence[tuple[float, list[TextLine]]]) -> list[list[TextLine]]:
    """Lines by page without running heads and page numbers; pages come with their heights."""
    seen: Counter[str] = Counter()
    for height, lines in pages:
        seen.update({_pattern(line) for line in lines if _is_marginal(line, height)})
    least = max(_LEAST_REPEATS, len(pages) // 3)
    return [
        [line for line in lines if not _is_repeat(line, height, seen, least)]
        for height, lines in pages
    ]


def without_upright_text(lines: Sequence[TextLine]) -> list[TextLine]:
    """Titles set one character below the other, as covers have them, become one line."""
    joined: list[TextLine] = []
    upright = 0  # characters in the column so far
    for line in lines:
        above = joined[-1] if joined else None
        if (
            above is not None
            and len(line.text) == 1
            and (upright or len(above.text) == 1)
            and (abs(line.left - above.left) < above.size / 2 and line.size == above.size)
        ):
            joined[-1] = replace(above, text=above.text + line.text, bottom=line.bottom)
            upright += 1
        else:
            joined.append(line)
            upright = 0
    return joined


def right_edge(lines: Sequence[TextLine], width: float) -> float:
    """Where full lines end: the most common right edge of the longer ones.

    A file of short lines only has no full ones; `width` is that of the page.
    """
    edges = sorted(line.right for line in lines)
    outer = edges[len(edges) * 7 // 10 :]
    common = Counter(round(edge / 4) for edge in outer).most_common(1)
    return max(common[0][0] * 4.0 if common else 0.0, width * _LEAST_EDGE)


class Joiner:
    """Joins lines one after the other."""

    def __init__(self, edge: float) -> None:
        self._edge = edge

    def join(self, lines: Sequence[TextLine]) -> list[TextLine]:
        """Paragraphs in the order of their first lines."""
        joined: list[TextLine] = []
        last: TextLine | None = None
        for line in lines:
            if joined and last is not None and self.goes_on(joined[-1], last, line):
                joined[-1] = merge(joined[-1], line)
            else:
                joined.append(line)
            last = line
        return joined

    def goes_on(self, start: TextLine, last: TextLine, line: TextLine) -> bool:
        """Whether `line` continues the paragraph that `start` opens and `last` ends so far."""
        if read_label(line.text) is not None or not _look_alike(start, line):
            return False
        if not self._is_full(last, line) or not _is_close(last, line):
            return False
        if last.text[-1] not in _FULL_ENDS:
            return True
        hangs = read_label(start.text) is not None and line.left > start.left + start.size / 2
        return hangs or line.left < start.left - start.size / 2

    def _is_full(self, line: TextLine, below: TextLine) -> bool:
        """Whether it ends where lines end, or where an address below had no room."""
        word = _LONG_WORD.match(below.text)
        room = len(word[0]) * _LATIN_WIDTH if word else 1.8
        return line.right >= self._edge - room * line.size


def merge(upper: TextLine, lower: TextLine) -> TextLine:
    """One paragraph; a blank goes only between Latin words."""
    blank = upper.text[-1].isascii() and lower.text[0].isascii()
    blank = blank and upper.text[-1].isalnum() and lower.text[0].isalnum()
    text = f"{upper.text}{' ' if blank else ''}{lower.text}"
    return replace(upper, text=text, bold=upper.bold and lower.bold)


def _look_alike(upper: TextLine, lower: TextLine) -> bool:
    if upper.bold != lower.bold and min(len(upper.text), len(lower.text)) > 3:
        return False
    return abs(upper.size - lower.size) <= max(upper.size, lower.size) * _SAME_SIZE


def _is_close(upper: TextLine, lower: TextLine) -> bool:
    if upper.page != lower.page:
        return lower.page == upper.page + 1
    height = max(upper.bottom - upper.top, upper.size)
    return -height < lower.top - upper.bottom <= height * _GAP


def _is_marginal(line: TextLine, height: float) -> bool:
    return line.bottom < height * _MARGIN or line.top > height * (1 - _MARGIN)


def _is_repeat(line: TextLine, height: float, seen: Counter[str], least: int) -> bool:
    if not _is_marginal(line, height):
        return False
    number = _ROMAN_OR_DIGITS.match(line.text) is not None
    return number or is_boilerplate(line.text) or seen[_pattern(line)] >= least


def _pattern(line: TextLine) -> str:
    return f"{_DIGITS.sub('#', line.text)}@{round(line.top / 8)}"

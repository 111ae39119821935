"""Lines with their numbers read, and quick answers about what stands below each of them."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from kb.importer.elements import Box, Element, Grid, Line, Role
from kb.importer.labels import Label, LabelKind, read_automatic, read_heading_label, read_label


@dataclass(frozen=True, slots=True)
class Cue:
    """One line of the stream; `label` is its number, automatic or typed."""

    index: int
    line: Line
    label: Label | None

    @property
    def name(self) -> str:
        """The line without its number."""
        return self.line.text if self.label is None or self.line.label else self.label.rest

    @property
    def separator(self) -> str:
        """Tells 1、 from 1. and automatic numbers from typed ones."""
        text = self.line.label or (self.label.text if self.label else "")
        mark = "" if text[-1:].isalnum() else text[-1:].replace("．", ".").replace("）", ")")
        return f"auto{mark}" if self.line.label else mark

    def shown(self, name: str | None = None) -> str:
        """The heading as a reader sees it, number included; `name` replaces the line's own."""
        typed = self.label.text if self.label and not self.line.label else ""
        text = self.line.text if name is None else with_number(typed, name)
        return with_number(self.line.label, text).rstrip("：: ")


def with_number(number: str, name: str) -> str:
    """`1.` and `入库` as one line; marks that are wide enough themselves need no blank."""
    gap = "" if not number or number[-1] in "、）】》，：" else " "
    return f"{number}{gap}{name}".strip()


class Stream:
    """All lines of a file, indexed."""

    def __init__(self, elements: Sequence[Element]) -> None:
        self.length = len(elements)
        self.elements = elements
        self.cues = [
            Cue(index, element, _label(element))
            for index, element in enumerate(elements)
            if isinstance(element, Line) and element.text
        ]
        self.texts = Counter(cue.line.text for cue in self.cues)
        self._chars = _running_chars(elements)

    @cached_property
    def by_index(self) -> dict[int, Cue]:
        """Cues by their place in the stream."""
        return {cue.index: cue for cue in self.cues}

    @cached_property
    def _labelled(self) -> dict[LabelKind, list[Cue]]:
        found: dict[LabelKind, list[Cue]] = {}
        for cue in self.cues:
            if cue.label is not None:
                found.setdefault(cue.label.kind, []).append(cue)
        return found

    def next_of_kind(self, cue: Cue, label: Label) -> int:
        """Where the next line with this kind of number, as deep or less deep, stands."""
        same = self._labelled[label.kind]
        first = bisect_right(same, cue.index, key=lambda other: other.index)
        for at in range(first, len(same)):
            other = same[at].label
            if other is not None and len(other.value) <= len(label.value):
                return same[at].index
        return self.length

    def chars_between(self, start: int, stop: int) -> int:
        """Characters of lines, tables and boxes in a stretch of the stream."""
        return self._chars[stop] - self._chars[start] if start < stop else 0


def _label(line: Line) -> Label | None:
    if line.role in {Role.CODE, Role.CAPTION, Role.CONTENTS}:
        return None
    if line.label:
        return read_automatic(line.label)
    return read_label(line.text) if line.level is None else read_heading_label(line.text)


def _running_chars(elements: Sequence[Element]) -> list[int]:
    totals = [0]
    for element in elements:
        totals.append(totals[-1] + _chars(element))
    return totals


def _chars(element: Element) -> int:
    match element:
        case Line(text=text):
            return len(text)
        case Grid(table=table):
            return sum(len(cell) for row in table.rows for cell in row)
        case Box(callout=callout):
            return len(callout.text)
        case _:
            return 0

"""What reading a picture gives: lines with their places, and the order that people read them in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

#: Between two lines that stand side by side.
GAP = "  "


@dataclass(frozen=True, slots=True)
class Line:
    """One run of text; the box in pixels of the picture as a person sees it, upper left is 0, 0.

    ``confidence`` is between 0 and 1.
    """

    text: str
    confidence: float
    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Recognition:
    """A picture's size in pixels, as a person sees it, and its lines from top to bottom."""

    width: int
    height: int
    lines: tuple[Line, ...]

    def rows(self) -> tuple[tuple[Line, ...], ...]:
        """Lines of one height together, each row from left to right."""
        return rows(self.lines)

    def text(self) -> str:
        """All lines in reading order, one row a line."""
        return "\n".join(GAP.join(line.text for line in row) for row in self.rows())


class TextReader(Protocol):
    """Reads pictures. Synchronous, safe to call from threads."""

    def read(self, image: bytes) -> Recognition:
        """The lines of one picture; none is a result too. Raises :class:`PictureUnread`."""
        ...


def rows(lines: Sequence[Line]) -> tuple[tuple[Line, ...], ...]:
    """Lines whose middle lies within the height of a row's first line belong to that row."""
    gathered: list[list[Line]] = []
    for line in sorted(lines, key=lambda each: (each.top, each.left)):
        middle = (line.top + line.bottom) / 2
        if gathered and gathered[-1][0].top <= middle <= gathered[-1][0].bottom:
            gathered[-1].append(line)
        else:
            gathered.append([line])
    return tuple(tuple(sorted(row, key=lambda each: each.left)) for row in gathered)

"""Scanned pages: their pictures go to the text reader, and what it read comes back as lines.

This is the side that may start processes; what a page looks like and what its lines mean is
decided where files are parsed (`pdf`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass
from threading import Event
from typing import Any

from kb.errors import ImportRefused, PictureUnread, RefusalReason
from kb.ocr import Recognition, TextReader
from kb.ocr.lines import GAP

_SURE = 0.8


@dataclass(frozen=True, slots=True)
class ScannedLine:
    """One row of a page; the box in parts of the page's width and height from the upper left."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    sure: bool

    @classmethod
    def from_json(cls, values: Sequence[Any]) -> "ScannedLine":
        """The line again that `to_json` wrote."""
        text, *box, sure = values
        left, top, right, bottom = (min(max(float(part), 0.0), 1.0) for part in box)
        return cls(str(text), left, top, right, bottom, bool(sure))

    def to_json(self) -> list[Any]:
        """For the pipe."""
        return list(astuple(self))


Pages = dict[int, list[ScannedLine]]


def read_pages(
    numbers: Iterable[int], render: Callable[[int], bytes], reader: TextReader, stop: Event
) -> Pages:
    """The rows of each page that could be read; a page that could not is left out.

    Raises:
        ImportRefused: crashed, when `stop` was set meanwhile; whatever `render` raises.
    """
    found: Pages = {}
    for number in numbers:
        picture = render(number)
        try:
            rows = _rows(reader.read(picture))
        except PictureUnread:
            rows = []
        if stop.is_set():
            raise ImportRefused(RefusalReason.CRASHED, "interrupted")
        if rows:
            found[number] = rows
    return found


def _rows(read: Recognition) -> list[ScannedLine]:
    """What stands side by side is one line, as it is where a page has its own text."""
    wide, high = max(read.width, 1), max(read.height, 1)
    return [
        ScannedLine(
            GAP.join(line.text for line in row),
            min(line.left for line in row) / wide,
            min(line.top for line in row) / high,
            max(line.right for line in row) / wide,
            max(line.bottom for line in row) / high,
            min(line.confidence for line in row) >= _SURE,
        )
        for row in read.rows()
    ]

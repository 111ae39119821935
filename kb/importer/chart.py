"""Charts: their title and what they plot as lines of text; their look is lost.

Reads the values that the file keeps beside its references, never a workbook behind them.
"""

from collections.abc import Iterator

from lxml import etree

from kb.importer.archive import parse_part
from kb.importer.characters import tidy

_C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_CX = "{http://schemas.microsoft.com/office/drawing/2014/chartex}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
#: More points than people read in words; the rest is left out and marked.
MOST_POINTS = 60


def chart_relation(graphic: etree._Element) -> str | None:
    """The relationship to a chart, where the graphic is one."""
    node = next(graphic.iter(_C + "chart", _CX + "chart"), None)
    return None if node is None else node.get(_R + "id")


def chart_texts(data: bytes, name: str) -> list[str]:
    """Title, axes, then one line per series with its points; nothing for broken data.

    Raises:
        ImportRefused: external_entity.
    """
    root = parse_part(data, name)
    if root is None:
        return []
    titles = (_rich(node) for node in root.iter(_C + "title", _CX + "title"))
    series = (_series(node) for node in root.iter(_C + "ser"))
    extended = (_extended(node) for node in root.iter(_CX + "data"))
    return [text for text in (*titles, *series, *extended) if text]


def _rich(node: etree._Element) -> str:
    """A title's own words, or those that it took from a cell."""
    own = "".join(part.text or "" for part in node.iter(_A + "t"))
    return tidy(own or " ".join(part.text or "" for part in node.iter(_C + "v")))


def _series(node: etree._Element) -> str:
    name = node.find(_C + "tx")
    places = dict(_points(node, "cat", "xVal"))
    values = [
        f"{places[at]} {value}" if at in places else value
        for at, value in _points(node, "val", "yVal")
    ]
    return _line(_rich(name) if name is not None else "", values or list(places.values()))


def _extended(node: etree._Element) -> str:
    """The charts of later Office versions keep their points by dimension."""
    dimensions = [
        [tidy(point.text or "") for point in level.iter(_CX + "pt")]
        for level in node.iter(_CX + "lvl")
    ]
    if not dimensions:
        return ""
    return _line("", [" ".join(filter(None, each)) for each in zip(*dimensions, strict=False)])


def _line(name: str, points: list[str]) -> str:
    shown = "；".join(point for point in points[:MOST_POINTS] if point)
    if len(points) > MOST_POINTS:
        shown += "；……"
    return f"{name}：{shown}" if name and shown else name or shown


def _points(node: etree._Element, *names: str) -> Iterator[tuple[str, str]]:
    """Index and text of what is plotted along one of these."""
    for name in names:
        for along in node.iterfind(_C + name):
            for point in along.iter(_C + "pt"):
                text = tidy(point.findtext(_C + "v") or "")
                if text:
                    yield point.get("idx", ""), _short(text)


def _short(number: str) -> str:
    """Without the digits that only arithmetic made: 0.30000000000000004 is 0.3."""
    try:
        return f"{float(number):.10g}" if len(number) > len("0.12345678") else number
    except ValueError:
        return number

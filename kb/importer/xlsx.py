"""Excel workbooks of today: cells as stored, hidden parts left out, pictures beside their rows.

Cached values are read, never formulas. Cells are walked as stored, because a sheet may claim a
million empty rows. Pictures float over cells, or stand in one: as WPS keeps them (DISPIMG).
"""

import posixpath
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any
from zipfile import BadZipFile

import openpyxl
from openpyxl.utils import column_index_from_string
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.xml.functions import tostring

from kb.errors import ImportRefused
from kb.importer.archive import Archive, parse_xml
from kb.importer.calamine import read_calamine
from kb.importer.chart import chart_texts
from kb.importer.faq import Sheet
from kb.importer.intake import Intake
from kb.importer.workbook import Place, fill_merged, make_sheet, read_workbook, shown
from kb.sections import FaqTable, Guide, Image, WarningCode

_BROKEN = (BadZipFile, InvalidFileException, KeyError, ValueError, TypeError, IndexError,
           AttributeError, OSError)  # fmt: skip
_IN_CELL = re.compile(r'=(?:_xlfn\.)?DISPIMG\("([^"]{1,100})"')
_CELL_IMAGES = "xl/cellimages.xml"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"


def read_xlsx(data: bytes, archive: Archive, intake: Intake, *, name: str) -> Guide | FaqTable:
    """A question table when any sheet is one, else a guide.

    Raises:
        ImportRefused: corrupt, too_large or no_text.
    """
    try:
        workbook = openpyxl.load_workbook(BytesIO(data), data_only=True, keep_links=False)
    except _BROKEN:
        return _without_looks(data, archive, intake, name)
    reader = _Reader(intake, dict(_cell_images(archive)))
    visible = [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
    sheets = [reader.read(sheet) for sheet in visible]
    return read_workbook(sheets, intake, name=name, fmt="xlsx")


def _without_looks(data: bytes, archive: Archive, intake: Intake, name: str) -> Guide | FaqTable:
    """Values only: exports of other programs now and then have styles that openpyxl refuses."""
    pictures = sum(member.startswith("xl/media/") for member in archive.names)
    if pictures:
        intake.note(WarningCode.SKIPPED_CONTENT, f"{pictures} pictures")
    return read_calamine(data, intake, name=name, fmt="xlsx")


@dataclass(frozen=True, slots=True)
class _Reader:
    intake: Intake
    in_cells: Mapping[str, tuple[bytes, str]]  # bytes and name by the id that DISPIMG gives

    def read(self, sheet: Worksheet) -> Sheet:
        cells, pictures = self._cells(sheet)
        areas = [
            ((area.min_row, area.min_col), (area.max_row, area.max_col))
            for area in sheet.merged_cells.ranges
        ]
        fill_merged(cells, areas)
        made = make_sheet(
            sheet.title,
            cells,
            self.intake,
            hidden_rows=frozenset(
                row for row, shape in sheet.row_dimensions.items() if shape.hidden
            ),
            hidden_columns=frozenset(_hidden_columns(sheet)),
        )
        for chart in getattr(sheet, "_charts", []):
            # What it plots stands in cells, which are read; only its look is missed.
            self.intake.note(WarningCode.SKIPPED_CONTENT, f"{sheet.title}: {_chart_title(chart)}")
        for row, image in self._floating(sheet):
            pictures[row].append(image)
        return replace(made, pictures=_beside(made, pictures))

    def _cells(self, sheet: Worksheet) -> tuple[dict[Place, str], defaultdict[int, list[Image]]]:
        """Texts by cell and pictures by row."""
        texts: dict[Place, str] = {}
        pictures: defaultdict[int, list[Image]] = defaultdict(list)
        stored: dict[Place, Any] = sheet._cells  # noqa: SLF001 - iter_rows walks the gaps
        for place, cell in sorted(stored.items(), key=lambda item: item[0]):
            text = shown(cell.value)
            inside = _IN_CELL.match(text)
            if inside is not None:
                image = self._in_cell(inside[1], f"{sheet.title}!{cell.coordinate}")
                pictures[place[0]].extend([image] if image is not None else [])
            elif text:
                texts[place] = text
        return texts, pictures

    def _in_cell(self, key: str, where: str) -> Image | None:
        found = self.in_cells.get(key)
        if found is None:
            self.intake.note(WarningCode.MISSING_IMAGE, where)
            return None
        return self.intake.picture(*found)

    def _floating(self, sheet: Worksheet) -> Iterator[tuple[int, Image]]:
        """Pictures with the row of their upper edge, from top to bottom."""
        placed = [(*_anchor(image), image) for image in getattr(sheet, "_images", [])]
        for row, _, image in sorted(placed, key=lambda item: item[:2]):
            picture = self.intake.picture(image._data(), posixpath.basename(image.path))  # noqa: SLF001
            if picture is not None:
                yield row, picture


def _beside(sheet: Sheet, pictures: Mapping[int, list[Image]]) -> dict[int, tuple[Image, ...]]:
    """Pictures by the row they stand beside: that of their upper edge or the last one above it."""
    found: dict[int, tuple[Image, ...]] = {}
    for row in sorted(pictures):
        at = max(bisect_right(sheet.numbers, row) - 1, 0)
        found[at] = (*found.get(at, ()), *pictures[row])
    return found


def _chart_title(chart: Any) -> str:
    """The chart's title, or its kind where it has none."""
    texts = chart_texts(tostring(chart._write()), "chart") if chart.title else []  # noqa: SLF001
    return texts[0] if texts else type(chart).__name__


def _anchor(image: Any) -> Place:
    """Row and column of the upper left corner, from 1; a picture placed freely comes first."""
    corner = getattr(image.anchor, "_from", None)
    return (corner.row + 1, corner.col + 1) if corner is not None else (1, 1)


def _hidden_columns(sheet: Worksheet) -> Iterator[int]:
    """One entry may stand for several columns alike."""
    for letter, shape in sheet.column_dimensions.items():
        if shape.hidden:
            first = shape.min or column_index_from_string(letter)
            yield from range(first, (shape.max or first) + 1)


def _cell_images(archive: Archive) -> Iterator[tuple[str, tuple[bytes, str]]]:
    """Pictures that WPS keeps in cells: their ids lead over a drawing and a relation to a file."""
    relations = f"xl/_rels/{posixpath.basename(_CELL_IMAGES)}.rels"
    try:
        links = parse_xml(archive.read(relations), relations)
        root = parse_xml(archive.read(_CELL_IMAGES), _CELL_IMAGES)
    except (KeyError, ImportRefused):  # without them, or broken; declarations were refused before
        return
    targets = {node.get("Id", ""): node.get("Target", "") for node in links}
    for picture in root.iter(_DRAWING + "pic"):
        named = picture.find(f"{_DRAWING}nvPicPr/{_DRAWING}cNvPr")
        blip = picture.find(f"{_DRAWING}blipFill/{_A}blip")
        if named is None or blip is None:
            continue
        part = posixpath.normpath(posixpath.join("xl", targets.get(blip.get(_R + "embed", ""), "")))
        if part in archive:
            yield named.get("name", ""), (archive.read(part), posixpath.basename(part))

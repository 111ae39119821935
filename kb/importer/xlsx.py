"""Excel workbooks: question tables become questions, any other sheet a section with its table.

Cached values are read, never formulas; hidden sheets, rows and columns are left out; merged cells
are filled. Cells are walked as stored, because a sheet may claim a million empty rows.
"""

import posixpath
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from io import BytesIO
from typing import Any
from zipfile import BadZipFile

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from kb.errors import ImportRefused, RefusalReason
from kb.importer.assembly import assemble
from kb.importer.characters import tidy_lines
from kb.importer.cover import clean_stem
from kb.importer.elements import Element, Grid, Line, Picture, RawDocument
from kb.importer.faq import Sheet, read_faq, without_duplicates
from kb.importer.intake import Intake
from kb.importer.tables import make_table
from kb.sections import FaqEntry, FaqTable, Guide, WarningCode

_MOST_COLUMNS = 200
_MOST_MERGED = 20_000
_BROKEN = (BadZipFile, InvalidFileException, KeyError, ValueError, TypeError, IndexError,
           AttributeError, OSError)  # fmt: skip


def read_xlsx(data: bytes, intake: Intake, *, name: str) -> Guide | FaqTable:
    """A question table when any sheet is one, else a guide.

    Raises:
        ImportRefused: corrupt, too_large or no_text.
    """
    try:
        workbook = openpyxl.load_workbook(BytesIO(data), data_only=True, keep_links=False)
    except _BROKEN as error:
        raise ImportRefused(RefusalReason.CORRUPT, f"xlsx: {error}") from error
    shown = [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
    sheets = [(sheet, _read(sheet, intake)) for sheet in shown]
    filled = [(sheet, cells) for sheet, cells in sheets if cells.rows]
    if not filled:
        raise ImportRefused(RefusalReason.NO_TEXT, f"{len(shown)} sheets")
    found = [(sheet, cells, read_faq(cells, intake)) for sheet, cells in filled]
    if any(entries is not None for _, _, entries in found):
        return _faq(found, intake, name)
    elements = tuple(each for sheet, cells in filled for each in _elements(sheet, cells, intake))
    return assemble(RawDocument("xlsx", elements), intake, name=name)


def _faq(
    found: Sequence[tuple[Worksheet, Sheet, list[FaqEntry] | None]], intake: Intake, name: str
) -> FaqTable:
    entries: list[FaqEntry] = []
    for sheet, cells, questions in found:
        if questions is None:
            intake.note(WarningCode.SKIPPED_CONTENT, cells.name)
        else:
            entries.extend(questions)
            pictures = len(getattr(sheet, "_images", []))
            if pictures:
                intake.note(WarningCode.SKIPPED_CONTENT, f"{cells.name}: {pictures} pictures")
    kept = without_duplicates(entries, intake)
    return FaqTable(clean_stem(name), kept, fmt="xlsx", warnings=tuple(intake.notices))


def _read(sheet: Worksheet, intake: Intake) -> Sheet:
    cells = _cells(sheet, intake)
    _fill_merged(sheet, cells)
    rows = sorted({row for row, _ in cells if not sheet.row_dimensions[row].hidden})
    columns = sorted({column for _, column in cells if not _is_hidden(sheet, column)})
    if len(rows) > intake.limits.table_rows:
        raise ImportRefused(RefusalReason.TOO_LARGE, f"{sheet.title}: {len(rows)} rows")
    if len(columns) > _MOST_COLUMNS:
        intake.note(WarningCode.SKIPPED_CONTENT, f"{sheet.title}: {len(columns)} columns")
    grid = tuple(
        tuple(cells.get((row, column), "") for column in columns[:_MOST_COLUMNS]) for row in rows
    )
    return Sheet(sheet.title, grid, first_row=rows[0] if rows else 1)


def _cells(sheet: Worksheet, intake: Intake) -> dict[tuple[int, int], str]:
    found: dict[tuple[int, int], str] = {}
    stored: dict[tuple[int, int], Any] = sheet._cells  # noqa: SLF001 - iter_rows walks the gaps
    for place, cell in stored.items():
        text = _shown(cell.value)
        if text.startswith(("=DISPIMG(", "=_xlfn.DISPIMG(")):
            intake.note(WarningCode.SKIPPED_CONTENT, f"{sheet.title}!{cell.coordinate} picture")
        elif text:
            found[place] = text
    return found


def _shown(value: object) -> str:
    """As Excel shows it, near enough: whole numbers without .0, dates in ISO form."""
    match value:
        case None:
            return ""
        case bool():
            return "是" if value else "否"
        case float() if value.is_integer():
            return str(int(value))
        case datetime() if value.time() == datetime.min.time():
            return value.date().isoformat()
        case datetime() | date():
            return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
        case _:
            return tidy_lines(str(value))


def _fill_merged(sheet: Worksheet, cells: dict[tuple[int, int], str]) -> None:
    filled = 0
    for area in sheet.merged_cells.ranges:
        text = cells.get((area.min_row, area.min_col), "")
        size = (area.max_row - area.min_row + 1) * (area.max_col - area.min_col + 1)
        filled += size
        if not text or filled > _MOST_MERGED:
            continue
        for row in range(area.min_row, area.max_row + 1):
            for column in range(area.min_col, area.max_col + 1):
                cells[row, column] = text


def _is_hidden(sheet: Worksheet, column: int) -> bool:
    letter = get_column_letter(column)
    return letter in sheet.column_dimensions and bool(sheet.column_dimensions[letter].hidden)


def _elements(sheet: Worksheet, cells: Sheet, intake: Intake) -> Iterator[Element]:
    """The sheet's name as heading, runs of one-cell rows as lines, the rest as tables."""
    yield Line(cells.name, level=1)
    run: list[tuple[str, ...]] = []
    for row in cells.rows:
        values = [cell for cell in row if cell]
        if len(set(values)) == 1 and not run:
            yield from (Line(text) for text in values[0].split("\n"))
        elif values:
            run.append(row)
    table = make_table(run)
    if table is not None:
        yield Grid(table)
    for image in getattr(sheet, "_images", []):
        picture = intake.picture(image._data(), posixpath.basename(image.path))  # noqa: SLF001
        if picture is not None:
            yield Picture(picture)

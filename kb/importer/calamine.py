"""Workbooks that openpyxl does not read: xls of all ages, xlsb, ods; values only.

Pictures and hidden rows cannot be told here. Its parser is Rust and expands no XML entities.
"""

from io import BytesIO

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
    ZipError,
)

from kb.errors import ImportRefused, RefusalReason
from kb.importer.faq import Sheet
from kb.importer.intake import Intake
from kb.importer.workbook import Place, fill_merged, make_sheet, read_workbook, shown
from kb.sections import FaqTable, Guide

_BROKEN = (CalamineError, ZipError, ValueError, OSError)
_MOST_CELLS = 20_000_000  # a sheet is held with its gaps


def read_calamine(data: bytes, intake: Intake, *, name: str, fmt: str) -> Guide | FaqTable:
    """A question table when any sheet is one, else a guide.

    Raises:
        ImportRefused: password, corrupt, too_large or no_text.
    """
    try:
        workbook = CalamineWorkbook.from_filelike(BytesIO(data))
        sheets = [
            _read(workbook.get_sheet_by_name(sheet.name), intake)
            for sheet in workbook.sheets_metadata
            if sheet.visible is SheetVisibleEnum.Visible and sheet.typ is SheetTypeEnum.WorkSheet
        ]
    except PasswordError as error:
        raise ImportRefused(RefusalReason.PASSWORD, fmt) from error
    except _BROKEN as error:
        raise ImportRefused(RefusalReason.CORRUPT, f"{fmt}: {error}") from error
    return read_workbook(sheets, intake, name=name, fmt=fmt)


def _read(sheet: CalamineSheet, intake: Intake) -> Sheet:
    if sheet.height * sheet.width > _MOST_CELLS:
        raise ImportRefused(RefusalReason.TOO_LARGE, f"{sheet.name}: {sheet.height} rows")
    left = sheet.start[1] if sheet.start is not None else 0  # rows come from the first, columns not
    cells: dict[Place, str] = {}
    for row, values in enumerate(sheet.iter_rows(), start=1):
        for column, value in enumerate(values, start=left + 1):
            text = shown(value)
            if text:
                cells[row, column] = text
    areas = [
        ((first[0] + 1, first[1] + 1), (last[0] + 1, last[1] + 1))
        for first, last in sheet.merged_cell_ranges or []
    ]
    fill_merged(cells, areas)
    return make_sheet(sheet.name, cells, intake)

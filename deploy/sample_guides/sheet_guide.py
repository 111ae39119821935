"""Renders a guide as a workbook: one sheet per first-level heading, its first table as the grid.

Responsible for the shapes that such sheets have in practice: a merged title row above the header,
merged category cells, line breaks inside cells, a notes line under the title, pictures below.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from typing import Any

from guide_source import Block, Callout, Figure, Heading, Para, Source, Table, plain
from layout import cover_facts, issued, merged_cells, repack
from openpyxl import Workbook
from openpyxl.drawing.image import Image as SheetImage
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from screens import ScreenStudio

THIN = Side(style="thin", color="BFC7D1")
BORDER = Border(left=THIN, right=THIN, top=THIN, bottom=THIN)
WIDEST = 52


def render_xlsx(source: Source, studio: ScreenStudio) -> bytes:
    """The guide as .xlsx bytes, the same for the same source."""
    book = Workbook()
    first = book.active
    assert first is not None  # noqa: S101  a new workbook always has one sheet
    first.title = "说明"
    _cover(first, source)
    sheet: Any = first
    for block in source.blocks:
        if isinstance(block, Heading):
            sheet = book.create_sheet(block.text[:31])
            sheet.append([f"{source.text('title')}——{block.text}"])
        else:
            _write(sheet, block, studio)
    properties = book.properties
    properties.title = source.text("title")
    properties.creator = properties.lastModifiedBy = source.text("owner", "禾城市财政信息中心")
    properties.created = properties.modified = issued(source).replace(tzinfo=None)
    out = io.BytesIO()
    book.save(out)
    return repack(_steady(out.getvalue(), source))


def _steady(data: bytes, source: Source) -> bytes:
    """openpyxl stamps the time of saving over ``modified``; put the date of issue back."""
    stamp = issued(source).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            content = old.read(info)
            if info.filename == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp, content)
            new.writestr(info, content)
    return out.getvalue()


def _cover(sheet: Any, source: Source) -> None:
    sheet.append([source.text("title")])
    sheet["A1"].font = Font(name="黑体", size=16, bold=True)
    sheet.merge_cells("A1:B1")
    rows = [*cover_facts(source), ("修改记录", "")]
    for label, value in rows:
        sheet.append([label, value])
    for row in source.revisions:
        sheet.append(["", "　".join(row)])
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 14, 70


def _write(sheet: Any, block: Block, studio: ScreenStudio) -> None:
    match block:
        case Para(runs):
            sheet.append([plain(runs)])
        case Callout(kind, runs):
            sheet.append([f"{kind}：{plain(runs)}"])
        case Table(rows):
            _grid(sheet, rows)
        case Figure(screen, label, caption):
            row = sheet.max_row + 2
            sheet.cell(row, 2, f"{label} {caption}")
            drawn = studio.screen(screen)
            picture = SheetImage(io.BytesIO(drawn.png))
            picture.width, picture.height = 770, 770 * drawn.height // drawn.width
            sheet.add_image(picture, f"B{row + 1}")
            sheet.cell(row + 24, 1, None)
        case _:
            raise ValueError(f"a sheet cannot show {type(block).__name__}")


def _grid(sheet: Any, rows: Sequence[tuple[str, ...]]) -> None:
    top, columns = sheet.max_row + 1, len(rows[0])
    for above in range(1, top):
        sheet.merge_cells(start_row=above, end_row=above, start_column=1, end_column=columns)
        sheet.cell(above, 1).alignment = Alignment(horizontal="center" if above == 1 else "left")
    sheet.cell(1, 1).font = Font(name="黑体", size=14, bold=True)
    for cell in merged_cells(tuple(rows)):
        _cell(sheet, top, cell)
    for column in range(columns):
        longest = max(len(line) for row in rows for line in row[column].split("\n"))
        letter = get_column_letter(column + 1)
        sheet.column_dimensions[letter].width = min(WIDEST, max(6, longest * 2))
    for number, row in enumerate(rows):
        # A spreadsheet does not grow a row by itself for text written by a program.
        lines = max(-(-len(part) * 2 // WIDEST) for part in row) + max(c.count("\n") for c in row)
        sheet.row_dimensions[top + number].height = 15.5 * max(1, lines)
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.freeze_panes = sheet.cell(top + 1, 1)


def _cell(sheet: Any, top: int, cell: Any) -> None:
    row, column = top + cell.row, cell.column + 1
    target = sheet.cell(row, column)
    target.value = int(cell.text) if cell.text.isdigit() else cell.text
    target.alignment = Alignment(wrap_text=True, vertical="center" if cell.rows > 1 else "top")
    target.border = BORDER
    if cell.row == 0:
        target.font = Font(bold=True)
        target.fill = PatternFill("solid", fgColor="E8F1FB")
    if cell.rows > 1 or cell.columns > 1:
        sheet.merge_cells(
            start_row=row,
            end_row=row + cell.rows - 1,
            start_column=column,
            end_column=column + cell.columns - 1,
        )

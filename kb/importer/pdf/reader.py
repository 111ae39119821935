"""Reads a PDF file page by page into a stream; the file's own outline, where it has one, declares
the headings. Pages without text of their own are reported, and read from what a text reader saw.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pdfplumber
import pypdfium2 as pdfium

from kb.errors import ImportRefused, RefusalReason
from kb.importer.elements import Element, Grid, Line, Picture, RawDocument
from kb.importer.intake import Intake
from kb.importer.pdf.page import PageReader, PlacedImage, TextLine, clean
from kb.importer.pdf.paragraphs import Joiner, right_edge, without_repeats, without_upright_text
from kb.importer.pdf.scans import placed_lines
from kb.importer.scans import ScannedLine
from kb.importer.tables import make_table
from kb.sections import Table, WarningCode

_LEAST_STROKES = 12  # four cells
_LEAST_OUTLINE = 3
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class _PlacedTable:
    table: Table
    box: tuple[float, float, float, float]  # left, top, right, bottom
    page: int

    def holds(self, line: TextLine) -> bool:
        left, top, right, bottom = self.box
        middle = (line.top + line.bottom) / 2
        return top <= middle <= bottom and left - 2 <= line.left and line.right <= right + 2


@dataclass(slots=True)
class _Page:
    width: float
    height: float
    lines: list[TextLine]
    pictures: list[PlacedImage]
    tables: list[_PlacedTable]


def read_pdf(data: bytes, intake: Intake) -> RawDocument:
    """The stream of a PDF file.

    Raises:
        ImportRefused: password, corrupt, too_large or no_text.
    """
    document = open_pdf(data)
    try:
        pages = _read_pages(document, data, intake)
        outline = _outline(document)
    except pdfium.PdfiumError as error:
        raise ImportRefused(RefusalReason.CORRUPT, f"pdf: {error}") from error
    finally:
        document.close()
    if not any(page.lines for page in pages):
        raise ImportRefused(RefusalReason.NO_TEXT, f"{len(pages)} scanned pages")
    elements = tuple(_elements(pages, outline))
    return RawDocument("pdf", elements)


def open_pdf(data: bytes) -> pdfium.PdfDocument:
    """The document, to be closed by the caller.

    Raises:
        ImportRefused: password or corrupt.
    """
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower() or "security" in str(error).lower():
            raise ImportRefused(RefusalReason.PASSWORD, "pdf") from error
        raise ImportRefused(RefusalReason.CORRUPT, f"pdf: {error}") from error


def _read_pages(document: pdfium.PdfDocument, data: bytes, intake: Intake) -> list[_Page]:
    if len(document) > intake.limits.pages:
        raise ImportRefused(RefusalReason.TOO_LARGE, f"{len(document)} pages")
    pages: list[_Page] = []
    ruled: list[int] = []
    for index in range(len(document)):
        page = document[index]
        reader = PageReader(page, index + 1)
        pictures = sorted(reader.pictures(intake), key=lambda placed: placed.top)
        rows = intake.aid.scanned.get(index + 1, ())
        if rows:
            lines = _read_from_picture(reader, rows, index + 1, intake)
            pictures = [one for one in pictures if one.bottom - one.top < reader.height / 2]
        else:
            lines = without_upright_text(reader.lines())
        if not lines:
            intake.note(WarningCode.PAGE_WITHOUT_TEXT, page=index + 1)
        if lines and not rows and reader.has_rules(_LEAST_STROKES):
            ruled.append(index)
        pages.append(_Page(reader.width, reader.height, lines, pictures, []))
        page.close()
    for index, tables in _find_tables(data, ruled, intake).items():
        pages[index].tables = tables
    return pages


def _read_from_picture(
    reader: PageReader, rows: Sequence[ScannedLine], number: int, intake: Intake
) -> list[TextLine]:
    unsure = sum(not row.sure for row in rows)
    detail = f"{len(rows)} lines, {unsure} unsure"
    intake.note(WarningCode.READ_FROM_PICTURE, detail, page=number)
    return placed_lines(rows, reader.width, reader.height, number)


def _find_tables(
    data: bytes, ruled: Sequence[int], intake: Intake
) -> dict[int, list[_PlacedTable]]:
    """Tables by page; without them their lines are still text, so a failure is only a doubt."""
    if not ruled:
        return {}
    logging.getLogger("pdfminer").setLevel(logging.ERROR)  # a warning per glyph of odd fonts
    found: dict[int, list[_PlacedTable]] = {}
    try:
        with pdfplumber.open(BytesIO(data), pages=[index + 1 for index in ruled]) as plumber:
            for index, page in zip(ruled, plumber.pages, strict=False):
                found[index] = list(_tables_of(page, index + 1))
                page.close()
    except MemoryError:
        raise
    except Exception as error:  # pdfminer meets files that pdfium reads with errors of all kinds
        for index in ruled[len(found) :]:
            detail = f"tables: {type(error).__name__}"
            intake.note(WarningCode.SKIPPED_CONTENT, detail, page=index + 1)
    return found


def _tables_of(page: Any, number: int) -> Iterator[_PlacedTable]:
    for table in page.find_tables():
        rows = [[clean(cell) for cell in row] for row in table.extract()]
        made = make_table(rows)
        if made is not None and len(made.rows) > 1 and len(made.rows[0]) > 1:
            yield _PlacedTable(made, table.bbox, number)


def _outline(document: pdfium.PdfDocument) -> dict[tuple[int, str], int]:
    """Level by page and text of the file's bookmarks."""
    levels: dict[tuple[int, str], int] = {}
    for bookmark in document.get_toc():
        place = bookmark.get_dest()
        page = place.get_index() if place is not None else None
        if page is not None:
            levels[page + 1, _key(bookmark.get_title())] = bookmark.level + 1
    return levels if len(levels) >= _LEAST_OUTLINE else {}


def _elements(pages: Sequence[_Page], outline: dict[tuple[int, str], int]) -> Iterator[Element]:
    kept = without_repeats([(page.height, page.lines) for page in pages])
    width = max(page.width for page in pages)
    joiner = Joiner(right_edge([line for lines in kept for line in lines], width))
    stream: list[TextLine | PlacedImage | _PlacedTable] = []
    for page, lines in zip(pages, kept, strict=True):
        stream.extend(_in_order(page, lines))
    for item in _joined(_without_split_tables(stream), joiner):
        match item:
            case TextLine():
                level = outline.get((item.page, _key(item.text)))
                yield Line(item.text, level=level, bold=item.bold, size=item.size, page=item.page)
            case PlacedImage():
                yield Picture(item.image, item.page)
            case _PlacedTable():
                yield Grid(item.table, item.page)


def _in_order(
    page: _Page, lines: Sequence[TextLine]
) -> Iterator[TextLine | PlacedImage | _PlacedTable]:
    """Lines outside tables, with pictures and tables at their height."""
    waiting: list[PlacedImage | _PlacedTable] = [*page.pictures, *page.tables]
    waiting.sort(key=_top)
    for line in lines:
        if any(table.holds(line) for table in page.tables):
            continue
        while waiting and _top(waiting[0]) < line.top:
            yield waiting.pop(0)
        yield line
    yield from waiting


def _top(item: PlacedImage | _PlacedTable) -> float:
    return item.top if isinstance(item, PlacedImage) else item.box[1]


def _joined(
    stream: Sequence[TextLine | PlacedImage | _PlacedTable], joiner: Joiner
) -> Iterator[TextLine | PlacedImage | _PlacedTable]:
    run: list[TextLine] = []
    for item in stream:
        if isinstance(item, TextLine):
            run.append(item)
            continue
        yield from joiner.join(run)
        run = []
        yield item
    yield from joiner.join(run)


def _without_split_tables(
    stream: Sequence[TextLine | PlacedImage | _PlacedTable],
) -> list[TextLine | PlacedImage | _PlacedTable]:
    """A table that goes on at the top of the next page is one table; its header comes once."""
    merged: list[TextLine | PlacedImage | _PlacedTable] = []
    for item in stream:
        above = merged[-1] if merged else None
        if (
            isinstance(item, _PlacedTable)
            and isinstance(above, _PlacedTable)
            and (
                item.page == above.page + 1 and len(item.table.rows[0]) == len(above.table.rows[0])
            )
        ):
            heads = above.table.rows[: above.table.header_rows]
            rows = item.table.rows
            rest = rows[len(heads) :] if rows[: len(heads)] == heads else rows
            table = Table(above.table.rows + rest, above.table.header_rows, above.table.caption)
            merged[-1] = _PlacedTable(table, above.box, item.page)
        else:
            merged.append(item)
    return merged


def _key(text: str) -> str:
    return _BLANKS.sub("", clean(text))

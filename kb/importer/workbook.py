"""Workbooks of every kind, once their cells are read: question tables or a guide of their sheets.

Readers of formats bring sheets; what they mean is decided here, for all of them alike.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from kb.errors import ImportRefused, RefusalReason
from kb.importer.assembly import assemble
from kb.importer.characters import tidy_lines
from kb.importer.cover import clean_stem
from kb.importer.elements import Element, Grid, Line, Picture, RawDocument
from kb.importer.faq import Sheet, read_faq, without_duplicates
from kb.importer.intake import Intake
from kb.importer.tables import make_table
from kb.sections import FaqEntry, FaqTable, Guide, WarningCode

MOST_COLUMNS = 200
_MOST_MERGED = 20_000

Place = tuple[int, int]  # row and column, from 1
Area = tuple[Place, Place]  # first and last cell, both inside


def read_workbook(
    sheets: Sequence[Sheet], intake: Intake, *, name: str, fmt: str
) -> Guide | FaqTable:
    """A question table when any sheet is one, else a guide; `sheets` are the visible ones.

    Raises:
        ImportRefused: no_text.
    """
    filled = [sheet for sheet in sheets if sheet.rows]
    if not filled:
        raise ImportRefused(RefusalReason.NO_TEXT, f"{len(sheets)} sheets")
    found = [(sheet, read_faq(sheet, intake)) for sheet in filled]
    if any(entries is not None for _, entries in found):
        return _faq(found, intake, name, fmt)
    elements = tuple(element for sheet in filled for element in _elements(sheet))
    return assemble(RawDocument(fmt, elements), intake, name=name)


def make_sheet(
    title: str,
    cells: dict[Place, str],
    intake: Intake,
    *,
    hidden_rows: frozenset[int] = frozenset(),
    hidden_columns: frozenset[int] = frozenset(),
) -> Sheet:
    """The sheet of these filled cells, gaps and hidden parts left out.

    Raises:
        ImportRefused: too_large.
    """
    rows = sorted({row for row, _ in cells} - hidden_rows)
    columns = sorted({column for _, column in cells} - hidden_columns)
    if len(rows) > intake.limits.table_rows:
        raise ImportRefused(RefusalReason.TOO_LARGE, f"{title}: {len(rows)} rows")
    if len(columns) > MOST_COLUMNS:
        intake.note(WarningCode.SKIPPED_CONTENT, f"{title}: {len(columns)} columns")
    grid = tuple(
        tuple(cells.get((row, column), "") for column in columns[:MOST_COLUMNS]) for row in rows
    )
    return Sheet(title, grid, numbers=tuple(rows))


def fill_merged(cells: dict[Place, str], areas: Sequence[Area]) -> None:
    """Write the value of merged cells into each of them."""
    filled = 0
    for (top, left), (bottom, right) in areas:
        text = cells.get((top, left), "")
        filled += (bottom - top + 1) * (right - left + 1)
        if not text or filled > _MOST_MERGED:
            continue
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                cells[row, column] = text


def shown(value: object) -> str:
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
        case timedelta():
            return str(value)
        case _:
            return tidy_lines(str(value))


def _faq(
    found: Sequence[tuple[Sheet, list[FaqEntry] | None]], intake: Intake, name: str, fmt: str
) -> FaqTable:
    entries: list[FaqEntry] = []
    for sheet, questions in found:
        if questions is None:
            intake.note(WarningCode.SKIPPED_CONTENT, sheet.name)
        else:
            entries.extend(questions)
    kept = without_duplicates(entries, intake)
    return FaqTable(
        clean_stem(name), kept, fmt=fmt, warnings=tuple(intake.notices), images=dict(intake.images)
    )


def _elements(sheet: Sheet) -> Iterator[Element]:
    """The sheet's name as heading, opening rows of one value as lines, the rest as tables.

    A picture follows the row that it stands beside; it parts the table there.
    """
    yield Line(sheet.name, level=1)
    parted = False  # then a run opens with the first row again, which names the columns
    run: list[tuple[str, ...]] = []
    for at, row in enumerate(sheet.rows):
        values = [cell for cell in row if cell]
        if len(set(values)) == 1 and not run:
            yield from (Line(text) for text in values[0].split("\n"))
        elif values:
            run.append(row)
        pictures = sheet.pictures.get(at, ())
        if pictures and run:
            yield from _table(run)
            run = run[:1]
            parted = True
        yield from map(Picture, pictures)
    if len(run) > 1 or not parted:
        yield from _table(run)


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[Element]:
    table = make_table(rows)
    if table is not None:
        yield Grid(table)

"""Answers as a workbook and back: one row each, so that many can be edited at once and return.

A returned row names the version it was made from. Headings and the words for kinds are the
caller's. Refuses workbooks that unpack beyond the limits or declare entities; of cells it reads
the stored values, never formulas, and writes texts that a spreadsheet does not calculate.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from io import BytesIO
from typing import Any
from zipfile import BadZipFile

import openpyxl
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from kb.answer_text import AnswerText
from kb.articles import AnswerKind
from kb.errors import AnswerInvalid, ImportRefused, RefusalReason
from kb.importer.archive import Archive
from kb.importer.limits import MIB, ImportLimits

#: Codes of the columns, in their order, and how wide they are.
COLUMNS: Mapping[str, int] = {
    "id": 34,
    "version": 8,
    "question": 40,
    "similar": 50,
    "answer": 80,
    "module": 16,
    "category": 12,
    "kind": 12,
    "regions": 14,
    "valid_from": 12,
    "valid_until": 12,
    "fiscal_year": 10,
    "audience": 20,
    "source_title": 30,
    "ref": 10,
    "owner": 12,
}
#: What a sheet must at least have.
NEEDED = ("question", "answer")
#: What a cell can hold; a longer answer leaves its cell empty, and stays as it is.
MAX_CELL = 32_767
MAX_ROWS = 50_000
LIMITS = ImportLimits(
    file_bytes=50 * MIB, unpacked_bytes=200 * MIB, member_bytes=150 * MIB, members=500
)
_BROKEN = (BadZipFile, InvalidFileException, KeyError, ValueError, TypeError, IndexError,
           AttributeError, OSError)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    """The headings by column code, and the words for kinds by their value."""

    headings: Mapping[str, str]
    kinds: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Exported:
    """One answer on its way out; ``version`` is what has to come back with it."""

    article_id: str
    version: int
    text: AnswerText


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row that came back; ``line`` as the spreadsheet counts. Absent columns are absent."""

    line: int
    cells: Mapping[str, str]

    @property
    def article_id(self) -> str:
        """Which answer; empty for a new one."""
        return self.cells.get("id", "")

    @property
    def version(self) -> int:
        """The version that it was made from. Raises AnswerInvalid for what is no number."""
        text = self.cells.get("version", "") or "0"
        text = text.removesuffix(".0")
        if not text.isascii() or not text.isdecimal() or len(text) > 9:
            raise AnswerInvalid("seen", "number")
        return int(text)

    def over(self, before: AnswerText, words: Words) -> AnswerText:
        """The row over the text as it is: absent columns keep it. Raises AnswerInvalid."""
        given = dict(self.cells)
        if not given.get("answer") and len(before.answer) > MAX_CELL:
            given.pop("answer", None)
        if not given.get("kind"):
            given.pop("kind", None)
        values = {name: _value(name, text, words) for name, text in given.items()}
        values.pop("id", None)
        values.pop("version", None)
        return AnswerText(**{**_fields(before), **values}).checked()


def write(answers: Iterable[Exported], words: Words) -> bytes:
    """The workbook."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.freeze_panes = "D2"
    for place, width in enumerate(COLUMNS.values(), 1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    head = [_cell(sheet, words.headings[name]) for name in COLUMNS]
    for cell in head:
        cell.font = Font(bold=True)
    sheet.append(head)
    for answer in answers:
        sheet.append([_cell(sheet, text) for text in _texts(answer, words)])
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def read(data: bytes, words: Words) -> Sequence[SheetRow]:
    """Every row that says something. Raises ImportRefused."""
    if len(data) > LIMITS.file_bytes:
        raise ImportRefused(RefusalReason.TOO_LARGE, f"{len(data)} bytes")
    Archive(data, LIMITS).check_xml()
    try:
        book = openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=True)
        rows = list(_rows(book.worksheets[0].iter_rows(values_only=True), words))
        book.close()
    except _BROKEN as error:
        raise ImportRefused(RefusalReason.CORRUPT, f"xlsx: {type(error).__name__}") from error
    if not rows:
        raise ImportRefused(RefusalReason.NO_TEXT, "no rows below the headings")
    return rows


def _rows(found: Iterator[Sequence[object]], words: Words) -> Iterator[SheetRow]:
    names = _columns(next(found, ()), words)
    for line, values in enumerate(found, 2):
        if line > MAX_ROWS + 1:
            raise ImportRefused(RefusalReason.TOO_LARGE, f"more than {MAX_ROWS} rows")
        cells = {names[n]: _text(value) for n, value in enumerate(values) if n in names}
        if any(cells.values()):
            yield SheetRow(line, cells)


def _columns(head: Sequence[object], words: Words) -> Mapping[int, str]:
    known = {heading: name for name, heading in words.headings.items() if name in COLUMNS}
    found = {n: known[_text(v)] for n, v in enumerate(head) if _text(v) in known}
    if len(set(found.values())) != len(found) or not set(NEEDED) <= set(found.values()):
        raise ImportRefused(RefusalReason.NO_TEXT, "headings")
    return found


def _texts(answer: Exported, words: Words) -> list[str]:
    text = answer.text
    shown = {
        "id": answer.article_id,
        "version": str(answer.version),
        "question": text.question,
        "similar": "\n".join(text.similar),
        "answer": text.answer if len(text.answer) <= MAX_CELL else "",
        "module": text.module,
        "category": text.category,
        "kind": words.kinds[text.kind.value],
        "regions": "\n".join(text.regions),
        "valid_from": text.valid_from.isoformat() if text.valid_from else "",
        "valid_until": text.valid_until.isoformat() if text.valid_until else "",
        "fiscal_year": str(text.fiscal_year or ""),
        "audience": "\n".join(text.audience),
        "source_title": text.source_title,
        "ref": text.ref,
        "owner": text.owner,
    }
    return [shown[name] for name in COLUMNS]


def _cell(sheet: WriteOnlyWorksheet, text: str) -> Cell:
    cell: Cell = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("", text)[:MAX_CELL])
    # Whatever it begins with: a text that a spreadsheet calculated could send data elsewhere.
    cell.data_type = "s"
    cell.quotePrefix = text.startswith(("=", "+", "-", "@"))
    cell.alignment = Alignment(vertical="top", wrap_text=True)
    return cell


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return value.date().isoformat()
        case date():
            return value.isoformat()
        case _:
            return str(value).replace("\r\n", "\n").replace("_x000D_", "").strip()


def _fields(text: AnswerText) -> dict[str, Any]:
    return {field.name: getattr(text, field.name) for field in fields(text)}


def _value(name: str, text: str, words: Words) -> object:
    match name:
        case "similar" | "regions" | "audience":
            return tuple(text.splitlines())
        case "fiscal_year":
            return _year(text)
        case "valid_from" | "valid_until":
            return _date(name, text)
        case "kind":
            return _kind(text, words)
        case _:
            return text


def _date(name: str, text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text.replace("/", "-"))
    except ValueError:
        raise AnswerInvalid(name, "date") from None


def _year(text: str) -> int | None:
    """A year as a spreadsheet writes it: 2026, or 2026.0 where it was a number."""
    year = text.removesuffix(".0")
    if not year:
        return None
    if not year.isascii() or not year.isdecimal() or len(year) > len("2026"):
        raise AnswerInvalid("fiscal_year", "number")
    return int(year)


def _kind(text: str, words: Words) -> AnswerKind:
    known = {word: AnswerKind(value) for value, word in words.kinds.items()}
    if text not in known:
        raise AnswerInvalid("kind", "unknown")
    return known[text]

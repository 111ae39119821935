"""Comma- and tab-separated tables of questions, in whatever encoding Excel saved them."""

import csv
from io import StringIO

from kb.errors import ImportRefused, RefusalReason
from kb.importer.characters import decode, tidy_lines
from kb.importer.cover import clean_stem
from kb.importer.faq import Sheet, missing_columns, read_faq, without_duplicates
from kb.importer.intake import Intake
from kb.sections import FaqTable, WarningCode

_DELIMITERS = ",\t;，"
_FIELD_CHARS = 1_000_000


def read_delimited(data: bytes, intake: Intake, *, name: str) -> FaqTable:
    """The questions of a csv or tsv file.

    Raises:
        ImportRefused: missing_columns, too_large, corrupt or no_text.
    """
    text, replaced = decode(data)
    if replaced:
        intake.note(WarningCode.REPLACED_CHARACTERS)
    rows = _rows(text.lstrip("\ufeff"), intake)
    if not rows:
        raise ImportRefused(RefusalReason.NO_TEXT, name)
    title = clean_stem(name)
    entries = read_faq(Sheet(title, rows), intake)
    if entries is None:
        raise ImportRefused(RefusalReason.MISSING_COLUMNS, missing_columns(rows))
    kept = without_duplicates(entries, intake)
    fmt = "tsv" if name.lower().endswith((".tsv", ".tab")) else "csv"
    return FaqTable(title, kept, fmt=fmt, warnings=tuple(intake.notices))


def _rows(text: str, intake: Intake) -> tuple[tuple[str, ...], ...]:
    head = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=head.count)
    rows: list[tuple[str, ...]] = []
    csv.field_size_limit(_FIELD_CHARS)
    try:
        for row in csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=False):
            rows.append(tuple(map(tidy_lines, row)))
            if len(rows) > intake.limits.table_rows:
                raise ImportRefused(RefusalReason.TOO_LARGE, f"{len(rows)} rows")
    except csv.Error as error:
        raise ImportRefused(RefusalReason.CORRUPT, f"csv: {error}") from error
    return tuple(rows)

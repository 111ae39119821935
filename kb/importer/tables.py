"""Tidies tables from any format: equal row lengths, empty rows out, a title row made a caption."""

from collections.abc import Sequence

from kb.sections import Image, Table

_MOST_HEADER_ROWS = 3


def make_table(
    rows: Sequence[Sequence[str]],
    *,
    header_rows: int = 1,
    icons: tuple[Image, ...] = (),
    caption: str = "",
) -> Table | None:
    """The table, or None when no cell holds text."""
    width = max((len(row) for row in rows), default=0)
    square = [tuple(cell.strip() for cell in row) + ("",) * (width - len(row)) for row in rows]
    kept = [(index, row) for index, row in enumerate(square) if any(row)]
    if not kept:
        return None
    heads = sum(index < header_rows for index, _ in kept)
    body = [row for _, row in kept]
    if not caption and len(body) > 2 and width > 1 and _is_title(body[0]):
        caption, body, heads = body[0][0], body[1:], max(heads - 1, 1)
    body = _without_empty_columns(body)
    heads = min(heads, _MOST_HEADER_ROWS, len(body) - 1)
    return Table(tuple(body), header_rows=max(heads, 0), caption=caption, icons=icons)


def _is_title(row: tuple[str, ...]) -> bool:
    """One value across the whole row: merged and filled."""
    return len(row) > 1 and bool(row[0]) and len(set(row)) == 1


def _without_empty_columns(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    used = [any(row[at] for row in rows) for at in range(len(rows[0]))]
    return [tuple(cell for cell, keep in zip(row, used, strict=True) if keep) for row in rows]

"""What several renderers share: step labels, the cover's facts, merged cells and fixed archives.

Responsible for values only; each renderer decides how they look. ``repack`` rewrites an Office or
zip archive with fixed times so that building twice gives the same bytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from guide_source import Source
from numbering import chinese

FIXED_TIME = (2026, 1, 1, 0, 0, 0)
CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"


def step_label(style: str, number: int) -> str:
    """The printed number of a step: ``1.``, ``1、``, ``（1）``, ``步骤1``, ``第一步`` or ``①``."""
    match style:
        case "1、":
            return f"{number}、"
        case "（1）":
            return f"（{number}）"
        case "步骤1":
            return f"步骤{number}："
        case "第一步":
            return f"第{chinese(number)}步："
        case "①":
            return CIRCLED[number - 1]
        case _:
            return f"{number}. "


def cover_facts(source: Source) -> list[tuple[str, str]]:
    """Label and value of each line on the cover."""
    facts = [
        ("文档版本", source.text("version")),
        ("发布日期", chinese_date(source.text("date"))),
        ("适用系统", source.text("system", "公共财政综合管理平台")),
        ("适用对象", source.text("audience")),
        ("适用年度", source.text("year", "2026年度")),
        ("编制单位", source.text("owner", "禾城市财政信息中心")),
    ]
    return [(label, value) for label, value in facts if value]


def chinese_date(iso: str) -> str:
    """``2026-03-16`` as ``2026年3月16日``."""
    year, month, day = (int(part) for part in iso.split("-"))
    return f"{year}年{month}月{day}日"


def issued(source: Source) -> datetime:
    """The date of issue at nine in the morning, Shanghai, as an aware time."""
    zone = timezone(timedelta(hours=8))
    return datetime.fromisoformat(f"{source.text('date')}T09:00:00").replace(tzinfo=zone)


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that is written: its place, its span and its text."""

    row: int
    column: int
    rows: int
    columns: int
    text: str


def merged_cells(rows: tuple[tuple[str, ...], ...]) -> list[Cell]:
    """The cells of a table in which ``^^`` and ``<<`` continue a neighbour."""
    cells: list[Cell] = []
    for r, row in enumerate(rows):
        for c, text in enumerate(row):
            if text in {"^^", "<<"}:
                continue
            columns = 1
            while c + columns < len(row) and row[c + columns] == "<<":
                columns += 1
            tall = 1
            while r + tall < len(rows) and rows[r + tall][c] == "^^":
                tall += 1
            cells.append(Cell(r, c, tall, columns, text))
    return cells


def column_shares(rows: tuple[tuple[str, ...], ...]) -> list[float]:
    """Each column's share of the width, after its longest text within reason."""
    count = max(len(row) for row in rows)
    weights = [
        min(26, max(6, *(max(len(x) for x in row[c].split("\n")) for row in rows if c < len(row))))
        for c in range(count)
    ]
    return [weight / sum(weights) for weight in weights]


def repack(data: bytes) -> bytes:
    """The archive ``data`` with every entry at one fixed time, order kept."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        entries = [(info.filename, old.read(info)) for info in old.infolist()]
    _write(out, entries)
    return out.getvalue()


def archive(entries: Iterable[tuple[str, bytes]]) -> bytes:
    """A zip of ``entries`` with fixed times."""
    out = io.BytesIO()
    _write(out, entries)
    return out.getvalue()


def _write(out: io.BytesIO, entries: Iterable[tuple[str, bytes]]) -> None:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:
        for name, content in entries:
            info = zipfile.ZipInfo(name, FIXED_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            new.writestr(info, content)

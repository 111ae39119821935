"""Renders a guide as one self-contained web page, and prints such a page to PDF.

Responsible for HTML with pictures inside, for the printed dress (cover page, running head, 第x页
共y页) and for giving the PDF fixed dates. It leaves fonts to the machine: Noto Sans CJK or any
other Chinese font.
"""

from __future__ import annotations

import base64
import html
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from guide_source import (
    Block,
    Bullets,
    Callout,
    Figure,
    Heading,
    Para,
    Question,
    Runs,
    Source,
    Step,
    Steps,
    Table,
)
from layout import Cell, cover_facts, merged_cells, step_label
from screens import ScreenStudio, run_chromium

SCREEN_CSS = """
body{font:15px/1.75 "Noto Sans CJK SC","Microsoft YaHei",sans-serif;color:#222;max-width:900px;
margin:0 auto;padding:20px}h1{font-size:26px}h2{font-size:20px;border-bottom:2px solid #1f6fc9}
h3{font-size:17px}h4{font-size:15px}img{max-width:100%;border:1px solid #ccd}
figure{margin:10px 0;text-align:center}figcaption{font-size:13px;color:#555}
table{border-collapse:collapse;width:100%;font-size:14px;margin:8px 0}
th,td{border:1px solid #bcc6d2;padding:5px 8px;text-align:left;vertical-align:top}
th{background:#e8f1fb}
.callout{background:#fff6e5;border-left:5px solid #c98a1b;padding:6px 12px;margin:8px 0}
.step{margin:4px 0 4px 1em}.below{margin-left:2em}
.meta p{margin:2px;color:#555}nav.path,footer{color:#888;font-size:13px}
"""
PRINT_CSS = """
@page{size:A4;margin:22mm 20mm 20mm}
@page{@top-right{content:"%(head)s";font-size:9px;color:#666}
@bottom-center{content:"第 " counter(page) " 页 共 " counter(pages) " 页";font-size:9px;color:#666}}
@page:first{@top-right{content:""}@bottom-center{content:""}}
body{font-size:12.5px;max-width:none;padding:0}h2{break-after:avoid}h3,h4{break-after:avoid}
figure{break-inside:avoid}tr{break-inside:avoid}
.cover{height:200mm;padding-top:60mm;text-align:center;break-after:page}.cover h1{font-size:30px}
.cover p{margin:6px}.revisions{break-after:page}img{max-width:140mm}
"""


def render_html(source: Source, studio: ScreenStudio) -> bytes:
    """The guide as one HTML file with its pictures inside (UTF-8)."""
    page = _Page(source, studio)
    crumbs = (
        f'<nav class="path">帮助中心 &gt; 操作指引 &gt; {html.escape(source.text("title"))}</nav>'
    )
    meta = "".join(f"<p>{a}：{html.escape(b)}</p>" for a, b in cover_facts(source))
    body = (
        f"{crumbs}<h1>{html.escape(source.text('title'))}</h1><div class='meta'>{meta}</div>"
        f"{page.revisions()}<main>{page.body()}</main>"
        "<footer>返回顶部</footer>"
    )
    return _document(source, SCREEN_CSS, body)


def render_pdf(source: Source, studio: ScreenStudio) -> bytes:
    """The guide printed to A4 by Chromium, with an outline and fixed dates."""
    page = _Page(source, studio)
    facts = "".join(f"<p>{a}：{html.escape(b)}</p>" for a, b in cover_facts(source))
    subtitle = html.escape(source.text("subtitle"))
    cover = f'<section class="cover"><h1>{html.escape(source.text("title"))}</h1><p>{subtitle}</p>'
    head = f"{source.text('title')}　{source.text('version')}"
    css = SCREEN_CSS + PRINT_CSS % {"head": head}
    body = f"{cover}<br>{facts}</section>{page.revisions()}{page.body()}"
    with tempfile.TemporaryDirectory() as folder:
        web, pdf = Path(folder, "guide.html"), Path(folder, "guide.pdf")
        web.write_bytes(_document(source, css, body))
        run_chromium(
            "--no-pdf-header-footer",
            "--generate-pdf-document-outline",
            f"--print-to-pdf={pdf}",
            web.resolve().as_uri(),
        )
        return _fixed_dates(pdf.read_bytes(), source)


def _document(source: Source, css: str, body: str) -> bytes:
    return (
        '<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
        f"<title>{html.escape(source.text('title'))}</title>"
        f'<meta name="version" content="{source.text("version")}">'
        f'<meta name="date" content="{source.text("date")}">'
        f"<style>{css}</style></head>\n<body>\n{body}\n</body></html>\n"
    ).encode()


def _fixed_dates(pdf: bytes, source: Source) -> bytes:
    """Set the creation and change dates to the date of issue; the length stays, so offsets hold."""
    stamp = source.text("date").replace("-", "") + "090000+08'00'"
    return re.sub(
        rb"\((D:)(\d{14}[+\-Z]\d\d'\d\d'?)\)",
        lambda m: b"(D:" + stamp.encode()[: len(m[2])].ljust(len(m[2]), b"0") + b")",
        pdf,
    )


class _Page:
    """Writes blocks as HTML; headings start at h2 because h1 is the title."""

    def __init__(self, source: Source, studio: ScreenStudio) -> None:
        self._source = source
        self._studio = studio
        self._steps = source.text("steps", "1.")

    def body(self) -> str:
        return "\n".join(self._blocks(self._source.blocks))

    def revisions(self) -> str:
        if not self._source.revisions:
            return ""
        rows = (("版本", "日期", "修改人", "修改说明"), *map(tuple, self._source.revisions))
        return f'<section class="revisions"><p><b>修改记录</b></p>{_table(rows)}</section>'

    def _blocks(self, blocks: Sequence[Block]) -> Iterator[str]:
        for block in blocks:
            match block:
                case Heading(level, number, text):
                    name = f"h{min(level + 1, 6)}"
                    yield f"<{name}>{html.escape(f'{number} {text}'.strip())}</{name}>"
                case Steps(items):
                    for step in items:
                        yield from self._step(step)
                case Figure():
                    yield self._figure(block)
                case Table(rows):
                    yield _table(rows)
                case _:
                    yield _running_text(block)

    def _step(self, step: Step) -> Iterator[str]:
        yield f'<p class="step">{step_label(self._steps, step.number)}{_inline(step.runs)}</p>'
        if step.below:
            yield f'<div class="below">{"".join(self._blocks(step.below))}</div>'

    def _figure(self, figure: Figure) -> str:
        screen = self._studio.screen(figure.screen)
        data = base64.b64encode(screen.png).decode()
        caption = html.escape(f"{figure.label} {figure.caption}")
        return (
            f'<figure><img src="data:image/png;base64,{data}" alt="{html.escape(figure.caption)}" '
            f'width="{screen.width}" height="{screen.height}" style="height:auto">'
            f"<figcaption>{caption}</figcaption></figure>"
        )


def _running_text(block: Para | Bullets | Callout | Question) -> str:
    match block:
        case Para(runs):
            return f"<p>{_inline(runs)}</p>"
        case Bullets(items):
            return "<ul>" + "".join(f"<li>{_inline(item)}</li>" for item in items) + "</ul>"
        case Callout(kind, runs):
            mark = kind if kind == "★" else f"{kind}："
            return f'<div class="callout"><b>{mark}</b>{_inline(runs)}</div>'
        case Question(question, answer):
            folded = f"<summary>{html.escape(question)}</summary><p>{_inline(answer)}</p>"
            return f"<details open>{folded}</details>"


def _inline(runs: Runs) -> str:
    parts = []
    for run in runs:
        text = html.escape(run.text).replace("\n", "<br>")
        parts.append(f"<b>{text}</b>" if run.bold else text)
    return "".join(parts)


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    cells = merged_cells(tuple(rows))
    lines = [
        "<tr>" + "".join(_cell(cell) for cell in cells if cell.row == number) + "</tr>"
        for number in range(len(rows))
    ]
    return "<table>" + "".join(lines) + "</table>"


def _cell(cell: Cell) -> str:
    name = "td" if cell.row else "th"
    span = f' rowspan="{cell.rows}"' if cell.rows > 1 else ""
    span += f' colspan="{cell.columns}"' if cell.columns > 1 else ""
    return f"<{name}{span}>{html.escape(cell.text).replace(chr(10), '<br>')}</{name}>"

"""Renders a guide as a Word document.

Front matter decides the dress: ``look: office`` uses real heading styles, ``look: wps`` writes
headings as bold body text as WPS users do; ``auto: true`` numbers headings by Word's own list;
``steps_auto: true`` does so for steps; ``toc: field`` adds a contents field;
``chapters_on_new_page`` breaks before first-level headings; ``callouts`` is ``rule``, ``cell`` or
``box``, and ``boxed`` names one kind that goes into a text box. It keeps to what the source says
and adds no words but the fixed labels of cover, revision table and page footer.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import docx_parts as parts
from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK, WD_TAB_ALIGNMENT, WD_TAB_LEADER
from docx.shared import Cm, Pt, RGBColor
from guide_source import (
    Block,
    Bullets,
    Callout,
    Figure,
    Heading,
    Para,
    Question,
    Run,
    Runs,
    Source,
    Steps,
    Table,
    plain,
)
from layout import column_shares, cover_facts, issued, merged_cells, repack, step_label
from screens import ScreenStudio

BODY_CM = 16.0
FIGURE_CM = 14.2
HEADING_SIZES = {1: 16, 2: 14, 3: 12, 4: 12}
LINES_PER_PAGE = 38


def render_docx(source: Source, studio: ScreenStudio) -> bytes:
    """The guide as .docx bytes, the same for the same source."""
    writer = _Writer(source, studio)
    writer.write()
    out = io.BytesIO()
    writer.document.save(out)
    return repack(out.getvalue())


class _Writer:
    def __init__(self, source: Source, studio: ScreenStudio) -> None:
        self.source = source
        self.studio = studio
        self.document: Any = Document()
        self.wps = source.text("look") == "wps"
        self.step_style = source.text("steps", "1.")
        self.numbering = parts.Numbering(self.document)
        self._dress()
        self.auto = bool(source.meta.get("auto"))
        self.chapters_on_new_page = bool(source.meta.get("chapters_on_new_page"))
        if self.auto:
            self.numbering.headings(self.document, source.text("numbering", "official"))

    def write(self) -> None:
        self._properties()
        self._cover()
        self._revisions()
        if self.source.text("toc") == "field":
            self._contents()
        self._blocks(self.source.blocks)

    # --- dress -------------------------------------------------------------------------------

    def _dress(self) -> None:
        section = self.document.sections[0]
        section.page_width, section.page_height = Cm(21), Cm(29.7)
        section.left_margin = section.right_margin = Cm(2.5)
        section.top_margin = section.bottom_margin = Cm(2.4)
        normal = self.document.styles["Normal"]
        parts.set_font(normal, "Times New Roman" if self.wps else "Calibri", "宋体")
        normal.font.size = Pt(11)
        normal.paragraph_format.space_after = Pt(4)
        normal.paragraph_format.line_spacing = 1.25
        for level in range(1, 5):
            style = self.document.styles[f"Heading {level}"]
            parts.set_font(style, "Arial", "黑体")
            style.font.size = Pt(HEADING_SIZES[level])
            style.font.color.rgb = RGBColor(0x1F, 0x3B, 0x63)
        parts.set_font(self.document.styles["Title"], "Arial", "黑体")
        self._header_and_footer(section)

    def _header_and_footer(self, section: Any) -> None:
        section.different_first_page_header_footer = True
        head = section.header.paragraphs[0]
        head.text = f"{self.source.text('title')}　{self.source.text('version')}"
        head.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        foot = section.footer.paragraphs[0]
        foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
        foot.add_run("第 ")
        parts.add_field(foot, "PAGE", "1")
        foot.add_run(" 页 共 ")
        parts.add_field(foot, "NUMPAGES", "1")
        foot.add_run(" 页")

    def _properties(self) -> None:
        core = self.document.core_properties
        core.title = self.source.text("title")
        core.author = core.last_modified_by = self.source.text("owner", "禾城市财政信息中心")
        core.subject = self.source.text("audience")
        core.version = self.source.text("version")
        core.comments = ""
        # Word keeps these without a zone; python-docx takes them as they are.
        core.created = core.modified = issued(self.source).replace(tzinfo=None)

    # --- cover, revisions, contents ----------------------------------------------------------

    def _cover(self) -> None:
        small = self.source.text("cover") == "line"
        title = self.document.add_paragraph(style=None if self.wps else "Title")
        title.alignment = WD_ALIGN_PARAGRAPH.CENTER
        run = title.add_run(self.source.text("title"))
        run.bold, run.font.size = True, Pt(20 if small else 26)
        if subtitle := self.source.text("subtitle"):
            self._centred(subtitle, 13)
        if small:
            self._centred("　".join(f"{a}：{b}" for a, b in cover_facts(self.source)[:2]), 10.5)
            self._centred("　".join(f"{a}：{b}" for a, b in cover_facts(self.source)[2:5]), 10.5)
            return
        for label, value in cover_facts(self.source):
            self._centred(f"{label}：{value}", 12)
        self._page_break()

    def _centred(self, text: str, size: float) -> None:
        paragraph = self.document.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        paragraph.add_run(text).font.size = Pt(size)

    def _page_break(self) -> None:
        self.document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)

    def _revisions(self) -> None:
        if not self.source.revisions:
            return
        self._centred("修改记录", 14)
        rows = [("版本", "日期", "修改人", "修改说明"), *map(tuple, self.source.revisions)]
        self._table(Table(tuple(tuple(row) for row in rows)))
        if self.source.text("cover") != "line":
            self._page_break()

    def _contents(self) -> None:
        self._centred("目　录", 15)
        entries = self._entries()
        for n, (heading, page) in enumerate(entries):
            paragraph = self.document.add_paragraph()
            paragraph.paragraph_format.left_indent = Cm(0.7 * (heading.level - 1))
            paragraph.paragraph_format.tab_stops.add_tab_stop(
                Cm(BODY_CM - 0.2), WD_TAB_ALIGNMENT.RIGHT, WD_TAB_LEADER.DOTS
            )
            if n == 0:
                parts.open_field(paragraph, 'TOC \\o "1-2" \\h \\z \\u')
            paragraph.add_run(f"{_numbered(heading)}\t{page}")
            if n == len(entries) - 1:
                parts.close_field(paragraph)
        self._page_break()

    def _entries(self) -> list[tuple[Heading, int]]:
        """Headings with a page estimated from line counts; Word renews the field when asked."""
        lines = 4.0 * LINES_PER_PAGE
        found: list[tuple[Heading, int]] = []
        for block in self.source.blocks:
            opens = isinstance(block, Heading) and block.level == 1 and self.chapters_on_new_page
            if opens and found:
                lines = (lines // LINES_PER_PAGE + 1) * LINES_PER_PAGE
            if isinstance(block, Heading) and block.level <= 2:
                found.append((block, int(lines // LINES_PER_PAGE) + 1))
            lines += _height(block)
        return found

    # --- blocks ------------------------------------------------------------------------------

    def _blocks(self, blocks: Sequence[Block], indent: float = 0) -> None:
        for block in blocks:
            match block:
                case Heading():
                    self._heading(block)
                case Steps():
                    self._steps(block)
                case Figure():
                    self._figure(block)
                case Table():
                    self._table(block)
                case Callout():
                    self._callout(block, indent)
                case _:
                    self._running_text(block, indent)

    def _running_text(self, block: Para | Bullets | Question, indent: float) -> None:
        match block:
            case Para(runs):
                self._paragraph(runs, indent)
            case Bullets(items):
                for item in items:
                    self._paragraph(_prefixed("· ", item), indent + 0.6)
            case Question(question, answer):
                self._paragraph(_prefixed("问：", (Run(question, bold=True),)), indent)
                self._paragraph(_prefixed("答：", answer), indent)

    def _heading(self, heading: Heading) -> None:
        if self.wps:
            paragraph = self.document.add_paragraph()
            run = paragraph.add_run(_numbered(heading))
            run.bold, run.font.size = True, Pt(HEADING_SIZES[heading.level])
            return
        typed = not self.auto or not heading.number or heading.level > 3
        text = _numbered(heading) if typed else heading.text
        paragraph = self.document.add_heading(text, heading.level)
        if self.auto and not heading.number:
            parts.number_paragraph(paragraph, 0)
        if heading.level == 1 and self.chapters_on_new_page:
            paragraph.paragraph_format.page_break_before = True

    def _paragraph(self, runs: Runs, indent: float) -> Any:
        paragraph = self.document.add_paragraph()
        if indent:
            paragraph.paragraph_format.left_indent = Cm(indent)
        for run in runs:
            lines = run.text.split("\n")
            for n, line in enumerate(lines):
                written = paragraph.add_run(line)
                written.bold = run.bold or None
                if n < len(lines) - 1:
                    written.add_break()
        return paragraph

    def _steps(self, steps: Steps) -> None:
        automatic = bool(self.source.meta.get("steps_auto"))
        number = self.numbering.steps(self.step_style, steps.items[0].number) if automatic else 0
        for step in steps.items:
            if automatic:
                parts.number_paragraph(self._paragraph(step.runs, 0.6), number)
            else:
                label = step_label(self.step_style, step.number)
                self._paragraph(_prefixed(label, step.runs), 0.6)
            self._blocks(step.below, 1.2)

    def _figure(self, figure: Figure) -> None:
        screen = self.studio.screen(figure.screen)
        paragraph = self.document.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        paragraph.paragraph_format.keep_with_next = True
        width = min(FIGURE_CM, FIGURE_CM * screen.width / 1000)
        paragraph.add_run().add_picture(io.BytesIO(screen.png), width=Cm(width))
        self._centred(f"{figure.label} {figure.caption}", 9.5)

    def _callout(self, callout: Callout, indent: float) -> None:
        mark = callout.kind if callout.kind == "★" else f"{callout.kind}："
        boxed = self.source.meta.get("boxed") == callout.kind
        match "box" if boxed else self.source.text("callouts", "rule"):
            case "cell":
                table = self.document.add_table(rows=1, cols=1, style="Table Grid")
                cell = table.cell(0, 0)
                cell.text = f"{mark}{plain(callout.runs)}"
                parts.shade(cell._tc.get_or_add_tcPr(), "FFF4DD")  # noqa: SLF001
                self.document.add_paragraph()
            case "box":
                parts.text_box(self.document.add_paragraph(), f"{mark}{plain(callout.runs)}")
            case _:
                paragraph = self._paragraph(
                    _prefixed(mark, callout.runs, bold=True), max(indent, 0.3)
                )
                parts.left_rule(paragraph, "C98A1B")
                parts.shade(paragraph._p.get_or_add_pPr(), "FFF8EA")  # noqa: SLF001

    def _table(self, source: Table) -> None:
        shares = column_shares(source.rows)
        table = self.document.add_table(len(source.rows), len(shares), style="Table Grid")
        table.autofit = False
        for cell in merged_cells(source.rows):
            target = table.cell(cell.row, cell.column)
            if cell.rows > 1 or cell.columns > 1:
                last = table.cell(cell.row + cell.rows - 1, cell.column + cell.columns - 1)
                target = target.merge(last)
            target.text = cell.text
            for paragraph in target.paragraphs:
                paragraph.paragraph_format.space_before = Pt(2)
                paragraph.paragraph_format.space_after = Pt(2)
                paragraph.paragraph_format.line_spacing = 1.0
                for run in paragraph.runs:
                    run.font.size, run.bold = Pt(9.5), cell.row == 0 or None
            if cell.row == 0:
                parts.shade(target._tc.get_or_add_tcPr(), "E8F1FB")  # noqa: SLF001
        for column, share in zip(table.columns, shares, strict=True):
            column.width = Cm(BODY_CM * share)
            for target in column.cells:
                target.width = Cm(BODY_CM * share)
        parts.repeat_header(table.rows[0])
        self.document.add_paragraph()


def _numbered(heading: Heading) -> str:
    space = " " if heading.number and heading.number[-1] not in "、）．" else ""
    return f"{heading.number}{space}{heading.text}"


def _prefixed(prefix: str, runs: Runs, *, bold: bool = False) -> Runs:
    return (Run(prefix, bold), *runs)


def _height(block: Block) -> float:
    match block:
        case Heading():
            return 2
        case Figure():
            return 17
        case Para(runs) | Callout(_, runs):
            return len(plain(runs)) / 40 + 1
        case Steps(items):
            return sum(len(plain(s.runs)) / 38 + 1 + sum(map(_height, s.below)) for s in items)
        case Bullets(items):
            return sum(len(plain(runs)) / 38 + 1 for runs in items)
        case Table(rows):
            return len(rows) * 1.8
        case Question(_, answer):
            return len(plain(answer)) / 40 + 3

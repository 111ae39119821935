"""Renders a guide as training slides: one slide per heading, speaker's notes from 讲解 callouts.

Responsible for placing text beside or above pictures so that nothing overlaps; a section with more
than one picture continues on a further slide with the same title.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from guide_source import (
    Block,
    Bullets,
    Callout,
    Figure,
    Heading,
    Para,
    Question,
    Source,
    Steps,
    Table,
    plain,
    walk,
)
from layout import cover_facts, issued, merged_cells, repack, step_label
from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.util import Cm, Pt
from screens import ScreenStudio

WIDTH_CM, HEIGHT_CM = 33.87, 19.05
TITLE_ONLY, TITLE_SLIDE = 5, 0
NAVY = RGBColor(0x1F, 0x3B, 0x63)  # type: ignore[no-untyped-call]  # the library is untyped


def render_pptx(source: Source, studio: ScreenStudio) -> bytes:
    """The guide as .pptx bytes, the same for the same source."""
    deck = _Deck(source, studio)
    deck.cover()
    for heading, blocks in _sections(source.blocks):
        deck.slide(heading, blocks)
    out = io.BytesIO()
    deck.presentation.save(out)
    return repack(out.getvalue())


def _sections(blocks: Sequence[Block]) -> list[tuple[Heading, list[Block]]]:
    sections: list[tuple[Heading, list[Block]]] = []
    for block in blocks:
        if isinstance(block, Heading):
            sections.append((block, []))
        else:
            sections[-1][1].append(block)
    return sections


class _Deck:
    def __init__(self, source: Source, studio: ScreenStudio) -> None:
        self.presentation: Any = Presentation()
        self.presentation.slide_width = Cm(WIDTH_CM)
        self.presentation.slide_height = Cm(HEIGHT_CM)
        self._source = source
        self._studio = studio
        core = self.presentation.core_properties
        core.title = source.text("title")
        core.author = core.last_modified_by = source.text("owner", "禾城市财政信息中心")
        core.created = core.modified = issued(source).replace(tzinfo=None)

    def cover(self) -> None:
        slide = self._new(TITLE_SLIDE, self._source.text("title"))
        lines = [
            self._source.text("subtitle"),
            *(f"{a}：{b}" for a, b in cover_facts(self._source)),
        ]
        place = slide.placeholders[1]
        place.left, place.top, place.width, place.height = Cm(4), Cm(10), Cm(26), Cm(7)
        place.text = "\n".join(line for line in lines if line)
        for paragraph in place.text_frame.paragraphs:
            paragraph.font.size = Pt(16)

    def slide(self, heading: Heading, blocks: Sequence[Block]) -> None:
        """One slide; pictures beyond the first get a slide of their own."""
        figures = [block for block in walk(blocks) if isinstance(block, Figure)]
        table = next((block for block in blocks if isinstance(block, Table)), None)
        slide = self._new(TITLE_ONLY, f"{heading.number} {heading.text}".strip())
        lines = [line for block in blocks for line in self._lines(block)]
        beside = bool(figures) and table is None
        self._text(slide, lines, 12.0 if beside else WIDTH_CM - 3)
        if table is not None:
            self._table(slide, table, 3.4 + 1.15 * len(lines))
        if figures:
            self._picture(slide, figures[0], 13.6, 3.6, 19.2)
        notes = [plain(b.runs) for b in blocks if isinstance(b, Callout) and b.kind == "讲解"]
        if notes:
            slide.notes_slide.notes_text_frame.text = "\n".join(notes)
        for figure in figures[1:]:
            more = self._new(TITLE_ONLY, f"{heading.text}（续）")
            self._picture(more, figure, 4.0, 3.2, 26.0)

    def _new(self, layout: int, title: str) -> Any:
        slide = self.presentation.slides.add_slide(self.presentation.slide_layouts[layout])
        shape = slide.shapes.title
        top = 4.5 if layout == TITLE_SLIDE else 0.7
        shape.left, shape.top, shape.width, shape.height = Cm(1.5), Cm(top), Cm(30.8), Cm(2.2)
        shape.text = title
        paragraph = shape.text_frame.paragraphs[0]
        paragraph.font.size = Pt(40 if layout == TITLE_SLIDE else 28)
        paragraph.font.bold, paragraph.font.color.rgb = True, NAVY
        return slide

    def _lines(self, block: Block) -> list[str]:
        match block:
            case Para(runs):
                return [plain(runs)]
            case Steps(items):
                style = self._source.text("steps", "1.")
                return [step_label(style, s.number) + plain(s.runs) for s in items]
            case Bullets(items):
                return [f"• {plain(item)}" for item in items]
            case Callout(kind, runs) if kind != "讲解":
                return [f"{kind}：{plain(runs)}"]
            case Question(question, answer):
                return [f"问：{question}", f"答：{plain(answer)}"]
            case _:
                return []

    def _text(self, slide: Any, lines: Sequence[str], width: float) -> None:
        if not lines:
            return
        frame = slide.shapes.add_textbox(Cm(1.4), Cm(3.3), Cm(width), Cm(14)).text_frame
        frame.word_wrap = True
        dense = sum(len(line) for line in lines) > 260
        for number, line in enumerate(lines):
            paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
            paragraph.text = line
            paragraph.font.size, paragraph.space_after = Pt(15 if dense else 19), Pt(8)

    def _picture(self, slide: Any, figure: Figure, left: float, top: float, width: float) -> None:
        screen = self._studio.screen(figure.screen)
        height = width * screen.height / screen.width
        slide.shapes.add_picture(io.BytesIO(screen.png), Cm(left), Cm(top), Cm(width))
        box = slide.shapes.add_textbox(Cm(left), Cm(top + height + 0.2), Cm(width), Cm(1))
        box.text_frame.text = f"{figure.label} {figure.caption}"
        box.text_frame.paragraphs[0].font.size = Pt(12)

    def _table(self, slide: Any, table: Table, top: float) -> None:
        rows, columns = len(table.rows), len(table.rows[0])
        frame = slide.shapes.add_table(
            rows, columns, Cm(1.5), Cm(top), Cm(WIDTH_CM - 3), Cm(1.1 * rows)
        ).table
        for cell in merged_cells(table.rows):
            target = frame.cell(cell.row, cell.column)
            if cell.rows > 1 or cell.columns > 1:
                last = frame.cell(cell.row + cell.rows - 1, cell.column + cell.columns - 1)
                target.merge(last)
            target.text = cell.text
            for paragraph in target.text_frame.paragraphs:
                paragraph.font.size = Pt(13)

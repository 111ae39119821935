"""Slide decks: the title is a heading, shapes follow in reading order, notes come last.

Prompt texts of the master are never on the slide itself, so they cannot leak in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pptx import Presentation
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.exc import PythonPptxError
from pptx.shapes.autoshape import Shape
from pptx.shapes.group import GroupShape

from kb.errors import ImportRefused, RefusalReason
from kb.importer.characters import tidy
from kb.importer.chart import chart_texts
from kb.importer.cover import is_title_slide
from kb.importer.diagram import data_relation, diagram_texts
from kb.importer.docx.numbering import format_number
from kb.importer.elements import Element, Grid, Line, Picture, RawDocument, Role
from kb.importer.intake import Intake
from kb.importer.tables import make_table
from kb.sections import WarningCode

_TITLES = {PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE, PP_PLACEHOLDER.VERTICAL_TITLE}
_DECORATION = {PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER,
               PP_PLACEHOLDER.HEADER}  # fmt: skip
_ROW_SHARE = 0.04  # shapes whose tops differ by less of the slide's height stand in one row
_TITLE_CHARS = 80
_DEEPEST_GROUP = 10
_NOTES = "备注"
_AUTO = {"arabicPeriod": "{}.", "arabicParenR": "{})", "arabicParenBoth": "({})",
         "circleNumDbPlain": "decimalEnclosedCircle", "ea1ChsPeriod": "chineseCounting",
         "ea1JpnChsDbPeriod": "chineseCounting"}  # fmt: skip
_SHAPE = "{http://schemas.openxmlformats.org/presentationml/2006/main}sp"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_BROKEN = (PythonPptxError, KeyError, ValueError, TypeError, AttributeError, IndexError, OSError)
_ODD = (*_BROKEN, NotImplementedError)  # of one shape


@dataclass(frozen=True, slots=True)
class _Placed:
    """A shape with its place on the slide, groups resolved."""

    shape: Any  # python-pptx ships no types
    top: int
    left: int


def read_pptx(data: bytes, intake: Intake) -> RawDocument:
    """The stream of a deck.

    Raises:
        ImportRefused: corrupt or too_large.
    """
    try:
        deck = Presentation(BytesIO(data))
        slides = list(deck.slides)
        height = int(deck.slide_height or 6_858_000)
    except _BROKEN as error:
        raise ImportRefused(RefusalReason.CORRUPT, f"pptx: {error}") from error
    if len(slides) > intake.limits.pages:
        raise ImportRefused(RefusalReason.TOO_LARGE, f"{len(slides)} slides")
    reader = _Reader(intake, height)
    elements: list[Element] = []
    previous = ""
    for number, slide in enumerate(slides, start=1):
        if slide.element.get("show") == "0":
            continue  # a hidden slide
        title, body = reader.slide(slide, number)
        if number == 1 and len(slides) > 1 and is_title_slide(body):
            elements.append(Line(title, page=number, role=Role.TITLE))
        elif title and title != previous:
            elements.append(Line(title, level=1, page=number))
        previous = title or previous
        elements.extend(body)
    declared = (
        line.text for line in elements if isinstance(line, Line) and line.role is Role.TITLE
    )
    return RawDocument("pptx", tuple(elements), title=next(declared, ""))


class _Reader:
    def __init__(self, intake: Intake, height: int) -> None:
        self._intake = intake
        self._row = max(int(height * _ROW_SHARE), 1)

    def slide(self, slide: Any, number: int) -> tuple[str, list[Element]]:
        """The slide's title and everything else on it."""
        shapes = sorted(self._flat(slide.shapes, 0, number), key=self._place)
        title_at = _title_index(shapes)
        title, first = "", []
        if title_at is not None:
            placed = shapes.pop(title_at)
            lines = _texts(placed.shape)
            title = lines[0] if lines else ""
            first = lines[1:]
        body: list[Element] = [Line(text, page=number) for text in first if len(text) > 1]
        for placed in shapes:
            body.extend(self._shape_or_doubt(placed.shape, number))
        body.extend(_notes(slide, number))
        return title, body

    def _place(self, placed: _Placed) -> tuple[int, int]:
        return placed.top // self._row, placed.left

    def _flat(self, shapes: Any, depth: int, number: int) -> Iterator[_Placed]:
        """Every shape by itself: what python-pptx cannot make out must not cost the others."""
        for element in shapes._iter_member_elms():  # noqa: SLF001 - iterating stops at the first
            try:
                found = list(self._placed(_shape_of(shapes, element), depth, number))
            except _ODD:
                self._intake.note(WarningCode.SKIPPED_CONTENT, "shape", page=number)
                continue
            yield from found

    def _placed(self, shape: Any, depth: int, number: int) -> Iterator[_Placed]:
        top, left = _corner(shape)
        if isinstance(shape, GroupShape) and depth < _DEEPEST_GROUP:
            inner = sorted(self._flat(shape.shapes, depth + 1, number), key=self._place)
            yield from (_Placed(each.shape, top, left) for each in inner)
        elif _placeholder(shape) not in _DECORATION:
            yield _Placed(shape, top, left)

    def _shape_or_doubt(self, shape: Any, number: int) -> list[Element]:
        """What a shape shows; one that python-pptx cannot make out costs nothing but itself."""
        try:
            return list(self._shape(shape, number))
        except _ODD:
            self._intake.note(WarningCode.SKIPPED_CONTENT, shape.name, page=number)
            return []

    def _shape(self, shape: Any, number: int) -> Iterator[Element]:
        if getattr(shape, "has_table", False) and shape.has_table:
            yield from _table(shape, number)
        elif getattr(shape, "has_chart", False) and shape.has_chart:
            yield from self._words("chart", chart_texts(shape.chart.part.blob, shape.name), number)
        elif hasattr(type(shape), "image"):  # asking the shape itself opens the picture
            yield from self._picture(shape, number)
        elif shape.has_text_frame:
            yield from _lines(shape, number)
        else:
            yield from self._diagram(shape, number)

    def _diagram(self, shape: Any, number: int) -> Iterator[Element]:
        relation = data_relation(shape._element)  # noqa: SLF001 - no public way to SmartArt
        if relation is None:
            return
        try:
            texts = diagram_texts(shape.part.related_part(relation).blob, shape.name)
        except KeyError:
            texts = []
        yield from self._words("diagram", texts, number)

    def _words(self, kind: str, texts: Sequence[str], number: int) -> Iterator[Element]:
        if not texts:
            self._intake.note(WarningCode.SKIPPED_CONTENT, kind, page=number)
        yield from (Line(text, page=number) for text in texts)

    def _picture(self, shape: Any, number: int) -> Iterator[Element]:
        try:
            blob, name = shape.image.blob, shape.image.filename or f"slide{number}"
        except _BROKEN:  # a linked picture, or a format that python-pptx does not know
            self._intake.note(WarningCode.MISSING_IMAGE, shape.name, page=number)
            return
        image = self._intake.picture(blob, name, page=number)
        if image is not None:
            yield Picture(image, number)


def _title_index(shapes: Sequence[_Placed]) -> int | None:
    """The title placeholder, the upper one of two; else the first short text box."""
    for at, placed in enumerate(shapes):
        shape = placed.shape
        if _placeholder(shape) in _TITLES and _texts(shape):
            return at
    for at, placed in enumerate(shapes):
        texts = _texts(placed.shape)
        if texts and placed.shape.has_text_frame:
            return at if len(texts) == 1 and len(texts[0]) <= _TITLE_CHARS else None
    return None


def _texts(shape: Any) -> list[str]:
    """The shape's non-empty lines."""
    if not shape.has_text_frame:
        return []
    lines = (
        tidy(part)
        for paragraph in shape.text_frame.paragraphs
        for part in paragraph.text.split("\v")
    )
    return [line for line in lines if line]


def _lines(shape: Any, number: int) -> Iterator[Element]:
    counts: dict[int, int] = {}
    for paragraph in shape.text_frame.paragraphs:
        label = _label(paragraph, counts)
        bold = bool(paragraph.runs) and all(run.font.bold for run in paragraph.runs)
        for part in paragraph.text.split("\v"):
            text = tidy(part)
            if text:
                role = Role.STEP if label else Role.TEXT
                yield Line(text, label=label, bold=bold, page=number, role=role)
                label = ""


def _label(paragraph: Any, counts: dict[int, int]) -> str:
    """The automatic number of a paragraph, counted per level."""
    properties = paragraph._p.pPr  # noqa: SLF001 - python-pptx has no public way to bullets
    auto = properties.find(_A + "buAutoNum") if properties is not None else None
    level = paragraph.level
    for deeper in [at for at in counts if at > level]:
        del counts[deeper]
    if auto is None:
        counts.pop(level, None)
        return ""
    start = int(auto.get("startAt") or 1)
    counts[level] = counts.get(level, start - 1) + 1
    form = _AUTO.get(auto.get("type") or "", "{}.")
    if "{}" in form:
        return form.format(counts[level])
    return format_number(counts[level], form) + ("、" if form == "chineseCounting" else "")


def _table(shape: Any, number: int) -> Iterator[Element]:
    rows: list[list[str]] = []
    for row in shape.table.rows:
        texts: list[str] = []
        for cell in row.cells:
            text = "\n".join(filter(None, map(tidy, cell.text.splitlines())))
            if cell.is_spanned:
                above = rows[-1][len(texts)] if rows else ""
                text = texts[-1] if cell._tc.hMerge and texts else above  # noqa: SLF001
            texts.append(text)
        rows.append(texts)
    table = make_table(rows)
    if table is not None:
        yield Grid(table, number)


def _notes(slide: Any, number: int) -> Iterator[Element]:
    if not slide.has_notes_slide:
        return
    frame = slide.notes_slide.notes_text_frame
    texts = [tidy(line) for line in (frame.text if frame is not None else "").splitlines()]
    for text in filter(None, texts):
        yield Line(f"{_NOTES}：{text}", page=number, lead=_NOTES)


def _shape_of(shapes: Any, element: Any) -> Any:
    """The shape; one of a placeholder kind that nobody knows is a shape like any other."""
    try:
        return shapes._shape_factory(element)  # noqa: SLF001
    except _ODD:
        if element.tag != _SHAPE:
            raise
        return Shape(element, shapes)


def _corner(shape: Any) -> tuple[int, int]:
    """Down and across; a placeholder may inherit its place from one that is not there."""
    try:
        return shape.top or 0, shape.left or 0
    except _ODD:
        return 0, 0


def _placeholder(shape: Any) -> Any:
    """What kind of placeholder a shape is; None for any other, and for kinds nobody knows."""
    try:
        return shape.placeholder_format.type if shape.is_placeholder else None
    except ValueError:
        return None

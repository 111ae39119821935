"""Reads the runs of one paragraph into pieces: text with its look, breaks, pictures, boxes.

Keeps the state that runs share across paragraphs: open fields (a table of contents is one field
over many paragraphs) and the page.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from kb.importer.chart import chart_relation, chart_texts
from kb.importer.diagram import data_relation, diagram_texts
from kb.importer.docx.package import MC, WP, A, M, Package, R, V, W, is_on, value
from kb.importer.docx.styles import Style, Styles, run_size, toggled
from kb.importer.intake import Intake
from kb.importer.pieces import Break, PageTurn, Piece, Shot, Text
from kb.sections import WarningCode

_EMU_PER_POINT = 12_700
_ICON_POINTS = (60.0, 26.0)  # up to this size a picture in a line is a word, not a screenshot
_SYMBOLS = {"F0FC": "✓", "F0FE": "☑", "F0A8": "□", "F06F": "□", "F0FB": "✗", "F0FD": "☒",
            "F06C": "●", "F06E": "■", "F0E0": "→", "F0E8": "→", "F0D8": "➢", "F0DF": "←",
            "F0F0": "→", "F0EF": "←", "F0AB": "★"}  # fmt: skip
_CONTAINERS = {W + name for name in ("hyperlink", "ins", "moveTo", "smartTag", "sdt", "sdtContent",
               "customXml", "fldSimple", "bdo", "dir", "ruby", "rubyBase")}  # fmt: skip
_CHARACTERS = {"tab": "\t", "noBreakHyphen": "-"}
_CHARTS = ("/chart", "/diagram", "/chartex")
_STYLE_SIZE = re.compile(r"(?:^|;)\s*(width|height):\s*([\d.]+)(pt|in|px|cm|mm)?")
_TO_POINTS = {"pt": 1.0, "in": 72.0, "px": 0.75, "cm": 28.35, "mm": 2.835, None: 0.75}


@dataclass(frozen=True, slots=True)
class TextBox:
    """A box anchored in the paragraph; its content is XML for the block reader."""

    content: etree._Element


@dataclass(frozen=True, slots=True)
class Footnote:
    """A mark whose note is read elsewhere."""

    number: str


RunPiece = Piece | TextBox | Footnote


@dataclass(slots=True)
class _Field:
    instruction: str = ""
    shown: bool = False


@dataclass(slots=True)
class Fields:
    """The fields open at this point of the document."""

    _open: list[_Field] = field(default_factory=list)

    @property
    def hides_text(self) -> bool:
        """Inside a field's code, or inside a table of contents."""
        return any(not each.shown or each.instruction.startswith("TOC") for each in self._open)

    @property
    def in_contents(self) -> bool:
        """Inside a table of contents."""
        return any(each.instruction.startswith("TOC") for each in self._open)

    def mark(self, kind: str | None) -> None:
        """A field begins, comes to its result, or ends."""
        if kind == "begin":
            self._open.append(_Field())
        elif self._open and kind == "separate":
            self._open[-1].shown = True
        elif self._open and kind == "end":
            self._open.pop()

    def instruct(self, text: str) -> None:
        """More of the innermost field's code."""
        if self._open and not self._open[-1].shown:
            self._open[-1].instruction = (self._open[-1].instruction + text).lstrip()

    def reset(self) -> None:
        """A heading cannot be part of a field; one that is means that an end mark is missing."""
        self._open.clear()


class RunReader:
    """Reads paragraphs in document order."""

    def __init__(self, package: Package, styles: Styles, intake: Intake) -> None:
        self._package = package
        self._styles = styles
        self._intake = intake
        self.fields = Fields()
        self.page: int | None = None
        breaks = package.document.iter(W + "lastRenderedPageBreak")
        if next(breaks, None) is not None:
            self.page = 1

    def pieces(self, paragraph: etree._Element, style: Style) -> Iterator[RunPiece]:
        """Everything visible in the paragraph, in file order; deleted text is left out."""
        for child in paragraph:
            if child.tag == W + "r":
                yield from self._run(child, style)
            elif child.tag in _CONTAINERS:
                if not (child.get(W + "instr") or "").lstrip().startswith("TOC"):
                    yield from self.pieces(child, style)
            elif child.tag == MC + "AlternateContent":
                yield from self._alternative(child, style)
            elif child.tag in {M + "oMath", M + "oMathPara"}:
                text = "".join(node.text or "" for node in child.iter(M + "t"))
                yield Text(text, bold=False, size=None)

    def _alternative(self, node: etree._Element, style: Style) -> Iterator[RunPiece]:
        """The first rendition that shows something; the others repeat it for older programs."""
        for choice in node:
            found = list(self.pieces(choice, style)) or list(self._children(choice, style))
            if found:
                yield from found
                return

    def _run(self, run: etree._Element, style: Style) -> Iterator[RunPiece]:
        look = _look(run.find(W + "rPr"), style, self._styles)
        if not look.hidden:
            yield from self._children(run, look)

    def _children(self, run: etree._Element, look: Style) -> Iterator[RunPiece]:
        for child in run:
            tag = child.tag
            if tag == W + "t":
                if not self.fields.hides_text and child.text:
                    yield Text(child.text, look.bold, look.size)
            elif tag == W + "fldChar":
                self.fields.mark(child.get(W + "fldCharType"))
            elif tag == W + "instrText":
                self.fields.instruct(child.text or "")
            elif not self.fields.hides_text:
                yield from self._special(child, look)

    def _special(self, node: etree._Element, look: Style) -> Iterator[RunPiece]:
        name = str(node.tag).rpartition("}")[2]
        if name in _CHARACTERS:
            yield Text(_CHARACTERS[name], look.bold, look.size)
        elif name == "sym":
            code = (node.get(W + "char") or "").upper()
            yield Text(_SYMBOLS.get(code, "•"), look.bold, look.size)
        elif name in {"drawing", "pict", "object"}:
            yield from self._graphic(node)
        elif name == "AlternateContent":
            yield from self._alternative(node, look)
        elif name == "ruby":
            yield from self.pieces(node, look)
        else:
            yield from self._mark(node, name)

    def _mark(self, node: etree._Element, name: str) -> Iterator[RunPiece]:
        """What stands for no character: breaks, pages, notes."""
        match name:
            case "br" | "cr":
                if node.get(W + "type") in {None, "textWrapping"}:
                    yield Break()
            case "lastRenderedPageBreak":
                self.page = (self.page or 0) + 1
                yield PageTurn(self.page)
            case "footnoteReference" | "endnoteReference":
                yield Footnote(f"{name[:-9]}{node.get(W + 'id')}")
            case _:
                pass

    def _graphic(self, node: etree._Element) -> Iterator[RunPiece]:
        boxes = list(node.iter(W + "txbxContent"))
        for box in boxes[:1] if node.tag == W + "pict" else boxes:
            yield TextBox(box)
        for blip in node.iter(A + "blip", V + "imagedata"):
            if not _is_in_box(blip, node):
                yield from self._shot(blip, node)
        words = [*self._diagram(node), *self._chart(node)]
        for word in words:
            yield from (Break(), Text(word, bold=False, size=None), Break())
        for data in () if words else node.iter(A + "graphicData"):
            if (data.get("uri") or "").endswith(_CHARTS):
                kind = (data.get("uri") or "").rpartition("/")[2]
                self._intake.note(WarningCode.SKIPPED_CONTENT, kind, page=self.page)

    def _diagram(self, graphic: etree._Element) -> list[str]:
        relation = data_relation(graphic)
        found = self._package.part(relation) if relation else None
        return [] if found is None else diagram_texts(*found)

    def _chart(self, graphic: etree._Element) -> list[str]:
        relation = chart_relation(graphic)
        found = self._package.part(relation) if relation else None
        return [] if found is None else chart_texts(*found)

    def _shot(self, blip: etree._Element, graphic: etree._Element) -> Iterator[RunPiece]:
        relation = blip.get(R + "embed") or blip.get(R + "id")
        link = blip.get(R + "link")
        found = self._package.part(relation) if relation else None
        if found is None:
            self._note_missing(relation or link or "")
            return
        image = self._intake.picture(found[0], found[1], page=self.page)
        if image is not None:
            offset = _offset(graphic)
            yield Shot(image, offset is None and _is_small(graphic), offset)

    def _note_missing(self, relation: str) -> None:
        outside = self._package.is_external(relation)
        code = WarningCode.EXTERNAL_IMAGE if outside else WarningCode.MISSING_IMAGE
        self._intake.note(code, relation, page=self.page)


def _look(properties: etree._Element | None, style: Style, styles: Styles) -> Style:
    """The run's own look on top of the paragraph's."""
    if properties is None:
        return style
    named = value(properties.find(W + "rStyle"))
    character = styles.get(named) if named else None
    bold = style.bold or (character is not None and character.bold)
    hidden = style.hidden or (character is not None and character.hidden)
    return Style(
        bold=toggled(properties, "b", bold),
        hidden=toggled(properties, "vanish", hidden) or is_on(properties.find(W + "specVanish")),
        size=run_size(properties) or style.size,
    )


def _is_in_box(blip: etree._Element, graphic: etree._Element) -> bool:
    """Whether a picture stands in a text box of the graphic, which is read by itself."""
    for above in blip.iterancestors():
        if above is graphic:
            return False
        if above.tag == W + "txbxContent":
            return True
    return False


def _is_small(graphic: etree._Element) -> bool:
    """Shown no larger than a button in a line."""
    extent = next(graphic.iter(WP + "extent"), None)
    if extent is not None:
        wide, high = (float(extent.get(side) or 0) / _EMU_PER_POINT for side in ("cx", "cy"))
        return wide <= _ICON_POINTS[0] and high <= _ICON_POINTS[1]
    for shape in graphic.iter(V + "shape", V + "rect"):
        sizes = {
            side: float(number) * _TO_POINTS[unit or None]
            for side, number, unit in _STYLE_SIZE.findall(shape.get("style") or "")
        }
        if len(sizes) == 2:
            return sizes["width"] <= _ICON_POINTS[0] and sizes["height"] <= _ICON_POINTS[1]
    return False


def _offset(graphic: etree._Element) -> tuple[int, int] | None:
    """Where a floating picture stands, down and across; None for one in the line."""
    anchor = next(graphic.iter(WP + "anchor"), None)
    if anchor is None:
        return None
    down = anchor.findtext(f"{WP}positionV/{WP}posOffset") or "0"
    across = anchor.findtext(f"{WP}positionH/{WP}posOffset") or "0"
    return int(float(down)), int(float(across))

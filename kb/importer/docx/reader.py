"""Walks a Word file's body in order and reports every paragraph, picture, table and box.

Headers, footers, comments, deleted and hidden text and field codes are not content and are passed
over; headings are only reported as the file declares them.
"""

from collections.abc import Iterator
from dataclasses import replace

from lxml import etree

from kb.importer.archive import Archive
from kb.importer.characters import tidy
from kb.importer.docx.numbering import Numbering
from kb.importer.docx.package import MC, Package, W, is_on, value
from kb.importer.docx.runs import Footnote, RunPiece, RunReader, TextBox
from kb.importer.docx.styles import ListPlace, Style, Styles, list_place, outline_level, toggled
from kb.importer.elements import Box, Element, Grid, Line, Picture, RawDocument, Role
from kb.importer.intake import Intake
from kb.importer.lines import to_elements
from kb.importer.pieces import Text
from kb.importer.shape import remark
from kb.importer.tables import make_table
from kb.sections import ICON, Callout, Image, WarningCode

_BLOCK_CONTAINERS = {W + "sdtContent", W + "ins", W + "moveTo", W + "customXml", W + "body",
                     MC + "Choice", W + "txbxContent", W + "tc"}  # fmt: skip
_LEAST_BOX_CHARS = 4  # shorter boxes are marks on a screenshot
_DEEPEST = 40


def read_docx(archive: Archive, intake: Intake) -> RawDocument:
    """The stream of a Word file.

    Raises:
        ImportRefused: corrupt, external_entity or too_large.
    """
    package = Package(archive)
    if package.has_macros:
        intake.note(WarningCode.MACROS_IGNORED)
    reader = _Reader(package, intake)
    elements = intake.gather(reader.elements())
    title = next(
        (each.text for each in elements if isinstance(each, Line) and each.role is Role.TITLE), ""
    )
    return RawDocument("docx", elements, title=title)


class _Reader:
    def __init__(self, package: Package, intake: Intake) -> None:
        self._package = package
        self._intake = intake
        self._styles = Styles(package.optional_xml("word/styles.xml"))
        self._numbering = Numbering(package.optional_xml("word/numbering.xml"))
        self._runs = RunReader(package, self._styles, intake)
        self._notes = {
            **self._read_notes("footnote"),
            **self._read_notes("endnote"),
        }

    def elements(self) -> Iterator[Element]:
        body = self._package.document.find(W + "body")
        if body is not None:
            yield from self._blocks(body, 0)

    def _blocks(self, parent: etree._Element, depth: int) -> Iterator[Element]:
        if depth > _DEEPEST:
            return
        for child in parent:
            if child.tag == W + "p":
                yield from self._paragraph(child, depth)
            elif child.tag == W + "tbl":
                yield from self._table(child, depth)
            else:
                inner = _inner(child)
                if inner is not None:
                    yield from self._blocks(inner, depth + 1)

    def _paragraph(self, node: etree._Element, depth: int) -> Iterator[Element]:
        properties = node.find(W + "pPr")
        style, cue = self._cue(properties)
        if cue.level is not None and self._runs.fields.in_contents:
            self._runs.fields.reset()
        cue = replace(cue, page=self._runs.page)
        pieces = list(self._runs.pieces(node, style))
        if not any(isinstance(piece, Text) and piece.text.strip() for piece in pieces):
            pieces = [piece for piece in pieces if not isinstance(piece, Text)]
        else:
            cue = replace(cue, label=self._label(properties, style))
        shown = [piece for piece in pieces if not isinstance(piece, TextBox | Footnote)]
        yield from to_elements(shown, cue)
        yield from self._attached(pieces, depth)

    def _cue(self, properties: etree._Element | None) -> tuple[Style, Line]:
        if properties is None:
            style = self._styles.default
            return style, Line("", level=style.level, role=style.role)
        style = self._styles.get(value(properties.find(W + "pStyle")))
        own = outline_level(properties)
        level = style.level if own is None else own or None
        mark = properties.find(W + "rPr")
        if mark is not None and mark.find(W + "specVanish") is None:
            style = replace(style, hidden=style.hidden and toggled(mark, "vanish", style.hidden))
        return style, Line("", level=level, role=style.role)

    def _label(self, properties: etree._Element | None, style: Style) -> str:
        own = list_place(properties) if properties is not None else ListPlace()
        place = own.over(style.numbering)
        if place.number is None or place.number == "0":
            return ""
        level = place.level
        if level is None:
            level = self._numbering.level_of_style(place.number, style.style_id)
        return self._numbering.label(place.number, level)

    def _attached(self, pieces: list[RunPiece], depth: int) -> Iterator[Element]:
        """Boxes and footnotes follow the paragraph that they hang on."""
        for piece in pieces:
            if isinstance(piece, TextBox):
                yield from self._box(piece.content, depth)
            elif isinstance(piece, Footnote) and piece.number in self._notes:
                yield Line(f"注：{self._notes[piece.number]}", page=self._runs.page)

    def _box(self, content: etree._Element, depth: int) -> Iterator[Element]:
        inside = list(self._blocks(content, depth + 1))
        lines = [each for each in inside if isinstance(each, Line)]
        text = "\n".join(line.text for line in lines)
        if len(text) >= _LEAST_BOX_CHARS:
            kind, title, said = remark(text) or ("note", "", text)
            icons = tuple(icon for line in lines for icon in line.icons)
            yield Box(Callout(kind, said or text, title=title, icons=icons), self._runs.page)
        yield from (each for each in inside if not isinstance(each, Line))

    def _read_notes(self, kind: str) -> dict[str, str]:
        root = self._package.optional_xml(f"word/{kind}s.xml")
        found: dict[str, str] = {}
        for note in root.iter(W + kind) if root is not None else ():
            text = tidy("".join(node.text or "" for node in note.iter(W + "t")))
            if text and note.get(W + "type") is None:
                found[f"{kind}{note.get(W + 'id')}"] = text
        return found

    def _table(self, node: etree._Element, depth: int) -> Iterator[Element]:
        rows = [row for row in _children(node, "tr")]
        cells = [_children(row, "tc") for row in rows]
        if len(cells) == 1 and len(cells[0]) == 1:
            yield from self._blocks(cells[0][0], depth + 1)  # a frame, not a table
            return
        yield from _TableReader(self, depth).read(rows)

    def cell(self, node: etree._Element, depth: int) -> tuple[str, list[Image], list[Image]]:
        """Text of a table cell, its icons, and its pictures; a nested table becomes lines."""
        lines: list[str] = []
        icons: list[Image] = []
        pictures: list[Image] = []
        for element in self._blocks(node, depth + 1):
            match element:
                case Line():
                    number = f"{element.label} " if element.label else ""
                    lines.append(number + element.text)
                    icons.extend(element.icons)
                case Grid(table=table):
                    lines.extend(" | ".join(row) for row in table.rows)
                    icons.extend(table.icons)
                case Box(callout=callout):
                    lines.append(callout.text)
                case Picture(image=image):
                    pictures.append(image)
        return "\n".join(lines), icons, pictures

    @property
    def page(self) -> int | None:
        return self._runs.page


class _TableReader:
    """One table: spans become repeated values, so that every row can stand alone."""

    def __init__(self, reader: _Reader, depth: int) -> None:
        self._reader = reader
        self._depth = depth
        self._icons: list[Image] = []
        self._pictures: list[Image] = []
        self._above: dict[int, str] = {}  # values of open vertical spans by column

    def read(self, rows: list[etree._Element]) -> Iterator[Element]:
        texts = [self._row(row) for row in rows]
        table = make_table(texts, header_rows=_header_rows(rows), icons=tuple(self._icons))
        if table is not None:
            yield Grid(table, self._reader.page)
        yield from (Picture(image, self._reader.page) for image in self._pictures)

    def _row(self, row: etree._Element) -> list[str]:
        before = row.find(f"{W}trPr/{W}gridBefore")
        texts = [""] * int(value(before) or 0)
        for cell in _children(row, "tc"):
            properties = cell.find(W + "tcPr")
            width = _span(properties)
            text = self._text(cell, properties, len(texts))
            texts.extend([text] * width)
        return texts

    def _text(self, cell: etree._Element, properties: etree._Element | None, column: int) -> str:
        merge = properties.find(W + "vMerge") if properties is not None else None
        if merge is not None and merge.get(W + "val") != "restart":
            return self._above.get(column, "")
        text, icons, pictures = self._reader.cell(cell, self._depth)
        self._pictures.extend(pictures)
        self._icons.extend(icons)
        self._above.pop(column, None)
        if merge is not None:
            self._above[column] = text.replace(ICON, "").strip()
        return text


def _inner(node: etree._Element) -> etree._Element | None:
    """The element whose children stand in the text where `node` stands; None for other markup."""
    if node.tag == W + "sdt":
        return None if _is_contents(node) else node.find(W + "sdtContent")
    if node.tag == MC + "AlternateContent":
        return node[0] if len(node) else None
    return node if node.tag in _BLOCK_CONTAINERS else None


def _children(node: etree._Element, name: str) -> list[etree._Element]:
    """Rows or cells, also those inside content controls and tracked insertions."""
    found: list[etree._Element] = []
    for child in node:
        if child.tag == W + name:
            if child.find(f"{W}trPr/{W}del") is None:
                found.append(child)
        elif child.tag in {W + "sdt", W + "sdtContent", W + "ins", W + "customXml"}:
            found.extend(_children(child, name))
    return found


def _span(properties: etree._Element | None) -> int:
    text = value(properties.find(W + "gridSpan")) if properties is not None else None
    return max(1, min(int(text), 64)) if text and text.isdigit() else 1


def _header_rows(rows: list[etree._Element]) -> int:
    declared = 0
    for row in rows:
        if not is_on(row.find(f"{W}trPr/{W}tblHeader")):
            break
        declared += 1
    if declared or len(rows) < 2:
        return declared or 1
    spans = any(_span(cell.find(W + "tcPr")) > 1 for cell in _children(rows[0], "tc"))
    continued = any(merge.get(W + "val") != "restart" for merge in rows[1].iter(W + "vMerge"))
    return 2 if spans and continued else 1


def _is_contents(node: etree._Element) -> bool:
    """A content control that holds the table of contents."""
    gallery = node.find(f"{W}sdtPr/{W}docPartObj/{W}docPartGallery")
    return (value(gallery) or "").lower() == "table of contents"

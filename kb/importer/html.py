"""Web pages and JSP fragments: headings, lists, tables and pictures of the content area.

Menus, breadcrumbs, scripts, styles and server code are not content. selectolax parses as browsers
do, so broken markup is no reason to refuse.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser, LexborNode

from kb.errors import ImportRefused, RefusalReason
from kb.importer.characters import decode, tidy
from kb.importer.elements import Box, Element, Grid, Line, Picture, RawDocument, Role
from kb.importer.intake import Intake
from kb.importer.lines import to_elements
from kb.importer.linked import FolderPictures, LinkedPictures, NoPictures
from kb.importer.pieces import Break, Piece, Shot, Text
from kb.importer.tables import make_table
from kb.sections import ICON, Callout, Image, WarningCode

_SERVER_CODE = re.compile(r"<%.*?%>", re.DOTALL)
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
_CONDITIONAL = re.compile(r"<!\[(?:if|endif)[^>]*>", re.IGNORECASE)
_CUSTOM_VOID = re.compile(r"<(?P<name>[A-Z]\w+)(?P<attributes>[^<>]*?)/>")
_DROPPED = {"script", "style", "nav", "header", "footer", "aside", "noscript", "template", "head",
            "button", "select", "form", "iframe", "object", "svg", "canvas", "video", "audio",
            "textarea", "input", "title"}  # fmt: skip
_MENU = re.compile(
    r"(?:^|[\s_-])(?:breadcrumb|crumbs?|navbar|nav|menu|sidebar|toc|footer|pagination|pager|share|copyright|MsoToc\d?)"
    r"(?:$|[\s_-])",
    re.IGNORECASE,
)
_BLOCKS = {"p", "div", "section", "article", "main", "li", "dt", "dd", "blockquote", "center",
           "figure", "figcaption", "body", "html", "fieldset", "address", "summary", "td", "th",
           "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "pre", "hr", "details",
           "form-item", "tbody", "tr", "thead", "tfoot", "caption"}  # fmt: skip
_ICON_PIXELS = 40
_TERM_CHARS = 20
_DEEPEST = 150
_CONTENT = ("main", "article", "#content", ".content", ".article-content", ".article", "#main")
_CONTENT_SHARE = 0.6  # a content area must hold this share of the page's text


def read_html(data: bytes, intake: Intake, *, folder: Path | None) -> RawDocument:
    """The stream of a page."""
    declared = _CHARSET.search(data[:4096])
    text, replaced = decode(data, declared[1].decode("ascii") if declared else None)
    if replaced:
        intake.note(WarningCode.REPLACED_CHARACTERS)
    source = NoPictures() if folder is None else FolderPictures(folder, intake.limits.image_bytes)
    parser = LexborHTMLParser(_CONDITIONAL.sub("", _SERVER_CODE.sub("", text)))
    title = parser.css_first("title")
    root = _content_area(parser)
    if root is None:
        raise ImportRefused(RefusalReason.NO_TEXT, "html")
    elements = intake.gather(_Walker(LinkedPictures(source, intake)).walk(root))
    return RawDocument("html", elements, title=_page_title(title), meta=_meta(parser))


def _meta(parser: LexborHTMLParser) -> dict[str, str]:
    """What the page's head says about version and date."""
    found = {
        (node.attributes.get("name") or "").lower(): tidy(node.attributes.get("content") or "")
        for node in parser.css("meta[name]")
    }
    names = {"version": "version", "date": "date", "pubdate": "date", "author": "author"}
    return {names[name]: text for name, text in found.items() if name in names and text}


def read_fragment(markup: str, pictures: LinkedPictures) -> Iterator[Element]:
    """The stream of a piece of HTML inside another format."""
    markup = _CUSTOM_VOID.sub(r"<\g<name>\g<attributes>></\g<name>>", markup)
    body = LexborHTMLParser(markup).body
    if body is not None:
        yield from _Walker(pictures).walk(body)


def _page_title(node: LexborNode | None) -> str:
    """The page's own name: what stands before the site's name."""
    text = tidy(node.text()) if node is not None else ""
    return re.split(r"\s*[-_|–—]\s*", text)[0] if text else ""


def _content_area(parser: LexborHTMLParser) -> LexborNode | None:
    body = parser.body
    if body is None:
        return None
    whole = len(body.text())
    for selector in _CONTENT:
        found = parser.css(selector)
        if len(found) == 1 and len(found[0].text()) >= whole * _CONTENT_SHARE:
            return found[0]
    return body


@dataclass(slots=True)
class _Paragraph:
    """Pieces gathered until the next block begins."""

    pieces: list[Piece] = field(default_factory=list)
    cue: Line = field(default_factory=lambda: Line(""))
    linked_chars: int = 0


class _Walker:
    def __init__(self, pictures: LinkedPictures) -> None:
        self._pictures = pictures
        self._open = _Paragraph()

    def walk(self, root: LexborNode) -> Iterator[Element]:
        yield from self._children(root, bold=False, depth=0)
        yield from self._flush()

    def _children(self, node: LexborNode, *, bold: bool, depth: int) -> Iterator[Element]:
        if depth > _DEEPEST:
            return
        for child in node.iter(include_text=True):
            yield from self._node(child, bold=bold, depth=depth + 1)

    def _node(self, node: LexborNode, *, bold: bool, depth: int) -> Iterator[Element]:
        tag = (node.tag or "").lower()
        if tag == "-text":
            self._text(node.text_content or "", bold=bold)
        elif tag in _DROPPED or tag.startswith(("-", "_")) or _is_menu(node):
            return
        elif tag == "br":
            self._open.pieces.append(Break())
        elif "src" in node.attributes:
            self._picture(node)
        elif tag in _BLOCKS:
            yield from self._flush()
            yield from self._block(node, tag, bold=bold, depth=depth)
            yield from self._flush()
        else:
            before = self._chars()
            yield from self._children(node, bold=bold or tag in {"b", "strong"}, depth=depth)
            if tag == "a" and (node.attributes.get("href") or "").startswith("#"):
                self._open.linked_chars += self._chars() - before

    def _block(self, node: LexborNode, tag: str, *, bold: bool, depth: int) -> Iterator[Element]:
        if tag == "table":
            yield from self._table(node)
        elif tag == "details":
            yield from self._details(node, depth)
        elif tag == "pre":
            if node.text().strip():
                yield Line(node.text().strip("\n"), role=Role.CODE)
        elif tag in {"ol", "ul", "dl"}:
            yield from self._list(node, tag, bold=bold, depth=depth)
        else:
            cue = _cue(tag)
            if not self._open.cue.label:  # `<li><p>`: the paragraph takes the item's number
                self._open.cue = cue
            bold = (bold or tag == "th") and cue.level is None
            yield from self._children(node, bold=bold, depth=depth)

    def _list(self, node: LexborNode, tag: str, *, bold: bool, depth: int) -> Iterator[Element]:
        if tag == "ol":
            yield from self._ordered(node, bold=bold, depth=depth)
        elif tag == "dl":
            yield from self._definitions(node, bold=bold, depth=depth)
        else:
            for item in node.iter():
                yield from self._item(item, "•", bold=bold, depth=depth)

    def _ordered(self, node: LexborNode, *, bold: bool, depth: int) -> Iterator[Element]:
        start = node.attributes.get("start") or "1"
        number = int(start) if start.isdigit() else 1
        for item in node.iter():
            yield from self._item(item, f"{number}.", bold=bold, depth=depth)
            number += item.tag == "li"

    def _item(self, node: LexborNode, label: str, *, bold: bool, depth: int) -> Iterator[Element]:
        yield from self._flush()
        if node.tag == "li":
            self._open.cue = Line("", label=label, role=Role.STEP)
            yield from self._children(node, bold=bold, depth=depth + 1)
        else:
            yield from self._node(node, bold=bold, depth=depth + 1)
        yield from self._flush()

    def _details(self, node: LexborNode, depth: int) -> Iterator[Element]:
        summary = node.css_first("summary")
        title = tidy(summary.text()) if summary is not None else ""
        inside = [
            element
            for child in node.iter(include_text=True)
            if child.tag != "summary"
            for element in self._node(child, bold=False, depth=depth + 1)
        ]
        inside.extend(self._flush())
        yield from boxed("details", title, inside)

    def _definitions(self, node: LexborNode, *, bold: bool, depth: int) -> Iterator[Element]:
        """A term and its short definition share a line: `发布日期：2026年4月8日`."""
        term = ""
        for item in node.iter():
            text = tidy(item.text())
            if item.tag == "dt" and len(text) <= _TERM_CHARS:
                term = text.rstrip("：:")
            elif item.tag == "dd" and term and item.css_first("p, ul, ol, table, img") is None:
                yield Line(f"{term}：{text}", lead=term)
                term = ""
            else:
                term = ""
                yield from self._item(item, "", bold=bold, depth=depth)

    def _table(self, node: LexborNode) -> Iterator[Element]:
        grid = _Grid(self._pictures)
        rows = [row for row in node.css("tr") if _owner(row) == node]
        caption = node.css_first("caption")
        texts = grid.read(rows)
        if len(texts) == 1 or max(map(len, texts), default=0) == 1:
            for row in rows:  # a frame that only lays out the page
                for cell in row.iter():
                    yield from self._children(cell, bold=False, depth=_DEEPEST // 2)
                    yield from self._flush()
            return
        heads = sum(1 for row in rows if all(cell.tag == "th" for cell in row.iter()))
        title = tidy(caption.text()) if caption is not None else ""
        table = make_table(texts, header_rows=heads or 1, icons=tuple(grid.icons), caption=title)
        if table is not None:
            yield Grid(table)
        yield from map(Picture, grid.pictures)

    def _picture(self, node: LexborNode) -> None:
        attributes = node.attributes
        link = attributes.get("src") or ""
        caption = tidy(attributes.get("text") or attributes.get("caption") or "")
        image = self._pictures.get(link)
        if image is None:
            if caption:
                self._open.pieces.append(Text(caption, bold=False, size=None))
            return
        image = replace(image, caption=caption)
        small = max(image.width or 0, image.height or 0) <= _ICON_PIXELS
        self._open.pieces.append(Shot(image, icon=small))

    def _text(self, text: str, *, bold: bool) -> None:
        shown = re.sub(r"\s+", " ", text)
        if shown.strip() or (shown and self._open.pieces):
            self._open.pieces.append(Text(shown, bold=bold, size=None))

    def _chars(self) -> int:
        return sum(len(piece.text) for piece in self._open.pieces if isinstance(piece, Text))

    def _flush(self) -> Iterator[Element]:
        gathered, self._open = self._open, _Paragraph()
        cue = gathered.cue
        chars = sum(len(p.text.strip()) for p in gathered.pieces if isinstance(p, Text))
        if cue.role is Role.STEP and chars and gathered.linked_chars >= chars:
            cue = replace(cue, role=Role.CONTENTS)
        if gathered.pieces:
            yield from to_elements(gathered.pieces, cue)
        elif cue.label and cue.role is Role.STEP:
            self._open.cue = cue  # `<li><p>`: the number belongs to the inner paragraph


class _Grid:
    """Cells of an HTML table with spans filled."""

    def __init__(self, pictures: LinkedPictures) -> None:
        self._pictures = pictures
        self._spans: dict[int, tuple[int, str]] = {}  # column → rows still to fill, text
        self.icons: list[Image] = []
        self.pictures: list[Image] = []

    def read(self, rows: list[LexborNode]) -> list[list[str]]:
        return [self._row(row) for row in rows]

    def _row(self, row: LexborNode) -> list[str]:
        texts: list[str] = []
        for cell in row.iter():
            if cell.tag in {"td", "th"}:
                self._fill(texts)
                self._cell(cell, texts)
        self._fill(texts)
        return texts

    def _fill(self, texts: list[str]) -> None:
        while len(texts) in self._spans:
            left, text = self._spans.pop(len(texts))
            if left > 1:
                self._spans[len(texts)] = (left - 1, text)
            texts.append(text)

    def _cell(self, cell: LexborNode, texts: list[str]) -> None:
        elements = list(_Walker(self._pictures).walk(cell))
        text = plain_text(elements)
        self.icons.extend(
            icon for each in elements if isinstance(each, Line) for icon in each.icons
        )
        self.pictures.extend(each.image for each in elements if isinstance(each, Picture))
        rows, across = (_span(cell, name) for name in ("rowspan", "colspan"))
        for _ in range(across):
            if rows > 1:
                self._spans[len(texts)] = (rows - 1, text.replace(ICON, ""))
            texts.append(text)


def boxed(kind: str, title: str, inside: list[Element]) -> Iterator[Element]:
    """A box around lines; pictures and tables inside follow it."""
    text = plain_text([each for each in inside if not isinstance(each, Grid)])
    if text:
        icons = tuple(icon for each in inside if isinstance(each, Line) for icon in each.icons)
        yield Box(Callout(kind, text, title=title.rstrip("：: "), icons=icons))
    yield from (each for each in inside if isinstance(each, Picture | Grid))


def plain_text(elements: list[Element]) -> str:
    """Lines with their numbers, one below the other."""
    lines: list[str] = []
    for element in elements:
        match element:
            case Line():
                lines.append(f"{element.label} {element.text}".strip())
            case Box(callout=callout):
                lines.append(f"{callout.title}：{callout.text}" if callout.title else callout.text)
            case Grid(table=table):
                lines.extend(" | ".join(row) for row in table.rows)
            case _:
                pass
    return "\n".join(lines)


def _cue(tag: str) -> Line:
    """What a block's tag says of its text."""
    if re.fullmatch("h[1-6]", tag):
        return Line("", level=int(tag[1]))
    return Line("", role=Role.CAPTION if tag in {"figcaption", "caption"} else Role.TEXT)


def _span(cell: LexborNode, name: str) -> int:
    text = cell.attributes.get(name) or "1"
    return max(1, min(int(text), 100)) if text.isdigit() else 1


def _is_menu(node: LexborNode) -> bool:
    names = f"{node.attributes.get('class') or ''} {node.attributes.get('id') or ''}"
    return _MENU.search(names) is not None


def _owner(row: LexborNode) -> LexborNode | None:
    """The table that a row belongs to, which may be nested in another."""
    node = row.parent
    while node is not None and node.tag != "table":
        node = node.parent
    return node

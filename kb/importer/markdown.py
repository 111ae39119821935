"""Markdown, as written for GitBook and VuePress: front matter off, comments out, containers boxed.

markdown-it-py parses the text; only `:::` containers, which are no Markdown, are parted before.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from kb.importer.characters import decode, tidy
from kb.importer.elements import Element, Grid, Line, Picture, RawDocument, Role
from kb.importer.html import boxed, plain_text, read_fragment
from kb.importer.intake import Intake
from kb.importer.lines import to_elements
from kb.importer.linked import FolderPictures, LinkedPictures, NoPictures
from kb.importer.pieces import Break, Piece, Shot, Text
from kb.importer.tables import make_table
from kb.sections import WarningCode

_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_MATTER_LINE = re.compile(
    r"^(title|version|date|lastUpdated)\s*:\s*[\"']?(.+?)[\"']?\s*$", re.MULTILINE | re.IGNORECASE
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_FENCE = re.compile(r"^[ \t>]*(`{3,}|~{3,})")
_OPENING = re.compile(r"^[ \t]*:{3,}[ \t]*([A-Za-z][\w-]*)[ \t]*(.*?)[ \t]*$")
_CLOSING = re.compile(r"^[ \t]*:{3,}[ \t]*$")
_ALERT = re.compile(r"^\[!(\w+)\]\s*")
_STRONG = re.compile(r"\*\*(?=\S)([^*\n]+?)(?<=\S)\*\*")
_EMPTY = "<!-- -->"
_ATTRIBUTE = re.compile(r"([\w:-]+)\s*=\s*(\"[^\"]*\"|'[^']*')")
_FOLDED = re.compile(
    r"^[ \t]*<details\b[^>]*>\s*(?:<summary\b[^>]*>(.*?)</summary>)?",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_UNFOLDED = re.compile(r"</details\s*>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_KINDS = {"tip": "tip", "info": "note", "note": "note", "warning": "warning", "danger": "danger",
          "caution": "warning", "important": "warning", "details": "details"}  # fmt: skip
_ICON_PIXELS = 40
_DEEPEST_CONTAINER = 10


def read_markdown_file(data: bytes, intake: Intake, folder: Path | None) -> RawDocument:
    """One file with its pictures beside it."""
    text, replaced = decode(data)
    if replaced:
        intake.note(WarningCode.REPLACED_CHARACTERS)
    source = NoPictures() if folder is None else FolderPictures(folder, intake.limits.image_bytes)
    body, meta = split_front_matter(text)
    elements = intake.gather(read_markdown(body, LinkedPictures(source, intake)))
    return RawDocument("md", elements, title=meta.pop("title", ""), meta=meta)


def split_front_matter(text: str) -> tuple[str, dict[str, str]]:
    """The text without front matter, and what that says about title, version and date."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    match = _FRONT_MATTER.match(text)
    if match is None:
        return text, {}
    found = {key.lower(): value for key, value in _MATTER_LINE.findall(match[1])}
    if "lastupdated" in found:
        found.setdefault("date", found.pop("lastupdated"))
    return text[match.end() :], found


def without_comments(text: str) -> str:
    """HTML comments are not content; inside code they are."""
    kept: list[str] = []
    for is_code, part in _by_fences(text):
        kept.append(part if is_code else _COMMENT.sub("", part))
    return "".join(kept)


def read_markdown(text: str, pictures: LinkedPictures) -> Iterator[Element]:
    """The stream of a Markdown text."""
    mended = "".join(
        part if is_code else _with_chinese_emphasis(_with_folded_parts(part))
        for is_code, part in _by_fences(without_comments(text))
    )
    yield from _Reader(pictures).read(mended.split("\n"), 0)


def _with_folded_parts(text: str) -> str:
    """`<details>` as a container, since a blank line inside ends it for Markdown."""
    opened = 0

    def opening(match: re.Match[str]) -> str:
        nonlocal opened
        opened += 1
        title = " ".join(_TAG.sub("", match[1] or "").split())
        return f"\n::: details {title}\n\n"

    folded = _FOLDED.sub(opening, text)
    return _UNFOLDED.sub("\n\n:::\n", folded, count=opened) if opened else text


def _with_chinese_emphasis(text: str) -> str:
    """CommonMark closes no `**` between punctuation and a letter: `**提示：**请` stays plain.

    An empty comment counts as punctuation and shows nothing.
    """

    def mend(match: re.Match[str]) -> str:
        before, after = text[: match.start()][-1:], text[match.end() :][:1]
        opens = _EMPTY if before.isalnum() and not match[1][0].isalnum() else ""
        closes = _EMPTY if after.isalnum() and not match[1][-1].isalnum() else ""
        return f"{opens}{match[0]}{closes}"

    return _STRONG.sub(mend, text)


def _by_fences(text: str) -> Iterator[tuple[bool, str]]:
    """Stretches of text outside and inside fenced code; comments may span fences, code wins."""
    held: list[str] = []
    fence = ""
    for line in text.splitlines(keepends=True):
        match = _FENCE.match(line)
        opens = match is not None and not fence and not _inside_comment("".join(held))
        closes = match is not None and fence and match[1].startswith(fence)
        if opens and match is not None:
            yield False, "".join(held)
            held, fence = [line], match[1]
        elif closes:
            yield True, "".join([*held, line])
            held, fence = [], ""
        else:
            held.append(line)
    yield bool(fence), "".join(held)


def _inside_comment(text: str) -> bool:
    return text.rfind("<!--") > text.rfind("-->")


@dataclass(frozen=True, slots=True)
class _List:
    """An open list: its next number, or None for bullets."""

    number: int | None
    mark: str


@dataclass(slots=True)
class _Context:
    """The lists that are open, and what the next text is: a heading, an item, a paragraph."""

    lists: list[_List] = field(default_factory=list)
    cue: Line = field(default_factory=lambda: Line(""))

    def see(self, token: Token) -> None:
        """Note what a token opens or closes."""
        match token.type:
            case "heading_open":
                self.cue = Line("", level=int(token.tag[1]))
            case "ordered_list_open":
                start = token.attrGet("start")
                number = 1 if start is None else int(start)
                self.lists.append(_List(number, token.markup or "."))
            case "bullet_list_open":
                self.lists.append(_List(None, "•"))
            case "ordered_list_close" | "bullet_list_close":
                self.lists.pop()
            case "list_item_open":
                self.cue, self.lists[-1] = _next_item(self.lists[-1], token)
            case _:
                pass

    def take_cue(self) -> Line:
        """What the text at hand is; the text after it is a plain paragraph again."""
        cue, self.cue = self.cue, Line("")
        return cue


class _Reader:
    def __init__(self, pictures: LinkedPictures) -> None:
        self._pictures = pictures
        self._parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

    def read(self, lines: Sequence[str], depth: int) -> Iterator[Element]:
        """Plain stretches and containers in turn."""
        plain: list[str] = []
        at = 0
        fence = ""
        while at < len(lines):
            line = lines[at]
            fence = _fence_after(line, fence)
            opening = None if fence or depth > _DEEPEST_CONTAINER else _OPENING.match(line)
            if opening is None:
                if fence or not _CLOSING.match(line):
                    plain.append(line)
                at += 1
                continue
            yield from self._plain(plain)
            plain = []
            end = _container_end(lines, at + 1)
            yield from self._container(opening, lines[at + 1 : end], depth)
            at = end + 1
        yield from self._plain(plain)

    def _container(
        self, opening: re.Match[str], lines: Sequence[str], depth: int
    ) -> Iterator[Element]:
        inside = self.read(lines, depth + 1)
        kind = _KINDS.get(opening[1].lower())
        if kind is None:
            yield from inside  # columns, code groups: layout, not meaning
        else:
            yield from boxed(kind, tidy(opening[2]), list(inside))

    def _plain(self, lines: Sequence[str]) -> Iterator[Element]:
        tokens = self._parser.parse("\n".join(lines))
        yield from self._blocks(tokens)

    def _blocks(self, tokens: Sequence[Token]) -> Iterator[Element]:
        context = _Context()
        at = 0
        while at < len(tokens):
            token = tokens[at]
            if token.type in {"table_open", "blockquote_open"}:
                end = _closing(tokens, at)
                inside = tokens[at + 1 : end]
                quoted = token.type == "blockquote_open"
                yield from self._quote(inside) if quoted else self._table(inside)
                at = end
            else:
                context.see(token)
                yield from self._leaf(token, context)
            at += 1

    def _leaf(self, token: Token, context: "_Context") -> Iterator[Element]:
        match token.type:
            case "inline":
                yield from self._inline(token, context.take_cue())
            case "fence" | "code_block":
                if token.content.strip():
                    yield Line(token.content.rstrip("\n"), role=Role.CODE)
            case "html_block":
                yield from read_fragment(token.content, self._pictures)
            case _:
                pass

    def _quote(self, tokens: Sequence[Token]) -> Iterator[Element]:
        inside = list(self._blocks(tokens))
        first = inside[0] if inside else None
        alert = _ALERT.match(first.text) if isinstance(first, Line) else None
        if alert is None or not isinstance(first, Line):
            yield from inside
            return
        rest = first.text[alert.end() :]
        lines = [replace(first, text=rest), *inside[1:]] if rest else inside[1:]
        yield from boxed(_KINDS.get(alert[1].lower(), "note"), "", lines)

    def _inline(self, token: Token, cue: Line) -> Iterator[Element]:
        pieces = list(self._pieces(token.children or []))
        if cue.role is Role.STEP and _is_only_link(token.children or []):
            cue = replace(cue, role=Role.CONTENTS)
        yield from to_elements(pieces, cue)

    def _table(self, tokens: Sequence[Token]) -> Iterator[Element]:
        rows: list[list[str]] = []
        pictures: list[Element] = []
        for token in tokens:
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline":
                cell = list(self._inline(token, Line("")))
                rows[-1].append(plain_text(cell))
                pictures.extend(each for each in cell if isinstance(each, Picture))
        table = make_table(rows)
        if table is not None:
            yield Grid(table)
        yield from pictures

    def _pieces(self, tokens: Sequence[Token]) -> Iterator[Piece]:
        bold = 0
        for token in tokens:
            match token.type:
                case "text" | "code_inline":
                    yield Text(token.content, bold=bold > 0, size=None)
                case "softbreak" | "hardbreak":
                    yield Break()
                case "strong_open":
                    bold += 1
                case "strong_close":
                    bold -= 1
                case "image":
                    yield from self._picture(str(token.attrGet("src") or ""), "")
                case "html_inline":
                    yield from self._tag(token.content)
                case _:
                    pass

    def _tag(self, markup: str) -> Iterator[Piece]:
        """Tags inside a line: `<br>` breaks it, anything with a source is a picture."""
        if markup.lower().startswith("<br"):
            yield Break()
            return
        attributes = {name.lower(): value[1:-1] for name, value in _ATTRIBUTE.findall(markup)}
        if "src" in attributes:
            caption = attributes.get("text") or attributes.get("caption") or ""
            yield from self._picture(attributes["src"], tidy(caption))

    def _picture(self, link: str, caption: str) -> Iterator[Piece]:
        image = self._pictures.get(link)
        if image is not None:
            small = max(image.width or 0, image.height or 0) <= _ICON_PIXELS
            yield Shot(replace(image, caption=caption), icon=small)
        elif caption:
            yield Text(caption, bold=False, size=None)


def _fence_after(line: str, fence: str) -> str:
    """The fence that is open after this line, or nothing."""
    match = _FENCE.match(line)
    if match is None:
        return fence
    if not fence:
        return match[1]
    return "" if match[1].startswith(fence) else fence


def _container_end(lines: Sequence[str], start: int) -> int:
    """The line that closes a container; the end of the text where none does."""
    depth = 1
    fence = ""
    for at in range(start, len(lines)):
        fence = _fence_after(lines[at], fence)
        if fence:
            continue
        if _CLOSING.match(lines[at]):
            depth -= 1
        elif _OPENING.match(lines[at]):
            depth += 1
        if depth == 0:
            return at
    return len(lines)


def _next_item(current: _List, token: Token) -> tuple[Line, _List]:
    if current.number is None:
        return Line("", label=current.mark, role=Role.STEP), current
    number = int(token.info) if token.info.isdigit() else current.number
    cue = Line("", label=f"{number}{token.markup or current.mark}", role=Role.STEP)
    return cue, replace(current, number=number + 1)


def _closing(tokens: Sequence[Token], at: int) -> int:
    """Where the block that opens at `at` closes."""
    depth = 0
    for index in range(at, len(tokens)):
        depth += tokens[index].nesting
        if depth == 0:
            return index
    return len(tokens)


def _is_only_link(tokens: Sequence[Token]) -> bool:
    """`[标题](#标题)` and nothing else: a line of a table of contents."""
    links = [token for token in tokens if token.type == "link_open"]
    if len(links) != 1 or not str(links[0].attrGet("href") or "").startswith("#"):
        return False
    return tokens[0].type == "link_open" and tokens[-1].type == "link_close"

"""What a file becomes once it is read: a guide's section tree, or a table of questions and answers.

These are plain values. They know nothing of file formats, databases or search, and every format
importer must be able to say all it found with them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never

_PLACEHOLDERS = {"略", "无", "暂无", "待补充", "待完善", "暂未开发", "暂未开放", "tbd", "todo"}
_PLACEHOLDER_CHARS = 20
_PLACEHOLDER_WORDS = ("暂未开发", "暂无相关", "待补充", "尚未开发")
_REVISIONS = re.compile(r"(?:修改|修订|变更|版本|更新)(?:历史)?(?:记录|说明|历史)表?$")
MARKS = frozenset("✓✔√●○◎☑★▲■✗✘×☒")  # say yes or no in a cell, and only their column says to what
ICON = "[图标]"  # stands in a text where a small picture acts as a word; see `Paragraph.icons`


class WarningCode(StrEnum):
    """What an importer was unsure of, or had to leave out."""

    EMPTY_SECTION = "empty_section"  # a heading without any content of its own or below it
    PLACEHOLDER_SECTION = "placeholder_section"  # says only 略, 无, 暂未开发 …
    MISSING_IMAGE = "missing_image"  # a link that leads nowhere
    EXTERNAL_IMAGE = "external_image"  # a picture on another host; never fetched
    UNREADABLE_IMAGE = "unreadable_image"
    UNCONVERTED_IMAGE = "unconverted_image"  # EMF, WMF: kept, but a browser cannot show it
    IMAGE_TOO_LARGE = "image_too_large"
    INLINE_ICONS = "inline_icons"  # lines that lean on small pictures lose meaning as text
    UNRESOLVED_REFERENCE = "unresolved_reference"  # 操作同5.2.1, but there is no 5.2.1
    AMBIGUOUS_REFERENCE = "ambiguous_reference"
    REPEATED_NUMBER = "repeated_number"  # two sibling headings carry the same number
    GUESSED_HEADINGS = "guessed_headings"  # no heading style or outline: levels were inferred
    PAGE_WITHOUT_TEXT = "page_without_text"  # a scanned page
    READ_FROM_PICTURE = "read_from_picture"  # a scanned page whose picture was read; look at it
    COMMENTED_OUT = "commented_out"  # a whole file inside an HTML comment
    SKIPPED_MEMBER = "skipped_member"  # a file inside an archive that was not read
    SKIPPED_CONTENT = "skipped_content"  # charts, SmartArt, formulas: no text to keep
    MACROS_IGNORED = "macros_ignored"
    EMPTY_ANSWER = "empty_answer"
    DUPLICATE_QUESTION = "duplicate_question"
    MALFORMED_ROW = "malformed_row"
    CONVERTED = "converted"  # an old format, read through a converter
    CONVERTED_TEXT = "converted_text"  # the same, and only its text: no pictures, no headings
    REPLACED_CHARACTERS = "replaced_characters"  # bytes that the file's own encoding cannot mean


@dataclass(frozen=True, slots=True)
class ImportNotice:
    """One doubt: `detail` names the evidence, `where` the headings from the top (or file, row)."""

    code: WarningCode
    detail: str = ""
    where: tuple[str, ...] = ()
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """A picture in its place; the bytes are in `Guide.images[sha256]`. Sizes are in pixels."""

    sha256: str
    media_type: str
    name: str = ""
    caption: str = ""
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text. `label` is a heading-like word that is no heading: 操作步骤, 注意事项.

    The nth `ICON` in `text` is `icons[n]`, here and in `Step` and `Table`.
    """

    text: str
    label: str | None = None
    icons: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One step or list item; `number` is the label as printed (`1、`, `（2）`, `①`, `•`)."""

    number: str
    text: str
    icons: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of equal length, merged cells filled; the first `header_rows` name the columns."""

    rows: tuple[tuple[str, ...], ...]
    header_rows: int = 1
    caption: str = ""
    icons: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True)
class Callout:
    """A boxed remark; `kind` is one of note, tip, warning, danger, details."""

    kind: str
    text: str
    title: str = ""
    icons: tuple[Image, ...] = ()


Block = Paragraph | Step | Table | Image | Callout


@dataclass(frozen=True, slots=True)
class Reference:
    """A pointer such as 操作同5.2.1: `text` as written, `target` the headings it leads to."""

    text: str
    target: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it.

    `heading` is the whole line as a reader sees it, typed or automatic number included; `number`
    is that number alone (`3.2`, `（一）`, `第一章`); it may repeat and must never serve as a key.
    `level` is the depth in this tree, 1 at the top, whatever level the file itself claims.
    """

    heading: str
    number: str = ""
    level: int = 1
    blocks: tuple[Block, ...] = ()
    children: tuple["Section", ...] = ()
    page: int | None = None
    warnings: tuple[ImportNotice, ...] = ()
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class Guide:
    """One imported document. A section with an empty heading holds text before the first heading.

    `issued` is ISO 8601, as exact as the file says (`2023`, `2023-12`, `2023-12-05`).
    `warnings` repeats the warnings of all sections after the document's own.
    """

    title: str
    fmt: str
    sections: tuple[Section, ...]
    version: str | None = None
    issued: str | None = None
    images: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    warnings: tuple[ImportNotice, ...] = ()
    meta: Mapping[str, str] = field(default_factory=dict)

    def walk(self) -> Iterator[tuple[tuple[str, ...], Section]]:
        """Every section in reading order, with the headings that lead to it, its own included."""
        for section in self.sections:
            yield from _walk((), section)


@dataclass(frozen=True, slots=True)
class FaqEntry:
    """One question with its answer; `kind` is `answer`, or `collect` where the bot must not.

    `group` is the sheet that it stood on.
    """

    question: str
    answer: str
    similar: tuple[str, ...] = ()
    module: str = ""
    ref: str = ""
    category: str = ""
    kind: str = "answer"
    group: str = ""


@dataclass(frozen=True, slots=True)
class FaqTable:
    """The questions of one file, in file order.

    A picture in an answer is a line `![caption](/media/SHA256)`, its bytes are `images[sha256]`.
    """

    title: str
    entries: tuple[FaqEntry, ...]
    fmt: str = "csv"
    warnings: tuple[ImportNotice, ...] = ()
    images: Mapping[str, bytes] = field(default_factory=dict, repr=False)


def is_revision_record(heading: str) -> bool:
    """修改记录, 文档变更说明 and the like: about the document, never about its subject."""
    return _REVISIONS.search(heading) is not None


def is_placeholder(text: str) -> bool:
    """A section that says only 略 or 暂未开发相关功能 answers nothing."""
    bare = text.strip("。. （）()…：:")
    if bare.lower() in _PLACEHOLDERS:
        return True
    return len(bare) <= _PLACEHOLDER_CHARS and any(word in bare for word in _PLACEHOLDER_WORDS)


def block_text(block: Block) -> str:
    """The block as a reader sees it; a picture is its caption, a table one line per row."""
    match block:
        case Paragraph(text=text, label=label):
            return f"{label}：{text}" if label else text
        case Step(number=number, text=text):
            return f"{number} {text}".strip()
        case Callout(text=text, title=title):
            return _titled(title, text)
        case Table():
            return "\n".join(line for line in (block.caption, *table_lines(block)) if line)
        case Image(caption=caption):
            return caption
        case _:
            assert_never(block)


def _titled(title: str, text: str) -> str:
    if not title or not text:
        return title or text
    return f"{title}{'' if title[-1] in '？?！!：:' else '：'}{text}"


def table_lines(table: Table) -> tuple[str, ...]:
    """One line per row; a bare mark (✓, ●) is named by its column, or it would say nothing."""
    names = table.rows[table.header_rows - 1] if table.header_rows else ()
    heads = tuple(row_text(row) for row in table.rows[: table.header_rows])
    return heads + tuple(row_text(row, names) for row in table.rows[table.header_rows :])


def row_text(row: tuple[str, ...], names: tuple[str, ...] = ()) -> str:
    """One table row on one line; a value that fills merged cells is written once."""
    kept: list[str] = []
    for at, cell in enumerate(row):
        value = " ".join(cell.split())
        if value in MARKS and at < len(names) and names[at]:
            kept.append(f"{' '.join(names[at].split())} {value}")
        elif value and (not kept or kept[-1] != value):
            kept.append(value)
    return " | ".join(kept)


def _walk(above: tuple[str, ...], section: Section) -> Iterator[tuple[tuple[str, ...], Section]]:
    path = (*above, section.heading) if section.heading else above
    yield path, section
    for child in section.children:
        yield from _walk(path, child)

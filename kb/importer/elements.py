"""What a format reader hands over: a flat stream of lines, pictures and tables with their cues.

Readers only report what the file says (declared levels, automatic numbers, boldness, size, page).
They never decide what is a heading; `headings` does that for every format alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kb.sections import Callout, Image, Table


class Role(StrEnum):
    """What the file itself says a line is, where it says so."""

    TEXT = "text"
    ITEM = "item"  # a list item, which in Word may still be a heading
    STEP = "step"  # a list item in a language that has headings of its own
    TITLE = "title"  # of the whole document
    CAPTION = "caption"
    CODE = "code"  # line ends matter
    CONTENTS = "contents"  # an entry of the table of contents
    LABEL = "label"  # heading-like, and known to be no heading


@dataclass(frozen=True, slots=True)
class Line:
    """One line as a reader sees it, without its automatic number, which is `label`.

    `level` is the heading level that the file declares (1 is the top), `size` the font size in
    points, `bold` whether all of it is bold, `lead` the bold words that open a line and end in a
    colon.
    """

    text: str
    label: str = ""
    level: int | None = None
    bold: bool = False
    size: float | None = None
    page: int | None = None
    role: Role = Role.TEXT
    icons: tuple[Image, ...] = ()
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture on its own, between lines."""

    image: Image
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Grid:
    """A table in its place."""

    table: Table
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """A remark that the file sets apart; pictures inside it follow it in the stream."""

    callout: Callout
    page: int | None = None


Element = Line | Picture | Grid | Box


@dataclass(frozen=True, slots=True)
class RawDocument:
    """One file as read: `title` where the file declares one, `meta` what its properties say."""

    fmt: str
    elements: tuple[Element, ...]
    title: str = ""
    meta: Mapping[str, str] = field(default_factory=dict)

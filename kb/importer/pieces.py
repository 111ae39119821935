"""The pieces that a paragraph is made of in every format: text with its look, breaks, pictures."""

from dataclasses import dataclass

from kb.sections import Image


@dataclass(frozen=True, slots=True)
class Text:
    """Characters that look alike."""

    text: str
    bold: bool
    size: float | None


@dataclass(frozen=True, slots=True)
class Break:
    """A soft line break."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture in or beside the line; `offset` orders floating ones (down, across)."""

    image: Image
    icon: bool
    offset: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class PageTurn:
    """What follows stood on this page when the file was last laid out."""

    page: int


Piece = Text | Break | Shot | PageTurn

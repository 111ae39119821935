"""Cuts a guide's sections into the passages that search finds and answers show.

One section is one passage when it fits; a longer one is cut between steps, paragraphs and table
rows, never inside one. It decides nothing about ranking and never rewrites text.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kb.sections import Block, Guide, Image

PASSAGE_CHARS = 600  # a section up to this length stays whole


@dataclass(frozen=True, slots=True)
class PassageDraft:
    """A chunk ready to be stored.

    `section_path` are the headings from the top, the section's own last; `heading` is that last
    one; `text` the readable text of the chunk (tables and captions included, headings not);
    `position` counts from 0 through the guide.
    """

    section_path: tuple[str, ...]
    heading: str
    text: str
    blocks: tuple[Block, ...]
    images: tuple[Image, ...]
    page: int | None
    position: int


def make_passages(guide: Guide, *, limit: int = PASSAGE_CHARS) -> Sequence[PassageDraft]:
    """Every passage of the guide in reading order; sections without text give none."""
    raise NotImplementedError

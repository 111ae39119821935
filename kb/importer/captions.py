"""Joins captions to the pictures and tables that they name.

Captions are plain lines in practice (no file seen uses the caption style): 图2-1 … below or above a
picture, （申请付款页面） right below it, 表3-1 … above a table.
"""

from collections.abc import Sequence
from dataclasses import replace

from kb.importer.elements import Box, Element, Grid, Line, Picture, Role
from kb.importer.shape import caption_number, is_bracket_caption, is_table_caption


def join_captions(elements: Sequence[Element]) -> tuple[Element, ...]:
    """The stream with captions moved into their pictures and tables."""
    joined = list(elements)
    used: set[int] = set()
    for index, element in enumerate(elements):
        match element:
            case Picture(image=image):
                at = _picture_caption(elements, index, used)
                if at is not None:
                    caption = _text(elements[at])
                    joined[index] = replace(element, image=replace(image, caption=caption))
                    used.add(at)
            case Grid(table=table):
                at = _table_caption(elements, index, used)
                if at is not None:
                    caption = _text(elements[at])
                    joined[index] = replace(element, table=replace(table, caption=caption))
                    used.add(at)
            case _:
                pass
    return tuple(element for index, element in enumerate(joined) if index not in used)


def _picture_caption(elements: Sequence[Element], index: int, used: set[int]) -> int | None:
    if elements[index].image.caption:  # type: ignore[union-attr]  # the caller matched a Picture
        return None
    under = index + 1
    while under < len(elements) and isinstance(elements[under], Box):
        under += 1  # remarks laid over the picture
    if under not in used and _is_picture_caption(elements, under, below=under == index + 1):
        return under
    above = index - 1
    if above not in used and _is_picture_caption(elements, above, below=False):
        return above
    return None


def _is_picture_caption(elements: Sequence[Element], at: int, *, below: bool) -> bool:
    line = elements[at] if 0 <= at < len(elements) else None
    if not isinstance(line, Line) or line.level is not None or line.label:
        return False
    if is_table_caption(line.text):
        return False
    if line.role is Role.CAPTION or caption_number(line.text) is not None:
        return True
    return below and is_bracket_caption(line.text)


def _table_caption(elements: Sequence[Element], index: int, used: set[int]) -> int | None:
    for at in (index - 1, index + 1):
        line = elements[at] if 0 <= at < len(elements) else None
        if isinstance(line, Line) and at not in used and line.level is None:
            named = line.role is Role.CAPTION and not line.text.startswith("图")
            if is_table_caption(line.text) or (named and at < index):
                return at
    return None


def _text(element: Element) -> str:
    return element.text if isinstance(element, Line) else ""

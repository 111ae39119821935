"""Blocks of a section as JSON and back, as the database keeps them.

Refuses unknown kinds: a row written by a newer release must not be shown half.
"""

import re
from collections.abc import Sequence
from typing import Any, assert_never

from kb.sections import Block, Callout, Image, Paragraph, Step, Table

_STEP_LINE = re.compile(
    r"^\s*(第[一二三四五六七八九十]+步[：:,，、]?|步骤[一二三四五六七八九十\d]+[：:,，、]?"
    r"|[（(]\d{1,2}[)）]|\d{1,2}[.、．)）](?!\d)|[①②③④⑤⑥⑦⑧⑨⑩⑪⑫])\s*(\S.*)$"
)


def blocks_to_json(blocks: Sequence[Block]) -> list[Any]:
    """A list of objects with a `kind` each, in order."""
    return [_block_to_json(block) for block in blocks]


def blocks_from_json(rows: Sequence[Any]) -> tuple[Block, ...]:
    """The inverse of `blocks_to_json`; raises ValueError for a kind it does not know."""
    return tuple(_block_from_json(row) for row in rows)


def image_to_json(image: Image) -> dict[str, Any]:
    """One picture by reference; its bytes are in the media folder."""
    return {
        "kind": "image",
        "sha256": image.sha256,
        "media_type": image.media_type,
        "name": image.name,
        "caption": image.caption,
        "width": image.width,
        "height": image.height,
    }


def image_from_json(row: dict[str, Any]) -> Image:
    """The inverse of `image_to_json`."""
    return Image(**{name: value for name, value in row.items() if name != "kind"})


def text_blocks(text: str) -> tuple[Block, ...]:
    """Blocks of a plain answer: numbered lines become steps, other lines paragraphs."""
    blocks: list[Block] = []
    for line in text.splitlines():
        if not line.strip():
            continue
        step = _STEP_LINE.match(line)
        blocks.append(Step(step[1], step[2].strip()) if step else Paragraph(line.strip()))
    return tuple(blocks)


def _icons(block: Paragraph | Step | Table | Callout) -> dict[str, Any]:
    return {"icons": [image_to_json(icon) for icon in block.icons]} if block.icons else {}


def _block_to_json(block: Block) -> dict[str, Any]:
    match block:
        case Paragraph(text=text, label=label):
            return {"kind": "paragraph", "text": text, "label": label} | _icons(block)
        case Step(number=number, text=text):
            return {"kind": "step", "number": number, "text": text} | _icons(block)
        case Table(rows=rows, header_rows=header_rows, caption=caption):
            cells = [list(row) for row in rows]
            return {
                "kind": "table",
                "rows": cells,
                "header_rows": header_rows,
                "caption": caption,
            } | _icons(block)
        case Callout(kind=kind, text=text, title=title):
            return {"kind": "callout", "callout": kind, "text": text, "title": title} | _icons(
                block
            )
        case Image():
            return image_to_json(block)
        case _:
            assert_never(block)


def _block_from_json(row: dict[str, Any]) -> Block:
    icons = tuple(image_from_json(icon) for icon in row.get("icons", ()))
    match row:
        case {"kind": "paragraph", "text": text, "label": label}:
            return Paragraph(text, label, icons)
        case {"kind": "step", "number": number, "text": text}:
            return Step(number, text, icons)
        case {"kind": "table", "rows": rows, "header_rows": header_rows, "caption": caption}:
            return Table(tuple(tuple(cells) for cells in rows), header_rows, caption, icons)
        case {"kind": "callout", "callout": kind, "text": text, "title": title}:
            return Callout(kind, text, title, icons)
        case {"kind": "image"}:
            return image_from_json(row)
        case _:
            raise ValueError(f"unknown block kind: {row.get('kind')!r}")

"""The sections of a stored guide version as values: what each says and shows.

Read back from the passages that the sections were cut into. Refuses to change anything.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from kb import guide_repository as rows
from kb.blocks import blocks_from_json, image_from_json
from kb.section_matching import SectionText
from kb.sections import Block, Image, Table, block_text, table_lines
from kb.tables import GuideSectionRow, PassageRow


async def section_texts(session: AsyncSession, version_id: str) -> tuple[SectionText, ...]:
    """Every section of the version in reading order, those without text of their own included."""
    sections = await rows.sections(session, version_id)
    passages = by_section(await rows.passages(session, version_id))
    return tuple(section_text(one, passages.get(one.id, ())) for one in sections)


def by_section(passages: Sequence[PassageRow]) -> dict[str | None, list[PassageRow]]:
    """Passages by the section that they were cut from, in reading order."""
    found: defaultdict[str | None, list[PassageRow]] = defaultdict(list)
    for passage in passages:
        found[passage.section_id].append(passage)
    return dict(found)


def section_text(section: GuideSectionRow, passages: Sequence[PassageRow]) -> SectionText:
    """The section as it is compared and shown."""
    blocks = section_blocks(passages)
    pictures = [image_from_json(one).sha256 for passage in passages for one in passage.images]
    return SectionText(
        id=section.id,
        path=tuple(section.path),
        number=section.number,
        paragraphs=tuple(_paragraphs(blocks)),
        pictures=tuple(dict.fromkeys(pictures)),
    )


def section_blocks(passages: Sequence[PassageRow]) -> tuple[Block, ...]:
    """The section's blocks as they stood before it was cut: a table is one table again."""
    blocks: list[Block] = []
    for passage in passages:
        for block in blocks_from_json(passage.blocks):
            joined = _joined(blocks[-1], block) if blocks else None
            if joined is None:
                blocks.append(block)
            else:
                blocks[-1] = joined
    return tuple(blocks)


def _joined(above: Block, below: Block) -> Table | None:
    """More rows of the same table, whose header was repeated for the passage."""
    if not isinstance(above, Table) or not isinstance(below, Table) or not below.header_rows:
        return None
    heads = below.rows[: below.header_rows]
    if above.rows[: above.header_rows] != heads:
        return None
    rows_of_both = above.rows + below.rows[below.header_rows :]
    return Table(rows_of_both, above.header_rows, above.caption, above.icons + below.icons)


def _paragraphs(blocks: Sequence[Block]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Table):
            yield from (line for line in (block.caption, *table_lines(block)) if line)
        elif not isinstance(block, Image) or block.caption:
            yield block_text(block)

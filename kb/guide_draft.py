"""A section of a guide as the first draft of an answer: its words as Markdown, its pictures.

Refuses to shorten or to reword; that is what the editor is for.
"""

from collections.abc import Iterator, Sequence
from typing import assert_never

from kb.answer_text import MAX_AUDIENCE, MAX_GROUP, AnswerText
from kb.errors import GuideInvalid
from kb.guide_sections import section_blocks
from kb.section_matching import bare
from kb.sections import Block, Callout, Image, Paragraph, Step, Table, block_text, table_lines
from kb.tables import GuideRow, GuideSectionRow, GuideVersionRow, PassageRow


def draft_of_section(
    guide: GuideRow,
    version: GuideVersionRow,
    section: GuideSectionRow,
    passages: Sequence[PassageRow],
) -> AnswerText:
    """The draft, valid where and while the guide is. Raises GuideInvalid for an empty section."""
    lines = [line for block in section_blocks(passages) for line in _lines(block)]
    if not any(line.strip() for line in lines):
        raise GuideInvalid("section", "empty")
    return AnswerText(
        question=(bare(section.heading) or guide.title)[:500],
        answer="\n".join(lines),
        regions=tuple(version.regions),
        valid_from=version.effective_from,
        valid_until=version.effective_until,
        source_title=guide.title,
        source_section_id=section.id,
        fiscal_year=version.fiscal_year,
        audience=tuple(one[:MAX_GROUP] for one in version.audience[:MAX_AUDIENCE]),
    )


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Image(sha256=sha256, caption=caption):
            yield f"![{_caption(caption)}](/media/{sha256})"
        case Table(caption=caption):
            yield from ([caption] if caption else [])
            yield from table_lines(block)
        case Paragraph() | Step() | Callout():
            yield block_text(block)
        case _:
            assert_never(block)
    if not isinstance(block, Image):
        yield from (f"![](/media/{icon.sha256})" for icon in block.icons)


def _caption(text: str) -> str:
    """A caption without what would end the mark."""
    return " ".join(text.replace("[", "（").replace("]", "）").split())[:300]

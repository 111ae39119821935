"""Cuts a guide's sections into the passages that search finds and answers show.

One section is one passage when it fits; a longer one is cut between steps, paragraphs and table
rows. It decides nothing about ranking and never rewrites text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from kb.sections import (
    Block,
    Callout,
    Guide,
    Image,
    Paragraph,
    Reference,
    Section,
    Step,
    Table,
    block_text,
    is_placeholder,
    is_revision_record,
    row_text,
)

PASSAGE_CHARS = 600  # a section up to this length stays whole
_STRETCH = 1.25  # a last piece this little too long stays with its neighbour
_TAIL_CHARS = 120  # a shorter last piece is no passage of its own
_SENTENCE_END = re.compile(r"(?<=[。！？；;\n])")
_QUESTION_COLUMNS = ("问题", "疑问", "现象", "故障", "报错", "提示信息", "错误信息", "情形")
_ANSWER_COLUMNS = ("解决", "处理", "答", "办法", "措施", "应对", "怎么办")
_ASKING = ("？", "?", "怎么办", "吗", "呢")


@dataclass(frozen=True, slots=True)
class PassageDraft:
    """A chunk ready to be stored.

    `section_path` are the headings from the top, the section's own last; `heading` is that last
    one, or the guide's title for text before the first heading; `text` the readable text of the
    chunk (tables and captions included, headings not); `position` counts from 0 through the guide.
    """

    section_path: tuple[str, ...]
    heading: str
    text: str
    blocks: tuple[Block, ...]
    images: tuple[Image, ...]
    page: int | None
    position: int
    references: tuple[Reference, ...] = ()


def make_passages(guide: Guide, *, limit: int = PASSAGE_CHARS) -> tuple[PassageDraft, ...]:
    """Every passage of the guide in reading order; sections that say nothing give none."""
    drafts: list[PassageDraft] = []
    for path, section in guide.walk():
        if path and is_revision_record(path[-1]):
            continue  # a table of versions answers no question
        for blocks in _pieces(section.blocks, limit):
            draft = _draft(section, path, blocks, heading=path[-1] if path else guide.title)
            if draft.text and (draft.images or not is_placeholder(draft.text)):
                drafts.append(replace(draft, position=len(drafts)))
    return tuple(drafts)


def chunk_text(blocks: Sequence[Block]) -> str:
    """The blocks as a reader sees them, one below the other; a picture is its caption."""
    return "\n".join(text for block in blocks if (text := block_text(block)))


def _draft(
    section: Section, path: tuple[str, ...], blocks: tuple[Block, ...], *, heading: str
) -> PassageDraft:
    images = tuple(_images(blocks))
    text = chunk_text(blocks)
    if not text and images:
        text = heading  # the screenshot is the answer, and only the heading says to what
    return PassageDraft(
        section_path=path,
        heading=heading,
        text=text,
        blocks=blocks,
        images=images,
        page=section.page,
        position=0,
        references=tuple(each for each in section.references if each.text in text),
    )


def _images(blocks: Sequence[Block]) -> Iterator[Image]:
    """Pictures once each, in order, those inside lines included."""
    seen: set[str] = set()
    for block in blocks:
        for image in (block,) if isinstance(block, Image) else block.icons:
            if image.sha256 not in seen:
                seen.add(image.sha256)
                yield image


def _pieces(blocks: Sequence[Block], limit: int) -> Iterator[tuple[Block, ...]]:
    """Runs of blocks, each short enough where that is possible."""
    run: list[Block] = []
    for block in blocks:
        answers = tuple(_own_answers(block))
        if not answers:
            run.append(block)
            continue
        yield from _packed(run, limit)
        run = []
        yield from ((answer,) for answer in answers)
    yield from _packed(run, limit)


def _own_answers(block: Block) -> Iterator[Block]:
    """Blocks that answer a question each: rows of a question table, a folded question."""
    if isinstance(block, Table) and _asks(block):
        yield from _row_tables(block)
    elif isinstance(block, Callout) and block.kind == "details" and block.title.endswith(_ASKING):
        yield block


def _packed(blocks: Sequence[Block], limit: int) -> Iterator[tuple[Block, ...]]:
    if not blocks:
        return
    if len(chunk_text(blocks)) <= limit:
        yield tuple(blocks)
        return
    chunks = _greedy([part for block in blocks for part in _parts(block, limit)], limit)
    if len(chunks) > 1 and _fits_before(chunks[-2], chunks[-1], limit):
        chunks[-2:] = [chunks[-2] + chunks[-1]]
    yield from map(tuple, chunks)


def _greedy(parts: Sequence[Block], limit: int) -> list[list[Block]]:
    chunks: list[list[Block]] = [[]]
    chars = 0
    for part in parts:
        size = len(block_text(part)) + 1
        full = chars and size > 1 and chars + size > limit
        if full or _goes_on(chunks[-1], part):
            carried = _carried(chunks[-1])
            chunks.append(carried)
            chars = sum(len(block_text(block)) + 1 for block in carried)
        chunks[-1].append(part)
        chars += size
    return chunks


def _goes_on(chunk: Sequence[Block], part: Block) -> bool:
    """More rows of the table that the chunk ends with; its header need not come twice in one."""
    last = chunk[-1] if chunk else None
    if not isinstance(last, Table) or not isinstance(part, Table) or not part.header_rows:
        return False
    return last.rows[: last.header_rows] == part.rows[: part.header_rows]


def _carried(chunk: list[Block]) -> list[Block]:
    """A label (操作步骤：) at the end of a chunk belongs to what follows."""
    last = chunk[-1]
    if len(chunk) > 1 and isinstance(last, Paragraph) and last.label and not last.text:
        return [chunk.pop()]
    return []


def _fits_before(previous: Sequence[Block], last: Sequence[Block], limit: int) -> bool:
    tail = len(chunk_text(last))
    if _goes_on(previous, last[0]):
        return False
    return tail < _TAIL_CHARS and len(chunk_text(previous)) + tail <= limit * _STRETCH


def _parts(block: Block, limit: int) -> Iterator[Block]:
    """The block itself, or its rows or sentences where it alone is too long."""
    if len(block_text(block)) <= limit * _STRETCH:
        yield block
    elif isinstance(block, Table):
        yield from _table_parts(block, limit)
    elif isinstance(block, Paragraph | Step | Callout):
        yield from _text_parts(block, limit)
    else:
        yield block


def _table_parts(table: Table, limit: int) -> Iterator[Table]:
    """Runs of rows, each under the header rows again."""
    heads = table.rows[: table.header_rows]
    room = max(limit - sum(len(row_text(row)) + 1 for row in heads), limit // 3)
    run: list[tuple[str, ...]] = []
    chars = 0
    for row in table.rows[table.header_rows :]:
        size = len(row_text(row)) + 1
        if run and chars + size > room:
            yield replace(table, rows=heads + tuple(run))
            run, chars = [], 0
        run.append(row)
        chars += size
    if run:
        yield replace(table, rows=heads + tuple(run))


def _row_tables(table: Table) -> Iterator[Table]:
    heads = table.rows[: table.header_rows]
    for row in table.rows[table.header_rows :]:
        yield replace(table, rows=(*heads, row))


def _asks(table: Table) -> bool:
    """A table of questions and answers, every row of which answers for itself."""
    if table.header_rows != 1 or len(table.rows) < 3:
        return False
    names = table.rows[0]
    asks = any(word in name for name in names for word in _QUESTION_COLUMNS)
    return asks and any(word in name for name in names for word in _ANSWER_COLUMNS)


def _text_parts(block: Paragraph | Step | Callout, limit: int) -> Iterator[Block]:
    """A long text in runs of sentences; number, label and icons stay with the first."""
    first = True
    for text in _sentence_runs(block.text, limit):
        if first:
            yield replace(block, text=text)
            first = False
        else:
            yield Paragraph(text)


def _sentence_runs(text: str, limit: int) -> Iterator[str]:
    run = ""
    for sentence in _SENTENCE_END.split(text):
        if run and len(run) + len(sentence) > limit:
            yield run
            run = ""
        run += sentence
    if run:
        yield run

"""Puts a guide together: stream of elements → headings → section tree → references and doubts."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from kb.errors import ImportRefused, RefusalReason
from kb.importer.blocks import to_block
from kb.importer.boilerplate import without_boilerplate
from kb.importer.captions import join_captions
from kb.importer.cover import (
    content_of_cover,
    content_of_opening,
    is_generic,
    names_a_guide,
    read_particulars,
)
from kb.importer.elements import Element, Line, RawDocument
from kb.importer.headings import Heading, Outline, find_headings
from kb.importer.intake import Intake
from kb.importer.placing import Places, placed_notices
from kb.importer.references import References, Target, section_name
from kb.sections import (
    ICON,
    Block,
    Guide,
    Image,
    ImportNotice,
    Paragraph,
    Reference,
    Section,
    WarningCode,
    block_text,
    is_placeholder,
)

_INLINE_ICONS = 3
_WITHOUT_COVER = {"md", "html", "txt", "xlsx", "xls", "xlsb", "ods"}
_TITLED = {"md", "html"}  # formats whose one top heading is the title by custom


@dataclass(slots=True)
class _Node:
    """A section being filled."""

    heading: str = ""
    number: str = ""
    page: int | None = None
    blocks: list[Block] = field(default_factory=list)
    children: list["_Node"] = field(default_factory=list)
    references: tuple[Reference, ...] = ()
    notices: list[ImportNotice] = field(default_factory=list)


def assemble(document: RawDocument, intake: Intake, *, name: str) -> Guide:
    """The guide that a file's stream adds up to; `name` is the file's own name.

    Raises:
        ImportRefused: no_text, or too_large when it holds more characters than allowed.
    """
    elements = join_captions(without_boilerplate(document.elements))
    _check_text(elements, intake)
    outline = find_headings(elements)
    title = document.title
    top = _title_heading(document, elements, outline, name)
    if top is not None:
        title = top.text
        elements = tuple(
            element
            for index, element in enumerate(elements)
            if index != top.index and not _repeats(element, title)
        )
        outline = find_headings(elements)
    first = min(outline.headings, default=len(elements))
    particulars = read_particulars(elements[:first], name=name, title=title, meta=document.meta)
    has_cover = document.fmt not in _WITHOUT_COVER and bool(outline.headings)
    of_opening = content_of_cover if has_cover else content_of_opening
    intro = of_opening(elements[:first], particulars.title)
    roots = _grow(intro, elements[first:], first, outline)
    placed = list(_placed(roots, ()))
    _link(placed)
    _doubt(placed)
    loose = _share_out(
        intake, Places(document.elements, elements, sorted(outline.headings)), placed
    )
    if outline.guessed:
        detail = f"{len(outline.headings)} headings"
        loose.append(ImportNotice(WarningCode.GUESSED_HEADINGS, detail))
    sections = tuple(_freeze(node, 1) for node in roots)
    return Guide(
        title=particulars.title,
        fmt=document.fmt,
        sections=sections,
        version=particulars.version,
        issued=particulars.issued,
        images=dict(intake.images),
        warnings=(*loose, *(notice for _, node in placed for notice in node.notices)),
        meta=particulars.meta,
    )


def _check_text(elements: Sequence[Element], intake: Intake) -> None:
    chars = sum(len(block_text(to_block(element))) for element in elements)
    if chars == 0:
        raise ImportRefused(RefusalReason.NO_TEXT, f"{len(intake.images)} pictures")
    if chars > intake.limits.characters:
        raise ImportRefused(RefusalReason.TOO_LARGE, f"{chars} characters")


def _title_heading(
    document: RawDocument, elements: Sequence[Element], outline: Outline, name: str
) -> Heading | None:
    """A lone top heading that opens the file and holds all others, where it is the file's title."""
    tops = [heading for heading in outline.headings.values() if heading.depth == 1]
    if len(tops) != 1 or len(outline.headings) < 2 or tops[0].number or is_generic(tops[0].text):
        return None
    top = tops[0]
    if document.title and any(isinstance(element, Line) for element in elements[: top.index]):
        return None
    line = elements[top.index]
    by_custom = document.fmt in _TITLED and isinstance(line, Line) and line.level is not None
    return top if by_custom or names_a_guide(top.text, name) else None


def _repeats(element: Element, title: str) -> bool:
    return isinstance(element, Line) and element.level is None and element.text == title


def _grow(
    intro: Sequence[Element], body: Sequence[Element], first: int, outline: Outline
) -> list[_Node]:
    """The nodes at the top; text before the first heading makes a node without one."""
    front = _Node(page=next((element.page for element in intro), None))
    front.blocks.extend(map(to_block, intro))
    open_nodes = [front]
    roots = [front]
    for index, element in enumerate(body, start=first):
        heading = outline.headings.get(index)
        if heading is None:
            open_nodes[-1].blocks.append(to_block(element))
            continue
        node = _node(heading, element)
        del open_nodes[heading.depth :]
        (open_nodes[-1].children if heading.depth > 1 else roots).append(node)
        open_nodes.append(node)
    return [node for node in roots if node.heading or node.blocks]


def _node(heading: Heading, element: Element) -> _Node:
    node = _Node(heading.text, heading.number, element.page)
    if heading.rest:
        node.blocks.append(Paragraph(heading.rest))
    return node


def _placed(
    nodes: Sequence[_Node], above: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], _Node]]:
    for node in nodes:
        path = (*above, node.heading) if node.heading else above
        yield path, node
        yield from _placed(node.children, path)


def _link(placed: Sequence[tuple[tuple[str, ...], _Node]]) -> None:
    targets = [
        Target(path, node.number, section_name(node.heading, node.number))
        for path, node in placed
        if node.heading
    ]
    figures = [
        (path, block)
        for path, node in placed
        for block in node.blocks
        if isinstance(block, Image) and block.caption
    ]
    references = References(targets, figures)
    for path, node in placed:
        node.references, notices = references.find(node.blocks, path)
        node.notices.extend(notices)


def _share_out(
    intake: Intake, places: Places, placed: Sequence[tuple[tuple[str, ...], _Node]]
) -> list[ImportNotice]:
    """Give each doubt of the reader to its section; what is left belongs to the whole file."""
    sections = [(path, node) for path, node in placed if node.heading]
    front = next(((path, node) for path, node in placed if not node.heading), None)
    loose: list[ImportNotice] = []
    for notice, number in placed_notices(intake.notices, intake.before, places):
        owner = sections[number - 1] if number else front if number == 0 else None
        if owner is None:
            loose.append(notice)
        else:
            owner[1].notices.append(replace(notice, where=owner[0]))
    return loose


def _doubt(placed: Sequence[tuple[tuple[str, ...], _Node]]) -> None:
    for path, node in placed:
        if node.heading and not node.blocks and not node.children:
            node.notices.append(ImportNotice(WarningCode.EMPTY_SECTION, where=path, page=node.page))
        elif is_placeholder("".join(map(block_text, node.blocks))):
            code = WarningCode.PLACEHOLDER_SECTION
            node.notices.append(ImportNotice(code, where=path, page=node.page))
        icons = sum(block_text(block).count(ICON) for block in node.blocks)
        if icons >= _INLINE_ICONS:
            detail = f"{icons} icons"
            node.notices.append(ImportNotice(WarningCode.INLINE_ICONS, detail, where=path))
        numbers = Counter(child.number for child in node.children if child.number)
        for number in (number for number, count in numbers.items() if count > 1):
            notice = ImportNotice(WarningCode.REPEATED_NUMBER, number, where=path)
            node.notices.append(notice)


def _freeze(node: _Node, level: int) -> Section:
    return Section(
        heading=node.heading,
        number=node.number,
        level=level,
        blocks=tuple(node.blocks),
        children=tuple(_freeze(child, level + 1) for child in node.children),
        page=node.page,
        warnings=tuple(node.notices),
        references=node.references,
    )

"""Turns the lines between two headings into blocks: steps, remarks, labels, paragraphs.

Nothing is dropped and no text is rewritten, except that a number or a label moves into its field.
"""

from kb.importer.elements import Box, Element, Grid, Line, Picture, Role
from kb.importer.labels import LabelKind, read_label
from kb.importer.shape import is_drawing, label_word, remark
from kb.sections import Block, Callout, Paragraph, Step

_ITEM_BULLET = "•"


def to_block(element: Element) -> Block:
    """The block for one element of the stream."""
    match element:
        case Picture(image=image):
            return image
        case Grid(table=table):
            return table
        case Box(callout=callout):
            return callout
        case Line():
            return _line_block(element)


def _line_block(line: Line) -> Block:
    text, icons = line.text, line.icons
    if line.role is Role.CODE or is_drawing(text):
        return Paragraph(text, icons=icons)
    if line.label:
        return Step(line.label, text, icons)
    if line.lead:
        return _led(line)
    said = remark(text)
    if said is not None and said[2]:
        return Callout(said[0], said[2], title=said[1], icons=icons)
    word = label_word(text)
    if word is not None and (text[-1] in "：:" or line.role is Role.LABEL or line.level):
        return Paragraph("", label=word)
    return _typed(line)


def _led(line: Line) -> Block:
    """`新品采购单：通过…` whose first words are bold."""
    rest = line.text[len(line.lead) :].lstrip("：: ")
    said = remark(f"{line.lead}：")
    if said is not None and rest:
        return Callout(said[0], rest, title=said[1], icons=line.icons)
    return Paragraph(rest, label=line.lead, icons=line.icons)


def _typed(line: Line) -> Block:
    label = read_label(line.text)
    if label is None or label.kind is LabelKind.QUESTION:
        if line.role in {Role.ITEM, Role.STEP}:
            return Step(_ITEM_BULLET, line.text, line.icons)
        return Paragraph(line.text, icons=line.icons)
    if label.kind is LabelKind.ANSWER:
        return Paragraph(label.rest, label=label.text.rstrip("：: "), icons=line.icons)
    return Step(label.text, label.rest, line.icons)

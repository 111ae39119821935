"""One paragraph's pieces become lines and pictures: soft breaks part lines, icons stay inside.

A soft break hides as many headings in practice as it wraps lines, so every break parts the text,
except where the next part plainly goes on with the same sentence.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from kb.importer.characters import fold_glyphs, tidy
from kb.importer.elements import Line, Picture, Role
from kb.importer.labels import read_label
from kb.importer.pieces import Break, PageTurn, Piece, Shot, Text
from kb.importer.shape import is_drawing
from kb.sections import ICON, Image

_WRAPPED_CHARS = 28  # shorter parts are lines of their own
_ENDS = "。；;：:！!？?.…"
_HEADING_CHARS = 40
_LEAD_CHARS = 20
_WORD = re.compile(r"\w")


@dataclass(slots=True)
class _Segment:
    """What stands between two breaks."""

    page: int | None = None
    texts: list[Text] = field(default_factory=list)
    before: list[Image] = field(default_factory=list)
    after: list[Image] = field(default_factory=list)
    floating: list[Shot] = field(default_factory=list)
    icons: list[Image] = field(default_factory=list)

    def turn(self, page: int) -> None:
        """A new page begins here; what is already said stood on the old one."""
        if not (self.text or self.before or self.floating):
            self.page = page

    def add(self, piece: Text | Shot) -> None:
        """Text and icons in their order; other pictures before or after the text."""
        if isinstance(piece, Text):
            self.texts.append(piece)
        elif piece.offset is not None:
            self.floating.append(piece)
        elif piece.icon:
            self.texts.append(Text(ICON, bold=False, size=None))
            self.icons.append(piece.image)
        else:
            (self.after if self.text else self.before).append(piece.image)

    @property
    def raw(self) -> str:
        return "".join(piece.text for piece in self.texts)

    @property
    def text(self) -> str:
        return tidy(self.raw)


def to_elements(pieces: Sequence[Piece], cue: Line) -> Iterator[Line | Picture]:
    """Lines and pictures of one paragraph; `cue` carries level, number, role and page."""
    segments = _split(pieces, cue.page)
    if is_drawing("".join(segment.raw for segment in segments)):
        yield _code(segments, cue)
        return
    if cue.level is not None:
        segments = _whole_heading(segments)
    fresh = cue
    for segment in _unwrapped(segments):
        page = segment.page
        yield from (Picture(image, page) for image in segment.before)
        if segment.text:
            yield replace(_line(segment, fresh), page=page)
            fresh = replace(fresh, level=None, label="", role=_continued(fresh.role))
        ordered = sorted(segment.floating, key=lambda shot: shot.offset or (0, 0))
        yield from (Picture(image, page) for image in segment.after)
        yield from (Picture(shot.image, page) for shot in ordered)


def _split(pieces: Sequence[Piece], page: int | None) -> list[_Segment]:
    segments = [_Segment(page)]
    for piece in pieces:
        if isinstance(piece, Break):
            segments.append(_Segment(page))
        elif isinstance(piece, PageTurn):
            page = piece.page
            segments[-1].turn(page)
        else:
            segments[-1].add(piece)
    return [_without_lone_icons(segment) for segment in segments]


def _without_lone_icons(segment: _Segment) -> _Segment:
    """Small pictures are words only beside words."""
    if segment.icons and not any(each.text.strip() for each in segment.texts if each.text != ICON):
        segment.before = [*segment.icons, *segment.before]
        segment.icons = []
        segment.texts = []
    return segment


def _unwrapped(segments: Sequence[_Segment]) -> Iterator[_Segment]:
    """Joins parts that a break merely wrapped."""
    held: _Segment | None = None
    for segment in segments:
        if held is not None and _goes_on(held, segment):
            held.texts.extend(segment.texts)
            held.icons.extend(segment.icons)
            held.after.extend(segment.after)
            held.floating.extend(segment.floating)
            continue
        if held is not None:
            yield held
        held = segment
    if held is not None:
        yield held


def _goes_on(held: _Segment, segment: _Segment) -> bool:
    above, below = held.text, segment.text
    if len(above) < _WRAPPED_CHARS or not below or above[-1] in _ENDS:
        return False
    if held.after or held.floating or segment.before:
        return False
    return read_label(above) is None and read_label(below) is None


def _whole_heading(segments: list[_Segment]) -> list[_Segment]:
    """A break inside a short heading only shapes it; in a long one it parts heading and text."""
    texts = [segment.text for segment in segments if segment.text]
    if len(texts) < 2 or sum(map(len, texts)) > _HEADING_CHARS:
        return segments
    if any(read_label(text) is not None for text in texts[1:]):
        return segments
    whole = segments[0]
    for segment in segments[1:]:
        whole.texts.extend(segment.texts)
        whole.icons.extend(segment.icons)
        whole.after.extend((*segment.before, *segment.after))
        whole.floating.extend(segment.floating)
    return [whole]


def _line(segment: _Segment, cue: Line) -> Line:
    solid = [piece for piece in segment.texts if piece.text.strip() and piece.text != ICON]
    words = [piece for piece in solid if _WORD.search(piece.text)]
    return replace(
        cue,
        text=segment.text,
        bold=bool(words) and all(piece.bold for piece in words),
        size=_main_size(solid),
        icons=tuple(segment.icons),
        lead=_lead(solid),
    )


def _main_size(texts: Sequence[Text]) -> float | None:
    chars: dict[float, int] = {}
    for piece in texts:
        if piece.size is not None:
            chars[piece.size] = chars.get(piece.size, 0) + len(piece.text)
    return max(chars, key=lambda size: chars[size], default=None)


def _lead(texts: Sequence[Text]) -> str:
    """The bold words that open a line of plain text and end in a colon."""
    bold = ""
    for position, piece in enumerate(texts):
        if piece.bold:
            bold += piece.text
            continue
        if position and (bold.rstrip().endswith(("：", ":")) or piece.text.startswith(("：", ":"))):
            lead = tidy(bold).rstrip("：: ")
            return lead if 0 < len(lead) <= _LEAD_CHARS and read_label(lead) is None else ""
        break
    return ""


def _code(segments: Sequence[_Segment], cue: Line) -> Line:
    text = "\n".join(fold_glyphs(segment.raw).rstrip() for segment in segments).strip("\n")
    return replace(cue, text=text, role=Role.CODE, level=None)


def _continued(role: Role) -> Role:
    return Role.TEXT if role in {Role.ITEM, Role.STEP} else role

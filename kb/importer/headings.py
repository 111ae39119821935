"""Finds the headings of a file among its lines, whatever the file calls them.

Certain: what the file declares, and chapter-like numbers. Judged from the whole file: larger type,
decimal numbers, series of plain numbers, 【…】 lines, bold lines. Depths come from `nesting`.
"""

from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from kb.importer.cues import Cue, Stream
from kb.importer.elements import Element, Role
from kb.importer.labels import Label, LabelKind, bracketed
from kb.importer.nesting import Candidate, canonical, depths
from kb.importer.series import Member, OpenSeries, Series, are_headings, is_weak
from kb.importer.shape import (
    could_be_heading,
    heading_shaped,
    is_instruction,
    label_word,
    remark,
    run_in,
)
from kb.importer.typography import Typography

_STRONG = {LabelKind.CHAPTER, LabelKind.SECTION, LabelKind.APPENDIX, LabelKind.CHINESE,
           LabelKind.CHINESE_PAREN}  # fmt: skip
_RUN_IN_STRONG = {LabelKind.CHINESE, LabelKind.CHINESE_PAREN}
_WEAK = {kind for kind in LabelKind if is_weak(kind)}
_DECLARED_SENTENCE_CHARS = 60
_BOLD_CHARS = 25
_BOLD_COLON_CHARS = 14
_LEAST_BOLD = {True: 3, False: 2}  # in a file with other headings, in one without
_SAME_TEXT = 3  # said this often it is a label, not a heading
_SECTION_CHARS = 1_500  # sections longer than this on average hide undeclared headings
_CERTAIN_ENOUGH = 3  # declared headings that make guessing from type needless


@dataclass(frozen=True, slots=True)
class Heading:
    """Where a heading stands, how deep, what it says, and the text that shares its line."""

    index: int
    depth: int
    text: str
    number: str
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Outline:
    """The headings by their place in the stream; `guessed` where the file declares none."""

    headings: dict[int, Heading]
    guessed: bool


@dataclass(frozen=True, slots=True)
class _Found:
    candidate: Candidate
    heading: Heading


def find_headings(elements: Sequence[Element]) -> Outline:
    """The outline of a whole file."""
    return _Finder(elements).outline()


class _Finder:
    def __init__(self, elements: Sequence[Element]) -> None:
        self._stream = Stream(elements)
        self._type = Typography([cue.line for cue in self._stream.cues])
        self._found: dict[int, _Found] = {}
        self._ends: list[int] = []  # places of headings that end a body, sorted

    def outline(self) -> Outline:
        self._declared()
        certain = len(self._found)
        for look in (self._larger_type, self._strong, self._decimals, self._weak,
                     self._questions, self._bracketed, self._bold):  # fmt: skip
            look()
        found = [self._found[index] for index in sorted(self._found)]
        candidates = _with_borrowed_levels([item.candidate for item in found])
        headings = {
            item.heading.index: replace(item.heading, depth=depth)
            for item, depth in zip(found, depths(candidates), strict=True)
        }
        return Outline(headings, guessed=bool(headings) and certain == 0)

    def _declared(self) -> None:
        """What the file calls a heading."""
        for cue in self._stream.cues:
            if cue.line.level is not None and self._is_declared_heading(cue):
                self._take(cue, "declared", declared=float(cue.line.level))

    def _is_declared_heading(self, cue: Cue) -> bool:
        """A heading style on a whole sentence, or on a label that repeats, is a slip."""
        text = cue.line.text
        if len(text) > _DECLARED_SENTENCE_CHARS and text[-1] in "。；;":
            return False
        if cue.label is not None or label_word(text) is None:
            return True
        return not (text.endswith(("：", ":")) or self._stream.texts[text] >= _SAME_TEXT)

    def _larger_type(self) -> None:
        if len(self._found) >= _CERTAIN_ENOUGH:
            return
        ranked = [
            (cue, rank)
            for cue in self._stream.cues
            if (rank := self._type.rank(cue.line)) is not None
            and self._is_free(cue)
            and heading_shaped(cue.name)
        ]
        cover = self._cover_lines([cue for cue, _ in ranked])
        for cue, rank in ranked:
            if cue.index not in cover:
                self._take(cue, "size", declared=rank)

    def _cover_lines(self, large: Sequence[Cue]) -> set[int]:
        """Large lines that open the file with nothing between them: title, unit, date."""
        run: list[int] = []
        at_page = large[0].line.page if large else None
        lines = iter(self._stream.cues)
        for cue in large:
            if next(lines).index != cue.index or cue.line.page != at_page:
                break
            run.append(cue.index)
        return set(run) if len(run) > 1 else set()

    def _strong(self) -> None:
        """第一章, 一、, （一）: headings unless they merely follow one another."""
        for series in list(self._series(_STRONG)):
            if not _is_bare_list(series):
                for member in series.members:
                    self._take_strong(self._stream.by_index[member.index], member.label)

    def _take_strong(self, cue: Cue, label: Label) -> None:
        name = cue.name.rstrip("：:")
        if _is_name(name) or (label.kind is LabelKind.CHAPTER and not name):
            self._take(cue, label.kind)
        elif label.kind in _RUN_IN_STRONG and self._type.is_bare:
            self._take_run_in(cue, label.kind, kind=label.kind, stops="。")

    def _decimals(self) -> None:
        """1.1, 3.2.2.1."""
        for series in list(self._series({LabelKind.DECIMAL})):
            if _is_bare_list(series):
                continue
            for member in series.members:
                cue = self._stream.by_index[member.index]
                pattern = (LabelKind.DECIMAL, len(member.label.value))
                name = cue.name.rstrip("：: ")
                if _is_name(name) and not (name != cue.name and is_instruction(name)):
                    self._take(cue, pattern)
                else:
                    self._take_run_in(cue, pattern, kind=LabelKind.DECIMAL)

    def _weak(self) -> None:
        """1、 1) A、: judged series by series."""
        styled = self._is_well_parted()
        for series in list(self._series(_WEAK)):
            if are_headings(series, styled=styled):
                for member in series.members:
                    self._take_weak(member, series)

    def _is_well_parted(self) -> bool:
        """Whether the headings found so far leave no overlong stretch of text on average."""
        chars = self._stream.chars_between(0, self._stream.length)
        return len(self._found) > 1 and chars <= len(self._found) * _SECTION_CHARS

    def _take_weak(self, member: Member, series: Series) -> None:
        cue = self._stream.by_index[member.index]
        decimal = any(member.has_decimals for member in series.members)
        kind = LabelKind.DECIMAL if decimal else series.kind
        pattern = (kind, 1) if decimal else (kind, cue.separator)
        if is_instruction(cue.name) and not member.body_elements:
            return  # the last step of a list whose other items have text below
        if _is_name(cue.name.rstrip("：:")):
            self._take(cue, pattern, kind=kind)
        else:
            self._take_run_in(cue, pattern, kind=kind)

    def _questions(self) -> None:
        """问：… right above 答：…."""
        cues = self._stream.cues
        for cue, following in pairwise(cues):
            if _kind(cue) is LabelKind.QUESTION and _kind(following) is LabelKind.ANSWER:
                self._take(cue, LabelKind.QUESTION, leaf=True)

    def _bracketed(self) -> None:
        for cue in self._stream.cues:
            name = bracketed(cue.line.text)
            if name is None or not self._is_free(cue) or remark(cue.line.text) is not None:
                continue
            emphasised = self._type.is_emphasised(cue.line) or cue.line.text[-1] in "：:"
            if emphasised and label_word(name) is None and self._has_body(cue):
                self._take(cue, "【】")

    def _bold(self) -> None:
        plain: list[Cue] = []
        colon: list[Cue] = []
        for cue in self._stream.cues:
            if self._is_free(cue) and cue.label is None and self._is_bold_heading(cue):
                (colon if cue.line.text[-1] in "：:" else plain).append(cue)
        if len(plain) >= _LEAST_BOLD[bool(self._found)]:
            for cue in plain:
                self._take(cue, "bold")
        if len(colon) > 1:
            for cue in colon:
                self._take(cue, "bold:", leaf=True)

    def _is_bold_heading(self, cue: Cue) -> bool:
        text = cue.line.text
        if not (self._type.is_emphasised(cue.line) and self._has_body(cue)):
            return False
        if label_word(text) or remark(text) or self._stream.texts[text] >= _SAME_TEXT:
            return False
        if text[-1] in "：:":
            return heading_shaped(text[:-1], _BOLD_COLON_CHARS) and not is_instruction(text)
        return heading_shaped(text, _BOLD_CHARS)

    def _is_free(self, cue: Cue) -> bool:
        return cue.index not in self._found and cue.line.role in {Role.TEXT, Role.ITEM}

    def _has_body(self, cue: Cue) -> bool:
        """Something follows, and not just another line of a cover in large or bold type."""
        at = cue.index + 1
        if at >= self._stream.length:
            return False
        following = self._stream.by_index.get(at)
        if following is None or at in self._found or following.label is not None:
            return True
        shaped = heading_shaped(following.line.text.rstrip("：:"))
        return not (shaped and self._type.is_emphasised(following.line))

    def _take(
        self,
        cue: Cue,
        pattern: Hashable,
        *,
        declared: float | None = None,
        kind: LabelKind | None = None,
        leaf: bool = False,
        run: tuple[str, str] | None = None,
    ) -> None:
        label = cue.label
        kind = kind or (label.kind if label else None)
        value = label.value if label else ()
        candidate = Candidate(cue.index, declared, pattern, kind, value, leaf)
        name, rest = run or (None, "")
        number = label.text if label and label.value != (0,) else ""
        heading = Heading(cue.index, 0, cue.shown(name), number, rest)
        self._found[cue.index] = _Found(candidate, heading)
        if kind is not LabelKind.DECIMAL:
            insort(self._ends, cue.index)

    def _take_run_in(
        self, cue: Cue, pattern: Hashable, *, kind: LabelKind, stops: str = "，。：:"
    ) -> None:
        parted = run_in(cue.name)
        if parted is not None and cue.name[len(parted[0])] in stops:
            self._take(cue, pattern, kind=kind, run=parted)

    def _series(self, kinds: set[LabelKind]) -> Iterator[Series]:
        """Lines with these kinds of number that are no headings yet, grouped into series."""
        current: dict[Hashable, OpenSeries] = {}
        for cue in self._stream.cues:
            taken = self._found.get(cue.index)
            if taken is not None and taken.candidate.declared is not None:
                yield from (series for group in current.values() for series in group.all())
                current = {}
            label = cue.label
            if label is None or label.kind not in kinds or not self._is_free(cue):
                continue
            key = (label.kind, len(label.value), cue.separator)
            current.setdefault(key, OpenSeries()).add(self._member(cue, label))
        yield from (series for group in current.values() for series in group.all())

    def _member(self, cue: Cue, label: Label) -> Member:
        at = bisect_right(self._ends, cue.index)
        heading = self._ends[at] if at < len(self._ends) else self._stream.length
        stop = min(heading, self._stream.next_of_kind(cue, label))
        return Member(
            cue.index,
            replace(label, rest=cue.name),
            emphasised=self._type.is_emphasised(cue.line),
            body_chars=self._stream.chars_between(cue.index + 1, stop),
            body_elements=stop - cue.index - 1,
            has_decimals=self._has_decimals(cue.index, stop, label.value),
            labelled=self._is_labelled(cue.index + 1),
        )

    def _is_labelled(self, at: int) -> bool:
        """Whether 操作步骤： and the like stand there, which only a section opens with."""
        cue = self._stream.by_index.get(at)
        text = cue.line.text if cue is not None else ""
        return text.endswith(("：", ":")) and label_word(text) is not None

    def _has_decimals(self, start: int, stop: int, stem: tuple[int, ...]) -> bool:
        return any(
            (found := self._found.get(index)) is not None
            and found.candidate.kind is LabelKind.DECIMAL
            and found.candidate.value[:1] == stem
            for index in range(start + 1, stop)
        )


def _is_name(text: str) -> bool:
    """A heading's words; beside a number they may hold a comma."""
    return heading_shaped(text) or could_be_heading(text)


def _kind(cue: Cue) -> LabelKind | None:
    return cue.label.kind if cue.label else None


def _is_bare_list(series: Series) -> bool:
    """Three or more in a row with nothing in between: an enumeration or a table of contents."""
    bodies = [member.body_elements for member in series.members[:-1]]
    return len(bodies) > 1 and not any(bodies)


def _with_borrowed_levels(candidates: Sequence[Candidate]) -> list[Candidate]:
    """A number that lost its style takes the level of its styled siblings."""
    common = _common_kinds(candidates)
    return [_borrow(candidate, common) for candidate in candidates]


def _common_kinds(candidates: Sequence[Candidate]) -> dict[float, LabelKind]:
    counts: dict[float, Counter[LabelKind]] = {}
    for candidate in candidates:
        if candidate.declared is not None and candidate.kind is not None:
            counts.setdefault(candidate.declared, Counter())[candidate.kind] += 1
    return {level: counts[level].most_common(1)[0][0] for level in sorted(counts)}


def _borrow(candidate: Candidate, common: dict[float, LabelKind]) -> Candidate:
    kind = candidate.kind
    if candidate.declared is not None or kind is None or kind not in _STRONG:
        return candidate
    for level, styled in common.items():
        if styled is kind:
            return replace(candidate, declared=level)
        if canonical(styled) > canonical(kind):
            return replace(candidate, declared=level - 0.5)
    return candidate

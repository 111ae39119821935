"""Groups lines with the same kind of number into series and judges whether a series is headings.

A lone `1、新增` proves nothing. Its siblings do: headings are short names with text of their own
below, steps are sentences that follow one another.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from kb.importer.labels import Label, LabelKind
from kb.importer.shape import HEADING_CHARS, heading_shaped, run_in

_GAP = 3  # authors forget numbers: 1、2、4 is still one series
_MOST_OPEN = 8  # lists inside lists; nobody nests the same kind of number deeper
_SHAPED_SHARE = 0.7
_EMPHASISED_SHARE = 0.6
_LABELLED_SHARE = 0.6
_BODY_CHARS_BARE = 20  # a file without any declared heading
_BODY_CHARS_STYLED = 40
_BODY_CHARS_NESTED = 60  # 1) and （1） are steps more often than headings
_RUN_IN_CHARS = 80
_LEAST_RUN_IN = 4
_WEAK = {LabelKind.ARABIC, LabelKind.ARABIC_CLOSE, LabelKind.ARABIC_PAREN, LabelKind.LETTER,
         LabelKind.LETTER_CLOSE}  # fmt: skip
_NESTED = {LabelKind.ARABIC_CLOSE, LabelKind.ARABIC_PAREN, LabelKind.LETTER_CLOSE}


@dataclass(frozen=True, slots=True)
class Member:
    """One labelled line: its place in the stream, and what stands below it until the next one."""

    index: int
    label: Label
    emphasised: bool
    body_chars: int
    body_elements: int
    has_decimals: bool = False  # `3.` with a `3.1` below
    labelled: bool = False  # `操作步骤：` or the like is the next line


@dataclass(slots=True)
class Series:
    """Members of one kind with rising numbers."""

    kind: LabelKind
    members: list[Member] = field(default_factory=list)

    def distance_to(self, label: Label) -> int:
        """How far `label` is from the last number; 0 where it cannot belong to this series."""
        last = self.members[-1].label.value
        step = label.value[-1] - last[-1]
        return step if last[:-1] == label.value[:-1] and 0 < step <= _GAP else 0


class OpenSeries:
    """Series of one kind that may still go on: 1、2、 inside 3、 must not swallow the 4、."""

    def __init__(self) -> None:
        self._done: list[Series] = []
        self._open: list[Series] = []

    def add(self, member: Member) -> None:
        """Continue the nearest series that fits exactly, else one with a gap, else begin one."""
        at = self._fitting(member.label)
        if at is None:
            self._open.append(Series(member.label.kind))
            if len(self._open) > _MOST_OPEN:
                self._done.append(self._open.pop(0))
        else:
            self._done.extend(self._open[at + 1 :])
            del self._open[at + 1 :]
        self._open[-1].members.append(member)

    def _fitting(self, label: Label) -> int | None:
        steps = [series.distance_to(label) for series in self._open]
        exact = [at for at, step in enumerate(steps) if step == 1]
        near = [at for at, step in enumerate(steps) if step and label.value[-1] > 1]
        return max(exact or near, default=None)

    def all(self) -> list[Series]:
        """Every series seen, finished or not."""
        return [*self._done, *self._open]


def is_weak(kind: LabelKind) -> bool:
    """Kinds that count steps as often as they count sections."""
    return kind in _WEAK


def are_headings(series: Series, *, styled: bool) -> bool:
    """Judge a series of a weak kind; `styled` says that the file has other, certain headings."""
    members = series.members
    shaped = _share(heading_shaped(member.label.rest, HEADING_CHARS - 10) for member in members)
    if any(member.has_decimals for member in members):
        return shaped >= 0.5
    if _share(member.emphasised for member in members) >= _EMPHASISED_SHARE:
        return shaped >= _EMPHASISED_SHARE
    if _share(member.labelled for member in members) >= _LABELLED_SHARE:
        return shaped >= _SHAPED_SHARE
    if shaped >= _SHAPED_SHARE and len(members) > 1:
        return _body_chars(members) >= _needed_chars(series.kind, styled=styled)
    return not styled and _is_run_in_series(members)


def _needed_chars(kind: LabelKind, *, styled: bool) -> int:
    if kind in _NESTED:
        return _BODY_CHARS_NESTED
    return _BODY_CHARS_STYLED if styled else _BODY_CHARS_BARE


def _body_chars(members: Sequence[Member]) -> float:
    """The last member's body may run on to the end of the chapter, so it does not count."""
    return median(member.body_chars for member in members[:-1])


def _is_run_in_series(members: Sequence[Member]) -> bool:
    """`16、商品入库：…` with the answer in the same paragraph, several in a row, each long."""
    if len(members) < _LEAST_RUN_IN:
        return False
    parted = _share(run_in(member.label.rest) is not None for member in members)
    chars = median(len(member.label.rest) + member.body_chars for member in members[:-1])
    return parted >= _SHAPED_SHARE and chars >= _RUN_IN_CHARS


def _share(flags: Iterator[bool]) -> float:
    seen = list(flags)
    return sum(seen) / len(seen)

"""Gives headings their depth: declared levels first, then the order in which this file nests.

Files mix systems (第一章 with 一、 inside, 【…】 above A、), so no fixed table of patterns works. A
pattern's rank is where it first appeared below another; numbers that run on (1、 … 2、) prove that
whatever stood between them belongs inside.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from kb.importer.labels import LabelKind

_CANONICAL = {
    LabelKind.CHAPTER: 0, LabelKind.APPENDIX: 0, LabelKind.SECTION: 1, LabelKind.CHINESE: 2,
    LabelKind.CHINESE_PAREN: 3, LabelKind.ARABIC: 4, LabelKind.LETTER: 4, LabelKind.DECIMAL: 5,
    LabelKind.ARABIC_PAREN: 12, LabelKind.ARABIC_CLOSE: 12, LabelKind.LETTER_CLOSE: 13,
    LabelKind.CIRCLED: 14,
}  # fmt: skip
_ODD_KIND = 15
_NUMBERS = {LabelKind.ARABIC, LabelKind.DECIMAL}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A line taken for a heading, with all that decides its depth.

    `declared` is the file's own level (or a font size's rank), None where the file is silent;
    `pattern` tells undeclared headings apart (a kind of number, 【】, bold); `leaf` headings hold
    no other headings. A plain `3.` that has a `3.1` below carries the kind DECIMAL.
    """

    index: int
    declared: float | None
    pattern: Hashable
    kind: LabelKind | None = None
    value: tuple[int, ...] = ()
    leaf: bool = False


def canonical(kind: LabelKind) -> int:
    """The depth at which careful authors use a kind of number; only the order means something."""
    return _CANONICAL.get(kind, _ODD_KIND)


def depths(candidates: Sequence[Candidate]) -> list[int]:
    """The depth of each candidate in the tree, 1 at the top."""
    return list(_Nesting(candidates).run())


class _Nesting:
    """Walks the candidates with the stack of open headings."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._open: list[Candidate] = []
        self._order: list[Hashable] = []  # undeclared patterns, outermost first
        self._ranks: dict[Hashable, int] = {}
        self._inside: set[tuple[Hashable, Hashable]] = set()
        self._candidates = candidates
        self._next = _following_values(candidates)

    def run(self) -> Iterator[int]:
        for candidate in self._candidates:
            self._close_for(candidate)
            self._open.append(candidate)
            yield len(self._open)

    def _close_for(self, candidate: Candidate) -> None:
        while self._open and self._open[-1].leaf:
            self._open.pop()
        if candidate.declared is not None:
            while self._open and not _holds(self._open[-1], candidate):
                self._open.pop()
            return
        stem = self._stem_depth(candidate)
        if stem:
            del self._open[stem:]
        else:
            self._close_undeclared(candidate)

    def _stem_depth(self, candidate: Candidate) -> int:
        """How many open headings stay when `3.2.1` finds its `3.2` or `3.` among them, or 0."""
        found = (
            depth
            for depth in range(len(self._open), 0, -1)
            if _is_stem(self._open[depth - 1], candidate)
        )
        return next(found, 0)

    def _close_undeclared(self, candidate: Candidate) -> None:
        for depth in range(self._floor(candidate), len(self._open)):
            upper = self._open[depth]
            if upper.declared is None and self._outranks(candidate, upper):
                del self._open[depth:]
                break
        self._remember(candidate)

    def _outranks(self, candidate: Candidate, upper: Candidate) -> bool:
        """Whether `candidate` closes an open undeclared `upper`."""
        if candidate.pattern == upper.pattern:
            return True
        if candidate.kind is upper.kind is LabelKind.DECIMAL:
            return len(candidate.value) <= len(upper.value)
        if candidate.pattern in self._order and upper.pattern in self._order:
            return self._order.index(candidate.pattern) < self._order.index(upper.pattern)
        return False

    def _floor(self, candidate: Candidate) -> int:
        """How many open headings an unnumbered candidate cannot close."""
        if candidate.kind is not None:
            return 0
        for depth in range(len(self._open), 0, -1):
            upper = self._open[depth - 1]
            if upper.kind is not None and self._belongs_inside(candidate, upper):
                self._inside.add((candidate.pattern, upper.pattern))
                return depth
        return 0

    def _belongs_inside(self, candidate: Candidate, upper: Candidate) -> bool:
        """1、 … candidate … 2、 is proof; after the last number, what held before still holds."""
        following = self._next[upper.index]
        if following is None:
            return (candidate.pattern, upper.pattern) in self._inside
        return following == (*upper.value[:-1], upper.value[-1] + 1)

    def _remember(self, candidate: Candidate) -> None:
        if candidate.leaf or candidate.pattern in self._order:
            return
        self._ranks[candidate.pattern] = _rank(candidate.kind)
        above = (upper.pattern for upper in reversed(self._open) if upper.pattern in self._order)
        self._order.insert(self._place(candidate, next(above, None)), candidate.pattern)

    def _place(self, candidate: Candidate, above: Hashable) -> int:
        """Right below the pattern it appeared under, else where careful authors would put it."""
        if above is not None:
            return self._order.index(above) + 1
        rank = _rank(candidate.kind)
        deeper = (at for at, pattern in enumerate(self._order) if self._ranks[pattern] > rank)
        return next(deeper, len(self._order))


def _rank(kind: LabelKind | None) -> int:
    return -1 if kind is None else canonical(kind)


def _following_values(candidates: Sequence[Candidate]) -> dict[int, tuple[int, ...] | None]:
    """For each candidate the value of the next one with the same pattern."""
    following: dict[int, tuple[int, ...] | None] = {}
    latest: dict[Hashable, tuple[int, ...]] = {}
    for candidate in reversed(candidates):
        following[candidate.index] = latest.get(candidate.pattern)
        latest[candidate.pattern] = candidate.value
    return following


def _holds(upper: Candidate, lower: Candidate) -> bool:
    """Whether a declared `lower` goes below an open `upper`."""
    if upper.declared is None or lower.declared is None:
        return False
    if upper.declared != lower.declared:
        return upper.declared < lower.declared
    return _numbers_nest(upper, lower)


def _numbers_nest(upper: Candidate, lower: Candidate) -> bool:
    """Same declared level, but the numbers say otherwise: 3 over 3.1, 一、 over （一）."""
    if upper.kind is None or lower.kind is None:
        return False
    if upper.kind in _NUMBERS and lower.kind in _NUMBERS:
        return _is_stem(upper, lower)
    if LabelKind.APPENDIX in {upper.kind, lower.kind}:
        return False
    return canonical(upper.kind) < canonical(lower.kind)


def _is_stem(upper: Candidate, lower: Candidate) -> bool:
    """3. or 3.2 above 3.2.1."""
    if upper.kind not in _NUMBERS or lower.kind not in _NUMBERS:
        return False
    stem = lower.value[: len(upper.value)]
    return len(upper.value) < len(lower.value) and upper.value == stem

"""What type tells: the body size of a file, which sizes stand out, and whether bold means much."""

from collections import Counter
from collections.abc import Sequence

from kb.importer.elements import Line, Role
from kb.importer.shape import heading_shaped

_LARGER = 1.2
_LARGER_BOLD = 1.1
_MOST_LINES = 0.3  # a size on more lines than this is no heading size
_SHAPED_SHARE = 0.7
_MOST_BOLD = 0.4  # a file with more bold text than this uses it as its body


class Typography:
    """The sizes and the boldness of all lines of a file."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._body = _body_size(lines)
        self._ranks = self._rank_sizes(lines)
        self._declared = any(line.level is not None for line in lines)
        chars = sum(len(line.text) for line in lines)
        bold = sum(len(line.text) for line in lines if line.bold and line.level is None)
        self._bold_counts = bold <= chars * _MOST_BOLD

    @property
    def is_bare(self) -> bool:
        """No declared heading and no size that stands out."""
        return not self._ranks and not self._declared

    def rank(self, line: Line) -> float | None:
        """1 for the largest size that stands out, 2 for the next …; None for body size."""
        if line.size is None or line.role not in {Role.TEXT, Role.ITEM}:
            return None
        return self._ranks.get(_rounded(line.size)) if self._stands_out(line) else None

    def is_emphasised(self, line: Line) -> bool:
        """Bold in a file whose body is not, or larger than the body."""
        return (line.bold and self._bold_counts) or self._stands_out(line)

    def _stands_out(self, line: Line) -> bool:
        if self._body is None or line.size is None:
            return False
        return line.size >= self._body * (_LARGER_BOLD if line.bold else _LARGER)

    def _rank_sizes(self, lines: Sequence[Line]) -> dict[float, float]:
        """Sizes used for few lines, most of which look like headings; the largest first."""
        groups: dict[float, list[Line]] = {}
        for line in lines:
            if line.size is not None and self._stands_out(line):
                groups.setdefault(_rounded(line.size), []).append(line)
        kept = [size for size, group in groups.items() if _is_heading_size(group, len(lines))]
        return {size: float(rank) for rank, size in enumerate(sorted(kept, reverse=True), start=1)}


def _is_heading_size(group: Sequence[Line], total: int) -> bool:
    shaped = sum(heading_shaped(line.text.rstrip("：: ")) for line in group)
    return len(group) <= max(total * _MOST_LINES, 3) and shaped >= len(group) * _SHAPED_SHARE


def _body_size(lines: Sequence[Line]) -> float | None:
    chars: Counter[float] = Counter()
    for line in lines:
        if line.size is not None and line.level is None:
            chars[_rounded(line.size)] += len(line.text)
    return chars.most_common(1)[0][0] if chars else None


def _rounded(size: float) -> float:
    return round(size * 2) / 2

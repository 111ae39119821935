"""What changed between two states of a section: paragraph by paragraph, with the words inside.

Pure. Refuses to judge whether a change matters.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from kb.answer_difference import Change, Piece, difference

#: Paragraphs with less in common than this are one removed and one added, not one rewritten.
_REWRITTEN = 0.4


@dataclass(frozen=True, slots=True)
class ParagraphChange:
    """One paragraph; SAME with more than one piece is a paragraph whose words changed."""

    change: Change
    pieces: tuple[Piece, ...]

    @property
    def is_rewritten(self) -> bool:
        """Whether it stands in both, but not with the same words."""
        return self.change is Change.SAME and len(self.pieces) > 1


def paragraph_changes(old: Sequence[str], new: Sequence[str]) -> tuple[ParagraphChange, ...]:
    """Paragraphs in reading order; what is not ADDED joins to the old, not REMOVED to the new."""
    found: list[ParagraphChange] = []
    matcher = SequenceMatcher(None, list(old), list(new), autojunk=False)
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        before, after = old[old_from:old_to], new[new_from:new_to]
        if tag == "equal":
            found += [ParagraphChange(Change.SAME, (Piece(Change.SAME, one),)) for one in before]
        else:
            found += _replaced(before, after)
    return tuple(found)


def _replaced(before: Sequence[str], after: Sequence[str]) -> Iterator[ParagraphChange]:
    """Old paragraphs beside the new ones that they became, in order."""
    at = 0
    for paragraph in before:
        to = next((n for n in range(at, len(after)) if _alike(paragraph, after[n])), None)
        if to is None:
            yield _whole(Change.REMOVED, paragraph)
            continue
        yield from (_whole(Change.ADDED, one) for one in after[at:to])
        yield ParagraphChange(Change.SAME, difference(paragraph, after[to]))
        at = to + 1
    yield from (_whole(Change.ADDED, one) for one in after[at:])


def _alike(old: str, new: str) -> bool:
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    bounds = matcher.real_quick_ratio() >= _REWRITTEN and matcher.quick_ratio() >= _REWRITTEN
    return bounds and matcher.ratio() >= _REWRITTEN


def _whole(change: Change, text: str) -> ParagraphChange:
    return ParagraphChange(change, (Piece(change, text),))

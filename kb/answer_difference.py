"""What changed between two texts, word by word. Pure; refuses to judge the change."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

import rjieba

#: Above so many words on both sides together, whole lines are compared: quadratic work otherwise.
WORD_LIMIT = 8_000


class Change(StrEnum):
    """Whether a run of words is in both texts, only in the new, or only in the old."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words."""

    change: Change
    text: str


def difference(old: str, new: str) -> tuple[Piece, ...]:
    """Pieces in reading order; SAME and REMOVED join to the old text, SAME and ADDED to the new."""
    before, after = _words(old), _words(new)
    if len(before) + len(after) > WORD_LIMIT:
        before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    pieces: list[Piece] = []
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if tag == "equal":
            pieces.append(Piece(Change.SAME, "".join(before[old_from:old_to])))
            continue
        removed, added = "".join(before[old_from:old_to]), "".join(after[new_from:new_to])
        pieces += [Piece(Change.REMOVED, removed)] if removed else []
        pieces += [Piece(Change.ADDED, added)] if added else []
    return tuple(pieces)


def _words(text: str) -> Sequence[str]:
    words = list(rjieba.cut(text))
    # The segmenter may drop characters it cannot read; losing one would falsify the difference.
    return words if "".join(words) == text else list(text)

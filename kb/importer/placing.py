"""Finds the section that a doubt belongs to: where in the file the reader stood when it arose.

Elements are known by identity: boilerplate goes and captions are joined between reading and
assembling, but what stays is the same object.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from kb.importer.elements import Element
from kb.sections import ImportNotice


class Places:
    """Places of one file's stream among the elements that were kept of it."""

    def __init__(
        self, read: Sequence[Element], kept: Sequence[Element], headings: Sequence[int]
    ) -> None:
        """`headings` are the places in `kept` where sections begin, in order."""
        self._read = read
        self._kept = kept
        self._at = {id(element): at for at, element in enumerate(kept)}
        self._headings = headings

    def section(self, notice: ImportNotice, before: int | None) -> int | None:
        """The number of the section, 0 for text before the first heading; None where unknown.

        `before` is how many elements had been read; without it the notice's page must do.
        """
        at = self._last_kept(before) if before is not None else self._first_on(notice.page)
        return None if at is None else bisect_right(self._headings, at)

    def _last_kept(self, before: int) -> int | None:
        for element in reversed(self._read[:before]):
            at = self._at.get(id(element))
            if at is not None:
                return at
        return None

    def _first_on(self, page: int | None) -> int | None:
        if page is None:
            return None
        return next((at for at, element in enumerate(self._kept) if element.page == page), None)


def placed_notices(
    notices: Sequence[ImportNotice], before: Mapping[int, int], places: Places
) -> list[tuple[ImportNotice, int | None]]:
    """Each notice with its section's number; `before` is by the notice's place in the list."""
    return [
        (notice, None if notice.where else places.section(notice, before.get(at)))
        for at, notice in enumerate(notices)
    ]

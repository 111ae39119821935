"""The index that is searched: the current build with everything published since laid over it.

What changed is a file in the build's folder that each publication adds one line to, so that every
process of a workspace finds the same and reads only what is new. Beside it are the workspace's
calibration (`kb.calibration_store`), which is laid over the build's scores and cuts, and its
lexicon (`kb.lexicon_store`), which questions are read with. Refuses to decide what is published.
"""

import contextlib
import fcntl
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import structlog

from kb.articles import Corpus, IndexedAnswer, answer_from_json, answer_to_json
from kb.calibration_store import Calibration, calibration_file, read_calibration
from kb.errors import IndexMissing
from kb.incremental import Overlay, differences
from kb.index_holder import indexes_dir
from kb.lexicon import Lexicon
from kb.lexicon_store import lexicon_file, read_lexicon
from kb.normalise import Normaliser
from kb.retriever import IndexSource
from kb.search_index import SearchIndex

log = structlog.get_logger(__name__)

FILE = "changes.jsonl"
Changes = Mapping[str, IndexedAnswer | None]
#: Of the changes, the calibration and the lexicon: when a file was written, and which it is.
_Stamps = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


class FreshIndex:
    """Follows the build and the changes to it; a search in progress keeps what it began with."""

    def __init__(self, home: Path, below: IndexSource, *, refresh_seconds: float) -> None:
        self._home = home
        self._below = below
        self._refresh_seconds = refresh_seconds
        self._overlay: Overlay | None = None
        self._index: SearchIndex | None = None
        self._calibration: Calibration | None = None
        self._seen: _Stamps = ((0, 0), (0, 0), (0, 0))
        self._lexicon: tuple[tuple[int, int], Lexicon | None] = ((0, 0), None)
        self._looked_at = 0.0
        self._applying = threading.Lock()
        self._read_to = 0

    def current(self) -> SearchIndex:
        """The index to search now; raises IndexMissing before the first build."""
        base = self._below.current()
        overlay, index = self._overlay, self._index
        if overlay is None or index is None or overlay.base is not base:
            return self._calibrated(self._follow(base).index)
        if self._is_time_to_look() and self._stamps(base) != self._seen:
            threading.Thread(target=self._follow_quietly, args=(base,), daemon=True).start()
        return index

    def is_settled(self) -> bool:
        """Whether what is searched was made of the build that is loaded now."""
        overlay = self._overlay
        return (
            overlay is not None
            and self._index is not None
            and self._below.is_settled()
            and overlay.base is self._below.current()
        )

    def as_searched(self, index: SearchIndex) -> SearchIndex:
        """Another build with this workspace's calibration and lexicon laid over it."""
        return self._calibrated(index)

    def uncalibrated(self) -> SearchIndex:
        """The current index with the scores and cuts that it was built with."""
        return self._follow(self._below.current()).index

    def follow(self) -> None:
        """Take in now what the files say, rather than at the next look."""
        with contextlib.suppress(IndexMissing):
            self._follow(self._below.current())

    @property
    def calibration(self) -> Calibration | None:
        """What is laid over the scores now."""
        return self._calibration

    def apply(self, changes: Changes) -> bool:
        """Make these changes searchable, here at once and in other processes within moments.

        False when there is no index yet: the first build takes them in.
        """
        try:
            base = self._below.current()
        except IndexMissing:
            return False
        if not changes:
            return True
        with self._written_alone():
            _append(self._file(base), changes)
        overlay = self._follow(base)
        log.info("index_changed", answers=len(changes), laid_over=len(overlay.changed))
        return True

    def candidate(self, changes: Changes) -> SearchIndex:
        """What the index would be with these changes; nobody else searches it."""
        overlay = self._follow(self._below.current()).with_changes(changes)
        return self._calibrated(overlay.index)

    def reconcile(self, corpus: Corpus) -> int:
        """Lay over whatever the index lacks of what is published; how many answers that were."""
        try:
            changes = differences(self.current(), corpus)
        except IndexMissing:
            return 0
        self.apply(changes)
        return len(changes)

    def _follow(self, base: SearchIndex) -> Overlay:
        """Read the changes and lay them over; what was encoded before is not encoded again."""
        with self._applying:
            stamps, before = self._stamps(base), self._overlay
            if before is not None and before.base is base and stamps == self._seen:
                return before
            if before is None or before.base is not base:
                before, self._read_to = Overlay.over(base), 0
            changes, self._read_to = _read(self._file(base), self._read_to)
            overlay = before.with_changes(changes)
            self._calibration = read_calibration(self._home)
            if stamps[2] != self._lexicon[0]:
                self._lexicon = (stamps[2], read_lexicon(self._home))
            self._index = self._calibrated(overlay.index)  # Built here, not by the first search.
            self._overlay, self._seen = overlay, stamps
            return overlay

    def _calibrated(self, index: SearchIndex) -> SearchIndex:
        _, lexicon = self._lexicon
        if lexicon is not None:
            # Which mark stands for which related words is settled when an index is built.
            known = replace(lexicon, related=index.normaliser.lexicon.related)
            index = replace(index, normaliser=Normaliser(known))
        calibration = self._calibration
        if calibration is None:
            return index
        return replace(index, fusion=calibration.score_map.applied(index.fusion, calibration.cuts))

    def _follow_quietly(self, base: SearchIndex) -> None:
        try:
            self._follow(base)
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            log.warning("index_changes_not_loaded", error=type(error).__name__)

    def _is_time_to_look(self) -> bool:
        now = time.monotonic()
        if now - self._looked_at < self._refresh_seconds:
            return False
        self._looked_at = now
        return True

    def _stamps(self, base: SearchIndex) -> _Stamps:
        calibration, lexicon = calibration_file(self._home), lexicon_file(self._home)
        return _stamp(self._file(base)), _stamp(calibration), _stamp(lexicon)

    def _file(self, base: SearchIndex) -> Path:
        return indexes_dir(self._home) / base.manifest.revision / FILE

    @contextmanager
    def _written_alone(self) -> Iterator[None]:
        """Two processes that publish at once must not lose each other's changes."""
        with (indexes_dir(self._home) / "changes.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_mtime_ns, found.st_ino


def _read(path: Path, start: int) -> tuple[dict[str, IndexedAnswer | None], int]:
    """What was added since a place in the file, and the place to go on from.

    A line without its end is being written, or its writer died: it is left for later.
    """
    try:
        with path.open("rb") as file:
            file.seek(start)
            added = file.read()
    except FileNotFoundError:
        return {}, start
    whole = added[: added.rfind(b"\n") + 1]
    changes: dict[str, IndexedAnswer | None] = {}
    for line in filter(None, whole.split(b"\n")):
        try:
            content = json.loads(line)
            changes |= {key: answer_from_json(row) if row else None for key, row in content.items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            # Searching goes on without it; reconciling adds what is missing.
            log.warning("index_changes_unreadable", build=path.parent.name)
    return changes, start + len(whole)


def _append(path: Path, changes: Changes) -> None:
    rows = {key: answer_to_json(one) if one else None for key, one in changes.items()}
    line = json.dumps(rows, ensure_ascii=False).encode()
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read() != b"\n":  # the last writer died: what it wrote is a line of its own
                line = b"\n" + line
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())

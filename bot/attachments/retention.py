"""Forgetting files in time: the bytes, and the text that was read out of them; the message stays.

Also removes files that no row knows, which a crash between the two leaves behind.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog

from bot.attachments import repository
from bot.attachments.intake import SUFFIX
from bot.clock import Clock
from kb.media import media_path
from store import audit
from store.session import Database

#: How often it is looked.
FIRST_S, EVERY_S = 120.0, 6 * 3600.0
#: A file without a row may be on its way to one.
ORPHAN_S = 24 * 3600.0
_AT_ONCE = 200

log = structlog.get_logger("bot.attachments")


@dataclass(frozen=True, slots=True)
class Retention:
    """The sweep. ``keep_days`` 0 keeps everything that has a row."""

    database: Database
    folder: Path
    clock: Clock
    keep_days: int

    async def run(self) -> None:
        """Sweep now and then, until cancelled."""
        # Nothing is urgent here, and starting is busy enough.
        await asyncio.sleep(FIRST_S)
        while True:
            await self.sweep()
            await asyncio.sleep(EVERY_S)

    async def sweep(self) -> int:
        """Forget what is over; how many files of messages."""
        forgotten = 0
        while self.keep_days and (count := await self._forget_some()):
            forgotten += count
        orphans = await self._remove_orphans()
        if forgotten or orphans:
            log.info("attachments_swept", forgotten=forgotten, orphans=orphans)
        return forgotten

    async def _forget_some(self) -> int:
        """Rows first: a crash then leaves orphans, which the next sweep removes."""
        now = self.clock()
        before = now - timedelta(days=self.keep_days)
        async with self.database.transaction() as session:
            rows = await repository.outlived(session, before=before, limit=_AT_ONCE)
            for row in rows:
                row.removed_at = now
                row.text = row.cues = ""
            if rows:
                await audit.record(
                    session,
                    actor="system",
                    action="files_forgotten",
                    subject="attachments",
                    detail={"ids": [row.id for row in rows], "keep_days": self.keep_days},
                    now=now,
                )
            hashes = sorted({row.sha256 for row in rows})
        await self._remove(hashes)
        return len(rows)

    async def _remove(self, hashes: Sequence[str]) -> None:
        """Delete contents that nobody needs any more."""
        if not hashes:
            return
        async with self.database.reading() as session:
            held = await repository.held_hashes(session, hashes)
        for sha256 in hashes:
            if sha256 not in held:
                path = media_path(self.folder, sha256, SUFFIX)
                await asyncio.to_thread(path.unlink, missing_ok=True)

    async def _remove_orphans(self) -> int:
        old = await asyncio.to_thread(_older_than, self.folder, self.clock().timestamp() - ORPHAN_S)
        removed = 0
        for start in range(0, len(old), _AT_ONCE):
            some = old[start : start + _AT_ONCE]
            async with self.database.reading() as session:
                held = await repository.held_hashes(session, [path.stem for path in some])
            for path in some:
                if path.stem not in held:
                    await asyncio.to_thread(path.unlink, missing_ok=True)
                    removed += 1
        return removed


def _older_than(folder: Path, instant: float) -> list[Path]:
    """Files last written before then (seconds since 1970), temporary ones too."""
    if not folder.is_dir():
        return []
    found = (path for path in folder.glob("??/*") if path.is_file())
    return [path for path in found if path.stat().st_mtime < instant]

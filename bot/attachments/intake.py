"""Taking a file in: judged by its content, scanned, and on disk before anybody is told.

The order matters: bytes first, row second. What a crash leaves between the two is a file without
a row, which the sweep removes; never a row without its file.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path

import structlog

from bot.attachments import errors
from bot.attachments.clamd import Clamd, ScannerSilent
from bot.attachments.kinds import Kind, kind_of, shown_name
from bot.attachments.settings import AttachmentSettings
from bot.attachments.stored import StoredFile
from bot.attachments.tables import Reading
from kb.media import write_media

log = structlog.get_logger("bot.attachments")

#: Files have no extension of their own on disk: nothing should ever open them by it.
SUFFIX = "bin"


@dataclass(frozen=True, slots=True)
class AttachmentIntake:
    """Where files come in."""

    settings: AttachmentSettings
    folder: Path

    async def store(self, data: bytes, name: str) -> StoredFile:
        """Judge, scan and keep one file. Raises a kind of ``AttachmentRefused``."""
        if not self.settings.enabled:
            raise errors.AttachmentsOff
        if len(data) > self.settings.max_bytes:
            raise errors.AttachmentTooLarge(self.settings.max_bytes)
        kind = await asyncio.to_thread(kind_of, data, name, max_pixels=self.settings.max_pixels)
        scanned = await self._scan(data)
        sha256 = await asyncio.to_thread(self._write, data)
        return StoredFile(
            sha256=sha256,
            kind=kind,
            name=shown_name(name, kind),
            size=len(data),
            scanned=scanned,
            reading=self._reading(kind),
        )

    def _write(self, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        write_media(self.folder, sha256, SUFFIX, data)
        return sha256

    def _reading(self, kind: Kind) -> Reading:
        readable = kind.is_picture or kind.extension in READABLE
        return Reading.PENDING if self.settings.read_text and readable else Reading.NONE

    async def _scan(self, data: bytes) -> bool:
        """Whether the file was scanned; raises when something was found in it."""
        if not self.settings.clamd:
            return False
        scanner = Clamd(self.settings.clamd, self.settings.clamd_s)
        try:
            clean = await scanner.is_clean(data)
        except ScannerSilent as silent:
            log.exception("scanner_silent", reason=str(silent))
            if self.settings.clamd_required:
                raise errors.AttachmentUnscanned from silent
            return False
        if not clean:
            log.warning("attachment_infected", sha256=hashlib.sha256(data).hexdigest())
            raise errors.AttachmentInfected
        return True


#: Documents that engineers see as text.
READABLE = frozenset({"docx", "xlsx", "pptx", "pdf", "txt", "log", "csv"})

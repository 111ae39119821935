"""Reading the text of files beside everything else: one at a time, never in an answer's way.

What is unread is a column, so a crash forgets nothing. A file that cannot be read is shown to the
engineer as it is; the conversation never waits for it longer than it was told.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from bot.attachments import repository
from bot.attachments.cues import NO_CUES, Cues, ScreenReader
from bot.attachments.intake import SUFFIX
from bot.attachments.settings import AttachmentSettings
from bot.attachments.tables import Attachment, Reading
from bot.conversations.live import STAFF, Live
from bot.masking import mask
from kb.errors import ImportRefused, PictureUnread, UnreadReason
from kb.media import media_path
from kb.ocr import TextReader
from store.session import Database

#: Longer texts help nobody; the file itself is one click away.
MAX_TEXT_CHARS = 8_000
#: So often a file is tried whose reading died or took too long.
MAX_ATTEMPTS = 2
#: How often files that another process or a crash left unread are looked for.
LOOK_S = 20.0
#: After a failure of the database.
PAUSE_S = 1.0
#: How long stopping waits for a reading that was interrupted.
STOP_S = 10.0
_MAY_PASS = frozenset({UnreadReason.TIMEOUT, UnreadReason.CRASHED, UnreadReason.OUT_OF_MEMORY})

log = structlog.get_logger("bot.attachments")


class PictureReader(TextReader, Protocol):
    """A text reader with a process that can be let go."""

    def rest(self, after_s: float) -> bool:
        """End it when it was idle for so long."""
        ...

    def interrupt(self) -> None:
        """Let a reading in another thread fail now."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class Previewer(Protocol):
    """Reads documents; synchronous, safe to call from threads."""

    def preview(self, path: Path, name: str, *, chars: int) -> str:
        """So much of its text. Raises ``ImportRefused``."""
        ...

    def close(self) -> None:
        """End what it runs."""
        ...


@dataclass(frozen=True, slots=True)
class _Read:
    """What one reading gave; ``error`` says why it gave nothing."""

    text: str = ""
    cues: Cues = NO_CUES
    error: str = ""
    may_pass: bool = False


class Pictures:
    """The reading of this process."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        *,
        reader: PictureReader,
        previewer: Previewer,
        screens: ScreenReader,
        live: Live,
        settings: AttachmentSettings,
    ) -> None:
        self._database = database
        self._folder = folder
        self._reader = reader
        self._previewer = previewer
        self._screens = screens
        self._live = live
        self._rest_after_s = settings.rest_after_s
        self.wait_s = settings.wait_s
        self._running: dict[str, asyncio.Task[None]] = {}
        self._one = asyncio.Semaphore(1)
        self._stopping = asyncio.Event()

    async def look(self, conversation_id: str | None = None) -> list[asyncio.Task[None]]:
        """Begin to read what is unread, in one conversation or in all."""
        async with self._database.peek() as session:
            ids = await repository.unread(session, conversation_id=conversation_id)
        return [self._begun(attachment_id) for attachment_id in ids]

    async def wait(self, conversation_id: str) -> None:
        """Until a conversation's files are read, or so long; reading goes on all the same."""
        tasks = await self.look(conversation_id)
        if tasks:
            await asyncio.wait(tasks, timeout=self.wait_s)

    async def run(self) -> None:
        """Take up what was left unread, and let an idle process go; until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)
            await asyncio.to_thread(self._reader.rest, self._rest_after_s)

    async def stop(self) -> None:
        """Stop reading; what is unread stays so in the database.

        Readings end by themselves once they are interrupted: cancelling them could lose a
        connection to the database in the middle of a statement.
        """
        self._stopping.set()
        self._reader.interrupt()
        if self._running:
            await asyncio.wait(tuple(self._running.values()), timeout=STOP_S)
        await asyncio.to_thread(self._reader.close)
        await asyncio.to_thread(self._previewer.close)

    def _begun(self, attachment_id: str) -> asyncio.Task[None]:
        running = self._running.get(attachment_id)
        if running is None:
            running = asyncio.create_task(self._read(attachment_id))
            self._running[attachment_id] = running
            running.add_done_callback(lambda _: self._running.pop(attachment_id, None))
        return running

    async def _read(self, attachment_id: str) -> None:
        try:
            async with self._one:
                await self._read_one(attachment_id)
        except Exception:
            log.exception("reading_failed", attachment_id=attachment_id)
            await asyncio.sleep(PAUSE_S)

    async def _read_one(self, attachment_id: str) -> None:
        async with self._database.peek() as session:
            row = await repository.attachment(session, attachment_id)
        if self._stopping.is_set() or row is None or row.reading != Reading.PENDING.value:
            return
        loop = asyncio.get_running_loop()
        started = loop.time()
        read = await asyncio.to_thread(self._recognise, row)
        log.info(
            "attachment_read",
            attachment_id=attachment_id,
            ms=round((loop.time() - started) * 1000),
            chars=len(read.text),
            error=read.error,
        )
        if self._stopping.is_set() and read.error:
            return
        await self._keep(attachment_id, read)
        self._live.publish(row.conversation_id, STAFF)

    def _recognise(self, row: Attachment) -> _Read:
        path = media_path(self._folder, row.sha256, SUFFIX)
        try:
            if not row.media_type.startswith("image/"):
                return _Read(text=_trimmed(self._previewed(path, row.name)))
            screen = self._reader.read(path.read_bytes())
        except PictureUnread as unread:
            return _Read(error=unread.reason.value, may_pass=unread.reason in _MAY_PASS)
        except ImportRefused as refused:
            return _Read(error=refused.reason.value)
        except OSError as error:
            return _Read(error=type(error).__name__[:20])
        return _Read(_trimmed(screen.text()), self._screens.cues(screen))

    def _previewed(self, path: Path, name: str) -> str:
        if name.lower().endswith((".txt", ".log", ".csv")):
            return read_plain(path, chars=MAX_TEXT_CHARS)
        return self._previewer.preview(path, name, chars=MAX_TEXT_CHARS)

    async def _keep(self, attachment_id: str, read: _Read) -> None:
        async with self._database.transaction() as session:
            row = await repository.held(session, attachment_id)
            if row is None or row.reading != Reading.PENDING.value or row.removed_at is not None:
                return
            row.attempts += 1
            row.reading_error = read.error
            if not read.error:
                row.reading = Reading.DONE.value
            elif not read.may_pass or row.attempts >= MAX_ATTEMPTS:
                row.reading = Reading.FAILED.value
            row.text, row.cues = read.text, read.cues.text
            row.shows_error = read.cues.shows_error


def read_plain(path: Path, *, chars: int) -> str:
    """The beginning of a plain text in either of the charsets that are taken."""
    with path.open("rb") as file:
        head = file.read(4 * chars)
    try:
        return head.decode("utf-8-sig")[:chars]
    except UnicodeDecodeError as error:
        # A sign may have been cut at the end; anything before that means the other charset.
        cut = error.start >= len(head) - 3
        charset = "utf-8-sig" if cut else "gb18030"
        return head.decode(charset, "replace")[:chars]


def _trimmed(text: str) -> str:
    """What may rest of a text: masked, without what databases refuse, of a bounded length."""
    clean = "".join(c for c in text[: MAX_TEXT_CHARS * 2] if c == "\n" or c >= " ")
    return mask(clean).text[:MAX_TEXT_CHARS]

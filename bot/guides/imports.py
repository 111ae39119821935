"""Imports begun on a page: a job that goes on while nobody looks, and can be seen again.

Files are read in a process of their own and kept from a thread of their own, so that people who
ask meanwhile notice nothing. A job whose process ended is shown as interrupted and can be run
again; what it had finished stays finished. Refuses to know pages.
"""

import asyncio
import shutil
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.accounts.service import Principal
from bot.clock import Clock
from bot.golden.service import Golden
from bot.guides import repository as rows
from bot.guides.tables import GuideImportFileRow, GuideImportRow
from bot.importing import FileReader, Intake, import_file
from bot.workbench.publishing import Publishing
from bot.workbench.service import EDITING_ROLES, LOOKING_ROLES, REVIEWING_ROLES
from bot.workspace import Workspace
from kb import guide_repository
from kb.answer_versions import Author
from kb.errors import GuideInvalid, GuideMissing
from kb.faq_review import Review
from kb.stored_text import storable
from store import audit
from store.base import new_id
from store.session import Database

log = structlog.get_logger("bot.guides_imports")

MAX_FILES = 50
BEAT_S = 0.5
#: A job that has been silent for so long has lost its process.
SILENT = timedelta(seconds=30)
#: Uploaded files of jobs that were never finished are kept this long.
KEPT = timedelta(days=7)


class JobStatus(StrEnum):
    """How a job stands; INTERRUPTED is never stored, only seen."""

    RUNNING = "running"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came in."""

    name: str
    content: IO[bytes]


@dataclass(frozen=True, slots=True)
class SeenJob:
    """A job as people see it."""

    row: GuideImportRow
    status: JobStatus
    files: Sequence[GuideImportFileRow]
    total: int
    left: int


class GuideImports:
    """Jobs of this workspace; those of this process are run here."""

    def __init__(
        self,
        database: Database,
        database_url: str,
        publishing: Publishing,
        workspace: Workspace,
        clock: Clock,
        *,
        reader: Callable[[], FileReader],
        own_review: bool = False,
        gate_drop: float = 0.0,
    ) -> None:
        self._database = database
        self._database_url = database_url
        self._publishing = publishing
        self._workspace = workspace
        self._clock = clock
        self._reader = reader
        self._own_review = own_review
        self._gate_drop = gate_drop
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = threading.Lock()
        self._stopping = threading.Event()

    async def begin(
        self, staff: Principal, uploads: Sequence[Upload], *, publish: bool, guide_id: str = ""
    ) -> str:
        """Keep the files and start; the job's id. GuideInvalid, GuideMissing for a chosen guide.

        Only a reviewer may have guides answer at once. Answers of tables go through review all
        the same, but in a team of one.
        """
        staff.require(*(REVIEWING_ROLES if publish else EDITING_ROLES))
        if not 0 < len(uploads) <= MAX_FILES:
            raise GuideInvalid("files", "too_many" if uploads else "empty")
        if guide_id and len(uploads) > 1:
            raise GuideInvalid("files", "one_version")
        now, import_id = self._clock(), new_id()
        await self._sweep(now)
        sizes = await asyncio.to_thread(_keep, self._folder(import_id), uploads)
        async with self._database.transaction() as session:
            if guide_id and await guide_repository.guide(session, guide_id) is None:
                raise GuideMissing(guide_id)
            session.add(_job(import_id, staff, publish=publish, guide_id=guide_id, now=now))
            await session.flush()
            names = zip(uploads, sizes, strict=True)
            session.add_all(
                _file(import_id, position, storable(upload.name)[:500], size)
                for position, (upload, size) in enumerate(names)
            )
            await _audit(session, staff, import_id, "begun", now, files=len(uploads))
        self._start(import_id)
        return import_id

    async def seen(self, staff: Principal, import_id: str) -> SeenJob:
        """A job with its files; raises GuideMissing."""
        staff.require(*LOOKING_ROLES)
        async with self._database.reading() as session:
            job = await rows.job(session, import_id)
            if job is None:
                raise GuideMissing(import_id)
            files = await rows.files(session, import_id)
        left = sum(one.status in ("waiting", "reading") for one in files)
        return SeenJob(job, self._status(job), files, len(files), left)

    async def newest(self, staff: Principal) -> Sequence[SeenJob]:
        """The newest jobs, without their files."""
        staff.require(*LOOKING_ROLES)
        async with self._database.reading() as session:
            found = await rows.newest(session)
        return [SeenJob(job, self._status(job), (), total, left) for job, total, left in found]

    async def cancel(self, staff: Principal, import_id: str) -> None:
        """Stop after the file that is being kept; what is finished stays. GuideMissing."""
        staff.require(*EDITING_ROLES)
        now = self._clock()
        async with self._database.transaction() as session:
            job = await rows.job(session, import_id)
            if job is None:
                raise GuideMissing(import_id)
            status = self._status(job)
            if status is JobStatus.INTERRUPTED:
                job.status, job.finished_at = JobStatus.CANCELLED.value, now
                await rows.cancel_files(session, import_id)
            elif status is JobStatus.RUNNING:
                job.cancel_requested = True
            await _audit(session, staff, import_id, "cancelled", now)

    async def again(self, staff: Principal, import_id: str) -> bool:
        """Go on with what was interrupted or cancelled; False when there is nothing to go on."""
        now = self._clock()
        async with self._database.transaction() as session:
            job = await rows.job(session, import_id)
            if job is None:
                raise GuideMissing(import_id)
            staff.require(*(REVIEWING_ROLES if job.publish else EDITING_ROLES))
            if not self._folder(import_id).is_dir():
                return False
            if not await rows.claim(session, import_id, now=now, silent_since=now - SILENT):
                return False
            await rows.reopen_files(session, import_id)
            await _audit(session, staff, import_id, "run_again", now)
        self._start(import_id)
        return True

    async def settle(self) -> None:
        """Wait until every job of this process has ended."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def stop(self) -> None:
        """Let go of every job; they can be run again later."""
        self._stopping.set()
        await self.settle()

    def _status(self, job: GuideImportRow) -> JobStatus:
        status = JobStatus(job.status)
        beat = job.beat_at or job.created_at
        silent = status is JobStatus.RUNNING and beat < self._clock() - SILENT
        return JobStatus.INTERRUPTED if silent else status

    def _folder(self, import_id: str) -> Path:
        return self._workspace.home / "imports" / import_id

    def _start(self, import_id: str) -> None:
        task = asyncio.create_task(self._work(import_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, import_id: str) -> None:
        try:
            await asyncio.to_thread(lambda: asyncio.run(self._in_thread(import_id)))
        except Exception:
            log.exception("import_failed", job=import_id)
        await self._publishing.reconcile()

    async def _in_thread(self, import_id: str) -> None:
        """The whole job on a connection of its own, while another task says it is alive."""
        database = Database(self._database_url)
        importer = self._reader()
        golden = Golden(database, self._publishing.index, self._clock, self._gate_drop)
        intake = Intake(database, importer, self._workspace.media, golden)
        over = asyncio.Event()
        beating = asyncio.create_task(self._beat(database, import_id, importer, over))
        try:
            while not over.is_set() and await self._next(intake, import_id, over):
                log.info("import_file_done", job=import_id)
            await self._finish(database, import_id)
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating
            importer.close()
            await database.dispose()

    async def _beat(
        self, database: Database, import_id: str, importer: FileReader, over: asyncio.Event
    ) -> None:
        while not over.is_set():
            async with database.transaction() as session:
                cancelled = await rows.beat(session, import_id, self._clock())
            if cancelled or self._stopping.is_set():
                over.set()
                importer.interrupt()
            await asyncio.sleep(BEAT_S)

    async def _next(self, intake: Intake, import_id: str, over: asyncio.Event) -> bool:
        """Read and keep the next file; False when none is left or the job is over."""
        async with intake.database.transaction() as session:
            job = await rows.job(session, import_id)
            found = await rows.files(session, import_id)
            waiting = next((one for one in found if one.status == "waiting"), None)
            if job is None or waiting is None:
                return False
            waiting.status = "reading"
        record = await self._import(intake, job, waiting)
        if over.is_set() and record["status"] == "refused":
            return False  # Killed for the cancelling, not refused for what it is.
        async with intake.database.transaction() as session:
            for one in await rows.files(session, import_id):
                if one.id == waiting.id:
                    one.status, one.record = record["status"], record
                    one.guide_id = record.get("guide_id")
            if record.get("guide_id"):
                await _audit_guide(session, job, record, self._clock())
        return True

    async def _import(
        self, intake: Intake, job: GuideImportRow, file: GuideImportFileRow
    ) -> dict[str, Any]:
        path = self._folder(job.id) / str(file.position)
        try:
            review = Review(
                Author(job.owner_id, job.owner),
                submit=job.publish,
                approve=job.publish and self._own_review,
            )
            return await import_file(
                intake,
                path,
                publish=job.publish,
                name=file.name,
                guide_id=job.guide_id,
                review=review,
                clock=self._clock,
            )
        except Exception:
            log.exception("import_file_failed", job=job.id, position=file.position)
            return {"file": file.name, "status": "refused", "reason": "crashed"}

    async def _finish(self, database: Database, import_id: str) -> None:
        """Say how it ended; when this process is leaving, nothing: it can be run again."""
        now = self._clock()
        async with database.transaction() as session:
            job = await rows.job(session, import_id)
            if job is None:
                return
            left = [one for one in await rows.files(session, import_id) if not _is_over(one)]
            if left and not job.cancel_requested:
                job.beat_at = now - SILENT - timedelta(seconds=1)
                return
            status = JobStatus.CANCELLED if left else JobStatus.DONE
            job.status, job.finished_at = status.value, now
            await rows.cancel_files(session, import_id)
        if status is JobStatus.DONE:
            shutil.rmtree(self._folder(import_id), ignore_errors=True)

    async def _sweep(self, now: datetime) -> None:
        """Forget the uploaded files of jobs that nobody went on with."""
        async with self._database.reading() as session:
            old = await rows.older_than(session, now - KEPT)
        for import_id in old:
            shutil.rmtree(self._folder(import_id), ignore_errors=True)


def _is_over(file: GuideImportFileRow) -> bool:
    return file.status not in ("waiting", "reading", "cancelled")


def _keep(folder: Path, uploads: Sequence[Upload]) -> list[int]:
    """Write the uploads beside one another under numbers; their names are only told."""
    folder.mkdir(parents=True, mode=0o700)
    sizes = []
    for position, upload in enumerate(uploads):
        with (folder / str(position)).open("wb") as file:
            shutil.copyfileobj(upload.content, file, 1_000_000)
            sizes.append(file.tell())
    return sizes


def _job(
    import_id: str, staff: Principal, *, publish: bool, guide_id: str, now: datetime
) -> GuideImportRow:
    return GuideImportRow(
        id=import_id,
        status=JobStatus.RUNNING.value,
        publish=publish,
        guide_id=guide_id or None,
        owner_id=staff.staff_id,
        owner=staff.name,
        cancel_requested=False,
        created_at=now,
        beat_at=now,
    )


def _file(import_id: str, position: int, name: str, size: int) -> GuideImportFileRow:
    return GuideImportFileRow(
        id=new_id(),
        import_id=import_id,
        position=position,
        name=name or "file",
        size=size,
        status="waiting",
        record={},
    )


async def _audit_guide(
    session: AsyncSession, job: GuideImportRow, record: dict[str, Any], now: datetime
) -> None:
    await audit.record(
        session,
        actor=f"staff:{job.owner_id}",
        action="guide.imported",
        subject=f"guide:{record['guide_id']}",
        detail={"import": job.id, "status": record["status"], "publish": job.publish},
        now=now,
    )


async def _audit(
    session: AsyncSession,
    staff: Principal,
    import_id: str,
    action: str,
    now: datetime,
    **detail: object,
) -> None:
    await audit.record(
        session,
        actor=f"staff:{staff.staff_id}",
        action=f"guide_import.{action}",
        subject=f"guide_import:{import_id}",
        detail=detail,
        now=now,
    )

"""Import jobs: left alone, cancelled, interrupted by the end of their process, run again."""

import asyncio
import io
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from bot.accounts.service import Principal
from bot.errors import NotPermitted
from bot.guides import repository as rows
from bot.guides.imports import GuideImports, JobStatus, Upload
from bot.importing import FileReader
from bot.tables import Role
from bot.workbench.publishing import Publishing
from bot.workspace import Workspace
from kb.errors import GuideInvalid, GuideMissing, ImportRefused, RefusalReason
from kb.fresh_index import FreshIndex
from kb.importer import IsolatedImporter
from kb.index_holder import IndexHolder
from kb.sections import FaqTable, Guide
from kb.settings import KnowledgeSettings
from store import audit
from store.session import Database
from tests.kb.samples import NOW, make_guide


def staff(role: Role) -> Principal:
    return Principal(role.value, role.value, "何编辑", "", role, (), (), "", False)


EDITOR, REVIEWER, ENGINEER = staff(Role.EDITOR), staff(Role.REVIEWER), staff(Role.ENGINEER)


class Slow:
    """A reader that waits, file by file, until it may go on or is interrupted."""

    def __init__(self) -> None:
        self.may_go_on = threading.Event()
        self.interrupted = threading.Event()
        self.began = threading.Semaphore(0)

    def read(self, path: Path, *, name: str | None = None) -> Guide | FaqTable:
        self.began.release()
        while not self.may_go_on.wait(0.01):
            if self.interrupted.is_set():
                raise ImportRefused(RefusalReason.CRASHED)
        return make_guide(title=name or path.name)

    def interrupt(self) -> None:
        self.interrupted.set()

    def close(self) -> None:
        return None


@dataclass
class Place:
    """A workspace with import jobs, and a clock to turn."""

    home: Path
    database: Database
    url: str
    later: timedelta = timedelta()

    def imports(self, reader: Callable[[], FileReader] = IsolatedImporter) -> GuideImports:
        index = FreshIndex(
            self.home, IndexHolder(self.home, KnowledgeSettings()), refresh_seconds=1
        )
        publishing = Publishing(self.database, index, self.clock)
        workspace = Workspace(self.home)
        return GuideImports(
            self.database, self.url, publishing, workspace, self.clock, reader=reader
        )

    def clock(self) -> datetime:
        return NOW + self.later


@pytest.fixture
def place(database: Database, tables_url: str, tmp_path: Path) -> Place:
    return Place(tmp_path / "home", database, tables_url)


def files(*names: str) -> list[Upload]:
    return [Upload(name, io.BytesIO(f"# {name}\n\n这里是正文。\n".encode())) for name in names]


async def statuses(imports: GuideImports, job: str) -> tuple[JobStatus, list[str]]:
    seen = await imports.seen(ENGINEER, job)
    return seen.status, [one.status for one in seen.files]


async def test_a_job_goes_on_while_nobody_looks(place: Place) -> None:
    imports = place.imports()
    job = await imports.begin(EDITOR, files("甲.md", "乙.md"), publish=False)
    await imports.settle()
    assert await statuses(imports, job) == (JobStatus.DONE, ["imported", "imported"])
    (seen,) = await imports.newest(ENGINEER)
    assert (seen.total, seen.left) == (2, 0)
    assert not (place.home / "imports" / job).exists()
    async with place.database.reading() as session:
        actions = [one.action for one in await audit.entries_of(session, f"guide_import:{job}")]
    assert actions == ["guide_import.begun"]


async def test_a_cancelled_job_keeps_what_was_done_and_can_go_on(place: Place) -> None:
    slow = Slow()
    imports = place.imports(lambda: slow)
    job = await imports.begin(EDITOR, files("甲.md", "乙.md"), publish=False)
    await asyncio.to_thread(slow.began.acquire)
    await imports.cancel(EDITOR, job)
    await imports.settle()
    assert await statuses(imports, job) == (JobStatus.CANCELLED, ["cancelled", "cancelled"])
    slow.may_go_on.set()
    assert await imports.again(EDITOR, job)
    await imports.settle()
    assert await statuses(imports, job) == (JobStatus.DONE, ["imported", "imported"])
    assert not await imports.again(EDITOR, job)
    async with place.database.reading() as session:
        actions = [one.action for one in await audit.entries_of(session, f"guide_import:{job}")]
    assert actions == [f"guide_import.{verb}" for verb in ("begun", "cancelled", "run_again")]


async def test_a_job_whose_process_ended_is_shown_and_can_be_run_again(place: Place) -> None:
    slow = Slow()
    before = place.imports(lambda: slow)
    job = await before.begin(EDITOR, files("甲.md", "乙.md"), publish=False)
    await asyncio.to_thread(slow.began.acquire)
    await before.stop()
    imports = place.imports()
    assert (await statuses(imports, job))[0] is JobStatus.INTERRUPTED
    assert await imports.again(EDITOR, job)
    assert not await imports.again(EDITOR, job), "two people press the button"
    await imports.settle()
    assert await statuses(imports, job) == (JobStatus.DONE, ["imported", "imported"])


async def test_a_job_that_was_killed_is_interrupted_once_it_is_silent(place: Place) -> None:
    slow = Slow()
    imports = place.imports(lambda: slow)
    job = await imports.begin(EDITOR, files("甲.md"), publish=False)
    assert (await statuses(imports, job))[0] is JobStatus.RUNNING
    assert not await imports.again(EDITOR, job), "it is still at work"
    await imports.stop()
    async with place.database.transaction() as session:
        row = await rows.job(session, job)
        assert row is not None
        row.beat_at = NOW
    place.later = timedelta(seconds=29)
    assert (await statuses(imports, job))[0] is JobStatus.RUNNING
    place.later = timedelta(seconds=31)
    assert (await statuses(imports, job))[0] is JobStatus.INTERRUPTED
    await imports.cancel(EDITOR, job)
    assert await statuses(imports, job) == (JobStatus.CANCELLED, ["cancelled"])


async def test_uploads_of_jobs_that_nobody_went_on_with_are_forgotten(place: Place) -> None:
    slow = Slow()
    imports = place.imports(lambda: slow)
    job = await imports.begin(EDITOR, files("甲.md"), publish=False)
    await asyncio.to_thread(slow.began.acquire)
    await imports.cancel(EDITOR, job)
    await imports.settle()
    assert (place.home / "imports" / job).exists()
    place.later = timedelta(days=8)
    slow.may_go_on.set()
    await imports.begin(EDITOR, files("乙.md"), publish=False)
    await imports.settle()
    assert not (place.home / "imports" / job).exists()
    assert not await imports.again(EDITOR, job)


async def test_a_reader_that_fails_in_an_unforeseen_way_stops_nothing(place: Place) -> None:
    class Broken(Slow):
        @override
        def read(self, path: Path, *, name: str | None = None) -> Guide | FaqTable:
            if name == "坏.md":
                raise RuntimeError(name)
            return make_guide(title=name or "")

    imports = place.imports(Broken)
    job = await imports.begin(EDITOR, files("坏.md", "好.md"), publish=False)
    await imports.settle()
    assert await statuses(imports, job) == (JobStatus.DONE, ["refused", "imported"])


async def test_who_may_not_and_what_is_senseless_is_refused(place: Place) -> None:
    imports = place.imports()
    with pytest.raises(NotPermitted):
        await imports.begin(EDITOR, files("甲.md"), publish=True)
    with pytest.raises(NotPermitted):
        await imports.begin(ENGINEER, files("甲.md"), publish=False)
    for uploads in ([], files(*map(str, range(51)))):
        with pytest.raises(GuideInvalid):
            await imports.begin(REVIEWER, uploads, publish=False)
    with pytest.raises(GuideInvalid):
        await imports.begin(REVIEWER, files("a", "b"), publish=False, guide_id="0" * 32)
    with pytest.raises(GuideMissing):
        await imports.begin(REVIEWER, files("a"), publish=False, guide_id="0" * 32)
    for verb in (imports.cancel, imports.again, imports.seen):
        with pytest.raises(GuideMissing):
            await verb(REVIEWER, "0" * 32)


async def test_an_interrupted_reader_lets_go_at_once(tmp_path: Path) -> None:
    """The real one: killed while it reads, and whole again afterwards."""
    path = tmp_path / "甲.md"
    path.write_text("# 甲\n\n正文。\n", encoding="utf-8")
    with IsolatedImporter() as importer:
        reading = asyncio.create_task(asyncio.to_thread(importer.read, path))
        while not reading.done():
            importer.interrupt()
            await asyncio.sleep(0.01)
        with pytest.raises(ImportRefused):
            await reading
        assert isinstance(await asyncio.to_thread(importer.read, path), Guide)

"""Files and folders into the knowledge base, one outcome per file; nothing stops a batch."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import structlog
from sqlalchemy.exc import OperationalError, ProgrammingError

from bot.clock import Clock, utc_now
from bot.deployment import Deployment
from bot.errors import GoldenGateClosed
from bot.golden.service import Golden
from bot.workbench.faq_trial import Trial, try_table
from kb import guide_repository
from kb.answer_pictures import keep_picture
from kb.errors import ImportRefused
from kb.faq_review import EntryFate, FaqPlan, Review, keep_entry, let_go, plan_faq
from kb.importer import IsolatedImporter, limits_of
from kb.sections import FaqTable, Guide
from kb.service import StoredFaq, StoredGuide, publish_version, store_faq, store_guide
from kb.stale_ahead import gather, reckon
from store.session import Database

log = structlog.get_logger("bot.importing")

#: Entries of a table that one transaction keeps.
ENTRIES_AT_ONCE = 10

Report = Callable[[dict[str, Any]], None]


class FileReader(Protocol):
    """Whatever turns files into guides and tables."""

    def read(self, path: Path, *, name: str | None = None) -> Guide | FaqTable:
        """Read one file; raises ImportRefused."""

    def interrupt(self) -> None:
        """Let a read that is under way fail now."""

    def close(self) -> None:
        """End whatever it started."""


@dataclass(frozen=True, slots=True)
class Intake:
    """Where files go: read by ``importer``, kept in ``database`` and ``media_dir``.

    With ``golden``, questions that must be answered are asked before anything is published.
    """

    database: Database
    importer: FileReader
    media_dir: Path
    golden: Golden | None = None


async def import_paths(
    state: Deployment, paths: Sequence[Path], *, publish: bool, report: Report
) -> list[dict[str, Any]]:
    """Import every file; returns and reports one record per file, in order."""
    state.workspace.create()
    limits = limits_of(state.settings.kb.importing)
    intake = Intake(state.database(), IsolatedImporter(limits), state.workspace.media)
    records = []
    try:
        for path in _files(paths):
            record = await _import_one(intake, path, publish=publish)
            record.pop("guide_id", None)  # Of use to pages only.
            if "reason" in record:
                detail = state.phrases.say(f"import.refused.{record['reason']}")
                record = {**record, "detail": detail}
            report(record)
            records.append(record)
    finally:
        intake.importer.close()
        await intake.database.dispose()
    return records


async def _import_one(intake: Intake, path: Path, *, publish: bool) -> dict[str, Any]:
    """As `import_file`; what nobody foresaw refuses this file and leaves the others alone.

    Without a database none of them could be kept: that ends the batch.
    """
    try:
        return await import_file(intake, path, publish=publish)
    except (OperationalError, ProgrammingError, ConnectionError):
        raise
    except Exception:
        log.exception("import_file_failed")
        return {"file": path.name, **_nothing(), "status": "refused", "reason": "crashed"}


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(
                p for p in path.rglob("*") if p.is_file() and not p.name.startswith(".")
            )
        else:
            yield path


async def import_file(
    intake: Intake,
    path: Path,
    *,
    publish: bool,
    name: str = "",
    guide_id: str | None = None,
    review: Review | None = None,
    clock: Clock = utc_now,
) -> dict[str, Any]:
    """Read and keep one file; a refusal is a record too.

    ``name`` is what its owner calls it, where the path is a temporary one; ``guide_id`` the guide
    that it is a version of, where somebody has chosen. With ``review`` the answers of a table go
    through it, whatever ``publish`` says of guides.
    """
    base = {"file": name or path.name}
    try:
        read = await asyncio.to_thread(intake.importer.read, path, name=name or None)
    except ImportRefused as refusal:
        return {**base, **_nothing(), "status": "refused", "reason": refusal.reason.value}
    now = clock()
    if review is not None and isinstance(read, FaqTable):
        fates, trial = await _keep_for_review(intake, read, base["file"], review, now)
        return {**base, **_reviewed_record(fates, read), **trial.record()}
    if isinstance(read, FaqTable):
        async with intake.database.transaction() as session:
            stored = await store_faq(
                session,
                read,
                source_name=base["file"],
                publish=publish,
                now=now,
                media_dir=intake.media_dir,
            )
        return {**base, **_faq_record(stored, read)}
    async with intake.database.transaction() as session:
        kept = await store_guide(
            session,
            read,
            source_name=base["file"],
            publish=False,
            now=now,
            media_dir=intake.media_dir,
            guide_id=guide_id,
        )
    record = {**base, **_guide_record(kept, read)}
    try:
        if publish and intake.golden is not None and review is not None:
            await intake.golden.pass_guide(review.who, kept.version_id)
    except GoldenGateClosed as closed:
        return {**record, "broken": list(closed.broken)}  # It stays a draft.
    if publish:
        await _publish(intake.database, kept.version_id, now)
    return record


async def _publish(database: Database, version_id: str, now: datetime) -> None:
    """Answer from the version that was kept; compared before anybody has to wait for it.

    When this fails the version stays a draft, and importing the file again takes it up.
    """
    async with database.reading() as session:
        version = await guide_repository.version(session, version_id)
        gathered = await gather(session, version) if version is not None else None
    if gathered is None:
        return
    ahead = await asyncio.to_thread(reckon, gathered)
    async with database.transaction() as session:
        version = await guide_repository.version(session, version_id)
        if version is not None:
            await publish_version(session, version, now=now, ahead=ahead)


async def _keep_for_review(
    intake: Intake, table: FaqTable, source_name: str, review: Review, now: datetime
) -> tuple[Counter[EntryFate], Trial]:
    """A few entries in each transaction: people who ask meanwhile need not wait for a table."""
    async with intake.database.transaction() as session:
        for content in table.images.values():
            await keep_picture(
                session, content, name=source_name, media_dir=intake.media_dir, now=now
            )
        plan = await plan_faq(session, table, source_name)
    trial = Trial()
    if intake.golden is not None:
        trial = await try_table(intake.golden, intake.database, plan, review)
    if trial.broken:
        review = replace(review, approve=False)
    fates = await _keep_entries(intake.database, plan, trial, review, now)
    if trial.broken:
        fates[EntryFate.LEFT] += len(plan.gone)
        return fates, trial
    for start in range(0, len(plan.gone), ENTRIES_AT_ONCE):
        async with intake.database.transaction() as session:
            for gone in plan.gone[start : start + ENTRIES_AT_ONCE]:
                fates[await let_go(session, gone, review=review, now=now)] += 1
    return fates, trial


async def _keep_entries(
    database: Database, plan: FaqPlan, trial: Trial, review: Review, now: datetime
) -> Counter[EntryFate]:
    fates: Counter[EntryFate] = Counter()
    entries = list(enumerate(plan.entries))
    for start in range(0, len(entries), ENTRIES_AT_ONCE):
        async with database.transaction() as session:
            for place, (entry, known) in entries[start : start + ENTRIES_AT_ONCE]:
                contested = place in trial.contested
                so_far = replace(review, submit=False, approve=False) if contested else review
                fate = await keep_entry(session, plan, entry, known, review=so_far, now=now)
                is_held = contested and fate is EntryFate.DRAFTED
                fates[EntryFate.CONTESTED if is_held else fate] += 1
    return fates


def _reviewed_record(fates: Counter[EntryFate], table: FaqTable) -> dict[str, Any]:
    changing = (
        EntryFate.DRAFTED,
        EntryFate.CONTESTED,
        EntryFate.SUBMITTED,
        EntryFate.PUBLISHED,
        EntryFate.ARCHIVED,
    )
    entries = sum(fates.values()) - fates[EntryFate.ARCHIVED] - fates[EntryFate.LEFT]
    return {
        **_nothing(),
        "status": "imported" if any(fates[one] for one in changing) else "unchanged",
        "kind": "faq",
        "title": table.title,
        "entries": entries,
        "similar": sum(len(entry.similar) for entry in table.entries),
        "passages": entries,
        "images": len(table.images),
        "warnings": _warnings(table.warnings),
        "fates": {one.value: fates[one] for one in EntryFate if fates[one]},
    }


def _nothing() -> dict[str, Any]:
    return {"sections": 0, "passages": 0, "images": 0, "tables": 0, "warnings": []}


def _faq_record(stored: StoredFaq, table: FaqTable) -> dict[str, Any]:
    changed = stored.created + stored.updated + stored.archived
    return {
        **_nothing(),
        "status": "imported" if changed else "unchanged",
        "kind": "faq",
        "title": table.title,
        "entries": stored.entries,
        "similar": stored.similar,
        "passages": stored.entries,
        "images": len(table.images),
        "warnings": _warnings(table.warnings),
    }


def _guide_record(stored: StoredGuide, guide: Guide) -> dict[str, Any]:
    status = "unchanged" if stored.stored_as.value == "unchanged" else "imported"
    return {
        "status": status,
        "kind": "guide",
        "guide_id": stored.guide_id,
        "title": guide.title,
        "version": guide.version,
        "sections": stored.sections,
        "passages": stored.passages,
        "images": stored.images,
        "tables": stored.tables,
        "warnings": _warnings(guide.warnings),
    }


def _warnings(notices: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {"code": n.code.value, "detail": n.detail, "where": " > ".join(n.where), "page": n.page}
        for n in notices
    ]

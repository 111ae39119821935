"""Files and folders into the knowledge base, one outcome per file; nothing stops a batch."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import structlog

from bot.clock import utc_now
from bot.deployment import Deployment
from kb.errors import ImportRefused
from kb.importer import IsolatedImporter
from kb.sections import FaqTable, Guide
from kb.service import StoredFaq, StoredGuide, store_faq, store_guide
from store.session import Database

log = structlog.get_logger("bot.importing")

Report = Callable[[dict[str, Any]], None]


async def import_paths(
    state: Deployment, paths: Sequence[Path], *, publish: bool, report: Report
) -> list[dict[str, Any]]:
    """Import every file; returns and reports one record per file, in order."""
    state.workspace.create()
    database = state.database()
    records = []
    importer = IsolatedImporter()
    try:
        for path in _files(paths):
            record = await _import_one(state, database, importer, path, publish=publish)
            report(record)
            records.append(record)
    finally:
        importer.close()
        await database.dispose()
    return records


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(
                p for p in path.rglob("*") if p.is_file() and not p.name.startswith(".")
            )
        else:
            yield path


async def _import_one(
    state: Deployment,
    database: Database,
    importer: IsolatedImporter,
    path: Path,
    *,
    publish: bool,
) -> dict[str, Any]:
    base = {"file": path.name}
    try:
        read = await asyncio.to_thread(importer.read, path)
    except ImportRefused as refusal:
        detail = state.phrases.say(f"import.refused.{refusal.reason.value}")
        return {
            **base,
            **_nothing(),
            "status": "refused",
            "reason": refusal.reason.value,
            "detail": detail,
        }
    now = utc_now()
    async with database.transaction() as session:
        if isinstance(read, FaqTable):
            stored = await store_faq(session, read, source_name=path.name, publish=publish, now=now)
            return {**base, **_faq_record(stored, read)}
        kept = await store_guide(
            session,
            read,
            source_name=path.name,
            publish=publish,
            now=now,
            media_dir=state.workspace.media,
        )
        return {**base, **_guide_record(kept, read)}


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
        "warnings": _warnings(table.warnings),
    }


def _guide_record(stored: StoredGuide, guide: Guide) -> dict[str, Any]:
    status = "unchanged" if stored.stored_as.value == "unchanged" else "imported"
    return {
        "status": status,
        "kind": "guide",
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

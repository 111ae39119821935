"""Keeps an imported guide: its versions, section tree, passages and pictures.

The same content again changes nothing. Changed content under the same file name and title becomes
the guide's next version, whose passages keep their answer ids while they keep their place.
"""

import hashlib
import json
import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from kb import guide_repository, repository, stale
from kb.blocks import blocks_to_json, image_to_json
from kb.errors import GuideMissing
from kb.guide_cover import cover_facts
from kb.media import extension, write_media
from kb.passages import PassageDraft, make_passages
from kb.sections import Guide, Image, Section, Table
from kb.stale_ahead import Ahead
from kb.stored_text import storable, storable_json
from kb.tables import (
    GuideRow,
    GuideSectionRow,
    GuideVersionRow,
    MediaRow,
    PassageRow,
    Status,
)
from store.base import new_id

#: Marks by which the files of two versions of one guide differ: v1.2, 20240501, (1), 副本 …
_VERSION_MARKS = re.compile(
    r"v\d+(\.\d+)*|[（(【\[][^）)】\]]{0,12}[）)】\]]|\d+(\.\d+)*|修订|终稿|定稿|最终|新版|副本|版本|版"
)


class StoredAs(StrEnum):
    """What an import did to the knowledge base."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class StoredGuide:
    """The outcome of storing one guide; the counts are those of the guide, new or not."""

    guide_id: str
    version_id: str
    stored_as: StoredAs
    published: bool
    sections: int
    passages: int
    images: int
    tables: int
    warnings: int


async def store_guide(
    session: AsyncSession,
    guide: Guide,
    *,
    source_name: str,
    publish: bool,
    now: datetime,
    media_dir: Path,
    guide_id: str | None = None,
) -> StoredGuide:
    """Keep the guide as a draft, or published in place of its earlier version.

    `guide_id` names the guide that this is a version of, where somebody has chosen; otherwise
    file name and title tell. Raises GuideMissing for a chosen guide that does not exist.
    `media_dir` receives the pictures before this returns, hence before the caller commits.
    """
    content_hash = _content_hash(guide)
    version = await repository.version_with_content(session, content_hash)
    if version is not None and guide_id in (None, version.guide_id):
        stored_as = StoredAs.UNCHANGED
    else:
        row, stored_as = await _guide_row(session, guide, source_name, now, chosen=guide_id)
        version = await _add_version(
            session, row, guide, content_hash=content_hash, source_name=source_name, now=now
        )
    # Also when nothing changed: a workspace may have lost its media folder.
    await _store_media(session, guide, media_dir, now)
    if publish:
        await publish_version(session, version, now=now)
    await session.flush()
    return await _outcome(session, guide, version, stored_as)


async def publish_version(
    session: AsyncSession,
    version: GuideVersionRow,
    *,
    now: datetime,
    ahead: Ahead | None = None,
) -> int:
    """Make this version the one that answers; the guide's earlier one is archived.

    Returns how many answers are newly in doubt because their sections changed. With `ahead`, what
    `kb.stale_ahead` compared before the transaction, others need not wait for the comparison.
    """
    guide = await guide_repository.guide(session, version.guide_id, lock=True)
    if guide is None or version.status == Status.PUBLISHED:
        return 0
    raised = await stale.guide_published(session, guide, version, now=now, ahead=ahead)
    version.status, version.published_at = Status.PUBLISHED, now
    guide.updated_at = now
    await session.flush()
    await repository.archive_other_versions(session, guide.id, keep_version_id=version.id)
    return raised


async def withdraw_version(
    session: AsyncSession, version: GuideVersionRow, *, now: datetime
) -> int:
    """The guide answers no longer, until a version of it is published; as `publish_version`."""
    if version.status != Status.PUBLISHED:
        return 0
    version.status = Status.ARCHIVED
    await session.flush()
    return await stale.guide_withdrawn(session, version.guide_id, now=now)


def source_key(source_name: str) -> str:
    """The file name without folders, extension and version marks."""
    stem = Path(source_name.replace("\\", "/")).stem.casefold()
    bare = re.sub(r"[\s_\-—.]+", "", _VERSION_MARKS.sub("", stem))
    return (bare or stem)[:500]


def _content_hash(guide: Guide) -> str:
    """SHA-256 of all that the guide says and shows; warnings and file metadata do not count."""
    content = {
        "title": guide.title,
        "version": guide.version,
        "issued": guide.issued,
        "sections": [_section_content(section) for section in guide.sections],
    }
    return hashlib.sha256(
        json.dumps(content, ensure_ascii=True, sort_keys=True).encode()
    ).hexdigest()


def _section_content(section: Section) -> dict[str, Any]:
    return {
        "heading": section.heading,
        "page": section.page,
        "blocks": blocks_to_json(section.blocks),
        "children": [_section_content(child) for child in section.children],
    }


async def _add_version(
    session: AsyncSession,
    row: GuideRow,
    guide: Guide,
    *,
    content_hash: str,
    source_name: str,
    now: datetime,
) -> GuideVersionRow:
    earlier = await repository.newest_passages(session, row.id)
    known = (await guide_repository.versions(session, row.id))[:1]
    number = known[0].number + 1 if known else 1
    cover = cover_facts(guide.meta)
    version = GuideVersionRow(
        id=new_id(),
        guide_id=row.id,
        number=number,
        content_hash=content_hash,
        status=Status.DRAFT,
        source_name=storable(source_name)[:500],
        fmt=guide.fmt,
        version=storable(guide.version)[:200] if guide.version else None,
        issued=guide.issued[:10] if guide.issued else None,
        document_number=cover.document_number,
        effective_from=cover.effective_from,
        effective_until=cover.effective_until,
        fiscal_year=cover.fiscal_year,
        # Who it is for seldom changes from one version to the next; its dates always do.
        regions=list(known[0].regions) if known else [],
        audience=list(cover.audience) or (list(known[0].audience) if known else []),
        warnings=storable_json([asdict(warning) for warning in guide.warnings]),
        meta=storable_json(dict(guide.meta)),
        created_at=now,
    )
    session.add(version)
    await session.flush()
    sections = await _add_sections(session, guide, version.id)
    await _add_passages(session, make_passages(guide), version.id, sections, earlier)
    return version


async def _guide_row(
    session: AsyncSession, guide: Guide, source_name: str, now: datetime, *, chosen: str | None
) -> tuple[GuideRow, StoredAs]:
    title, key = storable(guide.title)[:500], storable(source_key(source_name))
    known = await _known_guide(session, title, key, chosen)
    if known is not None:
        known.updated_at = now
        return known, StoredAs.UPDATED
    row = GuideRow(id=new_id(), title=title, source_key=key, created_at=now, updated_at=now)
    session.add(row)
    await session.flush()
    return row, StoredAs.CREATED


async def _known_guide(
    session: AsyncSession, title: str, key: str, chosen: str | None
) -> GuideRow | None:
    """The chosen guide, or that of the same file name and title but for marks of a version."""
    if chosen is not None:
        guide = await guide_repository.guide(session, chosen, lock=True)
        if guide is None:
            raise GuideMissing(chosen)
        return guide
    named = await repository.guides_of_file(session, source_key=key)
    exact = [one for one in named if one.title == title]
    alike = [one for one in named if _title_key(one.title) == _title_key(title)]
    return next(iter(exact or alike), None)


def _title_key(title: str) -> str:
    """A title without version marks; it has no extension to lose."""
    return source_key(f"{title.replace('/', ' ')}.x")


async def _add_sections(
    session: AsyncSession, guide: Guide, version_id: str
) -> Mapping[tuple[str, ...], str]:
    """Store the tree; returns section ids by heading path (the first of equal paths)."""
    rows: list[dict[str, Any]] = []
    ids: dict[tuple[str, ...], str] = {}

    def visit(section: Section, above: tuple[str, ...], parent_id: str | None) -> None:
        path = (*above, section.heading) if section.heading else above
        row = _section_row(section, path, len(rows))
        rows.append(row | {"version_id": version_id, "parent_id": parent_id})
        ids.setdefault(path, row["id"])
        for child in section.children:
            visit(child, path, row["id"])

    for section in guide.sections:
        visit(section, (), None)
    await repository.insert_rows(session, GuideSectionRow, rows)
    return ids


def _section_row(section: Section, path: tuple[str, ...], position: int) -> dict[str, Any]:
    return {
        "id": new_id(),
        "heading": storable(section.heading),
        "number": storable(section.number)[:50],
        "path": storable_json(path),
        "level": section.level,
        "page": section.page,
        "position": position,
    }


async def _add_passages(
    session: AsyncSession,
    drafts: Sequence[PassageDraft],
    version_id: str,
    sections: Mapping[tuple[str, ...], str],
    earlier: Sequence[PassageRow],
) -> None:
    known: defaultdict[tuple[str, ...], deque[str]] = defaultdict(deque)
    for passage in earlier:
        known[tuple(passage.path)].append(passage.answer_id)
    rows = [
        {
            "id": new_id(),
            "answer_id": _answer_id(known, tuple(storable_json(draft.section_path))),
            "version_id": version_id,
            "section_id": sections.get(tuple(draft.section_path)),
            "heading": storable(draft.heading),
            "path": storable_json(draft.section_path),
            "text": storable(draft.text),
            "blocks": storable_json(blocks_to_json(draft.blocks)),
            "images": storable_json([image_to_json(image) for image in draft.images]),
            "page": draft.page,
            "position": draft.position,
        }
        for draft in drafts
    ]
    await repository.insert_rows(session, PassageRow, rows)


def _answer_id(known: Mapping[tuple[str, ...], deque[str]], path: tuple[str, ...]) -> str:
    """The nth passage under a heading path keeps the id of the nth one there before."""
    ids = known.get(path)
    return ids.popleft() if ids else new_id()


async def _store_media(session: AsyncSession, guide: Guide, media_dir: Path, now: datetime) -> None:
    kinds = {image.sha256: image for image in _all_images(guide.sections)}
    for sha256, content in guide.images.items():
        image = kinds.get(sha256)
        suffix = extension(image.media_type) if image else "bin"
        write_media(media_dir, sha256, suffix, content)
    known = await repository.known_media(session, guide.images)
    rows = [
        {
            "sha256": sha256,
            "media_type": kinds[sha256].media_type[:100] if sha256 in kinds else "",
            "extension": extension(kinds[sha256].media_type) if sha256 in kinds else "bin",
            "name": storable(kinds[sha256].name)[:500] if sha256 in kinds else "",
            "size": len(content),
            "created_at": now,
        }
        for sha256, content in guide.images.items()
        if sha256 not in known
    ]
    await repository.insert_rows(session, MediaRow, rows)


def _all_images(sections: Iterable[Section]) -> Iterator[Image]:
    for section in sections:
        for block in section.blocks:
            if isinstance(block, Image):
                yield block
            else:
                yield from block.icons
        yield from _all_images(section.children)


async def _outcome(
    session: AsyncSession, guide: Guide, version: GuideVersionRow, stored_as: StoredAs
) -> StoredGuide:
    sections, passages = await repository.count_version(session, version.id)
    tables = sum(
        isinstance(block, Table) for _path, section in guide.walk() for block in section.blocks
    )
    return StoredGuide(
        guide_id=version.guide_id,
        version_id=version.id,
        stored_as=stored_as,
        published=version.status == Status.PUBLISHED,
        sections=sections,
        passages=passages,
        images=len(guide.images),
        tables=tables,
        warnings=len(guide.warnings),
    )

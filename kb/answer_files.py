"""Files that editors attach to answers, such as a form to fill in; told and kept by content.

An attachment is a mark in the answer's text, so that every version keeps its own. Refuses what is
no document, what could run (macros, programs, pages), what is locked, and what is too large.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from pathlib import Path, PurePosixPath

import olefile
from sqlalchemy.ext.asyncio import AsyncSession

from kb import repository
from kb.errors import AnswerInvalid, ImportRefused
from kb.importer.archive import Archive
from kb.importer.limits import MIB, ImportLimits
from kb.importer.sniff import Format, is_zip, sniff
from kb.media import extension, write_media
from kb.stored_text import storable
from kb.tables import MediaRow

MAX_BYTES = 20 * MIB
MAX_NAME = 100
_LIMITS = ImportLimits(
    file_bytes=MAX_BYTES, unpacked_bytes=300 * MIB, member_bytes=200 * MIB, members=5_000
)
_OFFICE = "application/vnd.openxmlformats-officedocument"
#: What may be attached, by the ending that its content calls for.
TYPES: Mapping[str, str] = {
    "pdf": "application/pdf",
    "ofd": "application/ofd",
    "docx": f"{_OFFICE}.wordprocessingml.document",
    "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    "pptx": f"{_OFFICE}.presentationml.presentation",
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "csv": "text/csv",
    "txt": "text/plain",
}
#: Kinds that the importer names while it refuses to read them.
_NAMED = frozenset({"doc", "ppt", "ofd"})
_MACROS = ("vbaproject.bin", "vbadata.xml")


async def keep_file(
    session: AsyncSession, content: bytes, *, name: str, media_dir: Path, now: datetime
) -> str:
    """Keep the file; the mark to put into the answer. Raises AnswerInvalid.

    The same content twice is one file, whatever it is called.
    """
    kind = kind_of(content, name)
    sha256, suffix = hashlib.sha256(content).hexdigest(), extension(TYPES[kind])
    shown = _named(name, kind)
    write_media(media_dir, sha256, suffix, content)
    if not await repository.known_media(session, [sha256]):
        row = {
            "sha256": sha256,
            "media_type": TYPES[kind],
            "extension": suffix,
            "name": shown,
            "size": len(content),
            "created_at": now,
        }
        await repository.insert_rows(session, MediaRow, [row])
    return f"[{shown}](/media/{sha256})"


def kind_of(content: bytes, name: str) -> str:
    """The ending that the content calls for, a key of `TYPES`; raises AnswerInvalid."""
    if len(content) > MAX_BYTES:
        raise AnswerInvalid("file", "too_large")
    try:
        archive = Archive(content, _LIMITS) if is_zip(content) else None
        kind = _kind(content, name, archive)
    except ImportRefused as refused:
        known = refused.detail in _NAMED
        if not known:
            raise AnswerInvalid("file", f"file_{_why(refused)}") from None
        kind, archive = refused.detail, None
    if _has_macros(content, archive):
        raise AnswerInvalid("file", "file_macro")
    return kind


def _why(refused: ImportRefused) -> str:
    reason = refused.reason.value
    return reason if reason in ("empty", "password", "drm") else "unsupported"


def _kind(content: bytes, name: str, archive: Archive | None) -> str:
    found = sniff(content, name=name, archive=archive)
    ending = PurePosixPath(name.replace("\\", "/")).suffix.lower().lstrip(".")
    if found in (Format.CSV, Format.TEXT) and ending != found.value:
        raise AnswerInvalid("file", "file_unsupported")
    if found.value not in TYPES:
        raise AnswerInvalid("file", "file_unsupported")
    return found.value


def _has_macros(content: bytes, archive: Archive | None) -> bool:
    if archive is not None:
        return any(one.lower().rpartition("/")[2] in _MACROS for one in archive.names)
    if not content.startswith(olefile.MAGIC):
        return False
    with olefile.OleFileIO(BytesIO(content)) as ole:
        tops = {path[0].lower() for path in ole.listdir(streams=True, storages=True)}
    return bool(tops & {"macros", "_vba_project_cur", "vba"})


def _named(name: str, kind: str) -> str:
    """What people call it, with the ending of what it is and nothing that would end the mark."""
    last = PurePosixPath(storable(name).replace("\\", "/")).name
    stem = last.removesuffix(PurePosixPath(last).suffix) or last
    bare = " ".join(stem.replace("[", "（").replace("]", "）").split())[:MAX_NAME].strip()
    return f"{bare or kind}.{kind}"

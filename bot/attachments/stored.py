"""Files that rest on disk, on their way into a message: what it lists, and their rows.

Everything works inside the caller's transaction, so a file is listed exactly when it has a row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.attachments import repository
from bot.attachments.errors import TooManyAttachments
from bot.attachments.kinds import Kind
from bot.attachments.tables import Attachment, Reading
from store.base import new_id

#: The kind of a message that has files.
KIND = "attachment"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as it was taken in. Its bytes are on disk under ``sha256``."""

    sha256: str
    kind: Kind
    name: str
    size: int
    scanned: bool
    reading: Reading


@dataclass(frozen=True, slots=True)
class Enclosure:
    """Files on their way with one message, by the ids that they will have.

    ``captioned``: the sender wrote words with them; without, the message's text only names them.
    """

    files: Mapping[str, StoredFile]
    captioned: bool
    #: How many files a conversation may have.
    limit: int

    def data(self) -> dict[str, Any]:
        """What the message says of its files; their bytes are fetched by id."""
        return {
            "attachments": [_listed(key, file) for key, file in self.files.items()],
            "captioned": self.captioned,
        }


@dataclass(frozen=True, slots=True)
class Place:
    """The message that files belong to. ``staff_id`` when an engineer sent it."""

    conversation_id: str
    seq: int
    now: datetime
    staff_id: str | None = None


def enclose(*files: StoredFile, captioned: bool, limit: int) -> Enclosure:
    """Give the files their ids."""
    return Enclosure({new_id(): file for file in files}, captioned, limit)


async def attach(session: AsyncSession, enclosure: Enclosure, place: Place) -> None:
    """Write the rows. Raises :class:`TooManyAttachments`."""
    held = await repository.count_of(session, place.conversation_id)
    if held + len(enclosure.files) > enclosure.limit:
        raise TooManyAttachments(enclosure.limit)
    for position, (attachment_id, file) in enumerate(enclosure.files.items()):
        session.add(
            Attachment(
                id=attachment_id,
                conversation_id=place.conversation_id,
                seq=place.seq,
                position=position,
                sha256=file.sha256,
                media_type=file.kind.media_type,
                name=file.name,
                size=file.size,
                width=file.kind.width,
                height=file.kind.height,
                staff_id=place.staff_id,
                scanned=file.scanned,
                reading=file.reading.value,
                created_at=place.now,
            )
        )


def _listed(attachment_id: str, file: StoredFile) -> dict[str, Any]:
    return {
        "id": attachment_id,
        "name": file.name,
        "media_type": file.kind.media_type,
        "size": file.size,
        "width": file.kind.width,
        "height": file.kind.height,
    }


def seen_by_staff(file: Attachment) -> dict[str, Any]:
    """A file as staff sees it: with what was read in it, or why nothing was."""
    return {
        "id": file.id,
        "name": file.name,
        "media_type": file.media_type,
        "size": file.size,
        "width": file.width,
        "height": file.height,
        "reading": file.reading,
        "reading_error": file.reading_error,
        "text": file.text,
        "removed": file.removed_at is not None,
    }

"""The platform's temporary files: kept three days, refused by size and kind.

Limits are from the vendor's document 90253.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors.fake_wecom.looks import Refused

LASTING = timedelta(days=3)
LEAST_BYTES = 5
#: The most bytes of each kind.
MOST_BYTES: Mapping[str, int] = {
    "image": 10 * 1024 * 1024,
    "voice": 2 * 1024 * 1024,
    "video": 10 * 1024 * 1024,
    "file": 20 * 1024 * 1024,
}
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
BAD_KIND, BAD_MEDIA, BAD_FILE, TOO_LARGE, EMPTY = 40004, 40007, 40005, 45001, 44001


@dataclass(frozen=True, slots=True)
class Media:
    """One file with the name and type that it came with."""

    kind: str
    filename: str
    content_type: str
    content: bytes
    until: datetime


@dataclass(slots=True)
class MediaShelf:
    """Files by media id."""

    items: dict[str, Media] = field(default_factory=dict)

    def put(
        self, kind: str, filename: str, content_type: str, content: bytes, now: datetime
    ) -> str:
        """Keep a file; its media id. Raises :class:`Refused`."""
        if kind not in MOST_BYTES:
            raise Refused(BAD_KIND)
        if len(content) <= LEAST_BYTES or not filename:
            raise Refused(EMPTY)
        if len(content) > MOST_BYTES[kind]:
            raise Refused(TOO_LARGE)
        if kind == "image" and not content.startswith(_PICTURES):
            raise Refused(BAD_FILE)
        media_id = secrets.token_urlsafe(24)
        self.items[media_id] = Media(kind, filename, content_type, content, now + LASTING)
        return media_id

    def get(self, media_id: str, now: datetime, kind: str = "") -> Media:
        """A file that is still kept, of this kind if one is given. Raises :class:`Refused`."""
        found = self.items.get(media_id)
        if found is None or found.until <= now or (kind and found.kind != kind):
            raise Refused(BAD_MEDIA)
        return found

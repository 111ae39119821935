"""Pictures that editors paste into answers: looked at, kept by content, never run.

Refuses what is no picture that every browser shows, and what is too large to show.
"""

import hashlib
import io
import warnings
from datetime import datetime
from pathlib import Path

from PIL import Image as Picture
from PIL import UnidentifiedImageError
from sqlalchemy.ext.asyncio import AsyncSession

from kb import repository
from kb.errors import AnswerInvalid
from kb.media import extension, write_media
from kb.tables import MediaRow

_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
MAX_PIXELS = 40_000_000


async def keep_picture(
    session: AsyncSession, content: bytes, *, name: str, media_dir: Path, now: datetime
) -> str:
    """Keep the picture and return its hash; the same picture twice is one. Raises AnswerInvalid."""
    media_type = _media_type(content)
    sha256 = hashlib.sha256(content).hexdigest()
    suffix = extension(media_type)
    write_media(media_dir, sha256, suffix, content)
    if not await repository.known_media(session, [sha256]):
        row = {
            "sha256": sha256,
            "media_type": media_type,
            "extension": suffix,
            "name": name[:500],
            "size": len(content),
            "created_at": now,
        }
        await repository.insert_rows(session, MediaRow, [row])
    return sha256


def _media_type(content: bytes) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Picture.DecompressionBombWarning)
            with Picture.open(io.BytesIO(content), formats=list(_TYPES)) as picture:
                width, height = picture.size
                kind = picture.format or ""
                picture.verify()
    except (
        UnidentifiedImageError,
        OSError,
        SyntaxError,
        ValueError,
        Picture.DecompressionBombWarning,
        Picture.DecompressionBombError,
    ):
        raise AnswerInvalid("picture", "unreadable") from None
    if width * height > MAX_PIXELS:
        raise AnswerInvalid("picture", "too_large")
    return _TYPES[kind]

"""Pictures and files on the platform: uploaded once, known by content hash for three days.

The names rest in the database: a retry after a restart must name the same file, else the platform
would take it for another message and show it twice.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

from connectors import media_repository as rows
from connectors.base import Contents, Enclosed, PermanentError
from connectors.wecom_api import FileRefused, WecomApi
from store.session import Database

#: The platform keeps a file three days; one is not used in its last hours.
LASTING = timedelta(days=3) - timedelta(hours=6)
#: What every build takes; the documents name 10 MB, the error table 5 MB.
MOST_BYTES, LEAST_BYTES = 5 * 1024 * 1024, 6
MOST_FILE_BYTES = 20 * 1024 * 1024
_FORMS = ((b"\x89PNG\r\n\x1a\n", "png", "image/png"), (b"\xff\xd8\xff", "jpg", "image/jpeg"))
_SHOWN = frozenset(media_type for _, _, media_type in _FORMS)


class WecomPictures:
    """Media ids of our pictures and files."""

    def __init__(
        self,
        api: WecomApi,
        database: Database,
        source: Contents,
        clock: Callable[[], datetime],
        channel: str = "wecom",
    ) -> None:
        self._api = api
        self._database = database
        self._source = source
        self._clock = clock
        self._channel = channel
        self._uploading = asyncio.Lock()

    async def media_id(self, sha256: str, *, gone: str = "") -> str:
        """What the platform calls this picture; ``gone`` is a name that it no longer knows.

        Raises as :meth:`WecomApi.upload`; :class:`FileRefused` for what it would not take.
        """
        return await self._named(sha256, partial(self._upload, sha256), gone)

    async def file_id(self, file: Enclosed, *, gone: str = "") -> str:
        """As `media_id`, for a file that people see under its own name."""
        named = hashlib.sha256(f"{file.sha256}:{file.name}".encode()).hexdigest()
        return await self._named(named, partial(self._upload_file, file), gone)

    async def _named(self, key: str, upload: Callable[[], Awaitable[str]], gone: str) -> str:
        async with self._uploading:
            now = self._clock()
            async with self._database.reading() as session:
                known = await rows.find(session, channel=self._channel, sha256=key)
            if known is not None and known.until > now and known.media_id != gone:
                return known.media_id
            media_id = await upload()
            async with self._database.transaction() as session:
                await rows.forget_before(session, now)
                until = now + LASTING
                await rows.keep(
                    session, channel=self._channel, sha256=key, media_id=media_id, until=until
                )
            return media_id

    async def _upload(self, sha256: str) -> str:
        content = await self._content(sha256, MOST_BYTES)
        for start, extension, media_type in _FORMS:
            if content.startswith(start):
                name = f"{sha256[:16]}.{extension}"
                return await self._api.upload("image", name, content, media_type)
        raise FileRefused("neither PNG nor JPEG")

    async def _upload_file(self, file: Enclosed) -> str:
        content = await self._content(file.sha256, MOST_FILE_BYTES)
        try:
            return await self._api.upload("file", file.name, content, file.media_type)
        except PermanentError as refused:
            # A code of a private build that we do not know: the person is still told of the file.
            raise FileRefused(str(refused)) from None

    async def _content(self, sha256: str, most: int) -> bytes:
        content = await self._source(sha256)
        if content is None or not LEAST_BYTES <= len(content) <= most:
            raise FileRefused("nothing of a size that is taken")
        return content


def is_picture(file: Enclosed) -> bool:
    """Whether the platform shows it in place; anything else goes as a file."""
    return file.media_type in _SHOWN and file.size <= MOST_BYTES

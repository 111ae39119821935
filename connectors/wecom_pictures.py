"""Pictures of answers on the platform: uploaded once, known by content hash for three days.

The names rest in the database: a retry after a restart must name the same file, else the platform
would take it for another message and show it twice.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from connectors import media_repository as rows
from connectors.wecom_api import FileRefused, WecomApi
from store.session import Database

#: The platform keeps a file three days; one is not used in its last hours.
LASTING = timedelta(days=3) - timedelta(hours=6)
#: What every build takes; the documents name 10 MB, the error table 5 MB.
MOST_BYTES, LEAST_BYTES = 5 * 1024 * 1024, 6
_FORMS = ((b"\x89PNG\r\n\x1a\n", "png", "image/png"), (b"\xff\xd8\xff", "jpg", "image/jpeg"))

#: The bytes of a picture by its content hash; nothing when there is none.
Source = Callable[[str], Awaitable[bytes | None]]


class WecomPictures:
    """Media ids of our pictures."""

    def __init__(
        self,
        api: WecomApi,
        database: Database,
        source: Source,
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
        async with self._uploading:
            now = self._clock()
            async with self._database.reading() as session:
                known = await rows.find(session, channel=self._channel, sha256=sha256)
            if known is not None and known.until > now and known.media_id != gone:
                return known.media_id
            media_id = await self._upload(sha256)
            async with self._database.transaction() as session:
                await rows.forget_before(session, now)
                until = now + LASTING
                await rows.keep(
                    session, channel=self._channel, sha256=sha256, media_id=media_id, until=until
                )
            return media_id

    async def _upload(self, sha256: str) -> str:
        content = await self._source(sha256)
        if content is None or not LEAST_BYTES <= len(content) <= MOST_BYTES:
            raise FileRefused("no picture of a size that is taken")
        for start, extension, media_type in _FORMS:
            if content.startswith(start):
                name = f"{sha256[:16]}.{extension}"
                return await self._api.upload("image", name, content, media_type)
        raise FileRefused("neither PNG nor JPEG")

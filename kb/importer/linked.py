"""Pictures that a text file links to: beside it, inside its archive, inside the link, or nowhere.

Nothing is ever fetched from the network, and no path leads out of the folder or archive.
"""

import base64
import binascii
import posixpath
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from kb.importer.archive import Archive
from kb.importer.intake import Intake
from kb.sections import Image, WarningCode

_PUBLIC_FOLDERS = (".vuepress/public", "public", "static", "assets", "docs", "docs/public")
_DATA = "data:"


class PictureSource(Protocol):
    """Somewhere to look for a linked picture."""

    def find(self, link: str) -> bytes | None:
        """The bytes behind a decoded relative or absolute path, or None."""
        ...


class NoPictures:
    """For files that came without a folder."""

    def find(self, link: str) -> bytes | None:
        """Nothing, ever."""
        return None


class FolderPictures:
    """Files in the folder of the text file or below it."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder.resolve()
        self._limit = limit

    def find(self, link: str) -> bytes | None:
        """A regular file inside the folder."""
        try:
            path = (self._folder / link.lstrip("/")).resolve()
            inside = path.is_relative_to(self._folder) and path.is_file()
            return path.read_bytes() if inside and path.stat().st_size <= self._limit else None
        except (OSError, ValueError):
            return None


class ArchivePictures:
    """Members of an archive, relative to one of its text files or to the roots sites publish."""

    def __init__(self, archive: Archive, member: str) -> None:
        self._archive = archive
        self._folder = posixpath.dirname(member)

    def find(self, link: str) -> bytes | None:
        """The member that a link means; the longest matching path end when no place fits."""
        for candidate in self._candidates(link):
            if candidate in self._archive:
                return self._archive.read(candidate)
        tail = "/" + posixpath.normpath(link).lstrip("./")
        matches = [name for name in self._archive.names if f"/{name}".endswith(tail)]
        return self._archive.read(matches[0]) if len(matches) == 1 else None

    def _candidates(self, link: str) -> Iterable[str]:
        if not link.startswith("/"):
            yield posixpath.normpath(posixpath.join(self._folder, link))
        bare = link.lstrip("/")
        at = self._folder
        while True:
            for public in ("", *_PUBLIC_FOLDERS):
                yield posixpath.normpath(posixpath.join(at, public, bare))
            if not at:
                return
            at = posixpath.dirname(at)


class LinkedPictures:
    """Turns links into pictures, and notes those that cannot be had."""

    def __init__(self, source: PictureSource, intake: Intake) -> None:
        self._source = source
        self._intake = intake

    def get(self, link: str) -> Image | None:
        """The picture, or None (noted) when it is elsewhere, missing or unreadable."""
        link = link.strip()
        if link.lower().startswith(_DATA):
            return self._inline(link)
        parts = urlsplit(link) if "[" not in link else None
        if parts is not None and (parts.scheme or parts.netloc):
            self._intake.note(
                WarningCode.EXTERNAL_IMAGE, f"{parts.scheme}://{parts.netloc}{parts.path}"
            )
            return None
        path = unquote(parts.path if parts else link).replace("\\", "/")
        data = self._source.find(path) if path else None
        if data is None:
            self._intake.note(WarningCode.MISSING_IMAGE, link[:200])
            return None
        return self._intake.picture(data, posixpath.basename(path))

    def _inline(self, link: str) -> Image | None:
        head, _, body = link.partition(",")
        if len(body) > self._intake.limits.image_bytes * 4 // 3 + 4:
            self._intake.note(WarningCode.IMAGE_TOO_LARGE, head[:60])
            return None
        try:
            data = base64.b64decode(body, validate=False) if head.endswith(";base64") else b""
        except binascii.Error:
            data = b""
        if data:
            return self._intake.picture(data, "inline")
        self._intake.note(WarningCode.UNREADABLE_IMAGE, head[:60])
        return None

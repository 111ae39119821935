"""What is collected while one file is read: notices, and each distinct picture once.

Pictures are judged here for every format: size, pixels, kind. What a browser cannot show is
converted where that is possible and otherwise left out with a notice.
"""

import hashlib
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BytesIO

from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from kb.errors import ImportRefused, RefusalReason
from kb.importer.aid import Aid
from kb.importer.elements import Element
from kb.importer.limits import ImportLimits
from kb.importer.metafile import embedded_bitmap, is_metafile
from kb.sections import Image, ImportNotice, WarningCode

_SHOWN = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
_CONVERTED = {"BMP", "DIB", "TIFF", "ICO", "PPM", "PCX", "TGA"}
_SPECK_PIXELS = 3  # rules and spacers, not pictures


@dataclass(slots=True)
class Intake:
    """Grows while one file is read."""

    limits: ImportLimits
    aid: Aid = field(default_factory=Aid)
    notices: list[ImportNotice] = field(default_factory=list)
    images: dict[str, bytes] = field(default_factory=dict)
    #: How many elements had been read when a notice arose, by the notice's place in the list.
    before: dict[int, int] = field(default_factory=dict)
    _known: dict[str, Image | None] = field(default_factory=dict)

    def note(self, code: WarningCode, detail: str = "", *, page: int | None = None) -> None:
        """Record a doubt about the file."""
        self.notices.append(ImportNotice(code, detail, page=page))

    def gather(self, stream: Iterable[Element]) -> tuple[Element, ...]:
        """The whole stream; remembers where in it each notice arose."""
        elements: list[Element] = []
        seen = len(self.notices)
        for element in stream:
            seen = self._remember(seen, len(elements))
            elements.append(element)
        self._remember(seen, len(elements))
        return tuple(elements)

    def _remember(self, seen: int, read: int) -> int:
        self.before.update(dict.fromkeys(range(seen, len(self.notices)), read))
        return len(self.notices)

    def picture(self, data: bytes, name: str, *, page: int | None = None) -> Image | None:
        """The picture's place-holder, or None where it cannot be shown (then noted).

        Raises:
            ImportRefused: too_large, once a file holds more distinct pictures than allowed.
        """
        digest = hashlib.sha256(data).hexdigest()
        if digest not in self._known:
            self._known[digest] = self._admit(data, digest, name, page)
            if len(self.images) > self.limits.images:
                raise ImportRefused(RefusalReason.TOO_LARGE, f"{len(self.images)} pictures")
        return self._known[digest]

    def _admit(self, data: bytes, digest: str, name: str, page: int | None) -> Image | None:
        if len(data) > self.limits.image_bytes:
            return self._left_out(WarningCode.IMAGE_TOO_LARGE, name, page)
        if is_metafile(data):
            shown = embedded_bitmap(data) or self.aid.drawing(digest, data)
            if shown is None:
                return self._left_out(WarningCode.UNCONVERTED_IMAGE, name, page)
            data = shown
        try:
            return self._measure(data, name, page)
        except (OSError, ValueError, SyntaxError, UnidentifiedImageError):
            return self._left_out(WarningCode.UNREADABLE_IMAGE, name, page)
        except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning):
            return self._left_out(WarningCode.IMAGE_TOO_LARGE, name, page)

    def _measure(self, data: bytes, name: str, page: int | None) -> Image | None:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Pillow.DecompressionBombWarning)
            with Pillow.open(BytesIO(data)) as opened:
                width, height = opened.size
                if width * height > self.limits.image_pixels:
                    return self._left_out(WarningCode.IMAGE_TOO_LARGE, name, page)
                if min(width, height) <= _SPECK_PIXELS:
                    return None
                kind = opened.format or ""
                if kind in _CONVERTED:
                    data, kind = _to_png(opened), "PNG"
        if kind not in _SHOWN:
            return self._left_out(WarningCode.UNCONVERTED_IMAGE, name, page)
        digest = hashlib.sha256(data).hexdigest()
        self.images[digest] = data
        return Image(digest, _SHOWN[kind], name=name, width=width, height=height)

    def _left_out(self, code: WarningCode, name: str, page: int | None) -> Image | None:
        self.note(code, name, page=page)
        return None


def _to_png(opened: Pillow.Image) -> bytes:
    shown = opened if opened.mode in {"1", "L", "P", "RGB", "RGBA"} else opened.convert("RGB")
    buffer = BytesIO()
    shown.save(buffer, "PNG")
    return buffer.getvalue()

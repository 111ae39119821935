"""What a file is, by its content; its name only tells plain texts and old office files apart.

Pure. Refuses what a browser or an office program could run: HTML, SVG, programs, macros.
"""

import re
import unicodedata
import zipfile
from dataclasses import dataclass
from io import BytesIO

from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from bot.attachments import errors
from bot.masking import mask

MAX_NAME_CHARS = 100
_PICTURES = {
    "PNG": ("image/png", "png"),
    "JPEG": ("image/jpeg", "jpg"),
    "GIF": ("image/gif", "gif"),
    "WEBP": ("image/webp", "webp"),
    "BMP": ("image/bmp", "bmp"),
}
#: What a browser may show in place; anything else is offered for download.
SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_PICTURE_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")
#: Brands of ISO 23008-12 files (HEIF), as phones write them behind "ftyp".
_HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_OPEN_XML = "application/vnd.openxmlformats-officedocument."
_OFFICE = {
    "word/document.xml": (f"{_OPEN_XML}wordprocessingml.document", "docx"),
    "xl/workbook.xml": (f"{_OPEN_XML}spreadsheetml.sheet", "xlsx"),
    "ppt/presentation.xml": (f"{_OPEN_XML}presentationml.presentation", "pptx"),
}
_OLD_OFFICE = {
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MACRO_STORAGE = "_VBA_PROJECT".encode("utf-16-le")
_TEXTS = {"txt": "text/plain", "log": "text/plain", "csv": "text/csv"}
_MARKUP = re.compile(
    r"^\s*(?:<\?xml|<!doctype|<(?:html|head|body|script|svg|meta)\b)", re.IGNORECASE
)
#: Signs that no text has; line ends, tabs and colours of terminals are none of them.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_MOST_MEMBERS = 5_000
_EXTENSION = re.compile(r"\.([A-Za-z0-9]{1,5})$")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file. Width and height in pixels, of pictures only."""

    media_type: str
    extension: str
    width: int | None = None
    height: int | None = None

    @property
    def is_picture(self) -> bool:
        """Whether it can be shown in place and read as a picture."""
        return self.media_type.startswith("image/")


def kind_of(data: bytes, name: str, *, max_pixels: int) -> Kind:
    """What the bytes are. Raises a kind of :class:`bot.attachments.errors.AttachmentRefused`."""
    if not data:
        raise errors.AttachmentEmpty
    if _looks_like_picture(data):
        return _picture(data, max_pixels)
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC:
        raise errors.AttachmentHeic
    if data.startswith(b"PK\x03\x04"):
        return _office(data)
    if data.startswith(_OLE):
        return _old_office(data, name)
    if data.startswith(b"%PDF-"):
        return Kind("application/pdf", "pdf")
    return _text(data, name)


def shown_name(name: str, kind: Kind) -> str:
    """A name that may be shown and saved: no path, no control signs, the extension of its kind."""
    last = re.split(r"[/\\]", name)[-1]
    # Format signs could turn the reading direction around and so hide the real ending.
    clean = "".join(c for c in last if unicodedata.category(c)[0] != "C" and c not in '<>:"|?*')
    found = _EXTENSION.search(clean)
    known = found is not None and found[1].lower() in (kind.extension, *_SPELLINGS[kind.extension])
    stem, ending = (clean[: found.start()], found[0]) if found and known else (clean, "")
    masked = mask(stem.strip(" .")).text.replace("*", "_")[:MAX_NAME_CHARS]
    return f"{masked}{ending or '.' + kind.extension}" if masked else f"file.{kind.extension}"


_SPELLINGS: dict[str, tuple[str, ...]] = {
    **{extension: () for _, extension in (*_PICTURES.values(), *_OFFICE.values())},
    **dict.fromkeys((*_OLD_OFFICE, *_TEXTS, "pdf"), ()),
    "jpg": ("jpeg",),
}


def _looks_like_picture(data: bytes) -> bool:
    webp = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    # Two letters could begin any text; a bitmap has reserved zeros behind its length.
    bitmap = data[:2] == b"BM" and data[6:10] == bytes(4)
    return webp or bitmap or data.startswith(_PICTURE_STARTS)


def _picture(data: bytes, max_pixels: int) -> Kind:
    try:
        # Only the head is looked at here; the pixels are for the reading process.
        with Pillow.open(BytesIO(data), formats=tuple(_PICTURES)) as opened:
            width, height = opened.size
            media_type, extension = _PICTURES[opened.format or ""]
    except (OSError, ValueError, SyntaxError, KeyError, UnidentifiedImageError) as error:
        raise errors.AttachmentBroken from error
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning) as error:
        raise errors.AttachmentTooLarge(max_pixels) from error
    if width * height > max_pixels:
        raise errors.AttachmentTooLarge(max_pixels)
    return Kind(media_type, extension, width, height)


def _office(data: bytes) -> Kind:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = [member.filename for member in archive.infolist()]
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise errors.AttachmentBroken from error
    if len(names) > _MOST_MEMBERS:
        raise errors.AttachmentUnsupported
    found = next((kind for member, kind in _OFFICE.items() if member in names), None)
    if found is None:
        raise errors.AttachmentUnsupported
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise errors.AttachmentHasMacros
    return Kind(*found)


def _old_office(data: bytes, name: str) -> Kind:
    if _MACRO_STORAGE in data:
        raise errors.AttachmentHasMacros
    ending = _EXTENSION.search(name)
    extension = ending[1].lower() if ending else ""
    if extension not in _OLD_OFFICE:
        raise errors.AttachmentUnsupported
    return Kind(_OLD_OFFICE[extension], extension)


def _text(data: bytes, name: str) -> Kind:
    ending = _EXTENSION.search(name)
    extension = ending[1].lower() if ending else ""
    text = _decoded(data)
    if extension not in _TEXTS or text is None or _MARKUP.match(text):
        raise errors.AttachmentUnsupported
    return Kind(_TEXTS[extension], extension)


def _decoded(data: bytes) -> str | None:
    for charset in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(charset)
        except UnicodeDecodeError:
            continue
        return None if _CONTROL.search(text) else text
    return None

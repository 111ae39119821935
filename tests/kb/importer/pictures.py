"""Small pictures, each different from the others."""

import struct
from io import BytesIO

from PIL import Image


def png(shade: int = 0, size: tuple[int, int] = (320, 200)) -> bytes:
    """A one-coloured screenshot; `shade` tells pictures apart."""
    buffer = BytesIO()
    Image.new("RGB", size, (shade, 90, 160)).save(buffer, "PNG")
    return buffer.getvalue()


def bmp(size: tuple[int, int] = (40, 30)) -> bytes:
    """The same as an uncompressed bitmap file."""
    buffer = BytesIO()
    Image.new("RGB", size, (10, 20, 30)).save(buffer, "BMP")
    return buffer.getvalue()


def emf_with_bitmap() -> bytes:
    """A metafile that wraps a screenshot, as pasting from the clipboard makes."""
    file = bmp()
    header, bits = file[14:54], file[54:]
    record = 80 + len(header) + len(bits)
    body = (81).to_bytes(4, "little") + record.to_bytes(4, "little") + bytes(40)
    for number in (80, len(header), 80 + len(header), len(bits)):
        body += number.to_bytes(4, "little")
    body += bytes(80 - len(body)) + header + bits
    return _emf_header() + body


def wmf_with_bitmap() -> bytes:
    """An older metafile (placeable) around the same screenshot."""
    dib = bmp()[14:]
    record = struct.pack("<IHIHHHHHHHHH", (28 + len(dib)) // 2, 0x0F43, 0xCC0020, 0, *([0] * 8))
    header = struct.pack("<HHHIHIH", 1, 9, 0x300, 0, 0, 0, 0)
    return b"\xd7\xcd\xc6\x9a" + bytes(18) + header + record + dib


def emf_without_bitmap() -> bytes:
    """A metafile that draws lines only."""
    return _emf_header() + (14).to_bytes(4, "little") + (20).to_bytes(4, "little") + bytes(12)


def _emf_header() -> bytes:
    head = (1).to_bytes(4, "little") + (88).to_bytes(4, "little") + bytes(32) + b" EMF"
    return head + bytes(88 - len(head))

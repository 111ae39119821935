"""Windows metafiles (EMF, WMF): takes out the screenshot that such a file usually wraps.

No free library draws metafiles on a server. Screenshots pasted as metafiles hold one bitmap record
or an embedded PNG, and those are recovered; real vector drawings are not, and the caller is told.
Sources: [MS-EMF] 2.3.1, [MS-WMF] 2.3.1.
"""

import struct
from collections.abc import Iterator

_EMF_SIGNATURE = b" EMF"
_WMF_PLACEABLE = b"\xd7\xcd\xc6\x9a"
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"IEND\xae\x42\x60\x82"
# Bitmap records and where in each the four header and bit offsets stand.
_EMF_BITMAPS = {81: 48, 80: 48, 76: 84, 77: 84, 114: 84}
_WMF_BITMAPS = {0x0F43: 28, 0x0B41: 26, 0x0940: 22, 0x0D33: 24}
_MOST_RECORDS = 100_000
_BMP_HEADER_BYTES = 14
_LEAST_BITMAP_BYTES = 1024


def is_metafile(data: bytes) -> bool:
    """EMF, placeable WMF or plain WMF."""
    if data[40:44] == _EMF_SIGNATURE or data.startswith(_WMF_PLACEABLE):
        return True
    return data[:4] in {b"\x01\x00\x09\x00", b"\x02\x00\x09\x00"}


def is_enhanced(data: bytes) -> bool:
    """EMF rather than WMF."""
    return data[40:44] == _EMF_SIGNATURE


def embedded_bitmap(data: bytes) -> bytes | None:
    """The largest bitmap inside, as a PNG or BMP file; None where there is none."""
    start = data.find(_PNG)
    end = data.find(_PNG_END, start)
    if 0 <= start < end:
        return data[start : end + len(_PNG_END)]
    records = _emf_bitmaps(data) if data[40:44] == _EMF_SIGNATURE else _wmf_bitmaps(data)
    found = [bitmap for bitmap in records if len(bitmap) >= _LEAST_BITMAP_BYTES]
    return max(found, key=len, default=None)


def _emf_bitmaps(data: bytes) -> Iterator[bytes]:
    at = 0
    for _ in range(_MOST_RECORDS):
        if at + 8 > len(data):
            return
        kind, size = struct.unpack_from("<II", data, at)
        if size < 8:
            return
        offsets = _EMF_BITMAPS.get(kind)
        if offsets is not None and size >= offsets + 16 and at + offsets + 16 <= len(data):
            head_at, head_size, bits_at, bits_size = struct.unpack_from("<IIII", data, at + offsets)
            header = data[at + head_at : at + head_at + head_size]
            bits = data[at + bits_at : at + bits_at + bits_size]
            if len(header) == head_size and len(bits) == bits_size:
                yield _bmp_file(header, bits)
        at += size


def _wmf_bitmaps(data: bytes) -> Iterator[bytes]:
    at = (22 if data.startswith(_WMF_PLACEABLE) else 0) + 18
    for _ in range(_MOST_RECORDS):
        if at + 6 > len(data):
            return
        words, kind = struct.unpack_from("<IH", data, at)
        if words < 3:
            return
        offset = _WMF_BITMAPS.get(kind)
        if offset is not None:
            dib = data[at + offset : at + words * 2]
            header_size = _dib_header_bytes(dib)
            if header_size:
                yield _bmp_file(dib[:header_size], dib[header_size:])
        at += words * 2


def _dib_header_bytes(dib: bytes) -> int:
    """Info header plus colour table of a packed bitmap; 0 where it is none."""
    if len(dib) < 40 or struct.unpack_from("<I", dib)[0] != 40:
        return 0
    bits_per_pixel, compression = struct.unpack_from("<HI", dib, 14)
    used = struct.unpack_from("<I", dib, 32)[0]
    colours = used or (1 << bits_per_pixel if bits_per_pixel <= 8 else 0)
    return int(40 + colours * 4 + (12 if compression == 3 else 0))


def _bmp_file(header: bytes, bits: bytes) -> bytes:
    offset = _BMP_HEADER_BYTES + len(header)
    return b"BM" + struct.pack("<IHHI", offset + len(bits), 0, 0, offset) + header + bits

"""Says what a file is from its bytes; the extension only decides between kinds of plain text.

A refusal here names the remedy: which protection, which legacy program, which unsupported kind.
"""

import re
import struct
from enum import StrEnum
from io import BytesIO

import olefile

from kb.errors import ImportRefused, RefusalReason
from kb.importer.archive import Archive
from kb.importer.characters import decode


class Format(StrEnum):
    """The formats that can be read."""

    DOCX = "docx"
    PPTX = "pptx"
    XLSX = "xlsx"
    XLS = "xls"
    XLSB = "xlsb"
    ODS = "ods"
    PDF = "pdf"
    MARKDOWN = "md"
    HTML = "html"
    BUNDLE = "zip"  # guides and their pictures in one archive
    CSV = "csv"
    TSV = "tsv"
    TEXT = "txt"


_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PROTECTED = (
    (b"\x62\x14\x23\x65", "E-SafeNet (亿赛通)"),
    (b"%TSD-Header-###%", "Tipray (天锐绿盾)"),
    (b"Ldsec", "Ldsec (绿盾)"),
    (b"IP-guard", "IP-guard"),
    (b"DRMFILE", "DRM"),
)
_FOREIGN = (
    (b"{\\rtf", RefusalReason.LEGACY_FORMAT, "rtf"),
    (b"Rar!\x1a\x07", RefusalReason.UNSUPPORTED, "rar"),
    (b"7z\xbc\xaf\x27\x1c", RefusalReason.UNSUPPORTED, "7z"),
    (b"\x1f\x8b", RefusalReason.UNSUPPORTED, "gzip"),
    (b"MZ", RefusalReason.UNSUPPORTED, "program"),
    (b"\x7fELF", RefusalReason.UNSUPPORTED, "program"),
    (b"\x89PNG\r\n", RefusalReason.UNSUPPORTED, "image"),
    (b"\xff\xd8\xff", RefusalReason.UNSUPPORTED, "image"),
    (b"GIF8", RefusalReason.UNSUPPORTED, "image"),
    (b"BM", RefusalReason.UNSUPPORTED, "image"),
    (b"II*\x00", RefusalReason.UNSUPPORTED, "image"),
    (b"MM\x00*", RefusalReason.UNSUPPORTED, "image"),
    (b"MIME-Version:", RefusalReason.UNSUPPORTED, "mhtml"),
    (b"ITSF", RefusalReason.UNSUPPORTED, "chm"),
    (b"\t\x08\x10\x00\x00\x06", RefusalReason.LEGACY_FORMAT, "xls"),
    (b"\t\x08\x08\x00\x00\x05", RefusalReason.LEGACY_FORMAT, "xls"),
)
_OFFICE = (
    ("word/document.xml", Format.DOCX),
    ("ppt/presentation.xml", Format.PPTX),
    ("xl/workbook.xml", Format.XLSX),
)
_LEGACY_STREAMS = (
    ("WordDocument", "doc"),
    ("Workbook", "xls"),
    ("Book", "xls"),
    ("PowerPoint Document", "ppt"),
)
_HTML = re.compile(
    r"<(?:!doctype\s+html|html|head|body|table|div|h[1-6]|%@\s*page|meta)\b", re.IGNORECASE
)
_OFFICE_XML = re.compile(r'progid="(Word|Excel|PowerPoint)\.', re.IGNORECASE)
_OPEN_DOCUMENT = {b"text": "odt", b"presentation": "odp"}  # last word of the member `mimetype`
_HEAD_CHARS = 4096
_LOCK_FILE_BYTES = 1024
_OWNER_FILE_BYTES = {162, 165}  # of Word, of Excel and PowerPoint
_OWNER_NAME_CHARS = 54
_DOC_ENCRYPTED_FLAG = 0x0100
_PPT_ENCRYPTED_TOKEN = 0xF3D1C4DF
_XLS_FILE_PASS = 0x002F
_TEXT_SUFFIXES = {
    ".csv": Format.CSV,
    ".tsv": Format.TSV,
    ".tab": Format.TSV,
    ".md": Format.MARKDOWN,
    ".markdown": Format.MARKDOWN,
    ".txt": Format.TEXT,
}


def is_lock_file(name: str, head: bytes) -> bool:
    """The `~$` file that Word or WPS keeps beside an open document; there is nothing to import.

    Told by its name, or by its contents where it was renamed: a length, a user name, padding.
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    if len(head) > _LOCK_FILE_BYTES:
        return False
    if last.startswith(("~$", ".~")):
        return True
    return len(head) in _OWNER_FILE_BYTES and 0 < head[0] <= _OWNER_NAME_CHARS and b"\0" in head


def sniff(data: bytes, *, name: str, archive: Archive | None) -> Format:
    """What `data` is; `archive` is the same bytes opened, where they are a zip.

    Raises:
        ImportRefused: empty, lock_file, drm, password, legacy_format or unsupported.
    """
    if not data:
        raise ImportRefused(RefusalReason.EMPTY)
    if is_lock_file(name, data):
        raise ImportRefused(RefusalReason.LOCK_FILE, name)
    _refuse_protected(data)
    if archive is not None:
        return _sniff_zip(archive)
    if data.startswith(_OLE):
        return _sniff_ole(data)
    if b"%PDF-" in data[:1024]:
        return Format.PDF
    for magic, reason, detail in _FOREIGN:
        if data.startswith(magic):
            raise ImportRefused(reason, detail)
    return _sniff_text(data, name)


def is_zip(data: bytes) -> bool:
    """Whether the bytes start as a zip does."""
    return data.startswith((_ZIP, _EMPTY_ZIP))


def _refuse_protected(data: bytes) -> None:
    for magic, product in _PROTECTED:
        if data.startswith(magic):
            raise ImportRefused(RefusalReason.DRM, product)
    if b"E-SafeNet" in data[:64]:
        raise ImportRefused(RefusalReason.DRM, "E-SafeNet (亿赛通)")


def _sniff_zip(archive: Archive) -> Format:
    for member, fmt in _OFFICE:
        if member in archive:
            return fmt
    names = [name.lower() for name in archive.names]
    if any(name.endswith((".md", ".markdown", ".html", ".htm")) for name in names):
        return Format.BUNDLE
    if "xl/workbook.bin" in archive:
        return Format.XLSB
    if "mimetype" in archive:
        return _sniff_open_document(archive.read("mimetype"))
    if "ofd.xml" in names:
        raise ImportRefused(RefusalReason.OFD, "ofd")
    raise ImportRefused(RefusalReason.UNSUPPORTED, "zip")


def _sniff_open_document(declared: bytes) -> Format:
    last = declared.strip().rpartition(b".")[2]
    if last == b"spreadsheet":
        return Format.ODS
    kind = _OPEN_DOCUMENT.get(last)
    if kind is None:
        raise ImportRefused(RefusalReason.UNSUPPORTED, "odf")
    raise ImportRefused(RefusalReason.LEGACY_FORMAT, kind)


def _sniff_ole(data: bytes) -> Format:
    try:
        with olefile.OleFileIO(BytesIO(data)) as ole:
            return _judge_ole(ole)
    except (OSError, ValueError, IndexError, TypeError, AttributeError) as error:
        raise ImportRefused(RefusalReason.CORRUPT, f"ole: {error}") from error


def _judge_ole(ole: olefile.OleFileIO) -> Format:
    if ole.exists("EncryptedPackage"):
        rights = ole.exists("\x06DataSpaces/TransformInfo/DRMEncryptedTransform")
        rights = rights or ole.exists("\x06DataSpaces/TransformInfo/DRMTransform")
        raise ImportRefused(RefusalReason.DRM if rights else RefusalReason.PASSWORD, "office")
    for stream, kind in _LEGACY_STREAMS:
        if ole.exists(stream):
            if _is_encrypted(ole, kind, stream):
                raise ImportRefused(RefusalReason.PASSWORD, kind)
            if kind == "xls":
                return Format.XLS
            raise ImportRefused(RefusalReason.LEGACY_FORMAT, kind)
    raise ImportRefused(RefusalReason.UNSUPPORTED, "ole")


def _is_encrypted(ole: olefile.OleFileIO, kind: str, stream: str) -> bool:
    if kind == "xls":
        return _xls_is_encrypted(ole, stream)
    return _doc_is_encrypted(ole) if kind == "doc" else _ppt_is_encrypted(ole)


def _xls_is_encrypted(ole: olefile.OleFileIO, stream: str) -> bool:
    """A FilePass record among those that open the stream, [MS-XLS] 2.4.117."""
    head = ole.openstream(stream).read(_HEAD_CHARS)
    at = 0
    while at + 4 <= len(head):
        kind, size = struct.unpack_from("<HH", head, at)
        if kind == _XLS_FILE_PASS:
            return True
        at += 4 + size
    return False


def _doc_is_encrypted(ole: olefile.OleFileIO) -> bool:
    """The fEncrypted bit of the file information block, [MS-DOC] 2.5.1."""
    head = ole.openstream("WordDocument").read(12)
    return len(head) == 12 and bool(int.from_bytes(head[10:12], "little") & _DOC_ENCRYPTED_FLAG)


def _ppt_is_encrypted(ole: olefile.OleFileIO) -> bool:
    """The header token of the Current User stream, [MS-PPT] 2.3.2."""
    if not ole.exists("Current User"):
        return False
    head = ole.openstream("Current User").read(16)
    return len(head) == 16 and int.from_bytes(head[12:16], "little") == _PPT_ENCRYPTED_TOKEN


def _sniff_text(data: bytes, name: str) -> Format:
    if b"\0" in data[:_HEAD_CHARS] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ImportRefused(RefusalReason.UNSUPPORTED, "binary")
    head = decode(data[: _HEAD_CHARS * 4])[0][:_HEAD_CHARS].lstrip("\ufeff \t\r\n")
    office = _OFFICE_XML.search(head)
    if office is not None:
        raise ImportRefused(RefusalReason.LEGACY_FORMAT, f"{office[1].lower()} xml")
    suffix = "." + name.lower().rpartition(".")[2]
    by_name = _TEXT_SUFFIXES.get(suffix)
    if by_name in {Format.CSV, Format.TSV, Format.MARKDOWN}:
        return by_name
    if _HTML.search(head) or head.startswith("<%"):
        return Format.HTML
    if head.startswith("<?xml"):
        raise ImportRefused(RefusalReason.UNSUPPORTED, "xml")
    return by_name or Format.MARKDOWN

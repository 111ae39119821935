"""Zip containers, opened with suspicion: names, sizes and XML are checked before anyone parses.

Every office format and every guide bundle is a zip, so the one check for bombs, traversal and
entity declarations lives here. Nothing is ever written to disk.
"""

import posixpath
import re
import zipfile
import zlib
from io import BytesIO
from typing import IO

from lxml import etree

from kb.errors import ImportRefused, RefusalReason
from kb.importer.limits import MIB, ImportLimits

_CHUNK = 256 * 1024
_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)|<\0!\0(?:D\0O\0C|E\0N\0T)|\0<\0!\0(?:D\0O|E\0N)")
_XML_SUFFIXES = (".xml", ".rels", ".vml", ".xhtml")
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError)
_RATIO_FLOOR = MIB
_UTF8_FLAG = 0x800
_ENCRYPTED_FLAG = 0x1


class Archive:
    """A zip in memory whose members have been judged; reading stays within the limits."""

    def __init__(self, data: bytes, limits: ImportLimits) -> None:
        """Judge the directory.

        Raises:
            ImportRefused: corrupt, password, zip_bomb or unsafe_path.
        """
        self._limits = limits
        self._unpacked = 0
        try:
            self._zip = zipfile.ZipFile(BytesIO(data))
        except _BROKEN as error:
            raise ImportRefused(RefusalReason.CORRUPT, f"zip: {error}") from error
        infos = [info for info in self._zip.infolist() if not info.is_dir()]
        self._judge(infos)
        self._members = {_name(info): info for info in infos}

    @property
    def names(self) -> tuple[str, ...]:
        """Member paths with forward slashes, in file order; folders are left out."""
        return tuple(self._members)

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def read(self, name: str) -> bytes:
        """One member, unpacked in pieces, so that a lying directory entry cannot exceed limits.

        Raises:
            KeyError: there is no such member.
            ImportRefused: corrupt or zip_bomb.
        """
        info = self._members[name]
        try:
            with self._zip.open(info) as stream:
                data = self._drain(stream, info)
        except (*_BROKEN, RuntimeError) as error:
            raise ImportRefused(RefusalReason.CORRUPT, f"{name}: {error}") from error
        return data

    def check_xml(self) -> None:
        """Refuse when any XML member declares a document type or an entity."""
        for name in self._members:
            if name.lower().endswith(_XML_SUFFIXES):
                refuse_declarations(self.read(name), name)

    def _drain(self, stream: IO[bytes], info: zipfile.ZipInfo) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while piece := stream.read(_CHUNK):
            size += len(piece)
            if size > max(info.file_size, 0) or size > self._limits.member_bytes:
                raise ImportRefused(RefusalReason.ZIP_BOMB, _name(info))
            pieces.append(piece)
        return b"".join(pieces)

    def _judge(self, infos: list[zipfile.ZipInfo]) -> None:
        if len(infos) > self._limits.members:
            raise ImportRefused(RefusalReason.ZIP_BOMB, f"{len(infos)} members")
        if sum(info.file_size for info in infos) > self._limits.unpacked_bytes:
            raise ImportRefused(RefusalReason.ZIP_BOMB, "unpacked size")
        for info in infos:
            self._judge_member(info)

    def _judge_member(self, info: zipfile.ZipInfo) -> None:
        name = _name(info)
        if info.flag_bits & _ENCRYPTED_FLAG:
            raise ImportRefused(RefusalReason.PASSWORD, name)
        if _is_unsafe(name):
            raise ImportRefused(RefusalReason.UNSAFE_PATH, name)
        swollen = info.file_size > _RATIO_FLOOR and (
            info.file_size > max(info.compress_size, 1) * self._limits.unpack_ratio
        )
        if swollen or info.file_size > self._limits.member_bytes:
            raise ImportRefused(RefusalReason.ZIP_BOMB, name)


def parse_xml(data: bytes, name: str) -> etree._Element:
    """XML without entities, network or document types; mends nothing.

    Raises:
        ImportRefused: corrupt or external_entity.
    """
    refuse_declarations(data, name)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
    )
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise ImportRefused(RefusalReason.CORRUPT, f"{name}: {error.msg}") from error


def parse_part(data: bytes, name: str) -> etree._Element | None:
    """An illustration's XML, or nothing where it is broken: the document reads on without it.

    Raises:
        ImportRefused: external_entity.
    """
    try:
        return parse_xml(data, name)
    except ImportRefused as refusal:
        if refusal.reason is RefusalReason.CORRUPT:
            return None
        raise


def refuse_declarations(data: bytes, name: str) -> None:
    """Office files never declare types or entities; one that does wants to read or to explode."""
    if _DECLARATION.search(data):
        raise ImportRefused(RefusalReason.EXTERNAL_ENTITY, name)


def _name(info: zipfile.ZipInfo) -> str:
    """The member's path; Chinese Windows writes GBK without saying so."""
    name = info.filename
    if not info.flag_bits & _UTF8_FLAG:
        raw = name.encode("cp437", errors="replace")
        for encoding in ("utf-8", "gb18030"):
            try:
                name = raw.decode(encoding)
            except UnicodeDecodeError:
                continue
            break
    return name.replace("\\", "/")


def _is_unsafe(name: str) -> bool:
    """Absolute, with a drive, or climbing out of the archive."""
    normal = posixpath.normpath(name)
    return normal.startswith(("/", "../")) or normal == ".." or ":" in normal[:3] or "\0" in name

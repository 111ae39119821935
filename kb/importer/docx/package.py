"""Parts and relationships of a Word file, over a checked archive.

python-docx is not used to open files: it refuses macro-enabled ones and gives up on the whole
document when one relationship points at nothing, which WPS writes now and then.
"""

import posixpath
import re
from dataclasses import dataclass

from lxml import etree

from kb.errors import ImportRefused, RefusalReason
from kb.importer.archive import Archive, parse_xml

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
WP = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
V = "{urn:schemas-microsoft-com:vml}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
WPS = "{http://schemas.microsoft.com/office/word/2010/wordprocessingShape}"

_RELATIONS = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
#: Names of the strict dialect, ISO/IEC 29500 part 1 annex, and what everybody else calls them.
_STRICT = b"http://purl.oclc.org/ooxml/"
_STRICT_NAMES = re.compile(_STRICT + rb"(\w+)/(\w+)")
_RENAMED = {
    b"officeDocument/math": M,
    b"officeDocument/relationships": R,
    b"wordprocessingml/main": W,
    b"drawingml/main": A,
    b"drawingml/wordprocessingDrawing": WP,
}
_DOCUMENT = "word/document.xml"


@dataclass(frozen=True, slots=True)
class Relation:
    """Where a relationship leads; `part` is None for a link to somewhere outside the file."""

    part: str | None
    target: str


class Package:
    """The parts that importing needs."""

    def __init__(self, archive: Archive) -> None:
        """Find the main part's relations.

        Raises:
            ImportRefused: corrupt or external_entity.
        """
        self._archive = archive
        self.document = self._xml(_DOCUMENT)
        self.relations = self._relations_of(_DOCUMENT)
        self.has_macros = any(name.endswith("vbaProject.bin") for name in archive.names)

    def optional_xml(self, name: str) -> etree._Element | None:
        """A part that a document may lack, or None; a broken one counts as lacking."""
        if name not in self._archive:
            return None
        try:
            return self._xml(name)
        except ImportRefused as refusal:
            if refusal.reason is RefusalReason.CORRUPT:
                return None
            raise

    def part(self, relation_id: str) -> tuple[bytes, str] | None:
        """Bytes and file name behind a relationship; None where it leads nowhere."""
        relation = self.relations.get(relation_id)
        if relation is None or relation.part is None or relation.part not in self._archive:
            return None
        return self._archive.read(relation.part), posixpath.basename(relation.part)

    def is_external(self, relation_id: str) -> bool:
        """Whether a relationship leads out of the file."""
        relation = self.relations.get(relation_id)
        return relation is not None and relation.part is None

    def _xml(self, name: str) -> etree._Element:
        return parse_xml(_as_usual(self._archive.read(name)), name)

    def _relations_of(self, part: str) -> dict[str, Relation]:
        folder, _, file = part.rpartition("/")
        root = self.optional_xml(f"{folder}/_rels/{file}.rels")
        found: dict[str, Relation] = {}
        for node in root.iter(_RELATIONS) if root is not None else ():
            target = node.get("Target", "")
            inside = node.get("TargetMode") != "External"
            found[node.get("Id", "")] = Relation(
                _resolve(folder, target) if inside else None, target
            )
        return found


def _as_usual(data: bytes) -> bytes:
    """The part with the names of the transitional dialect; both mean the same to an importer."""
    return _STRICT_NAMES.sub(_rename, data) if _STRICT in data else data


def _rename(found: re.Match[bytes]) -> bytes:
    usual = _RENAMED.get(found[1] + b"/" + found[2])
    return found[0] if usual is None else usual[1:-1].encode()


def _resolve(folder: str, target: str) -> str:
    if target.startswith("/"):
        return target.lstrip("/")
    return posixpath.normpath(posixpath.join(folder, target))


def value(node: etree._Element | None, attribute: str = "val") -> str | None:
    """The `w:val` of a property element; None where the element is absent."""
    return None if node is None else node.get(W + attribute)


def is_on(node: etree._Element | None) -> bool:
    """An on/off property: present and not switched off."""
    return node is not None and node.get(W + "val", "1") not in {"0", "false", "off", "none"}

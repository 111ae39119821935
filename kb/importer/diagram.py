"""SmartArt: the words of its nodes in their order; its shape is lost."""

from lxml import etree

from kb.importer.archive import parse_part
from kb.importer.characters import tidy

_DGM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_NODES = {None, "node", "asst"}  # the others draw lines or stand for the whole


def data_relation(graphic: etree._Element) -> str | None:
    """The relationship to a diagram's data, where the graphic is one."""
    ids = next(graphic.iter(_DGM + "relIds"), None)
    return None if ids is None else ids.get(_R + "dm")


def diagram_texts(data: bytes, name: str) -> list[str]:
    """What the nodes say, one text each; nothing for broken data.

    Raises:
        ImportRefused: external_entity.
    """
    root = parse_part(data, name)
    if root is None:
        return []
    texts = (
        tidy("".join(part.text or "" for part in point.iter(_A + "t")))
        for point in root.iter(_DGM + "pt")
        if point.get("type") in _NODES
    )
    return [text for text in texts if text]

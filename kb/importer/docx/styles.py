"""Styles of a Word file with their inheritance resolved: level, boldness, size, numbering, role."""

import re
from dataclasses import dataclass, replace

from lxml import etree

from kb.importer.docx.package import W, is_on, value
from kb.importer.elements import Role

_HEADING = re.compile(r"(?:heading|标题)\s*(\d)$", re.IGNORECASE)
_CONTENTS = re.compile(r"(?:toc(?:\s*\d|\s*heading)|目录\s*\d?|contents heading)$", re.IGNORECASE)
_TITLE = re.compile(r"(?:title|标题|文档标题)$", re.IGNORECASE)
_CAPTION = re.compile(r"(?:caption|题注|图题|图注|表题)$", re.IGNORECASE)
_BODY_LEVEL = 9  # w:outlineLvl 9 means body text
_DEEPEST = 30  # a basedOn chain longer than this is a loop


@dataclass(frozen=True, slots=True)
class ListPlace:
    """The list and level that a paragraph counts in, as far as it is said; list `0` is none."""

    number: str | None = None
    level: int | None = None

    def over(self, inherited: "ListPlace") -> "ListPlace":
        """What is said here, and the inherited rest."""
        number = inherited.number if self.number is None else self.number
        return ListPlace(number, inherited.level if self.level is None else self.level)


@dataclass(frozen=True, slots=True)
class Style:
    """What a paragraph or run style adds up to. `level` counts from 1; `size` is in points."""

    name: str = ""
    level: int | None = None
    bold: bool = False
    hidden: bool = False
    size: float | None = None
    numbering: ListPlace = ListPlace()
    role: Role = Role.TEXT
    style_id: str = ""


class Styles:
    """All styles of one file, by id."""

    def __init__(self, root: etree._Element | None) -> None:
        self._nodes: dict[str, etree._Element] = {}
        self._cache: dict[str, Style] = {}
        self._default = Style()
        if root is None:
            return
        run = root.find(f"{W}docDefaults/{W}rPrDefault/{W}rPr")
        self._default = Style(size=run_size(run)) if run is not None else Style()
        for node in root.iter(W + "style"):
            self._nodes[node.get(W + "styleId", "")] = node
            if node.get(W + "type") == "paragraph" and is_default(node):
                self._default = self._apply(node, self._default)

    @property
    def default(self) -> Style:
        """What a paragraph without a style looks like."""
        return self._default

    def get(self, style_id: str | None) -> Style:
        """The resolved style; the default for unknown ids."""
        if style_id is None or style_id not in self._nodes:
            return self._default
        if style_id not in self._cache:
            self._cache[style_id] = self._resolve(style_id)
        return self._cache[style_id]

    def _resolve(self, style_id: str) -> Style:
        chain: list[etree._Element] = []
        at: str | None = style_id
        while at in self._nodes and len(chain) < _DEEPEST:
            node = self._nodes[at]
            if node in chain:
                break
            chain.append(node)
            at = value(node.find(W + "basedOn"))
        style = replace(self._default, name="", level=None, numbering=ListPlace())
        for node in reversed(chain):
            style = self._apply(node, style)
        return style

    def _apply(self, node: etree._Element, base: Style) -> Style:
        name = value(node.find(W + "name")) or ""
        run = node.find(W + "rPr")
        paragraph = node.find(W + "pPr")
        style_id = node.get(W + "styleId", "")
        style = replace(base, name=name, role=_role(name, base.role), style_id=style_id)
        if run is not None:
            style = replace(
                style,
                bold=toggled(run, "b", style.bold),
                hidden=toggled(run, "vanish", style.hidden),
                size=run_size(run) or style.size,
            )
        if paragraph is not None:
            style = replace(style, numbering=list_place(paragraph).over(style.numbering))
        return replace(style, level=_level(name, paragraph, style.level))


def is_default(node: etree._Element) -> bool:
    """Whether a style is the one that paragraphs without a style have."""
    return node.get(W + "default") in {"1", "true"}


def toggled(properties: etree._Element, name: str, inherited: bool) -> bool:
    """An on/off run property, inherited where absent."""
    node = properties.find(W + name)
    return inherited if node is None else is_on(node)


def run_size(properties: etree._Element | None) -> float | None:
    """Font size in points; Word counts half points."""
    text = value(properties.find(W + "sz")) if properties is not None else None
    return float(text) / 2 if text and text.replace(".", "", 1).isdigit() else None


def list_place(properties: etree._Element) -> ListPlace:
    """The paragraph's own words on the list it counts in."""
    node = properties.find(W + "numPr")
    if node is None:
        return ListPlace()
    level = value(node.find(W + "ilvl"))
    number = value(node.find(W + "numId"))
    return ListPlace(number, int(level) if level is not None and level.isdigit() else None)


def outline_level(properties: etree._Element) -> int | None:
    """The paragraph's own outline level from 1; 0 for explicitly body text; None where unsaid."""
    text = value(properties.find(W + "outlineLvl"))
    if text is None or not text.isdigit():
        return None
    return 0 if int(text) >= _BODY_LEVEL else int(text) + 1


def _level(name: str, paragraph: etree._Element | None, inherited: int | None) -> int | None:
    own = outline_level(paragraph) if paragraph is not None else None
    if own is not None:
        return own or None
    named = _HEADING.match(name)
    return int(named[1]) if named else inherited


def _role(name: str, inherited: Role) -> Role:
    for pattern, role in (
        (_CONTENTS, Role.CONTENTS),
        (_TITLE, Role.TITLE),
        (_CAPTION, Role.CAPTION),
    ):
        if pattern.match(name):
            return role
    return Role.TEXT if name.lower() in {"normal", "正文"} else inherited

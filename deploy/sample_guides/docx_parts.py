"""Word constructs that python-docx has no words for: numbering, fields, shading, text boxes.

Each function changes the element that it is given. Nothing here knows about guides.
"""

from __future__ import annotations

from typing import Any

from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn

SCHEMES = {
    "official": (("chineseCountingThousand", "%1、"), ("chineseCountingThousand", "（%2）"),
                 ("decimal", "%3．")),
    "technical": (("decimal", "%1"), ("decimal", "%1.%2"), ("decimal", "%1.%2.%3")),
    "chapter": (("decimal", "第%1章"), ("decimal", "%1.%2"), ("decimal", "%1.%2.%3")),
    "chapter-cn": (("chineseCountingThousand", "第%1章"), ("chineseCountingThousand", "%2、"),
                   ("chineseCountingThousand", "（%3）")),
}  # fmt: skip
STEP_FORMATS = {
    "1.": ("decimal", "%1."),
    "1、": ("decimal", "%1、"),
    "（1）": ("decimal", "（%1）"),
    "步骤1": ("decimal", "步骤%1："),
    "第一步": ("chineseCountingThousand", "第%1步："),
    "①": ("decimalEnclosedCircleChinese", "%1"),
}


class Numbering:
    """Adds list definitions to a document; ids start above those of the default template."""

    def __init__(self, document: Any) -> None:
        self._root = document.part.numbering_part.element
        self._next = 500

    def headings(self, document: Any, scheme: str) -> int:
        """Bind Heading 1–3 to an automatic multilevel list; gives the list's id."""
        levels = "".join(
            f'<w:lvl w:ilvl="{n}"><w:start w:val="1"/><w:numFmt w:val="{form}"/>'
            f'<w:pStyle w:val="Heading{n + 1}"/><w:suff w:val="space"/>'
            f'<w:lvlText w:val="{text}"/><w:lvlJc w:val="left"/></w:lvl>'
            for n, (form, text) in enumerate(SCHEMES[scheme])
        )
        number = self._define(levels, "multilevel")
        for level in range(3):
            properties = document.styles[f"Heading {level + 1}"].element.get_or_add_pPr()
            properties.append(_num_pr(level, number))
        return number

    def steps(self, style: str, start: int) -> int:
        """A fresh one-level list in ``style`` that begins at ``start``; gives its id."""
        form, text = STEP_FORMATS[style]
        return self._define(
            f'<w:lvl w:ilvl="0"><w:start w:val="{start}"/><w:numFmt w:val="{form}"/>'
            f'<w:suff w:val="space"/><w:lvlText w:val="{text}"/><w:lvlJc w:val="left"/></w:lvl>',
            "singleLevel",
        )

    def _define(self, levels: str, kind: str) -> int:
        self._next += 1
        number = self._next
        abstract = parse_xml(
            f'<w:abstractNum {nsdecls("w")} w:abstractNumId="{number}">'
            f'<w:multiLevelType w:val="{kind}"/>{levels}</w:abstractNum>'
        )
        first = self._root.find(qn("w:num"))
        self._root.insert(len(self._root) if first is None else self._root.index(first), abstract)
        self._root.append(
            parse_xml(
                f'<w:num {nsdecls("w")} w:numId="{number}">'
                f'<w:abstractNumId w:val="{number}"/></w:num>'
            )
        )
        return number


def _num_pr(level: int, number: int) -> Any:
    return parse_xml(
        f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>'
    )


def number_paragraph(paragraph: Any, number: int) -> None:
    """Put ``paragraph`` on list ``number``; 0 takes it off the list of its style."""
    paragraph._p.get_or_add_pPr().append(_num_pr(0, number))  # noqa: SLF001


def set_font(style: Any, latin: str, east_asian: str) -> None:
    """Both fonts of a style; Word keeps the Chinese one apart."""
    style.font.name = latin
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    fonts.set(qn("w:eastAsia"), east_asian)


def add_field(paragraph: Any, code: str, shown: str, *, dirty: bool = False) -> None:
    """A complex field such as PAGE with the text ``shown`` until Word renews it."""
    for kind, text in (("begin", ""), ("", code), ("separate", ""), ("shown", shown), ("end", "")):
        run = paragraph.add_run()
        if kind == "shown":
            run.text = text
        elif kind:
            char = OxmlElement("w:fldChar")
            char.set(qn("w:fldCharType"), kind)
            if dirty and kind == "begin":
                char.set(qn("w:dirty"), "true")
            run._r.append(char)  # noqa: SLF001
        else:
            instruction = OxmlElement("w:instrText")
            instruction.set(qn("xml:space"), "preserve")
            instruction.text = f" {text} "
            run._r.append(instruction)  # noqa: SLF001


def open_field(paragraph: Any, code: str) -> None:
    """Begin a field whose result spans several paragraphs; ``close_field`` ends it."""
    add_field(paragraph, code, "", dirty=True)
    paragraph._p.remove(paragraph._p.r_lst[-1])  # noqa: SLF001  the end comes later
    paragraph._p.remove(paragraph._p.r_lst[-1])  # noqa: SLF001  the empty result


def close_field(paragraph: Any) -> None:
    """End the field that ``open_field`` began."""
    char = OxmlElement("w:fldChar")
    char.set(qn("w:fldCharType"), "end")
    paragraph.add_run()._r.append(char)  # noqa: SLF001


def shade(properties: Any, fill: str) -> None:
    """A background colour for a paragraph's or a cell's properties."""
    properties.append(
        parse_xml(f'<w:shd {nsdecls("w")} w:val="clear" w:color="auto" w:fill="{fill}"/>')
    )


def left_rule(paragraph: Any, colour: str) -> None:
    """A thick line at the left of ``paragraph``."""
    paragraph._p.get_or_add_pPr().append(  # noqa: SLF001
        parse_xml(
            f'<w:pBdr {nsdecls("w")}><w:left w:val="single" w:sz="24" w:space="6" '
            f'w:color="{colour}"/></w:pBdr>'
        )
    )


def repeat_header(row: Any) -> None:
    """Repeat a table's first row on every page."""
    row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))  # noqa: SLF001


def text_box(paragraph: Any, text: str) -> None:
    """A drawn text box anchored in ``paragraph`` (VML, as older guides have it)."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;")
    paragraph.add_run()._r.append(  # noqa: SLF001
        parse_xml(
            f'<w:pict {nsdecls("w")} xmlns:v="urn:schemas-microsoft-com:vml">'
            '<v:rect style="width:420pt;height:46pt" fillcolor="#fff4dd" strokecolor="#c98a1b">'
            '<v:textbox><w:txbxContent><w:p><w:r><w:t xml:space="preserve">'
            f"{safe}</w:t></w:r></w:p></w:txbxContent></v:textbox></v:rect></w:pict>"
        )
    )

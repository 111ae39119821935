"""Builds Word files part by part, so that every oddity of real ones can be written down."""

import zipfile
from dataclasses import dataclass, field
from io import BytesIO
from xml.sax.saxutils import escape

_NAMESPACES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:v="urn:schemas-microsoft-com:vml" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
)
_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
BREAK = "\n"


def run(text: str, *, bold: bool = False, size: float | None = None, extra: str = "") -> str:
    """One run; line ends become soft breaks, tabs tabs."""
    look = ("<w:b/>" if bold else "") + (f'<w:sz w:val="{int(size * 2)}"/>' if size else "") + extra
    parts = [
        f'<w:t xml:space="preserve">{escape(part)}</w:t>' if part else ""
        for part in text.split("\n")
    ]
    return f"<w:r><w:rPr>{look}</w:rPr>{'<w:br/>'.join(parts)}</w:r>"


def para(
    *content: str,
    style: str = "",
    num: tuple[int, int] | None = None,
    level: int | None = None,
) -> str:
    """One paragraph of runs; plain strings become runs."""
    properties = f'<w:pStyle w:val="{style}"/>' if style else ""
    if num is not None:
        properties += f'<w:numPr><w:ilvl w:val="{num[1]}"/><w:numId w:val="{num[0]}"/></w:numPr>'
    if level is not None:
        properties += f'<w:outlineLvl w:val="{level}"/>'
    runs = "".join(part if part.startswith("<") else run(part) for part in content)
    return f"<w:p><w:pPr>{properties}</w:pPr>{runs}</w:p>"


def table(*rows: tuple[str, ...], header: bool = False) -> str:
    """A table; a cell that starts with `<` is its own `w:tc`."""
    lines = []
    for index, row in enumerate(rows):
        marks = "<w:trPr><w:tblHeader/></w:trPr>" if header and index == 0 else ""
        cells = "".join(part if part.startswith("<w:tc") else cell(part) for part in row)
        lines.append(f"<w:tr>{marks}{cells}</w:tr>")
    return f"<w:tbl>{''.join(lines)}</w:tbl>"


def cell(text: str, *, span: int = 1, merge: str = "", content: str = "") -> str:
    """A table cell; `merge` is `restart` or `continue`."""
    properties = f'<w:gridSpan w:val="{span}"/>' if span > 1 else ""
    if merge:
        properties += '<w:vMerge w:val="restart"/>' if merge == "restart" else "<w:vMerge/>"
    body = content or "".join(map(para, text.split("\n")))
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{body}</w:tc>"


def picture(relation: str, *, wide: int = 300, high: int = 200, floats: bool = False) -> str:
    """A run with a picture of that size in points."""
    extent = f'<wp:extent cx="{wide * 12700}" cy="{high * 12700}"/>'
    graphic = (
        f'<a:graphic><a:graphicData><a:blip r:embed="{relation}"/></a:graphicData></a:graphic>'
    )
    kind = "anchor" if floats else "inline"
    return f"<w:r><w:drawing><wp:{kind}>{extent}{graphic}</wp:{kind}></w:drawing></w:r>"


def text_box(*paragraphs: str) -> str:
    """A run with a text box, written twice as Word does for old readers."""
    inside = "".join(paragraphs)
    new = (
        "<w:drawing><wp:anchor><a:graphic><a:graphicData><wps:wsp><wps:txbx>"
        f"<w:txbxContent>{inside}</w:txbxContent>"
        "</wps:txbx></wps:wsp></a:graphicData></a:graphic></wp:anchor></w:drawing>"
    )
    old = f"<v:textbox><w:txbxContent>{inside}</w:txbxContent></v:textbox>"
    old = f"<w:pict><v:shape>{old}</v:shape></w:pict>"
    return (
        "<w:r><mc:AlternateContent>"
        f'<mc:Choice Requires="wps">{new}</mc:Choice><mc:Fallback>{old}</mc:Fallback>'
        "</mc:AlternateContent></w:r>"
    )


def annotated(relation: str, *paragraphs: str) -> str:
    """A run with a group: a picture, and a text box laid over it, as screenshots are annotated."""
    content = f"<w:txbxContent>{''.join(paragraphs)}</w:txbxContent>"
    box = f"<wps:wsp><wps:txbx>{content}</wps:txbx></wps:wsp>"
    group = f'<wpg xmlns="group"><a:blip r:embed="{relation}"/>{box}</wpg>'
    graphic = f"<a:graphic><a:graphicData>{group}</a:graphicData></a:graphic>"
    extent = '<wp:extent cx="3810000" cy="2540000"/>'
    drawing = f"<w:drawing><wp:anchor>{extent}{graphic}</wp:anchor></w:drawing>"
    old = f'<w:pict><v:group><v:shape><v:imagedata r:id="{relation}"/></v:shape></v:group></w:pict>'
    return (
        "<w:r><mc:AlternateContent>"
        f'<mc:Choice Requires="wpg">{drawing}</mc:Choice><mc:Fallback>{old}</mc:Fallback>'
        "</mc:AlternateContent></w:r>"
    )


def field_chars(instruction: str, *result: str) -> str:
    """The runs of a complex field whose result may span paragraphs."""
    return (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
        f"<w:r><w:instrText>{instruction}</w:instrText></w:r>"
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r>'
        f"{''.join(result)}"
    )


FIELD_END = '<w:r><w:fldChar w:fldCharType="end"/></w:r>'

STYLES = """
<w:style w:type="paragraph" w:default="1" w:styleId="a"><w:name w:val="Normal"/></w:style>
<w:style w:type="paragraph" w:styleId="1"><w:name w:val="heading 1"/><w:basedOn w:val="a"/>
 <w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:style>
<w:style w:type="paragraph" w:styleId="2"><w:name w:val="heading 2"/><w:basedOn w:val="a"/>
 <w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>
<w:style w:type="paragraph" w:styleId="own"><w:name w:val="公司标题"/>
 <w:basedOn w:val="2"/></w:style>
<w:style w:type="paragraph" w:styleId="toc1"><w:name w:val="toc 1"/></w:style>
<w:style w:type="paragraph" w:styleId="title"><w:name w:val="Title"/></w:style>
<w:style w:type="character" w:styleId="hid"><w:name w:val="hid"/>
 <w:rPr><w:vanish/></w:rPr></w:style>
"""


@dataclass
class WordFile:
    """A Word file in the making."""

    body: list[str] = field(default_factory=list)
    styles: str = STYLES
    numbering: str = ""
    footnotes: str = ""
    media: dict[str, bytes] = field(default_factory=dict)
    relations: dict[str, str] = field(default_factory=dict)
    extra: dict[str, bytes] = field(default_factory=dict)

    def add(self, *blocks: str) -> "WordFile":
        """More of the body."""
        self.body.extend(blocks)
        return self

    def image(self, relation: str, data: bytes, name: str = "") -> "WordFile":
        """A picture part behind a relationship."""
        part = name or f"{relation}.png"
        self.media[f"word/media/{part}"] = data
        self.relations[relation] = f"media/{part}"
        return self

    def build(self) -> bytes:
        """The file's bytes."""
        buffer = BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in self._parts().items():
                archive.writestr(name, data)
        return buffer.getvalue()

    def _parts(self) -> dict[str, bytes | str]:
        """Every part by name; `extra` adds parts or takes the place of ours."""
        parts: dict[str, bytes | str] = {
            "[Content_Types].xml": _TYPES,
            "word/document.xml": _part("document", f"<w:body>{''.join(self.body)}</w:body>"),
            "word/styles.xml": _part("styles", self.styles),
            "word/_rels/document.xml.rels": self._relations(),
        }
        if self.numbering:
            parts["word/numbering.xml"] = _part("numbering", self.numbering)
        if self.footnotes:
            parts["word/footnotes.xml"] = _part("footnotes", self.footnotes)
        return {**parts, **self.media, **self.extra}

    def _relations(self) -> str:
        lines = (
            f'<Relationship Id="{key}" Type="image" Target="{target}"{_mode(target)}/>'
            for key, target in self.relations.items()
        )
        return f'<Relationships xmlns="{_RELATIONS}">{"".join(lines)}</Relationships>'


def _mode(target: str) -> str:
    return ' TargetMode="External"' if target.startswith("http") else ""


def levels(*forms: tuple[str, str], abstract: int = 0, legal: bool = False) -> str:
    """An abstract list: `(format, text)` per level."""
    inner = "".join(
        f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="{form}"/>'
        f"{'<w:isLgl/>' if legal and at else ''}"
        f'<w:lvlText w:val="{text}"/></w:lvl>'
        for at, (form, text) in enumerate(forms)
    )
    return f'<w:abstractNum w:abstractNumId="{abstract}">{inner}</w:abstractNum>'


def num(number: int, abstract: int = 0, *, restart: int | None = None) -> str:
    """A list over an abstract one, restarted where asked."""
    override = (
        f'<w:lvlOverride w:ilvl="0"><w:startOverride w:val="{restart}"/></w:lvlOverride>'
        if restart is not None
        else ""
    )
    return f'<w:num w:numId="{number}"><w:abstractNumId w:val="{abstract}"/>{override}</w:num>'


def _part(name: str, inner: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><w:{name} {_NAMESPACES}>{inner}</w:{name}>'

"""SmartArt in Word files and on slides: its words are kept where it stands."""

from io import BytesIO
from typing import Any

import pytest
from lxml import etree
from pptx import Presentation
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI
from pptx.util import Inches

from kb.errors import ImportRefused, RefusalReason
from kb.importer.diagram import diagram_texts
from kb.sections import WarningCode
from tests.kb.importer.trees import read, tree
from tests.kb.importer.word import WordFile, para

_SPACES = (
    'xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram"'
    ' xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
_URI = "http://schemas.openxmlformats.org/drawingml/2006/diagram"
RELATION = f"{_URI.replace('drawingml', 'officeDocument')}Data"


def data(*nodes: str) -> bytes:
    """A diagram's data part: its nodes between points that carry no words of the author's."""
    points = "".join(
        f'<dgm:pt modelId="{at}"><dgm:t><a:p><a:r><a:t>{text}</a:t></a:r></a:p></dgm:t></dgm:pt>'
        f'<dgm:pt modelId="9{at}" type="sibTrans"><dgm:t><a:p><a:r><a:t>箭头</a:t></a:r></a:p>'
        "</dgm:t></dgm:pt>"
        for at, text in enumerate(nodes)
    )
    return f"<dgm:dataModel {_SPACES}><dgm:ptLst>{points}</dgm:ptLst></dgm:dataModel>".encode()


def graphic(relation: str) -> str:
    ids = f'<dgm:relIds {_SPACES} r:dm="{relation}"/>'
    return f'<a:graphic><a:graphicData uri="{_URI}">{ids}</a:graphicData></a:graphic>'


def word(content: bytes | None) -> bytes:
    file = WordFile(relations={"rId5": "diagrams/data1.xml"})
    if content is not None:
        file.extra["word/diagrams/data1.xml"] = content
    run = f"<w:r><w:drawing><wp:inline>{graphic('rId5')}</wp:inline></w:drawing></w:r>"
    file.add(para("一、流程", style="1"), para("分三步：", run), para("完。"))
    return file.build()


def test_words_of_a_diagram_in_a_word_file_are_lines() -> None:
    guide = read(word(data("单位申报", "财政审核", "批复")), "手册.docx")
    assert tree(guide) == [
        "# 一、流程", "  分三步：", "  单位申报", "  财政审核", "  批复", "  完。",
    ]  # fmt: skip
    assert not guide.warnings


@pytest.mark.parametrize("content", [None, b"<broken", data()])
def test_a_diagram_without_words_is_doubted(content: bytes | None) -> None:
    guide = read(word(content), "手册.docx")
    assert tree(guide) == ["# 一、流程", "  分三步：", "  完。"]
    assert [(each.code, each.where) for each in guide.warnings] == [
        (WarningCode.SKIPPED_CONTENT, ("一、流程",))
    ]


def test_a_diagram_may_declare_nothing() -> None:
    with pytest.raises(ImportRefused) as refused:
        diagram_texts(b'<!DOCTYPE x [<!ENTITY a "b">]>' + data("甲"), "data1.xml")
    assert refused.value.reason is RefusalReason.EXTERNAL_ENTITY


def slides(*nodes: str) -> bytes:
    presentation = Presentation()
    slide: Any = presentation.slides.add_slide(presentation.slide_layouts[5])
    slide.shapes.title.text = "流程"
    frame = slide.shapes.add_table(1, 1, Inches(1), Inches(2), Inches(3), Inches(1))._element
    part = Part(
        PackURI("/ppt/diagrams/data1.xml"), "application/xml", slide.part.package, data(*nodes)
    )
    relation = slide.part.relate_to(part, RELATION)
    old = frame.graphic
    wrapped = f"<x {_SPACES}>{graphic(relation)}</x>"
    frame.replace(old, etree.fromstring(wrapped)[0])
    buffer = BytesIO()
    presentation.save(buffer)
    return buffer.getvalue()


def test_words_of_a_diagram_on_a_slide_are_lines() -> None:
    assert tree(read(slides("申报", "审核"), "课件.pptx")) == ["# 流程", "  申报", "  审核"]

"""SmartArt and charts: their words are kept where they stand."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from lxml import etree
from openpyxl.chart import BarChart, Reference
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI
from pptx.util import Inches

from kb.errors import ImportRefused, RefusalReason
from kb.importer.chart import MOST_POINTS, chart_texts
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


PLOT = "http://schemas.openxmlformats.org/drawingml/2006/chart"


def points(*texts: str) -> str:
    inner = "".join(f'<c:pt idx="{at}"><c:v>{text}</c:v></c:pt>' for at, text in enumerate(texts))
    return f"<c:strRef><c:f>Sheet1!A1</c:f><c:strCache>{inner}</c:strCache></c:strRef>"


def plot(title: str, name: str, categories: Sequence[str], values: Sequence[str]) -> bytes:
    """A chart's part."""
    words = f"<a:p><a:r><a:t>{title}</a:t></a:r></a:p>"
    head = f"<c:title><c:tx><c:rich>{words}</c:rich></c:tx></c:title>"
    series = (
        f"<c:ser><c:tx>{points(name)}</c:tx><c:cat>{points(*categories)}</c:cat>"
        f"<c:val>{points(*values)}</c:val></c:ser>"
    )
    spaces = f'xmlns:c="{PLOT}" {_SPACES}'
    body = f"<c:chart>{head}<c:plotArea><c:barChart>{series}</c:barChart></c:plotArea></c:chart>"
    return f"<c:chartSpace {spaces}>{body}</c:chartSpace>".encode()


def charted(content: bytes | None) -> bytes:
    file = WordFile(relations={"rId7": "charts/chart1.xml"})
    if content is not None:
        file.extra["word/charts/chart1.xml"] = content
    node = f'<c:chart xmlns:c="{PLOT}" {_SPACES} r:id="rId7"/>'
    data = f'<a:graphic {_SPACES}><a:graphicData uri="{PLOT}">{node}</a:graphicData></a:graphic>'
    run = f"<w:r><w:drawing><wp:inline>{data}</wp:inline></w:drawing></w:r>"
    return file.add(para("一、进度", style="1"), para("见下图：", run), para("完。")).build()


def test_a_chart_in_a_word_file_is_its_title_and_what_it_plots() -> None:
    content = plot("支出进度", "完成率", ["一季度", "二季度"], ["0.25", "0.30000000000000004"])
    guide = read(charted(content), "手册.docx")
    assert tree(guide) == [
        "# 一、进度", "  见下图：", "  支出进度", "  完成率：一季度 0.25；二季度 0.3", "  完。",
    ]  # fmt: skip
    assert not guide.warnings


@pytest.mark.parametrize("content", [None, b"<broken", plot("", "", [], [])])
def test_a_chart_without_words_is_doubted(content: bytes | None) -> None:
    guide = read(charted(content), "手册.docx")
    assert [(each.code, each.where) for each in guide.warnings] == [
        (WarningCode.SKIPPED_CONTENT, ("一、进度",))
    ]


def test_a_chart_of_a_thousand_points_is_cut_and_may_declare_nothing() -> None:
    many = [str(number) for number in range(1_000)]
    [title, series] = chart_texts(plot("多", "列", many, many), "chart1.xml")
    assert title == "多"
    assert series.count("；") == MOST_POINTS
    assert series.endswith("……")
    with pytest.raises(ImportRefused) as refused:
        chart_texts(b'<!DOCTYPE x [<!ENTITY a "b">]>' + plot("甲", "", [], []), "chart1.xml")
    assert refused.value.reason is RefusalReason.EXTERNAL_ENTITY


def test_the_charts_of_later_versions_keep_points_by_dimension() -> None:
    space = 'xmlns:cx="http://schemas.microsoft.com/office/drawing/2014/chartex"'
    words, numbers = (
        f"<cx:lvl>{''.join(f'<cx:pt>{one}</cx:pt>' for one in each)}</cx:lvl>"
        for each in (("追加", "调减"), ("30", "-5"))
    )
    dimensions = f"<cx:strDim>{words}</cx:strDim><cx:numDim>{numbers}</cx:numDim>"
    content = f"<cx:chartSpace {space}><cx:data>{dimensions}</cx:data></cx:chartSpace>"
    assert chart_texts(content.encode(), "chart1.xml") == ["追加 30；调减 -5"]


def test_a_chart_on_a_slide_is_lines() -> None:
    presentation = Presentation()
    slide: Any = presentation.slides.add_slide(presentation.slide_layouts[5])
    slide.shapes.title.text = "进度"
    plotted = CategoryChartData()
    plotted.categories = ["一季度", "二季度"]
    plotted.add_series("完成率", (0.25, 0.6))
    place = (Inches(1), Inches(3), Inches(4), Inches(3))
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *place, plotted)
    buffer = BytesIO()
    presentation.save(buffer)
    guide = read(buffer.getvalue(), "课件.pptx")
    assert tree(guide) == ["# 进度", "  完成率：一季度 0.25；二季度 0.6"]
    assert not guide.warnings


def test_a_chart_in_a_workbook_is_named_since_its_numbers_are_read_as_cells() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["季度", "完成率"], ["一季度", 25], ["二季度", 60]):
        sheet.append(row)
    chart = BarChart()
    chart.title = "支出进度"
    chart.add_data(Reference(sheet, min_col=2, min_row=1, max_row=3), titles_from_data=True)
    sheet.add_chart(chart, "D2")
    buffer = BytesIO()
    book.save(buffer)
    guide = read(buffer.getvalue(), "进度.xlsx")
    assert any("25" in line for line in tree(guide))
    [warning] = guide.warnings
    assert (warning.code, warning.detail) == (WarningCode.SKIPPED_CONTENT, "Sheet: 支出进度")

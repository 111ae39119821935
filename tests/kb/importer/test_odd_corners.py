"""What real files do now and then, one small file each."""

import struct
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl.utils.datetime import from_excel
from pptx.oxml.ns import qn
from pptx.util import Inches

from kb.importer.metafile import embedded_bitmap, is_metafile
from kb.sections import Guide, Image, Table, WarningCode
from tests.kb.importer.pictures import emf_with_bitmap, png, wmf_with_bitmap
from tests.kb.importer.test_docx import BODY
from tests.kb.importer.test_office_and_pdf import box, deck, saved, workbook
from tests.kb.importer.test_text_formats import zipped
from tests.kb.importer.trees import headings, read, tree
from tests.kb.importer.word import WordFile, annotated, levels, num, para, picture, run, table


def first_level(style: str, *, inner: str = "") -> str:
    """A list whose first level is bound to a style."""
    return (
        '<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:start w:val="1"/>'
        '<w:numFmt w:val="decimal"/><w:lvlText w:val="%1"/></w:lvl>'
        f'<w:lvl w:ilvl="1"><w:pStyle w:val="{style}"/><w:start w:val="1"/>'
        f'<w:numFmt w:val="decimal"/><w:lvlText w:val="%1.%2"/></w:lvl>{inner}</w:abstractNum>'
    )


def styled_lists(level_two: str) -> str:
    """Heading styles that count in list 1; the second as `level_two` says."""
    return (
        '<w:style w:type="paragraph" w:styleId="1"><w:name w:val="heading 1"/><w:pPr><w:numPr>'
        '<w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
        '<w:style w:type="paragraph" w:styleId="2"><w:name w:val="heading 2"/>'
        f'<w:basedOn w:val="1"/><w:pPr>{level_two}</w:pPr></w:style>'
    )


@pytest.mark.parametrize(
    "level_two",
    ["", '<w:numPr><w:ilvl w:val="1"/></w:numPr>', '<w:numPr><w:numId w:val="1"/></w:numPr>'],
)
def test_numbers_bound_to_styles(level_two: str) -> None:
    file = WordFile(numbering=first_level("2") + num(1), styles=styled_lists(level_two)).add(
        para("概述", style="1"), para("目的", style="2"), para("范围", style="2"), para(BODY)
    )
    assert headings(read(file.build(), "资料.docx"))[1:] == ["  1.1 目的", "  1.2 范围"]


def test_a_number_that_a_paragraph_switches_off() -> None:
    file = WordFile(numbering=first_level("2") + num(1), styles=styled_lists("")).add(
        para("前言", style="1", num=(0, 0)), para(BODY), para("概述", style="1"), para(BODY)
    )
    assert headings(read(file.build(), "资料.docx"))[0] == "前言"


def test_lists_borrowed_through_a_list_style_and_levels_overridden() -> None:
    numbering = (
        levels(("decimal", "（%1）")).replace(
            "</w:abstractNum>", '<w:styleLink w:val="步骤"/></w:abstractNum>'
        )
        + '<w:abstractNum w:abstractNumId="5"><w:numStyleLink w:val="步骤"/></w:abstractNum>'
        + num(1, 5)
        + '<w:num w:numId="2"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0">'
        '<w:lvl w:ilvl="0"><w:start w:val="3"/><w:numFmt w:val="bullet"/>'
        '<w:lvlText w:val="l"/></w:lvl></w:lvlOverride></w:num>'
    )
    file = WordFile(numbering=numbering).add(
        para("甲", style="1"),
        para("点击。", num=(1, 0)),
        para("保存。", num=(1, 0)),
        para("材料。", num=(2, 0)),
        para("没有这个列表。", num=(9, 0)),
        para("没有这一级。", num=(1, 7)),
    )
    assert tree(read(file.build(), "资料.docx"))[1:] == [
        "  <（1）> 点击。",
        "  <（2）> 保存。",
        "  <•> 材料。",
        "  没有这个列表。",
        "  没有这一级。",
    ]


def test_a_break_that_only_shapes_a_heading_joins_and_one_before_text_parts() -> None:
    file = WordFile().add(
        para("国库集中\n支付管理", style="1"),
        para(BODY),
        para(f"资金退回\n{BODY}{BODY}", style="1"),
    )
    assert tree(read(file.build(), "资料.docx")) == [
        "# 国库集中支付管理",
        f"  {BODY}",
        "# 资金退回",
        f"  {BODY}{BODY}",
    ]


def floating(relation: str, down: int) -> str:
    """A floating picture so far down from its paragraph."""
    place = f"<wp:positionV><wp:posOffset>{down}</wp:posOffset></wp:positionV>"
    return picture(relation, floats=True).replace("<wp:anchor>", f"<wp:anchor>{place}")


def test_floating_pictures_follow_their_paragraph_from_top_to_bottom() -> None:
    file = WordFile().image("r1", png(1)).image("r2", png(2))
    file.add(para("甲", style="1"), para(floating("r1", 900), floating("r2", 100), "两张截图："))
    guide = read(file.build(), "资料.docx")
    shown = [block for block in guide.sections[0].blocks if isinstance(block, Image)]
    assert [block.name for block in shown] == ["r2.png", "r1.png"]


def test_pictures_and_icons_in_table_cells() -> None:
    small, large = picture("r1", wide=12, high=12), picture("r2")
    file = WordFile().image("r1", png(1, (16, 16))).image("r2", png(2))
    rows = (
        ("按钮", "说明"),
        (f"<w:tc><w:tcPr/>{para(small, '新增')}</w:tc>", "加一行"),
        (f"<w:tc><w:tcPr/>{para(large)}</w:tc>", "截图"),
    )
    file.add(para("工具栏", style="1"), table(*rows))
    grid, shot = read(file.build(), "资料.docx").sections[0].blocks
    assert isinstance(grid, Table)
    assert grid.rows[1] == ("[图标]新增", "加一行")
    assert [icon.name for icon in grid.icons] == ["r1.png"]
    assert isinstance(shot, Image)


def test_style_chains_that_bite_their_tail_end() -> None:
    styles = (
        '<w:style w:type="paragraph" w:styleId="x"><w:basedOn w:val="y"/></w:style>'
        '<w:style w:type="paragraph" w:styleId="y"><w:basedOn w:val="x"/></w:style>'
    )
    file = WordFile(styles=styles).add(para(BODY, style="x"))
    assert tree(read(file.build(), "资料.docx")) == ["# ∅", f"  {BODY}"]


def test_sizes_come_from_runs_styles_and_defaults() -> None:
    styles = (
        '<w:docDefaults><w:rPrDefault><w:rPr><w:sz w:val="21"/></w:rPr></w:rPrDefault>'
        "</w:docDefaults>"
        '<w:style w:type="paragraph" w:styleId="big"><w:name w:val="big"/>'
        '<w:rPr><w:sz w:val="32"/></w:rPr></w:style>'
    )
    file = WordFile(styles=styles).add(
        para("登录", style="big"), para(BODY), para(BODY), para(BODY),
        para(run("退出", size=16)), para(BODY), para(BODY),
    )  # fmt: skip
    assert headings(read(file.build(), "资料.docx")) == ["登录", "退出"]


def test_old_metafiles_give_up_their_screenshot_and_broken_ones_nothing() -> None:
    whole = wmf_with_bitmap()
    assert is_metafile(whole)
    found = embedded_bitmap(whole)
    assert found is not None
    assert found[:2] == b"BM"
    for broken in (whole[:40], whole[:70], emf_with_bitmap()[:120], emf_with_bitmap()[:90]):
        assert embedded_bitmap(broken) is None
    inside = emf_with_bitmap()[:88] + struct.pack("<II", 70, 8) + png(1)
    assert embedded_bitmap(inside) == png(1)


def test_groups_hidden_slides_and_automatic_numbers_in_decks() -> None:
    def numbered(slide: Any) -> None:
        slide.shapes.title.text = "步骤"
        frame = box(slide, "打开", 1, 2).text_frame
        for text in ("填写", "保存"):
            frame.add_paragraph().text = text
        for paragraph in frame.paragraphs:
            properties = paragraph._p.get_or_add_pPr()
            properties.append(properties.makeelement(qn("a:buAutoNum"), {"type": "arabicPeriod"}))

    def grouped(slide: Any) -> None:
        slide.shapes.title.text = "分组"
        group = slide.shapes.add_group_shape()
        inner = group.shapes.add_textbox(Inches(1), Inches(3), Inches(2), Inches(1))
        inner.text_frame.text = "组内文字"
        group.shapes.add_picture(BytesIO(png(9)), Inches(1), Inches(4))

    def hidden(slide: Any) -> None:
        slide.shapes.title.text = "不放映"
        slide.element.set("show", "0")

    assert tree(read(deck(numbered, hidden, grouped), "课件.pptx")) == [
        "# 步骤", "  <1.> 打开", "  <2.> 填写", "  <3.> 保存",
        "# 分组", "  组内文字", "  [图]",
    ]  # fmt: skip


def test_merged_cells_on_slides_are_filled() -> None:
    def fill(slide: Any) -> None:
        slide.shapes.title.text = "得分"
        grid = slide.shapes.add_table(3, 2, Inches(1), Inches(2), Inches(4), Inches(1)).table
        for at, row in enumerate((("档", "分"), ("优", "10"), ("", "9"))):
            for column, text in enumerate(row):
                grid.cell(at, column).text = text
        grid.cell(1, 0).merge(grid.cell(2, 0))

    assert tree(read(deck(fill), "课件.pptx"))[1] == "  档|分 / 优|10 / 优|9"


def test_values_in_workbooks_read_as_excel_shows_them() -> None:
    day = from_excel(46_000)
    book = workbook(表=[["项", "值"], ["整数", 3.0], ["小数", 3.5], ["日期", day], ["是否", True],
                       ["图", '=DISPIMG("ID_1",1)']])  # fmt: skip
    guide = read(saved(book), "附表.xlsx")
    grid = guide.sections[0].blocks[0]
    assert isinstance(grid, Table)
    assert [row[1] for row in grid.rows[1:]][:4] == ["3", "3.5", "2025-12-09", "是"]


def test_text_before_the_first_heading_of_a_bundled_file_is_kept() -> None:
    data = zipped({
        "docs/index.md": "没有标题的一段说明文字。\n\n## 甲\n正文。\n",
        "docs/empty.md": "",
        "docs/pics.md": "![图](gone.png)\n",
    })  # fmt: skip
    guide = read(data, "帮助.zip")
    assert tree(guide) == ["# docs", "  没有标题的一段说明文字。", "  # 甲", "    正文。"]
    assert [each.code for each in guide.warnings] == [
        WarningCode.EMPTY_SECTION, WarningCode.MISSING_IMAGE, WarningCode.EMPTY_SECTION,
    ]  # fmt: skip


def test_pictures_inside_links_and_behind_windows_paths(tmp_path: Path) -> None:
    from base64 import b64encode

    from kb.importer import import_file

    (tmp_path / "图 片").mkdir()
    (tmp_path / "图 片" / "一.png").write_bytes(png(1))
    inline = f"data:image/png;base64,{b64encode(png(2)).decode()}"
    path = tmp_path / "页.html"
    path.write_text(
        f'<h2>甲</h2><p>正文。</p><img src="图%20片\\一.png"><img src="{inline}">'
        '<img src="data:,x">',
        encoding="utf-8",
    )
    guide = import_file(path)
    assert isinstance(guide, Guide)
    assert len(guide.images) == 2
    assert [each.code for each in guide.warnings] == [WarningCode.UNREADABLE_IMAGE]


def test_the_strict_dialect_of_open_xml_is_read_like_the_usual_one() -> None:
    usual = (
        WordFile().image("r1", png(7)).add(para("一、甲", style="1"), para("正文。", picture("r1")))
    ).build()
    buffer = BytesIO()
    with zipfile.ZipFile(BytesIO(usual)) as old, zipfile.ZipFile(buffer, "w") as strict:
        for name in old.namelist():
            data = old.read(name)
            for word in (b"wordprocessingml", b"drawingml", b"officeDocument"):
                data = data.replace(
                    b"http://schemas.openxmlformats.org/" + word + b"/2006/",
                    b"http://purl.oclc.org/ooxml/" + word + b"/",
                )
            strict.writestr(name, data)
    made = buffer.getvalue()
    with zipfile.ZipFile(BytesIO(made)) as archive:
        assert b"purl.oclc.org" in archive.read("word/document.xml")
    assert read(made, "手册.docx") == read(usual, "手册.docx")


def test_an_annotated_screenshot_keeps_its_picture_its_remarks_and_its_caption() -> None:
    file = WordFile().image("r1", png(1)).image("r2", png(2))
    inside = para("点击这里的按钮。", picture("r2"))
    file.add(
        para("一、录入", style="1"),
        *(para("窗口如下：", annotated("r1", inside)) for _ in range(20)),
        para("图1-1 录入窗口"),
        para(BODY),
    )
    shown = tree(read(file.build(), "手册.docx"))
    assert shown[1:5] == ["  窗口如下：", "  [图]", "  !note ：点击这里的按钮。", "  [图]"]
    assert sum(line == "  [图]" for line in shown) == 2 * 20 - 1
    assert shown[-2:] == ["  [图1-1 录入窗口]", f"  {BODY}"]


def test_shapes_that_cannot_be_made_out_cost_nothing_but_themselves() -> None:
    def fill(slide: Any) -> None:
        slide.shapes.title.text = "审核"
        shape = box(slide, "没有轮廓的文字", 1, 2)._element
        shape.spPr.remove(shape.spPr.find(qn("a:prstGeom")))
        shape.nvSpPr.cNvSpPr.attrib.pop("txBox")
        lost = slide.shapes.add_picture(BytesIO(png(1)), Inches(1), Inches(3))._element
        lost.blipFill.find(qn("a:blip")).set(qn("r:embed"), "rId77")
        bare = slide.shapes.add_picture(BytesIO(png(2)), Inches(1), Inches(4))._element
        del bare.blipFill.find(qn("a:blip")).attrib[qn("r:embed")]
        box(slide, "后面的文字", 1, 5)

    guide = read(deck(fill), "课件.pptx")
    assert tree(guide) == ["# 审核", "  没有轮廓的文字", "  后面的文字"]
    assert [(each.code, each.page) for each in guide.warnings] == [
        (WarningCode.MISSING_IMAGE, 1),
        (WarningCode.MISSING_IMAGE, 1),
    ]


_ODD_PICTURE = (
    '<p:pic><p:nvPicPr><p:cNvPr id="9" name="p"/><p:cNvPicPr/><p:nvPr/></p:nvPicPr></p:pic>'
)
_ODD_PLACEHOLDER = (
    '<p:sp><p:nvSpPr><p:cNvPr id="9" name="f"/><p:cNvSpPr/><p:nvPr><p:ph type="new"/></p:nvPr>'
    "</p:nvSpPr><p:spPr/><p:txBody><a:bodyPr/><a:p><a:r><a:t>新的占位符</a:t></a:r></a:p>"
    "</p:txBody></p:sp>"
)


@pytest.mark.parametrize(
    ("odd", "kept"),
    [
        ("<p:contentPart/>", []),
        (_ODD_PICTURE, []),
        (_ODD_PLACEHOLDER, ["  新的占位符"]),
    ],
)
def test_elements_that_no_library_foresaw_do_not_stop_a_deck(odd: str, kept: list[str]) -> None:
    def fill(slide: Any) -> None:
        slide.shapes.title.text = "审核"
        box(slide, "文字", 1, 2)

    whole, made = deck(fill), BytesIO()
    with zipfile.ZipFile(BytesIO(whole)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "ppt/slides/slide1.xml":
                data = data.replace(b"</p:spTree>", odd.encode() + b"</p:spTree>")
            new.writestr(name, data)
    assert sorted(tree(read(made.getvalue(), "课件.pptx"))) == sorted(["# 审核", "  文字", *kept])

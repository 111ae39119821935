"""Slide decks, workbooks and PDF files."""

from io import BytesIO
from typing import Any

import openpyxl
import pytest
from openpyxl.drawing.image import Image as SheetImage
from PIL import Image as Pillow
from pptx import Presentation
from pptx.util import Inches
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from kb.errors import ImportRefused, RefusalReason
from kb.importer import ImportLimits
from kb.sections import Guide, Table, WarningCode
from tests.kb.importer.pictures import png
from tests.kb.importer.trees import headings, read, read_table, tree

FONT = "STSong-Light"


def deck(*slides: Any) -> bytes:
    """A deck; each slide is a function that fills it."""
    presentation = Presentation()
    for fill in slides:
        fill(presentation.slides.add_slide(presentation.slide_layouts[5]))
    buffer = BytesIO()
    presentation.save(buffer)
    return buffer.getvalue()


def box(slide: Any, text: str, left: float, top: float) -> Any:
    """A text box at a place in inches."""
    shape = slide.shapes.add_textbox(Inches(left), Inches(top), Inches(3), Inches(0.5))
    shape.text_frame.text = text
    return shape


def test_slides_are_read_in_the_order_of_the_eye() -> None:
    def fill(slide: Any) -> None:
        slide.shapes.title.text = "自评填报"
        box(slide, "第三", 1, 4)
        box(slide, "第二", 5, 2)
        box(slide, "第一", 1, 2.02)
        slide.shapes.add_picture(BytesIO(png(1)), Inches(1), Inches(5))
        slide.notes_slide.notes_text_frame.text = "提醒大家先保存。"

    guide = read(deck(fill), "课件.pptx")
    assert tree(guide) == [
        "# 自评填报", "  第一", "  第二", "  第三", "  [图]", "  !note 备注：提醒大家先保存。",
    ]  # fmt: skip
    assert guide.sections[0].page == 1


def test_a_title_slide_names_the_deck() -> None:
    def cover(slide: Any) -> None:
        slide.shapes.title.text = "绩效自评填报指引"
        box(slide, "文档版本：V1.0", 1, 3)

    def body(slide: Any) -> None:
        slide.shapes.title.text = "入口"
        box(slide, "打开【绩效管理】。", 1, 3)

    guide = read(deck(cover, body), "上传的课件.pptx")
    assert (guide.title, guide.version) == ("绩效自评填报指引", "1.0")
    assert headings(guide) == ["入口"]


def test_a_slide_without_title_takes_its_first_line_and_a_repeated_title_goes_on() -> None:
    def bare(slide: Any) -> None:
        slide.shapes.title._element.getparent().remove(slide.shapes.title._element)
        box(slide, "基本用法", 0.2, 0.1)
        box(slide, "说明文字", 0.2, 2)

    guide = read(deck(bare, bare), "课件.pptx")
    assert tree(guide) == ["# 基本用法", "  说明文字", "  说明文字"]


def test_tables_and_groups_on_slides() -> None:
    def fill(slide: Any) -> None:
        slide.shapes.title.text = "得分"
        shape = slide.shapes.add_table(3, 2, Inches(1), Inches(2), Inches(4), Inches(1))
        rows = (("执行率", "得分"), ("90%", "10"), ("80%", "8"))
        for at, row in enumerate(rows):
            for column, text in enumerate(row):
                shape.table.cell(at, column).text = text
        group = slide.shapes.add_group_shape()
        box(group.part.slide if False else slide, "尾注", 1, 6)

    assert tree(read(deck(fill), "课件.pptx"))[1] == "  执行率|得分 / 90%|10 / 80%|8"


def workbook(**sheets: list[list[Any]]) -> openpyxl.Workbook:
    """A workbook with these rows."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    return made


def saved(book: openpyxl.Workbook) -> bytes:
    """Its bytes."""
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_a_workbook_of_forms_becomes_a_guide() -> None:
    book = workbook(
        报送表=[
            ["预算报送时间表", None, None],
            ["阶段", "时间", "完成"],
            ["一上", 20261015, "✓"],
            [None, None, None],
            ["二上", 20261120, None],
        ]
    )
    book["报送表"].merge_cells("A1:C1")
    guide = read(saved(book), "附表.xlsx")
    table = guide.sections[0].blocks[-1]
    assert headings(guide) == ["报送表"]
    assert isinstance(table, Table)
    assert table.rows == (
        ("阶段", "时间", "完成"),
        ("一上", "20261015", "✓"),
        ("二上", "20261120", ""),
    )


def test_hidden_sheets_rows_and_columns_are_left_out_and_merged_cells_filled() -> None:
    book = workbook(
        表=[["域", "模块", "内部"], ["预算", "编制", "x"], [None, "调剂", "y"], ["隐", "藏", "z"]],
        底稿=[["秘密", "秘密"]],
    )
    book["底稿"].sheet_state = "hidden"
    book["表"].merge_cells("A2:A3")
    book["表"].row_dimensions[4].hidden = True
    book["表"].column_dimensions["C"].hidden = True
    guide = read(saved(book), "附表.xlsx")
    table = guide.sections[0].blocks[0]
    assert isinstance(table, Table)
    assert table.rows == (("域", "模块"), ("预算", "编制"), ("预算", "调剂"))


def test_a_cell_far_out_does_not_walk_the_whole_sheet() -> None:
    book = workbook(表=[["甲", "乙"], ["1", "2"]])
    book["表"].cell(row=1_048_576, column=16_384, value="远")
    guide = read(saved(book), "附表.xlsx")
    assert isinstance(guide, Guide)


def test_pictures_on_sheets_are_kept() -> None:
    book = workbook(表=[["甲", "乙"], ["1", "2"]])
    book["表"].add_image(SheetImage(BytesIO(png(5))), "D2")
    assert len(read(saved(book), "附表.xlsx").images) == 1


def test_an_empty_workbook_is_refused() -> None:
    with pytest.raises(ImportRefused) as refused:
        read_table(saved(workbook(空=[])), "附表.xlsx")
    assert refused.value.reason is RefusalReason.NO_TEXT


class Pages:
    """A PDF file in the making; places in points from the top left."""

    def __init__(self) -> None:
        pdfmetrics.registerFont(UnicodeCIDFont(FONT))
        self._buffer = BytesIO()
        self.canvas = Canvas(self._buffer, pagesize=A4, invariant=True)

    def line(self, text: str, left: float, top: float, size: float = 10.5) -> "Pages":
        """One line of text."""
        self.canvas.setFont(FONT, size)
        self.canvas.drawString(left, A4[1] - top, text)
        return self

    def image(self, data: bytes, left: float, top: float, wide: float, high: float) -> "Pages":
        """A picture."""
        with Pillow.open(BytesIO(data)) as opened:
            self.canvas.drawImage(ImageReader(opened.copy()), left, A4[1] - top - high, wide, high)
        return self

    def turn(self) -> "Pages":
        """The next page."""
        self.canvas.showPage()
        return self

    def build(self) -> bytes:
        """The file's bytes."""
        self.canvas.save()
        return self._buffer.getvalue()


# As long as a line of the page.
LONG = "参加询价的用户可以登录本单位的官方网站并在招标采购栏目中的询价采购系统进行注册或者"


def test_wrapped_lines_are_joined_and_headings_found_by_size() -> None:
    pages = Pages().line("一、注册", 90, 80, 22)
    pages.line(LONG, 90, 120).line("登录。", 90, 136).line("第二段。", 90, 160)
    pages.image(png(1), 90, 180, 200, 100)
    pages.line("1. 准备文件；", 90, 300).line(f"2. {LONG[:38]}", 90, 320).line(
        "提交即可；", 104, 336
    )
    pages.line("二、竞价", 90, 400, 22).line("点击竞价按钮。", 90, 430)
    guide = read(pages.build(), "说明.pdf")
    assert tree(guide) == [
        "# 一、注册", f"  {LONG}登录。", "  第二段。", "  [图]", "  <1.> 准备文件；",
        f"  <2.> {LONG[:38]}提交即可；", "# 二、竞价", "  点击竞价按钮。",
    ]  # fmt: skip
    assert [section.page for section in guide.sections] == [1, 1]


def test_running_heads_and_page_numbers_are_dropped() -> None:
    pages = Pages()
    for number in range(1, 5):
        pages.line("某某局操作手册", 200, 30).line(f"第 {number} 页 共 4 页", 250, 815)
        pages.line(f"{'一二三四'[number - 1]}、章节", 90, 100, 20).line(
            "这里是正文的一句话。", 90, 140
        ).turn()
    shown = tree(read(pages.build(), "说明.pdf"))
    assert [line for line in shown if "手册" in line or "页" in line] == []
    assert len(shown) == 8


def test_the_files_own_outline_declares_headings() -> None:
    pages = Pages()
    for at, (name, level) in enumerate([("概述", 0), ("登录", 0), ("忘记密码", 1), ("退出", 0)]):
        pages.canvas.bookmarkPage(name)
        pages.canvas.addOutlineEntry(name, name, level)
        pages.line(name, 90, 80 + at * 100).line("这里是正文的一句话。", 90, 110 + at * 100)
    assert headings(read(pages.build(), "说明.pdf")) == ["概述", "登录", "  忘记密码", "退出"]


def test_ruled_tables_are_read_and_joined_over_pages() -> None:
    pages = Pages()
    for page, rows in enumerate(
        ([("情形", "办法"), ("重复缴", "退付")], [("情形", "办法"), ("多收", "核实")])
    ):
        pages.line("一、退付" if page == 0 else "", 90, 80, 20)
        top = 720 if page == 0 else 60
        pages.canvas.grid([90, 250, 410], [A4[1] - top - n * 24 for n in range(len(rows) + 1)])
        for at, row in enumerate(rows):
            for column, text in enumerate(row):
                pages.line(text, 100 + column * 160, top + 16 + at * 24)
        pages.turn()
    block = read(pages.build(), "说明.pdf").sections[0].blocks[0]
    assert isinstance(block, Table)
    assert block.rows == (("情形", "办法"), ("重复缴", "退付"), ("多收", "核实"))


def test_pages_without_text_are_noted_and_a_scan_is_refused() -> None:
    pages = Pages().line("一、注册", 90, 80, 20).line("这里是正文的一句话。", 90, 120).turn()
    pages.image(png(1), 90, 100, 300, 400).turn()
    found = read(pages.build(), "说明.pdf")
    assert [(each.code, each.page) for each in found.warnings if each.page] == [
        (WarningCode.PAGE_WITHOUT_TEXT, 2)
    ]
    with pytest.raises(ImportRefused) as refused:
        read(Pages().image(png(1), 0, 0, *A4).turn().build(), "扫描.pdf")
    assert refused.value.reason is RefusalReason.NO_TEXT


def test_too_many_pages_are_refused() -> None:
    pages = Pages().line("甲", 90, 80).turn().line("乙", 90, 80).turn()
    with pytest.raises(ImportRefused) as refused:
        read(pages.build(), "说明.pdf", ImportLimits(pages=1))
    assert refused.value.reason is RefusalReason.TOO_LARGE


def test_a_password_on_a_pdf_is_named() -> None:
    buffer = BytesIO()
    canvas = Canvas(buffer, encrypt="secret")
    canvas.drawString(90, 700, "hello")
    canvas.save()
    with pytest.raises(ImportRefused) as refused:
        read(buffer.getvalue(), "说明.pdf")
    assert refused.value.reason is RefusalReason.PASSWORD


def test_an_address_that_could_not_be_parted_joins_the_line_it_fell_from() -> None:
    pages = Pages().line("一、注册", 90, 80, 22)
    pages.line(LONG, 90, 110).line("办理。", 90, 126)
    pages.line(LONG[:33], 90, 150).line("https://portal.example.gov.cn/page进行注册。", 90, 166)
    assert tree(read(pages.build(), "说明.pdf"))[-1] == (
        f"  {LONG[:33]}https://portal.example.gov.cn/page进行注册。"
    )


def test_shapes_of_a_group_are_read_in_the_order_of_the_eye() -> None:
    def fill(slide: Any) -> None:
        slide.shapes.title.text = "审核"
        group = slide.shapes.add_group_shape()
        for text, top in (("后", 5), ("前", 3)):
            shape = group.shapes.add_textbox(Inches(1), Inches(top), Inches(3), Inches(0.5))
            shape.text_frame.text = text

    assert tree(read(deck(fill), "课件.pptx"))[1:] == ["  前", "  后"]


def test_a_failing_search_for_tables_costs_the_tables_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("glyph")

    monkeypatch.setattr("pdfplumber.open", fail)
    pages = Pages().line("一、退付", 90, 80, 20).line("情形", 100, 116).line("办法", 260, 116)
    pages.canvas.grid([90, 250, 410], [A4[1] - top for top in (100, 124, 148)])
    pages.line("重复缴", 100, 140).line("退付", 260, 140)
    guide = read(pages.build(), "说明.pdf")
    assert "重复缴" in "".join(tree(guide))
    assert [(each.code, each.detail, each.page) for each in guide.warnings if each.page] == [
        (WarningCode.SKIPPED_CONTENT, "tables: AssertionError", 1)
    ]

"""Word files: what the XML says and what a reader sees."""

import pytest

from kb.sections import Callout, Image, Paragraph, Step, Table, WarningCode
from tests.kb.importer.pictures import emf_with_bitmap, emf_without_bitmap, png
from tests.kb.importer.trees import headings, read, tree
from tests.kb.importer.word import (
    FIELD_END,
    WordFile,
    cell,
    field_chars,
    levels,
    num,
    para,
    picture,
    run,
    table,
    text_box,
)

BODY = "在系统首页点击对应的菜单进入页面，按要求填写后保存即可，保存后可以继续修改。"


def test_headings_come_from_styles_their_ancestors_and_outline_levels() -> None:
    file = WordFile().add(
        para("系统管理", style="1"),
        para(BODY),
        para("用户管理", style="own"),  # based on heading 2
        para(BODY),
        para("角色管理", level=1),
        para(BODY),
    )
    assert headings(read(file.build(), "手册.docx")) == ["系统管理", "  用户管理", "  角色管理"]


def test_automatic_numbers_are_rendered_in_headings_and_steps() -> None:
    file = WordFile(
        numbering=levels(("chineseCounting", "%1、"), ("decimal", "%1.%2"), legal=True)
        + levels(("decimal", "%1)"), abstract=1)
        + num(1)
        + num(2, 1)
        + num(3, 1, restart=1)
    ).add(
        para("总则", style="1", num=(1, 0)),
        para("适用范围", style="2", num=(1, 1)),
        para("点击【新增】。", num=(2, 0)),
        para("点击【保存】。", num=(2, 0)),
        para("登录", style="1", num=(1, 0)),
        para("输入账号。", num=(2, 0)),
        para("重新开始编号。", num=(3, 0)),
    )
    assert tree(read(file.build(), "手册.docx")) == [
        "# 一、总则",
        "  # 1.1 适用范围",
        "    <1)> 点击【新增】。",
        "    <2)> 点击【保存】。",
        "# 二、登录",
        "  <3)> 输入账号。",
        "  <1)> 重新开始编号。",
    ]


def test_soft_breaks_hide_headings() -> None:
    file = WordFile(numbering=levels(("decimal", "%1.")) + num(1)).add(
        para("管理员手册", style="1"),
        para(f"新建流程\n流程由状态和动作组成。\n1.1 编辑流程\n{BODY}", num=(1, 0)),
        para(f"表单管理\n2.1 新建表单\n{BODY}\n2.2 编辑表单\n{BODY}", num=(1, 0)),
        para("普通用户手册", style="1"),
        para(BODY),
    )
    assert headings(read(file.build(), "手册.docx")) == [
        "管理员手册",
        "  1. 新建流程",
        "    1.1 编辑流程",
        "  2. 表单管理",
        "    2.1 新建表单",
        "    2.2 编辑表单",
        "普通用户手册",
    ]


def test_a_soft_break_that_only_wraps_a_sentence_does_not_part_it() -> None:
    wrapped = "本功能用于单位经办人在年度预算批复之后录入支付申请并提交给单位\n审核人审核。"
    file = WordFile().add(para("概述", style="1"), para(wrapped))
    assert tree(read(file.build(), "手册.docx"))[1] == "  " + wrapped.replace("\n", "")


def test_a_drawing_made_of_characters_keeps_its_lines() -> None:
    file = WordFile().add(para("结构", style="1"), para("┌──┐\n│ A │\n└──┘"))
    block = read(file.build(), "手册.docx").sections[0].blocks[0]
    assert block == Paragraph("┌──┐\n│ A │\n└──┘")


def test_tables_of_contents_go_whether_field_style_or_control() -> None:
    control = (
        "<w:sdt><w:sdtPr><w:docPartObj><w:docPartGallery w:val='Table of Contents'/></w:docPartObj>"
        f"</w:sdtPr><w:sdtContent>{para('第一章 总则 1')}</w:sdtContent></w:sdt>"
    )
    file = WordFile().add(
        control,
        para(field_chars('TOC \\o "1-3"', run("第一章 总则\t1"))),
        para(run("第二章 附则\t9") + FIELD_END),
        para("目录行", style="toc1"),
        para("第一章 总则", style="1"),
        para(BODY),
    )
    assert tree(read(file.build(), "手册.docx")) == ["# 第一章 总则", f"  {BODY}"]


def test_an_unfinished_contents_field_does_not_swallow_the_document() -> None:
    file = WordFile().add(
        para(field_chars('TOC \\o "1-3"', run("第一章 总则\t1"))),
        para("第一章 总则", style="1"),
        para(BODY),
    )
    assert tree(read(file.build(), "手册.docx")) == ["# 第一章 总则", f"  {BODY}"]


def test_deleted_hidden_and_code_text_is_not_content() -> None:
    file = WordFile().add(
        para("规则", style="1"),
        para(
            run("应当"),
            "<w:del><w:r><w:delText>不应当</w:delText></w:r></w:del>",
            "<w:ins><w:r><w:t>及时</w:t></w:r></w:ins>",
            run("报送", extra=""),
            run("内部说明", extra="<w:vanish/>"),
            run("样式隐藏", extra='<w:rStyle w:val="hid"/>'),
            field_chars("MERGEFIELD name", run("张三")) + FIELD_END,
            run("。"),
        ),
    )
    assert tree(read(file.build(), "手册.docx"))[1] == "  应当及时报送张三。"


def test_merged_cells_are_filled_and_empty_rows_dropped() -> None:
    file = WordFile().add(
        para("字段", style="1"),
        table(
            ("业务域", "模块", "说明"),
            (cell("预算", merge="restart"), "编制", "一上二上"),
            (cell("", merge="continue"), cell("两栏", span=2)),
            ("", "", ""),
        ),
    )
    block = read(file.build(), "手册.docx").sections[0].blocks[0]
    assert isinstance(block, Table)
    assert block.rows == (
        ("业务域", "模块", "说明"),
        ("预算", "编制", "一上二上"),
        ("预算", "两栏", "两栏"),
    )


def test_a_nested_table_keeps_its_numbers_inside_the_cell() -> None:
    inner = table(("1", "指标"), ("2", "额度"))
    file = WordFile().add(
        para("需求", style="1"),
        table(("序号", "内容"), ("一", cell("", content=para("明细") + inner))),
    )
    assert tree(read(file.build(), "手册.docx"))[1:] == [
        "  序号|内容 / 一|明细\n1 | 指标\n2 | 额度",
    ]


def test_a_frame_of_one_cell_is_no_table() -> None:
    file = WordFile().add(para("说明", style="1"), table((cell("", content=para(BODY)),)))
    assert tree(read(file.build(), "手册.docx")) == ["# 说明", f"  {BODY}"]


def test_pictures_stay_in_order_with_captions_and_are_stored_once() -> None:
    file = (
        WordFile()
        .image("r1", png(1))
        .image("r2", png(2))
        .image("r3", png(1))
        .add(
            para("录入", style="1"),
            para("点击【新增】：", picture("r1")),
            para("图1-1 录入界面"),
            para(picture("r2"), "看到列表后选择一行。"),
            para(picture("r3")),
        )
    )
    guide = read(file.build(), "手册.docx")
    assert tree(guide)[1:] == [
        "  点击【新增】：",
        "  [图1-1 录入界面]",
        "  [图]",
        "  看到列表后选择一行。",
        "  [图]",
    ]
    shas = [block.sha256 for block in guide.sections[0].blocks if isinstance(block, Image)]
    assert shas[0] == shas[2] != shas[1]
    assert set(guide.images) == set(shas)


def test_small_pictures_in_a_line_stay_as_words_and_are_doubted() -> None:
    icon = picture("r1", wide=16, high=16)
    file = WordFile().image("r1", png(1, (16, 16)))
    file.add(para("工具栏", style="1"), *(para(icon, "：用于删除选中的记录") for _ in range(3)))
    guide = read(file.build(), "手册.docx")
    first = guide.sections[0].blocks[0]
    assert isinstance(first, Paragraph)
    assert first.text == "[图标]：用于删除选中的记录"
    assert [each.sha256 for each in first.icons] == list(guide.images)
    assert WarningCode.INLINE_ICONS in {each.code for each in guide.warnings}


def test_a_wide_low_screenshot_is_not_an_icon() -> None:
    file = WordFile().image("r1", png(1, (900, 30)))
    file.add(para("列表", style="1"), para("列表如下", picture("r1", wide=420, high=14)))
    assert tree(read(file.build(), "手册.docx"))[1:] == ["  列表如下", "  [图]"]


def test_metafiles_give_up_the_screenshot_they_wrap_or_are_noted() -> None:
    file = (
        WordFile()
        .image("r1", emf_with_bitmap(), "a.emf")
        .image("r2", emf_without_bitmap(), "b.emf")
    )
    file.add(para("流程", style="1"), para(BODY), para(picture("r1")), para(picture("r2")))
    guide = read(file.build(), "手册.docx")
    assert [data[:4] for data in guide.images.values()] == [b"\x89PNG"]
    assert [(each.code, each.detail) for each in guide.warnings] == [
        (WarningCode.UNCONVERTED_IMAGE, "b.emf")
    ]


def test_broken_external_and_unreadable_pictures_are_noted_never_fatal() -> None:
    file = WordFile(relations={"r1": "NULL", "r2": "http://example.com/a.png"})
    file.image("r3", b"not a picture")
    file.add(para("图", style="1"), para(BODY), *(para(picture(f"r{n}")) for n in (1, 2, 3)))
    assert [each.code for each in read(file.build(), "手册.docx").warnings] == [
        WarningCode.MISSING_IMAGE,
        WarningCode.EXTERNAL_IMAGE,
        WarningCode.UNREADABLE_IMAGE,
    ]


def test_vml_pictures_of_old_files_are_found() -> None:
    shape = '<v:shape style="width:200pt;height:90pt"><v:imagedata r:id="r1"/></v:shape>'
    old = f"<w:r><w:pict>{shape}</w:pict></w:r>"
    file = WordFile().image("r1", png(3)).add(para("图", style="1"), para("见下图：", old))
    assert tree(read(file.build(), "手册.docx"))[1:] == ["  见下图：", "  [图]"]


def test_a_text_box_in_the_text_is_a_remark_and_one_on_the_cover_goes() -> None:
    file = WordFile().add(
        para(text_box(para("文章标题"), para("创建人 时间"))),
        para("第一章 总则", style="1"),
        para(BODY, text_box(para("注意：保存前请先核对金额。"))),
    )
    blocks = read(file.build(), "手册.docx").sections[0].blocks
    assert blocks == (
        Paragraph(BODY),
        Callout("warning", "保存前请先核对金额。", title="注意"),
    )


def test_footnotes_follow_the_paragraph_that_they_hang_on() -> None:
    note = '<w:r><w:footnoteReference w:id="2"/></w:r>'
    file = WordFile(
        footnotes='<w:footnote w:type="separator" w:id="1"/>'
        f'<w:footnote w:id="2">{para("含基金预算。")}</w:footnote>'
    ).add(para("口径", style="1"), para("预算总额", note))
    assert read(file.build(), "手册.docx").sections[0].blocks[1] == Callout(
        "note", "含基金预算。", title="注"
    )


def test_labels_stay_with_their_section_even_when_styled_as_headings() -> None:
    file = WordFile().add(
        para("单位审核", style="1"),
        para("操作步骤：", style="2"),
        para("1、打开待办。"),
        para("支付更正", style="1"),
        para(run("操作步骤：", bold=True)),
        para("1、新增更正单。"),
    )
    assert tree(read(file.build(), "手册.docx")) == [
        "# 单位审核",
        "  操作步骤：",
        "  <1、> 打开待办。",
        "# 支付更正",
        "  操作步骤：",
        "  <1、> 新增更正单。",
    ]


def test_a_bold_opening_becomes_the_label_of_its_line() -> None:
    file = WordFile().add(
        para("状态", style="1"),
        para(run("待审核：", bold=True), run("经办人已经提交，审核人还没有处理。")),
    )
    assert read(file.build(), "手册.docx").sections[0].blocks == (
        Paragraph("经办人已经提交，审核人还没有处理。", label="待审核"),
    )


def test_the_cover_gives_title_version_and_date_and_is_no_content() -> None:
    file = WordFile().add(
        para("支付申请录入操作指引", style="title"),
        para("文档版本：V1.3　发布日期：2026年3月16日"),
        para("编制单位：禾城市财政信息中心"),
        table(
            ("版本", "日期", "说明"), ("V1.0", "2025-01-01", "初稿"), ("V1.3", "2026-03-16", "修订")
        ),
        para("一、适用情形", style="1"),
        para(BODY),
    )
    guide = read(file.build(), "上传.docx")
    assert (guide.title, guide.version, guide.issued) == (
        "支付申请录入操作指引",
        "1.3",
        "2026-03-16",
    )
    assert guide.meta["编制单位"] == "禾城市财政信息中心"
    assert headings(guide) == ["一、适用情形"]


def test_pages_are_counted_where_word_laid_them_out() -> None:
    turn = "<w:r><w:lastRenderedPageBreak/></w:r>"
    file = WordFile().add(
        para("一、甲", style="1"), para(BODY), para(turn, "二、乙", style="1"), para(BODY)
    )
    assert [section.page for section in read(file.build(), "手册.docx").sections] == [1, 2]


def test_macros_are_ignored_and_noted() -> None:
    file = WordFile(extra={"word/vbaProject.bin": b"\0"}).add(para("一、甲", style="1"), para(BODY))
    assert [each.code for each in read(file.build(), "手册.docm").warnings] == [
        WarningCode.MACROS_IGNORED
    ]


def test_formulas_symbols_and_ruby_keep_their_characters() -> None:
    file = WordFile().add(
        para("公式", style="1"),
        para(
            "应付",
            '<w:r><w:sym w:font="Wingdings" w:char="F0E0"/></w:r>',
            "<m:oMath><m:r><m:t>a+b</m:t></m:r></m:oMath>",
        ),
    )
    assert tree(read(file.build(), "手册.docx"))[1] == "  应付→a+b"


@pytest.mark.parametrize("part", ["styles", "numbering", "footnotes"])
def test_a_broken_side_part_is_as_good_as_none(part: str) -> None:
    file = WordFile(extra={f"word/{part}.xml": b"<broken"}).add(para("正文。"), para(BODY))
    assert tree(read(file.build(), "手册.docx")) == ["# ∅", "  正文。", f"  {BODY}"]


def test_a_step_with_a_picture_keeps_both() -> None:
    file = WordFile(numbering=levels(("decimal", "%1)")) + num(1)).image("r1", png(4))
    file.add(para("删除", style="1"), para("选中要删除的行。", picture("r1"), num=(1, 0)))
    first, second = read(file.build(), "手册.docx").sections[0].blocks
    assert first == Step("1)", "选中要删除的行。")
    assert isinstance(second, Image)

"""Made-up files that hold what real ones hold, one of each format; their trees are kept as golden.

The words are invented. Each file is a small manual rather than a list of cases, because cues work
together: a numbered line means something else beside a styled heading than alone.
"""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import openpyxl
from openpyxl.drawing.image import Image as SheetImage
from pptx.oxml.ns import qn
from pptx.util import Inches

from tests.kb.importer.pictures import emf_with_bitmap, emf_without_bitmap, png, wmf_with_bitmap
from tests.kb.importer.test_office_and_pdf import LONG, Pages, box, deck
from tests.kb.importer.test_text_formats import zipped
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

SENTENCE = "在业务办理页面点击对应的菜单进入列表，按要求填写以后保存，保存以后还可以修改。"
_STYLES = """
<w:style w:type="paragraph" w:default="1" w:styleId="a"><w:name w:val="Normal"/></w:style>
<w:style w:type="paragraph" w:styleId="t"><w:name w:val="Title"/></w:style>
<w:style w:type="paragraph" w:styleId="1"><w:name w:val="heading 1"/><w:basedOn w:val="a"/>
 <w:pPr><w:outlineLvl w:val="0"/><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>
<w:style w:type="paragraph" w:styleId="2"><w:name w:val="heading 2"/><w:basedOn w:val="a"/>
 <w:pPr><w:outlineLvl w:val="1"/><w:numPr><w:ilvl w:val="1"/><w:numId w:val="1"/></w:numPr></w:pPr>
 </w:style>
<w:style w:type="paragraph" w:styleId="toc1"><w:name w:val="toc 1"/></w:style>
"""
_HEADER = (
    '<w:hdr xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
    "<w:p><w:r><w:t>另一份文件的页眉</w:t></w:r></w:p></w:hdr>"
)


def word_manual() -> bytes:
    """Styled headings with automatic numbers, a cover, and every odd thing inside a paragraph."""
    file = WordFile(
        styles=_STYLES,
        numbering=levels(("chineseCounting", "第%1章"), ("decimal", "%1.%2"), legal=True)
        + levels(("decimal", "%1)"), ("lowerLetter", "%2."), abstract=1)
        + num(1) + num(2, 1, restart=1) + num(3, 1, restart=1),
        footnotes=f'<w:footnote w:id="2">{para("节假日顺延。")}</w:footnote>',
        extra={"word/header1.xml": _HEADER.encode()},
    )  # fmt: skip
    for name, data in (("r1", png(1)), ("r2", png(2)), ("r3", png(3, (16, 16)))):
        file.image(name, data)
    file.image("r5", emf_with_bitmap(), "a.emf").image("r6", wmf_with_bitmap(), "b.wmf")
    file.image("r7", emf_without_bitmap(), "c.emf")
    note = '<w:r><w:footnoteReference w:id="2"/></w:r>'
    icon = picture("r3", wide=16, high=16)
    return file.add(
        para("用款计划操作手册", style="t"),
        para("版本：V2.3　　发布日期：2026年3月5日"),
        para(text_box(para("文章标题"), para("创建人 时间"))),
        para(field_chars('TOC \\o "1-2"', run("第一章 总则\t1"))),
        para(run("第二章 录入\t2") + FIELD_END),
        para("总则", style="1"),
        para("适用范围", style="2"),
        para(run("预算单位"), "<w:del><w:r><w:delText>和企业</w:delText></w:r></w:del>",
             "<w:ins><w:r><w:t>、主管部门</w:t></w:r></w:ins>", run("按月申报"), note, run("。")),
        para("角色与权限", style="2"),
        table(("岗位", "菜单", "可做"),
              (cell("单位", merge="restart"), "计划录入", "●"),
              (cell("", merge="continue"), cell("计划审核、计划查询", span=2)),
              ("", "", ""),
              ("财政", cell("", content=para("批复") + table(("一审", "业务股室"),
                                                            ("二审", "国库股"))), "●")),
        para("录入", style="1"),
        para("新增计划", style="2"),
        para("操作步骤："),
        para("打开【计划录入】。", num=(2, 0)),
        para("点【新增】，如图2-1所示：", picture("r1"), num=(2, 0)),
        para("图2-1 新增窗口"),
        para("选指标；", num=(2, 1)),
        para("填金额。", num=(2, 1)),
        para("保存。", num=(2, 0)),
        para("注意事项："),
        para(SENTENCE, picture("r2", floats=True), text_box(para("提示：金额不能大于可用数。"))),
        para("修改计划", style="2"),
        para("双击一行打开。", num=(3, 0)),
        para("改好以后保存，其余操作同2.1。", num=(3, 0)),
        para("按钮说明", style="2"),
        *(para(icon, text) for text in ("：新增一行", "：删除选中的行", "：导出列表")),
        para("流程图", style="2"),
        para(picture("r5")),
        para(picture("r6")),
        para(picture("r7")),
        para("当月可用数 = 已批复 - 已支付", field_chars("PAGEREF x", run("")) + FIELD_END),
        para("<m:oMath><m:r><m:t>x=a+b</m:t></m:r></m:oMath>", "，其中 a 为上月结余。"),
        para("附则", style="1"),
        para("略"),
        para("停用功能", style="1"),
    ).build()  # fmt: skip


def word_typed() -> bytes:
    """Nothing is styled: typed numbers, bold lines and soft breaks are all there is."""
    file = WordFile().image("r1", png(1))
    return file.add(
        para("目　录"),
        para("第一章 登录系统……………………1"),
        para("第二章 日常办理……………………2"),
        para(run("第一章 登录系统", bold=True)),
        para("一、浏览器设置"),
        para("（一）兼容模式\n" + SENTENCE),
        para(picture("r1")),
        para("（二）弹出窗口\n" + SENTENCE),
        para("二、登录"),
        para("1、输入账号；"),
        para("2、输入口令，点【登录】。"),
        para(run("第二章 日常办理", bold=True)),
        para("一、查询"),
        para(run("操作步骤：", bold=True)),
        para("1.打开列表；\n2.输入条件；\n3.点【查询】。"),
        para("二、打印"),
        para(run("操作步骤：", bold=True)),
        para("1.选中一行；\n2.点【打印】。"),
        para("打印方法同查询。"),
        para("────────────"),
        para("返回目录"),
    ).build()


def pdf_manual() -> bytes:
    """Wrapped lines, a ruled table over two pages, a running head, page numbers."""
    pages = Pages()
    pages.line("某市用款计划手册", 220, 30, 9).line("1", 300, 820, 9)
    pages.line("一、申报", 90, 90, 20)
    pages.line(LONG, 90, 130).line("办理。", 90, 146).line("另起一段。", 90, 172)
    pages.line("1. 填写；", 90, 200).line(f"2. {LONG[:38]}", 90, 220).line("送审。", 104, 236)
    pages.image(png(1), 90, 260, 200, 100)
    pages.line("图1 送审窗口", 130, 380)
    pages.line("二、退回的原因", 90, 640, 20)
    _grid(pages, 700, [("原因", "办法"), ("超指标", "改金额")])
    pages.turn()
    pages.line("某市用款计划手册", 220, 30, 9).line("2", 300, 820, 9)
    _grid(pages, 60, [("原因", "办法"), ("附件不全", "补附件")])
    pages.line("三、查询", 90, 200, 20).line("打开【计划查询】按月份查。", 90, 230)
    pages.turn()
    pages.line("某市用款计划手册", 220, 30, 9).line("3", 300, 820, 9)
    pages.line("四、打印", 90, 90, 20).line("点【打印】。", 90, 130)
    return pages.build()


def _grid(pages: Pages, top: float, rows: list[tuple[str, str]]) -> None:
    edges = [841.89 - top - n * 24 for n in range(len(rows) + 1)]
    pages.canvas.grid([90, 250, 410], edges)
    for at, row in enumerate(rows):
        for column, text in enumerate(row):
            pages.line(text, 100 + column * 160, top + 16 + at * 24)


def slides() -> bytes:
    """Callouts out of order, a picture, automatic numbers, a title slide."""

    def cover(slide: Any) -> None:
        slide.shapes.title.text = "用款计划培训"
        box(slide, "2026年4月", 1, 3)

    def body(slide: Any) -> None:
        slide.shapes.title.text = "审核"
        box(slide, "③ 确认", 6, 4)
        box(slide, "① 打开待办", 1, 2)
        box(slide, "② 核对金额", 6, 2.02)
        slide.shapes.add_picture(BytesIO(png(1)), Inches(1), Inches(5))
        frame = box(slide, "看清指标", 1, 6).text_frame
        frame.add_paragraph().text = "看清收款人"
        for paragraph in frame.paragraphs:
            auto = paragraph._p.get_or_add_pPr().makeelement(
                qn("a:buAutoNum"), {"type": "ea1ChsPeriod"}
            )
            paragraph._p.get_or_add_pPr().append(auto)
        slide.notes_slide.notes_text_frame.text = "讲慢一点。"

    return deck(cover, body)


def workbook() -> bytes:
    """The three shapes of question sheets, and a sheet that is none."""
    book = openpyxl.Workbook()
    named = book.active
    named.title = "按列"
    for row in (("用款计划常见问题", None, None), ("问题", "原因", "解决办法"),
                ("保存时报错？", "金额超了。", "改小金额。"),
                ("空答案？", None, None)):  # fmt: skip
        named.append(row)
    named.merge_cells("A1:C1")
    named.add_image(SheetImage(BytesIO(png(1))), "D3")
    stacked = book.create_sheet("上下排")
    for text in (
        "Q：计划什么时候批？",
        "A：每月五日前。",
        "节假日顺延。",
        "Q.能撤回吗？",
        "A:能。",
    ):
        stacked.append([text])
    beside = book.create_sheet("编号列")
    for row in (
        ("ID", "QUESTION", "ANSWER"),
        (1, "怎么导出？", "点【导出】。"),
        (2, "怎么打印？", "点【打印】。"),
    ):
        beside.append(row)
    book.create_sheet("说明").append(["填表人", "日期"])
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


_SITE = {
    "docs/index.md": "---\ntitle: 用款计划帮助\n---\n# 首页\n\n按菜单查看。\n",
    "docs/plan/add.md": """---
title: 新增
---
# 新增计划

1. 点 <kbd>新增</kbd>。
2. 选**指标**：

![新增窗口](./images/add.png)

::: warning 注意
金额不能大于可用数。
:::

<!-- 旧流程：先打印再送审 -->

<ShowImg src="./images/list.png" text="列表页" />

**批量新增**

用模板导入，见[模板](https://example.com/a.xlsx)。

<details><summary>模板在哪？</summary>

在列表右上角。

</details>

![没有的图](./images/none.png)
""",
    "docs/plan/old.md": "<!--\n# 作废\n全文作废。\n-->\n",
    "docs/plan/images/add.png": png(1),
    "docs/plan/images/list.png": png(2),
}


def site() -> bytes:
    """A help site as its folder of Markdown files."""
    return zipped(_SITE)


def page() -> bytes:
    """A page that declares one encoding and is in another."""
    return (
        "\ufeff<html><head><meta charset=gb2312><title>计划帮助</title>"
        "<style>p.MsoNormal{mso-style-name:正文}</style></head><body>"
        "<%@ page language='java' %>"
        "<ul class=menu><li><a href=#a>首页</a><li><a href=#b>登录</a></ul>"
        "<h1>计划帮助</h1><h2 id=a>登录</h2><p>1、打开门户；</p><p>2、点【登录】。</p>"
        "<h2 id=b>申報</h2><p>點擊【申報】按鈕。</p>"
        "<table><tr><th>状态<th>含义<tr><td rowspan=2>待审<td>等审核<tr><td>可撤回</table>"
        "<p><a href=#top>返回顶部</a></p></body></html>"
    ).encode()


FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "word-manual": ("用款计划操作手册V2.3.docx", word_manual),
    "word-typed": ("日常办理说明.docx", word_typed),
    "pdf-manual": ("计划手册.pdf", pdf_manual),
    "slides": ("培训.pptx", slides),
    "workbook": ("常见问题.xlsx", workbook),
    "site": ("帮助站.zip", site),
    "page": ("计划帮助.html", page),
}

"""Markdown, HTML, plain text and bundles of them."""

import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from kb.errors import ImportRefused, RefusalReason
from kb.importer import ImportLimits, import_file
from kb.sections import Callout, Guide, Image, Paragraph, Step, Table, WarningCode
from tests.kb.importer.pictures import png
from tests.kb.importer.trees import headings, read, tree


def markdown(text: str) -> Guide:
    """The guide in a Markdown text."""
    return read(text.encode(), "指南.md")


def html(text: str) -> Guide:
    """The guide in a page."""
    return read(text.encode(), "指南.html")


def zipped(members: dict[str, bytes | str]) -> bytes:
    """A zip of these members."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_markdown_headings_steps_and_the_title() -> None:
    guide = markdown("# 报销指引\n\n说明。\n\n## 录入\n\n3. 点击【新增】。\n4. 保存。\n\n- 发票\n")
    assert guide.title == "报销指引"
    assert tree(guide) == [
        "# ∅", "  说明。", "# 录入", "  <3.> 点击【新增】。", "  <4.> 保存。", "  <•> 发票",
    ]  # fmt: skip


def test_front_matter_is_read_and_not_shown() -> None:
    guide = markdown(
        '---\ntitle: "公务卡指引"\nversion: V1.2\ndate: 2026-03-01\n---\n## 甲\n正文。\n'
    )
    assert (guide.title, guide.version, guide.issued) == ("公务卡指引", "1.2", "2026-03-01")
    assert tree(guide) == ["# 甲", "  正文。"]


def test_comments_are_no_content_unless_inside_code() -> None:
    text = "## 甲\n<!-- ## 旧\n1. 旧步骤 -->\n正文。\n```\n<!-- 保留 -->\n```\n尾。<!-- 半截"
    assert tree(markdown(text)) == ["# 甲", "  正文。", "  <!-- 保留 -->", "  尾。"]


def test_a_file_that_is_all_comment_holds_no_text() -> None:
    with pytest.raises(ImportRefused) as refused:
        markdown("<!-- # 采购\n1. 步骤 -->")
    assert refused.value.reason is RefusalReason.NO_TEXT


def test_containers_become_boxes_with_their_pictures_behind(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(1))
    path = tmp_path / "指南.md"
    path.write_text(
        "## 冲销\n1. 点击<kbd>冲销</kbd>。\n::: warning 提醒\n审批完成才有按钮。\n"
        "![图](a.png)\n:::\n2. 提交。\n"
        ":::details 审批要求：\n1. 填写批次。\n:::\n::: center\n居中。\n:::\n",
        encoding="utf-8",
    )
    guide = import_file(path)
    assert isinstance(guide, Guide)
    kinds = [type(block) for block in guide.sections[0].blocks]
    assert kinds == [Step, Callout, Image, Step, Callout, Paragraph]
    assert guide.sections[0].blocks[1] == Callout("warning", "审批完成才有按钮。", title="提醒")
    assert guide.sections[0].blocks[4] == Callout("details", "1. 填写批次。", title="审批要求")


def test_an_unclosed_container_ends_with_the_file() -> None:
    assert tree(markdown("## 甲\n::: tip\n一句。\n"))[1] == "  !tip ：一句。"


def test_alerts_quotes_and_folded_parts() -> None:
    text = (
        "## 甲\n> [!WARNING]\n> 不要关机。\n\n> 引文。\n\n"
        "<details><summary>怎么撤回？</summary>\n\n"
        "先联系审核人。\n\n</details>\n"
    )
    shown = tree(markdown(text))
    assert shown[1:3] == ["  !warning ：不要关机。", "  引文。"]
    assert "先联系审核人。" in shown[-1]


def test_custom_tags_with_a_source_are_pictures_with_their_text_as_caption(tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(png(2))
    path = tmp_path / "指南.md"
    path.write_text(
        '## 甲\n审批。\n<ShowImg src="/p.png" text="审批流程图"/>\n'
        '<ShowImg src="/no.png" text="缺图"/>',
        encoding="utf-8",
    )
    guide = import_file(path)
    assert isinstance(guide, Guide)
    assert tree(guide) == ["# 甲", "  审批。", "  [审批流程图]", "  缺图"]
    assert [each.code for each in guide.warnings] == [WarningCode.MISSING_IMAGE]


def test_chinese_bold_that_commonmark_leaves_open_is_mended() -> None:
    block = markdown("## 状态\n**待审核：**通过预警生成的单子。\n").sections[0].blocks[0]
    assert block == Paragraph("通过预警生成的单子。", label="待审核")


def test_bold_lines_stand_in_for_headings() -> None:
    body = "说明文字在这里，比标题长得多，这样粗体才有意义。"
    text = f"**【付款】**\n\n{body}\n\n**1、待申请**\n\n{body}\n\n**2、已驳回**\n\n{body}\n"
    assert headings(markdown(text)) == ["【付款】", "  1、待申请", "  2、已驳回"]


def test_tables_and_their_pictures() -> None:
    guide = markdown("## 甲\n| 状态 | 含义 |\n|---|---|\n| 待审 | 已提交<br>未处理 |\n")
    assert guide.sections[0].blocks == (Table((("状态", "含义"), ("待审", "已提交\n未处理"))),)


def test_a_list_of_links_to_the_same_page_is_a_table_of_contents() -> None:
    text = "# 指引\n- [一、甲](#a)\n- [二、乙](#b)\n\n## 一、甲\n正文。\n## 二、乙\n正文。\n"
    assert tree(markdown(text)) == ["# 一、甲", "  正文。", "# 二、乙", "  正文。"]


@pytest.mark.parametrize(
    ("link", "code"),
    [
        ("../secret.png", WarningCode.MISSING_IMAGE),
        ("/etc/passwd", WarningCode.MISSING_IMAGE),
        ("..%2Fsecret.png", WarningCode.MISSING_IMAGE),
        ("http://example.com/a.png", WarningCode.EXTERNAL_IMAGE),
        ("//example.com/a.png", WarningCode.EXTERNAL_IMAGE),
        ("data:image/png;base64,AAAA", WarningCode.UNREADABLE_IMAGE),
        ("gone.png", WarningCode.MISSING_IMAGE),
    ],
)
def test_links_never_leave_the_folder(tmp_path: Path, link: str, code: WarningCode) -> None:
    (tmp_path / "secret.png").write_bytes(png(1))
    folder = tmp_path / "guides"
    folder.mkdir()
    path = folder / "指南.md"
    path.write_text(f"## 甲\n正文。\n\n![图]({link})\n", encoding="utf-8")
    guide = import_file(path)
    assert isinstance(guide, Guide)
    assert not guide.images
    assert [each.code for each in guide.warnings] == [code]


def test_html_headings_lists_tables_and_menus() -> None:
    guide = html(
        "<html><head><title>门户指引 - 帮助中心</title></head><body><nav>首页 &gt; 帮助</nav>"
        "<div class='breadcrumb'>位置</div><h1>门户指引</h1><h2>登录</h2><p>打开<b>首页</b>。</p>"
        "<ol start='2'><li><p>输入账号</p></li><li>点击登录<ul><li>记住我</li></ul></li></ol>"
        "<table><tr><th>项</th><th>值</th></tr><tr><td rowspan='2'>甲</td><td>1</td></tr>"
        "<tr><td>2</td></tr></table><script>alert(1)</script><footer>版权</footer></body></html>"
    )
    assert guide.title == "门户指引"
    assert tree(guide) == [
        "# 登录",
        "  打开首页。",
        "  <2.> 输入账号",
        "  <3.> 点击登录",
        "  <•> 记住我",
        "  项|值 / 甲|1 / 甲|2",
    ]


def test_particulars_in_the_head_and_in_definition_lists() -> None:
    guide = html(
        "<html><head><meta name=version content=V1.1></head><body><h1>采购指引</h1>"
        "<dl><dt>发布日期</dt><dd>2026年4月8日</dd></dl><h2>甲</h2><p>正文。</p></body></html>"
    )
    assert (guide.version, guide.issued) == ("1.1", "2026-04-08")


def test_a_layout_table_is_read_as_text() -> None:
    assert tree(
        html("<h2>甲</h2><table><tr><td><p>第一段。</p><p>第二段。</p></td></tr></table>")
    ) == [
        "# 甲",
        "  第一段。",
        "  第二段。",
    ]


def test_the_byte_order_mark_wins_over_a_wrong_declaration() -> None:
    page = (
        "<html><head><meta charset='gb2312'></head><body><h2>登录</h2><p>正文。</p></body></html>"
    )
    guide = read(b"\xef\xbb\xbf" + page.encode(), "页.html")
    assert headings(guide) == ["登录"]
    assert headings(read(page.encode("gb18030"), "页.html")) == ["登录"]
    assert headings(read(page.encode(), "页.html")) == ["登录"]


def test_server_code_is_stripped() -> None:
    page = '<%@ page language="java" %>\n<h2>登录</h2><% if (x > 1) { %><p>正文。</p><% } %>'
    assert tree(read(page.encode(), "页.jsp")) == ["# 登录", "  正文。"]


def test_plain_text_in_the_encodings_of_old_windows() -> None:
    text = "一、登录\n输入账号和密码以后点击登录按钮。\n二、退出\n点击右上角的退出按钮即可。\n"
    for encoding in ("gb18030", "utf-8-sig", "utf-16"):
        assert headings(read(text.encode(encoding), "说明.txt")) == ["一、登录", "二、退出"]


def test_a_bundle_keeps_files_apart_and_finds_pictures_where_sites_keep_them() -> None:
    data = zipped(
        {
            "docs/views/basics/approve.md": "## 审批\n### 待办\n点击。\n"
            "![图](../../.vuepress/public/a.png)\n",
            "docs/views/question/approve.md": "## 审批\n### 按钮\n说明。\n![图](/b.png)\n",
            "docs/views/question/plan10.md": "## 十\n正文。\n",
            "docs/views/question/plan2.md": "## 二\n正文。\n",
            "docs/views/old.md": "<!-- ## 旧\n正文 -->",
            "docs/.vuepress/public/a.png": png(1),
            "docs/.vuepress/public/b.png": png(2),
            "docs/data.bin": b"\0",
            "LICENSE": "text",
        }
    )
    guide = read(data, "帮助.zip")
    assert headings(guide) == ["审批", "  待办", "审批", "  按钮", "二", "十"]
    assert len(guide.images) == 2
    assert [(each.code, each.detail) for each in guide.warnings] == [
        (WarningCode.SKIPPED_MEMBER, "docs/data.bin"),
        (WarningCode.COMMENTED_OUT, "docs/views/old.md"),
    ]


def test_chinese_folders_become_sections() -> None:
    text = "# {0}\n正文。\n## 步骤\n正文。\n"
    data = zipped({f"01-国库支付/{n}-{name}.md": text.format(name) for n, name in
                   enumerate(("录入", "审核"), start=1)})  # fmt: skip
    assert headings(read(data, "手册.zip")) == [
        "国库支付", "  录入", "    步骤", "  审核", "    步骤",
    ]  # fmt: skip


def test_names_in_gbk_are_read() -> None:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("xxxx/a.md", "# 录入\n正文。\n")
    data = buffer.getvalue().replace(b"xxxx", "国库".encode("gbk"))
    assert headings(read(data, "手册.zip")) == ["国库", "  录入"]


def test_a_bundle_without_text_is_refused() -> None:
    with pytest.raises(ImportRefused) as refused:
        read(zipped({"a.md": "<!-- x -->"}), "手册.zip", ImportLimits())
    assert refused.value.reason is RefusalReason.NO_TEXT

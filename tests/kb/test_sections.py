"""Blocks as text."""

import pytest

from kb.sections import (
    Block,
    Callout,
    Guide,
    Image,
    Paragraph,
    Section,
    Step,
    Table,
    block_text,
    row_text,
    table_lines,
)


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (Paragraph("正文。"), "正文。"),
        (Paragraph("通过预警生成。", label="待审核"), "待审核：通过预警生成。"),
        (Paragraph("", label="操作步骤"), "操作步骤："),
        (Step("1、", "点击。"), "1、 点击。"),
        (Step("①", ""), "①"),
        (Callout("warning", "先核对。", title="注意"), "注意：先核对。"),
        (Callout("details", "找管理员。", title="怎么撤回？"), "怎么撤回？找管理员。"),
        (Callout("tip", "一句。"), "一句。"),
        (Image("ab", "image/png", caption="图1 界面"), "图1 界面"),
        (Image("ab", "image/png"), ""),
        (
            Table((("状态", "含义"), ("待审", "未\n处理")), caption="表1"),
            "表1\n状态 | 含义\n待审 | 未 处理",
        ),
    ],
)
def test_a_block_as_a_reader_sees_it(block: Block, text: str) -> None:
    assert block_text(block) == text


def test_marks_are_named_by_their_column() -> None:
    table = Table((("功能", "采购员", "财务"), ("下单", "●", ""), ("付款", "", "✓")))
    assert table_lines(table) == ("功能 | 采购员 | 财务", "下单 | 采购员 ●", "付款 | 财务 ✓")


def test_a_filled_span_is_written_once() -> None:
    assert row_text(("预算", "预算", "", "编制")) == "预算 | 编制"


def test_a_walk_gives_every_section_with_its_path() -> None:
    guide = Guide(
        "手册",
        "md",
        (Section(""), Section("甲", children=(Section("子"),)), Section("乙")),
    )
    assert [path for path, _ in guide.walk()] == [(), ("甲",), ("甲", "子"), ("乙",)]

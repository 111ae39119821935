"""Typed numbers: what opens a line, what it counts, and what only looks like a number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.importer.docx.numbering import format_number
from kb.importer.labels import LabelKind, bracketed, chinese_number, read_automatic, read_label


@pytest.mark.parametrize(
    ("line", "kind", "typed", "value", "rest"),
    [
        ("第一章 总则", LabelKind.CHAPTER, "第一章", (1,), "总则"),
        ("第 2 部分 准备", LabelKind.CHAPTER, "第 2 部分", (2,), "准备"),
        ("第三节 登录", LabelKind.SECTION, "第三节", (3,), "登录"),
        ("附件1 材料清单", LabelKind.APPENDIX, "附件1", (1,), "材料清单"),
        ("附录A 环境", LabelKind.APPENDIX, "附录A", (1,), "环境"),
        ("一、系统管理", LabelKind.CHINESE, "一、", (1,), "系统管理"),
        ("二．基础档案", LabelKind.CHINESE, "二．", (2,), "基础档案"),
        ("十二、附则", LabelKind.CHINESE, "十二、", (12,), "附则"),
        ("（三）报送", LabelKind.CHINESE_PAREN, "（三）", (3,), "报送"),
        ("1、显示区", LabelKind.ARABIC, "1、", (1,), "显示区"),
        ("1.入库", LabelKind.ARABIC, "1.", (1,), "入库"),
        ("1.5工具栏", LabelKind.DECIMAL, "1.5", (1, 5), "工具栏"),
        ("3.2.2.1单行输入", LabelKind.DECIMAL, "3.2.2.1", (3, 2, 2, 1), "单行输入"),
        ("2.1.4 日志区", LabelKind.DECIMAL, "2.1.4", (2, 1, 4), "日志区"),
        ("1)添加", LabelKind.ARABIC_CLOSE, "1)", (1,), "添加"),
        ("2）、生成", LabelKind.ARABIC_CLOSE, "2）、", (2,), "生成"),
        ("1》打开", LabelKind.ARABIC_CLOSE, "1》", (1,), "打开"),
        ("（1）打开", LabelKind.ARABIC_PAREN, "（1）", (1,), "打开"),
        ("①选择", LabelKind.CIRCLED, "①", (1,), "选择"),
        ("㉑选择", LabelKind.CIRCLED, "㉑", (21,), "选择"),
        ("a) 填写", LabelKind.LETTER_CLOSE, "a)", (1,), "填写"),
        ("A、新品计划", LabelKind.LETTER, "A、", (1,), "新品计划"),
        ("步骤一：登录", LabelKind.STAGE, "步骤一：", (1,), "登录"),
        ("步驟二：登入", LabelKind.STAGE, "步驟二：", (2,), "登入"),
        ("第2步 打开", LabelKind.STAGE, "第2步", (2,), "打开"),
        ("问：怎么退回", LabelKind.QUESTION, "问：", (0,), "怎么退回"),
        ("Q1：怎么退回", LabelKind.QUESTION, "Q1：", (1,), "怎么退回"),
        ("答：先撤销", LabelKind.ANSWER, "答：", (0,), "先撤销"),
        ("• 身份证", LabelKind.BULLET, "•", (0,), "身份证"),
    ],
)
def test_a_label_is_read_with_its_value(
    line: str, kind: LabelKind, typed: str, value: tuple[int, ...], rest: str
) -> None:
    label = read_label(line)
    assert label is not None
    assert (label.kind, label.text, label.value, label.rest) == (kind, typed, value, rest)


@pytest.mark.parametrize(
    "line",
    ["2012.9.1 发布", "1.5万元以上", "2.0版本", "127.0.0.1", "8：50统计", "第一季度", "第三方支付",
     "一是加强管理", "步骤说明", "API文档", "-5", "12.5%", "0.5元", "第13页", "V1.2", ""],
)  # fmt: skip
def test_dates_amounts_versions_and_words_are_no_labels(line: str) -> None:
    assert read_label(line) is None


@pytest.mark.parametrize(
    ("rendered", "kind", "value"),
    [
        ("1", LabelKind.ARABIC, (1,)),
        ("3.4", LabelKind.DECIMAL, (3, 4)),
        ("第二章", LabelKind.CHAPTER, (2,)),
        ("（一）", LabelKind.CHINESE_PAREN, (1,)),
        ("•", LabelKind.BULLET, (0,)),
    ],
)
def test_automatic_numbers_are_read_alike(
    rendered: str, kind: LabelKind, value: tuple[int, ...]
) -> None:
    label = read_automatic(rendered)
    assert label is not None
    assert (label.kind, label.value) == (kind, value)


def test_brackets_name_a_section_only_on_a_line_of_their_own() -> None:
    assert bracketed("【采购单付款】") == "采购单付款"
    assert bracketed("【单个采购单申请付款】：") == "单个采购单申请付款"
    assert bracketed("【批量申请付款】（不合并提交）") == "批量申请付款（不合并提交）"
    assert bracketed("【未完成】状态是指还没有生成的单子") is None


@given(st.integers(min_value=1, max_value=9_999))
def test_chinese_numbers_are_read_as_they_are_printed(number: int) -> None:
    if number < 1_000:
        assert chinese_number(format_number(number, "chineseCounting")) == number


@pytest.mark.parametrize(
    ("number", "form", "printed"),
    [
        (10, "chineseCounting", "十"),
        (21, "chineseCountingThousand", "二十一"),
        (105, "chineseCounting", "一百零五"),
        (3, "chineseLegalSimplified", "叁"),
        (20, "ideographDigital", "二〇"),
        (2, "ideographTraditional", "乙"),
        (28, "lowerLetter", "bb"),
        (9, "upperRoman", "IX"),
        (7, "decimalZero", "07"),
        (21, "decimalEnclosedCircle", "㉑"),
        (60, "decimalEnclosedCircle", "60"),
        (5, "someFutureFormat", "5"),
    ],
)
def test_number_formats_print_as_word_prints_them(number: int, form: str, printed: str) -> None:
    assert format_number(number, form) == printed

"""Headings found in plain lines, and how deep they stand. `**…**` is a bold line."""

import pytest

from kb.importer.assembly import assemble
from kb.importer.elements import Line, RawDocument
from kb.importer.intake import Intake
from kb.importer.limits import ImportLimits
from kb.sections import Guide, WarningCode
from tests.kb.importer.trees import headings, tree

TEXT = "在首页点击对应的菜单进入页面，按要求填写内容后保存即可，保存以后还可以继续修改。"


def guide(*lines: str | Line) -> Guide:
    """A guide of these lines; `TEXT` below a line is written as `…`."""
    elements = tuple(line if isinstance(line, Line) else _line(line) for line in lines)
    return assemble(RawDocument("docx", elements), Intake(ImportLimits()), name="资料.txt")


def _line(text: str) -> Line:
    if text == "…":
        return Line(TEXT)
    bold = text.startswith("**") and text.endswith("**")
    return Line(text.strip("*"), bold=bold)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(
            ["一、下载", "…", "（一）选择版本", "…", "（二）安装", "…", "二、使用", "…"],
            ["一、下载", "  （一）选择版本", "  （二）安装", "二、使用"],
            id="official-order",
        ),
        pytest.param(
            ["第一章 总则", "一、目的", "…", "（一）甲", "…", "第二章 附则", "一、解释", "…"],
            ["第一章 总则", "  一、目的", "    （一）甲", "第二章 附则", "  一、解释"],
            id="chapters-above-chinese",
        ),
        pytest.param(
            ["1. 首页", "…", "1.1 搜索栏", "…", "1.2 导航栏", "…", "2. 数据", "…", "2.1 查看", "…"],
            ["1. 首页", "  1.1 搜索栏", "  1.2 导航栏", "2. 数据", "  2.1 查看"],
            id="decimals",
        ),
        pytest.param(
            [
                "3.2 编辑表单",
                "…",
                "3.2.2.1 单行输入",
                "…",
                "3.2.2.2 多行输入",
                "…",
                "3.3 删除",
                "…",
            ],
            ["3.2 编辑表单", "  3.2.2.1 单行输入", "  3.2.2.2 多行输入", "3.3 删除"],
            id="a-missing-decimal-parent",
        ),
        pytest.param(
            ["3.2 编辑", "…", "1、新增", "…", "2、修改", "…", "3.3 删除", "…"],
            ["3.2 编辑", "  1、新增", "  2、修改", "3.3 删除"],
            id="plain-numbers-inside-decimals",
        ),
        pytest.param(
            [
                "**【采购下单】**",
                "…",
                "**A、新品计划**",
                "…",
                "**1）、生成计划**",
                "…",
                "**2）、生成单据**",
                "…",
                "**B、预警**",
                "…",
                "**【付款】**",
                "…",
            ],
            [
                "【采购下单】",
                "  A、新品计划",
                "    1）、生成计划",
                "    2）、生成单据",
                "  B、预警",
                "【付款】",
            ],
            id="brackets-letters-parentheses",
        ),
        pytest.param(
            [
                "**【付款】**",
                "…",
                "**1、待申请**",
                "…",
                "**【单个申请】**",
                "…",
                "**【合并申请】**",
                "…",
                "**2、申请单**",
                "…",
                "**【驳回】**",
                "…",
            ],
            [
                "【付款】",
                "  1、待申请",
                "    【单个申请】",
                "    【合并申请】",
                "  2、申请单",
                "    【驳回】",
            ],
            id="running-numbers-hold-what-stands-between-them",
        ),
        pytest.param(
            [
                "**A、甲**",
                "…",
                "**1、修改**",
                "1、数量只能改小；",
                "2、驳回后会删除；",
                "**2、删除**",
                "…",
            ],
            ["A、甲", "  1、修改", "  2、删除"],
            id="an-inner-list-does-not-break-the-outer-series",
        ),
        pytest.param(
            [
                "一、控件",
                "…",
                "（一）安装",
                "…",
                "（二）能打印，升级后打不出来",
                "…",
                "（三）失效",
                "…",
            ],
            ["一、控件", "  （一）安装", "  （二）能打印，升级后打不出来", "  （三）失效"],
            id="a-comma-in-a-numbered-heading",
        ),
    ],
)
def test_the_files_own_order_decides_the_depth(lines: list[str], expected: list[str]) -> None:
    assert headings(guide(*lines)) == expected


@pytest.mark.parametrize(
    "lines",
    [
        ["1、打开待办。", "2、选择单据。", "3、点击审核。"],
        ["1、打开待办", "2、选择单据", "3、点击审核"],
        ["（1）身份证；", "（2）营业执照；", "（3）银行开户证明。"],
        ["①录入", "②审核", "③支付"],
        ["步骤一：登录系统", TEXT, "步骤二：录入单据", TEXT],
        [
            "1.1 点击【新增】，系统弹出录入窗口，填写完整以后点击保存。",
            "1.2 点击【送审】，选择审核人以后点击确定。",
        ],
        ["一、", "预算", "二、", "决算"],
    ],
)
def test_steps_and_lists_are_no_headings(lines: list[str]) -> None:
    assert headings(guide(Line("办理", level=1), *lines, Line("附则", level=1), "…")) == [
        "办理",
        "附则",
    ]


def test_a_series_of_names_with_text_below_is_headings_in_an_unstyled_file() -> None:
    assert headings(guide("1、显示区", "…", "2、工具区", "…", "3、状态栏", "…")) == [
        "1、显示区",
        "2、工具区",
        "3、状态栏",
    ]


def test_number_and_answer_in_one_paragraph_are_parted() -> None:
    shown = tree(guide(*(f"{n}、{name}：{TEXT}{TEXT}" for n, name in
                         enumerate(("入库", "出库", "盘点", "调拨"), start=1))))  # fmt: skip
    assert shown[:2] == ["# 1、入库", f"  {TEXT}{TEXT}"]
    assert [line for line in shown if line.startswith("#")] == [
        "# 1、入库", "# 2、出库", "# 3、盘点", "# 4、调拨"]  # fmt: skip


def test_a_few_styled_headings_do_not_hide_the_others_in_a_long_file() -> None:
    items = [f"{n}、事项{n}：{TEXT * 8}" for n in range(1, 9)]
    found = guide(Line("前言", level=1), "…", Line("答疑", level=1), *items, *items)
    assert headings(found).count("  1、事项1") == 2


def test_a_decimal_heading_that_runs_into_its_text_is_parted() -> None:
    assert tree(guide("3.2 表单", "…", f"3.2.1 布局管理，系统按照行进行布局。{TEXT}"))[2:] == [
        "  # 3.2.1 布局管理",
        f"    系统按照行进行布局。{TEXT}",
    ]


def test_bold_lines_are_headings_where_there_are_no_others() -> None:
    assert headings(guide("**登录系统**", "…", "**录入单据**", "…")) == ["登录系统", "录入单据"]


def test_a_bold_line_said_again_and_again_is_a_label() -> None:
    lines = [each for n in range(1, 5) for each in (f"一、章节{n}", "**办理要点**", "…")]
    lines = [line.replace("一、", f"{'一二三四'[i // 3]}、") for i, line in enumerate(lines)]
    assert "  办理要点" not in headings(guide(*lines))


def test_a_bold_body_makes_bold_meaningless() -> None:
    found = guide("**登录**", f"**{TEXT}**", "**录入**", f"**{TEXT}**")
    assert headings(found) == ["∅"]


def test_larger_type_makes_headings_and_ranks_them() -> None:
    body = Line(TEXT, size=10.5)
    lines = [Line("注册", size=22), body, Line("准备材料", size=16), body, body, body,
             Line("填写资料", size=16), body, body, Line("竞价", size=22), body, body]  # fmt: skip
    assert headings(guide(*lines)) == ["注册", "  准备材料", "  填写资料", "竞价"]


def test_a_larger_size_that_is_mostly_sentences_is_no_heading_size() -> None:
    lines = [Line(TEXT, size=10.5)] * 8 + [Line("官网", size=14), Line(f"说明：{TEXT}", size=14)]
    assert headings(guide(*lines)) == ["∅"]


def test_large_lines_that_open_the_file_are_its_cover() -> None:
    body = Line(TEXT, size=10.5, page=2)
    lines = [
        Line("询价系统", size=28, page=1),
        Line("某某公司", size=16, page=1),
        Line("注册", size=22, page=2),
        body,
        body,
        body,
        Line("竞价", size=22, page=2),
        body,
    ]
    assert headings(guide(*lines)) == ["注册", "竞价"]


def test_a_number_that_lost_its_style_joins_its_siblings() -> None:
    lines = [Line("一、甲", level=1), TEXT, Line("（一）子", level=2), TEXT, "二、乙", TEXT,
             Line("三、丙", level=1), TEXT]  # fmt: skip
    assert headings(guide(*lines)) == ["一、甲", "  （一）子", "二、乙", "三、丙"]


def test_one_style_for_all_levels_is_told_apart_by_numbers() -> None:
    lines = [
        Line("1 概述", level=1),
        TEXT,
        Line("1.1 目的", level=1),
        TEXT,
        Line("1.2 范围", level=1),
        TEXT,
        Line("2 登录", level=1),
        TEXT,
    ]
    assert headings(guide(*lines)) == ["1 概述", "  1.1 目的", "  1.2 范围", "2 登录"]


def test_levels_may_start_anywhere_and_skip() -> None:
    lines = [Line("甲", level=2), TEXT, Line("子", level=4), TEXT, Line("乙", level=2), TEXT]
    found = guide(*lines)
    assert headings(found) == ["甲", "  子", "乙"]
    assert [section.level for _, section in found.walk()] == [1, 2, 1]


def test_a_heading_style_on_a_sentence_is_a_slip() -> None:
    sentence = TEXT * 2
    found = guide(Line("甲", level=1), Line(sentence, level=1), Line("乙", level=1), TEXT)
    assert headings(found) == ["甲", "乙"]


def test_questions_and_answers_in_the_text_become_sections() -> None:
    assert tree(guide(Line("常见问题", level=1), "问：为什么看不到？", "答：还没有送审。",
                      "问：能作废吗？", "答：送审以后不能。"))[1:] == [
        "  # 问：为什么看不到？", "    答：还没有送审。",
        "  # 问：能作废吗？", "    答：送审以后不能。",
    ]  # fmt: skip


def test_a_typed_table_of_contents_is_dropped() -> None:
    lines = ["目  录", "一、注册 ........ 2", "二、竞价 …………………… 7", "三、附则", "一、注册", "…",
             "二、竞价", "…", "三、附则", "…"]  # fmt: skip
    assert headings(guide(*lines)) == ["一、注册", "二、竞价", "三、附则"]


def test_rules_page_numbers_and_links_back_are_dropped() -> None:
    lines = [Line("甲", level=1), "第13页 共39页", "————————", "返回顶部", "- 3 -", TEXT]
    assert tree(guide(*lines)) == ["# 甲", f"  {TEXT}"]


def test_guessing_and_repeated_numbers_are_admitted() -> None:
    found = guide("一、甲", "…", "1. 登录", "…", "1. 登录", "…")
    codes = [each.code for each in found.warnings]
    assert WarningCode.GUESSED_HEADINGS in codes


def test_empty_and_placeholder_sections_are_reported() -> None:
    found = guide(
        Line("甲", level=1), Line("乙", level=1), "略。", Line("丙", level=1), "暂未开发相关功能"
    )
    assert [(each.code, each.where) for each in found.warnings] == [
        (WarningCode.EMPTY_SECTION, ("甲",)),
        (WarningCode.PLACEHOLDER_SECTION, ("乙",)),
        (WarningCode.PLACEHOLDER_SECTION, ("丙",)),
    ]


def test_numbered_names_above_a_label_are_headings_however_short_their_text() -> None:
    part = ("1. 登录系统", "操作步骤：", "1）打开；", "2. 查询单据", "操作步骤：", "1）点查询；")
    found = headings(guide("一、收费员", *part, "二、审核员", *part))
    assert found == ["一、收费员", "  1. 登录系统", "  2. 查询单据",
                     "二、审核员", "  1. 登录系统", "  2. 查询单据"]  # fmt: skip


@pytest.mark.parametrize("rule", ["――――――", "＿＿＿＿", "－－－－－", "＝＝＝＝", "────"])
def test_rules_of_any_character_are_no_content(rule: str) -> None:
    assert tree(guide(Line("办理", level=1), "打开页面。", rule)) == ["# 办理", "  打开页面。"]

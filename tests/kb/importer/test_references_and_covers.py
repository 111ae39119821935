"""Pointers between sections, captions, and what a cover says."""

import pytest

from kb.importer.assembly import assemble
from kb.importer.cover import clean_stem, read_date, read_version
from kb.importer.elements import Element, Grid, Line, Picture, RawDocument
from kb.importer.intake import Intake
from kb.importer.limits import ImportLimits
from kb.importer.shape import caption_number
from kb.sections import Guide, Image, Reference, Table, WarningCode
from tests.kb.importer.trees import tree

BODY = "按要求填写内容后保存即可，保存以后还可以继续修改。"
PICTURE = Picture(Image("ab", "image/png"))
TABLE = Grid(Table((("状态", "含义"), ("待审", "未处理"))))


def guide(*elements: Element | str) -> Guide:
    """A guide of these elements."""
    stream = tuple(Line(each) if isinstance(each, str) else each for each in elements)
    return assemble(RawDocument("docx", stream), Intake(ImportLimits()), name="资料.docx")


def heading(text: str, level: int = 1) -> Line:
    """A declared heading."""
    return Line(text, level=level)


def references(found: Guide, name: str) -> tuple[Reference, ...]:
    """The pointers in one section."""
    return next(section.references for _, section in found.walk() if section.heading == name)


def test_pointers_by_number_lead_to_their_section() -> None:
    found = guide(
        heading("5 审核"),
        heading("5.2 单位审核", 2),
        heading("5.2.1 撤回", 3),
        BODY,
        heading("5.3 主管审核", 2),
        "操作同5.2.1。",
        heading("第六章 附则"),
        "见第六章和第五章。",
    )
    assert references(found, "5.3 主管审核") == (
        Reference("操作同5.2.1", ("5 审核", "5.2 单位审核", "5.2.1 撤回")),
    )


def test_pointers_by_name_need_the_whole_name_and_not_another_document() -> None:
    found = guide(heading("抽样管理"), BODY, heading("送检管理"), "同抽样管理", heading("说明"),
                  "详见《抽样管理办法》，参见抽样管理员手册。")  # fmt: skip
    assert references(found, "送检管理") == (Reference("同抽样管理", ("抽样管理",)),)
    assert references(found, "说明") == ()


def test_pointers_that_lead_nowhere_or_to_two_places_are_reported() -> None:
    found = guide(
        heading("甲"),
        "操作同9.9。",
        heading("乙"),
        "同登录页面。",
        heading("丙"),
        heading("登录页面", 2),
        BODY,
        heading("丁"),
        heading("登录页面", 2),
        BODY,
    )
    codes = [(each.code, each.detail) for each in found.warnings if "reference" in each.code.value]
    assert codes == [
        (WarningCode.UNRESOLVED_REFERENCE, "操作同9.9"),
        (WarningCode.AMBIGUOUS_REFERENCE, "同登录页面"),
    ]


def test_a_figure_named_in_another_section_is_found() -> None:
    found = guide(
        heading("录入"), BODY, PICTURE, "图3-1 录入界面", heading("修改"), "如图3-1所示修改。"
    )
    assert references(found, "修改") == (Reference("如图3-1", ("录入",)),)


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ([PICTURE, "图1-1 录入界面"], ["[图1-1 录入界面]"]),
        (["图1-1 录入界面", PICTURE, BODY], ["[图1-1 录入界面]", BODY]),
        ([PICTURE, PICTURE, "图2"], ["[图]", "[图2]"]),
        ([PICTURE, "图1. 22预约时间"], ["[图1. 22预约时间]"]),
        ([PICTURE, "（申请付款页面）"], ["[（申请付款页面）]"]),
        ([PICTURE, "图1-1所示为录入界面，请核对。"], ["[图]", "图1-1所示为录入界面，请核对。"]),
        (["（附件可不填）", PICTURE], ["（附件可不填）", "[图]"]),
        (["表2-1 状态", TABLE], ["表2-1 状态: 状态|含义 / 待审|未处理"]),
        (
            [BODY, PICTURE, "表2-1 状态", TABLE],
            [BODY, "[图]", "表2-1 状态: 状态|含义 / 待审|未处理"],
        ),
    ],
)
def test_captions_are_joined(elements: list[Element | str], expected: list[str]) -> None:
    assert tree(guide(heading("甲"), BODY, *elements))[2:] == [f"  {line}" for line in expected]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("图3-2 录入", "3-2"),
        ("图5a", "5a"),
        ("图1. 22预约", "1.22"),
        ("表1 清单", "1"),
        ("图一 总览", "一"),
        ("图片管理", None),
        ("图书管理系统", None),
        ("表单管理", None),
        ("图3-2所示", None),
    ],
)
def test_caption_numbers(text: str, number: str | None) -> None:
    assert caption_number(text) == number


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("05_问题管理用户手册.docx", "问题管理用户手册"),
        ("支付指引（终稿）2.docx", "支付指引"),
        ("支付指引V1.2.docx", "支付指引"),
        ("支付指引（最新）.docx", "支付指引"),
        ("支付指引-副本 (2).docx", "支付指引"),
        ("支付指引_20260301.docx", "支付指引"),
        ("工资统发（2026年）.docx", "工资统发（2026年）"),
        ("2026年预算.docx", "2026年预算"),
        ("C:\\tmp\\a.docx", "a"),
    ],
)
def test_file_names_are_cleaned(name: str, stem: str) -> None:
    assert clean_stem(name) == stem


@pytest.mark.parametrize(
    ("text", "version"),
    [("文档版本：V1.3", "1.3"), ("版本<1.0>", "1.0"), ("V2.0终稿", "2.0"), ("支付指引V3.docx", "3"),
     ("当前版本 2", "2"), ("IPv6 设置", None), ("2026年3月", None), ("TV5 频道", None)],
)  # fmt: skip
def test_versions(text: str, version: str | None) -> None:
    assert read_version(text) == version


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2023年12月", "2023-12"),
        ("2012 年 9 月 1 日", "2012-09-01"),
        ("2023.12.05", "2023-12-05"),
        ("手册20260301", "2026-03-01"),
        ("2026年", "2026"),
        ("发布于2026-3", "2026-03"),
        ("电话 020-12345", None),
    ],
)
def test_dates(text: str, date: str | None) -> None:
    assert read_date(text) == date


def test_a_title_that_says_less_than_the_file_name_gives_way() -> None:
    stream = (Line("操作说明", size=28), heading("一、甲"), Line(BODY))
    made = assemble(
        RawDocument("docx", stream), Intake(ImportLimits()), name="06_仓库操作说明.docx"
    )
    assert made.title == "仓库操作说明"


def test_sentences_and_steps_before_the_first_heading_are_kept() -> None:
    found = guide(
        "某某局",
        "V1.0",
        "声明：本文档只适用于仓库管理系统。",
        "1、先安装证书。",
        heading("甲"),
        BODY,
    )
    assert tree(found)[:3] == [
        "# ∅",
        "  声明：本文档只适用于仓库管理系统。",
        "  <1、> 先安装证书。",
    ]

"""What of a screen joins the search."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.attachments.cues import MAX_CHARS, ScreenReader, load
from bot.settings import data_dir
from kb.ocr import Line, Recognition
from tests.bot.attachments.readers import screen


@pytest.fixture(scope="module")
def reader() -> ScreenReader:
    return load(data_dir() / "dialogue" / "screens.yml")


def test_the_error_and_the_menu_are_found_among_everything_else(reader: ScreenReader) -> None:
    shown = screen(
        "公共财政综合管理平台",
        "当前位置：国库集中支付>支付申请>支付申请录入",
        "付款信息",
        "28,000.00",
        "指标可用余额不足，请先调整指标。",
        "知道了",
    )
    found = reader.cues(shown)
    assert found.text == "指标可用余额不足，请先调整指标，支付申请 支付申请录入"
    assert found.shows_error


def test_a_menu_alone_is_no_error(reader: ScreenReader) -> None:
    found = reader.cues(screen("首页", "当前位置：非税管理＞退付管理", "新增"))
    assert (found.text, found.shows_error) == ("非税管理 退付管理", False)


@pytest.mark.parametrize(
    "text", ["ORA-00942: table or view does not exist", "HTTP 500", "net::ERR_CONNECTION_RESET"]
)
def test_codes_count_without_chinese(reader: ScreenReader, text: str) -> None:
    assert reader.cues(screen("Chrome", text)).shows_error


@pytest.mark.parametrize(
    "texts", [(), ("新增", "删除", "导出"), ("2026-11-20 10:00", "1,000.00"), ("错误",)]
)
def test_nothing_to_go_by_gives_nothing(reader: ScreenReader, texts: tuple[str, ...]) -> None:
    found = reader.cues(screen(*texts))
    assert (found.text, found.shows_error) == ("", False)


def test_a_broken_line_is_joined_and_a_list_is_not(reader: ScreenReader) -> None:
    lines = (
        Line("指标可用余额不足，尚缺2,500.00元，请先调整指标或额度挂", 0.9, 100, 100, 700, 124),
        Line("接。", 0.9, 100, 128, 150, 152),
        Line("支付申请审核", 0.9, 100, 300, 220, 324),
    )
    text = reader.cues(Recognition(1_000, 800, lines)).text
    assert text == "指标可用余额不足，尚缺2,500.00元，请先调整指标或额度挂接"
    button = (*lines[:1], Line("知道了", 0.9, 100, 128, 160, 152))
    assert "知道了" not in reader.cues(Recognition(1_000, 800, button)).text


def test_numbers_of_people_are_masked(reader: ScreenReader) -> None:
    text = reader.cues(screen("收款人手机号13800138000校验失败，请重新填写")).text
    assert "13800138000" not in text
    assert "138****8000" in text


@given(st.lists(st.text(max_size=60), max_size=12))
def test_any_screen_gives_one_bounded_line(texts: list[str]) -> None:
    found = load(data_dir() / "dialogue" / "screens.yml").cues(screen(*texts))
    assert len(found.text) <= MAX_CHARS + 20
    assert "\n" not in found.text

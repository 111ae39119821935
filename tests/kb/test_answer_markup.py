"""Marks of an answer: what they become, and that text without marks stays as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.answer_markup import answer_blocks, pictures, plain_text
from kb.blocks import text_blocks
from kb.sections import Image, Paragraph, Step

SHA = "a" * 64


def test_pictures_stand_where_they_were_put() -> None:
    text = f"1. 打开菜单 ![图一](/media/{SHA})然后\n2. 保存"
    assert answer_blocks(text) == (
        Step("1.", "打开菜单"),
        Image(sha256=SHA, media_type="", caption="图一"),
        Paragraph("然后"),
        Step("2.", "保存"),
    )
    assert list(pictures(text)) == [SHA]


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        ("## 办理条件", "办理条件"),
        ("- 身份证", "• 身份证"),
        ("点**保存**", "点保存"),
        ("见[指南](https://a.example/x)。", "见指南 https://a.example/x 。"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("![x](http://evil/x.png)", "![x](http://evil/x.png)"),
        ("2 ** 3 ** 4", "2 ** 3 ** 4"),
        ("-1 元", "-1 元"),
        ("#号", "#号"),
    ],
)
def test_marks_in_plain_text(marked: str, plain: str) -> None:
    assert plain_text(marked) == plain


@given(st.text(alphabet="支付12.（） \n：。ab", max_size=80))
def test_text_without_marks_stays(text: str) -> None:
    assert plain_text(text) == text
    assert answer_blocks(text) == text_blocks(text)


@given(st.text(alphabet="[]()!*#-/media\n a" + "1", max_size=200))
def test_any_marks_can_be_read(text: str) -> None:
    answer_blocks(text)
    plain_text(text)

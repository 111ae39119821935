"""Identity, card and mobile numbers and passwords never rest; document numbers do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.masking import mask


@pytest.mark.parametrize(
    ("text", "masked", "found"),
    [
        ("身份证 11010519491231002X", "身份证 110105********002X", "id"),
        ("440524 18800101 0014 是我的", "440524********0014 是我的", "id"),
        ("卡号6222021234567890128", "卡号6222***********0128", "card"),
        ("卡 6222 0212 3456 7890 128 退了", "卡 6222***********0128 退了", "card"),
        ("打13800138000找我", "打138****8000找我", "mobile"),
        ("+86 138-0013-8000", "138****8000", "mobile"),
        ("密码是Abc12345 登不上", "密码是****** 登不上", "password"),
        ("PIN码：12345678", "PIN码：******", "password"),
    ],
)
def test_what_must_not_rest_is_masked(text: str, masked: str, found: str) -> None:
    result = mask(text)
    assert result.text == masked
    assert result.found == {found}


@pytest.mark.parametrize(
    "text",
    [
        "支付申请号 2026112100012345678",
        "缴款码 44060026000123456789",
        "工单 CW20261121-0007",
        "凭证号 0000123456",
        "办公电话 0757-83123456",
        "身份证 110105194912310021",
        "统一社会信用代码 91440600MA4UQXXXXX",
        "金额 123456789012345.67",
        "密码忘了怎么办",
        "密码错误",
    ],
)
def test_what_is_needed_to_find_a_document_stays(text: str) -> None:
    assert mask(text).text == text
    assert not mask(text).found


@given(st.text(max_size=200))
def test_masking_is_stable_and_total(text: str) -> None:
    once = mask(text)
    assert mask(once.text).text == once.text


@given(st.text(alphabet="急报支付申", max_size=5), st.integers(10**9, 10**10 - 1))
def test_no_mobile_number_survives(words: str, tail: int) -> None:
    number = f"13{tail % 10**9:09d}"
    assert number not in mask(f"{words}{number}{words}").text

"""People's words, ticket numbers in them, and likeness between them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoff.errors import InvalidText
from handoff.numbering import format_number, numbers_in
from handoff.similarity import rank
from handoff.texts import clean, clipped, optional, required


class TestTexts:
    def test_what_no_database_keeps_is_taken_out(self) -> None:
        assert clean(" a\x00b\ud800c ") == "ab?c"

    def test_clipping_shows_that_something_is_missing(self) -> None:
        assert clipped("一二三四五", 5) == "一二三四五"
        assert clipped("一二三四五六", 5) == "一二三四…"

    def test_limits(self) -> None:
        assert optional("why", "  ", 5) == ""
        assert required("why", " 好 ", 5) == "好"
        for text in ("", " \n", "\x00", "太长太长太长"):
            with pytest.raises(InvalidText) as refused:
                required("why", text, 5)
            assert (refused.value.field, refused.value.limit) == ("why", 5)

    @given(st.text())
    def test_anything_can_be_stored(self, text: str) -> None:
        clean(text).encode()
        assert "\x00" not in clean(text)
        assert len(clipped(text, 10)) <= 10


class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("CW20261121-0007", ("CW20261121-0007",)),
            ("我的工单cw20261121-7到哪了", ("CW20261121-0007",)),
            ("ＣＷ２０２６１１２１－０００７", ("CW20261121-0007",)),
            ("CW 20261121 - 0007", ("CW20261121-0007",)),
            ("CW20261121—0007和CW20261121-12345", ("CW20261121-0007", "CW20261121-12345")),
            ("CW20261121-0007，还是CW20261121-0007", ("CW20261121-0007",)),
            ("XCW20261121-0007", ()),
            ("20261121-0007", ()),
            ("CW2026112-0007", ()),
            ("CW20261121-1234567890", ()),
            ("", ()),
        ],
    )
    def test_in_people_s_writing(self, text: str, found: tuple[str, ...]) -> None:
        assert numbers_in(text) == found

    @given(st.dates(), st.integers(1, 10**9 - 1))
    def test_what_is_given_out_is_found(self, day: object, count: int) -> None:
        number = format_number(str(day).replace("-", ""), count)
        assert numbers_in(f"单号{number}。") == (number,)

    @given(st.text())
    def test_any_text_is_searched(self, text: str) -> None:
        numbers_in(text)


class TestSimilarity:
    POOL = (
        "支付申请提交后无法撤回，按钮是灰色",
        "指标余额不足，支付申请提交失败",
        "登录提示证书已过期",
    )

    def test_the_like_comes_first(self) -> None:
        found = rank("支付申请撤回按钮灰色点不了", self.POOL)
        assert found[0][0] == 0
        assert all(score <= found[0][1] for _, score in found)

    def test_the_unlike_is_left_out(self) -> None:
        assert rank("打印机卡纸", self.POOL) == []
        assert rank("", self.POOL) == []
        assert rank("支付申请", ()) == []

    def test_the_same_text_is_most_alike(self) -> None:
        assert rank(self.POOL[2], self.POOL) == [(2, pytest.approx(1.0))]

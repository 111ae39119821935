"""Reading order, and what passes through the pipe."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import PictureUnread, UnreadReason
from kb.ocr.lines import Line, Recognition, rows
from kb.ocr.wire import MalformedReply, decode, encode

PLACE = st.integers(0, 4_000)
LINES = st.builds(
    Line, st.text(min_size=1), st.floats(0, 1), left=PLACE, top=PLACE, right=PLACE, bottom=PLACE
)


def line(text: str, left: int, top: int, height: int = 20) -> Line:
    return Line(text, 0.9, left, top, left + 20 * len(text), top + height)


def test_what_stands_side_by_side_is_one_row() -> None:
    lines = (
        line("保存", 300, 102),
        line("取消", 500, 99),
        line("支付申请", 10, 100),
        line("x", 0, 140),
    )
    assert Recognition(800, 600, lines).text() == "支付申请  保存  取消\nx"


@given(st.lists(LINES, max_size=20))
def test_every_line_is_in_one_row(lines: list[Line]) -> None:
    gathered = [each for row in rows(lines) for each in row]
    assert sorted(gathered, key=repr) == sorted(lines, key=repr)


@given(st.lists(LINES, max_size=8))
def test_lines_pass_through_the_pipe(lines: list[Line]) -> None:
    recognition = Recognition(4_000, 4_000, tuple(lines))
    assert decode(encode(recognition)) == recognition


def test_a_reason_passes_through_the_pipe() -> None:
    with pytest.raises(PictureUnread) as unread:
        decode(encode(PictureUnread(UnreadReason.BROKEN, "no picture")))
    assert (unread.value.reason, unread.value.detail) == (UnreadReason.BROKEN, "no picture")


@pytest.mark.parametrize(
    "reply",
    [
        b"", b"[]", b"null", b"1", b"\xff", b"{}", b'{"unread": "hungry", "detail": ""}',
        b'{"unread": "broken"}', b'{"lines": 1, "width": 1, "height": 1}',
        json.dumps({"lines": [{"text": 1}], "width": 1, "height": 1}).encode(),
        json.dumps({"lines": [["text"]], "width": 1, "height": 1}).encode(),
        json.dumps({"lines": [{"text": "a", "confidence": 1, "left": "0", "top": 0, "right": 0,
                               "bottom": 0}], "width": 1, "height": 1}).encode(),
    ],
)  # fmt: skip
def test_anything_else_is_refused(reply: bytes) -> None:
    with pytest.raises(MalformedReply):
        decode(reply)

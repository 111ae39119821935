"""The three lines for who takes over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoff.summary import QUOTE_LIMIT, Turn, summarise


def user(text: str) -> Turn:
    return Turn("user", text)


def keys(*turns: Turn) -> list[str]:
    return [line.key.removeprefix("handoff.summary.") for line in summarise(turns)]


def test_a_whole_conversation() -> None:
    lines = summarise(
        [
            Turn("bot", "您好", "greeting"),
            user("你好"),
            user("支付申请提交后怎么撤回"),
            Turn("bot", "…", "answer", ("撤回支付申请",)),
            user("没解决"),
            Turn("bot", "…", "answer", ("支付申请作废", "撤回支付申请")),
            user("撤回按钮是灰的，提示单据已送审"),
            user("转人工"),
        ]
    )
    assert [(line.key, dict(line.values)) for line in lines] == [
        ("handoff.summary.asked", {"text": "支付申请提交后怎么撤回"}),
        (
            "handoff.summary.tried_answers",
            {"titles": "《撤回支付申请》、《支付申请作废》", "count": 2},
        ),
        ("handoff.summary.stands_said", {"text": "撤回按钮是灰的，提示单据已送审"}),
    ]


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        ([], ["asked_nothing", "tried_nothing", "stands_waiting"]),
        ([user("转人工")], ["asked_person", "tried_nothing", "stands_person"]),
        ([user("😀"), user("？？？")], ["asked_nothing", "tried_nothing", "stands_waiting"]),
        ([user("预算指标看不到")], ["asked", "tried_nothing", "stands_waiting"]),
        (
            [user("预算指标看不到"), Turn("bot", "", "offer", ("指标查询",)), user("都不是")],
            ["asked", "tried_offers", "stands_unsolved"],
        ),
        (
            [user("预算指标看不到"), user("找人工")],
            ["asked", "tried_nothing", "stands_person"],
        ),
        (
            [user("预算指标看不到"), user("预算指标看不到")],
            ["asked", "tried_nothing", "stands_waiting"],
        ),
    ],
)
def test_keys(turns: list[Turn], expected: list[str]) -> None:
    assert keys(*turns) == expected


def test_quotations_are_one_short_line() -> None:
    asked = summarise([user("第一行\n第二行 " + "很长" * 200)])[0]
    text = str(asked.values["text"])
    assert len(text) == QUOTE_LIMIT
    assert "\n" not in text
    assert text.startswith("第一行 第二行")
    assert text.endswith("…")


def test_words_among_engineers_are_left_out() -> None:
    assert keys(Turn("engineer", "我来看看", "text"), Turn("system", "note", "note"))[0] == (
        "asked_nothing"
    )


@given(
    st.lists(
        st.builds(
            Turn,
            sender=st.sampled_from(["user", "bot", "engineer", "system", ""]),
            text=st.text(max_size=300),
            kind=st.sampled_from(["text", "answer", "offer", "", "x"]),
            titles=st.lists(st.text(max_size=20), max_size=3).map(tuple),
        ),
        max_size=12,
    )
)
def test_any_transcript_gives_three_lines(turns: list[Turn]) -> None:
    lines = summarise(turns)
    assert len(lines) == 3
    assert all(len(str(line.values.get("text", ""))) <= QUOTE_LIMIT for line in lines)

"""What is searched for a message: follow-ups completed, several questions split."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue.queries import MAX_QUERY_CHARS, has_words, is_follow_up, plan, split_questions
from bot.dialogue.state import Awaiting, DialogueState

TOPIC = DialogueState(topic="支付申请送审错了")


def test_a_plain_question_is_searched_as_it_is() -> None:
    (query,) = plan(DialogueState(), "指标可用余额不足怎么办")
    assert query.text == "指标可用余额不足怎么办"


def test_a_follow_up_leans_on_the_question_before() -> None:
    leaning, alone = plan(TOPIC, "那怎么退回")
    assert leaning.text == "支付申请送审错了 那怎么退回"
    assert alone.text == "那怎么退回"


def test_a_long_message_says_itself_what_it_is_about() -> None:
    assert len(plan(TOPIC, "那请问部门决算报表里的封面代码应该怎么填写呢")) == 1


def test_a_reply_is_searched_with_what_it_replies_to() -> None:
    asked = TOPIC.waiting_for(Awaiting.CLARIFICATION, "x")
    (query,) = plan(asked, "余额不足")
    assert query.text == "支付申请送审错了 余额不足"


@pytest.mark.parametrize(
    "text",
    [
        "UKey没反应怎么办？电子票据怎么冲红？",
        "UKey没反应怎么办，另外电子票据怎么冲红",
        "1.UKey没反应怎么办\n2.电子票据怎么冲红？",
    ],
)
def test_several_questions_are_split(text: str) -> None:
    parts = split_questions(text)
    assert len(parts) == 2
    assert "UKey" in parts[0]
    assert "冲红" in parts[1]


@pytest.mark.parametrize(
    "text", ["支付申请怎么撤回", "你好。支付申请怎么撤回？谢谢！", "怎么办？急！", ""]
)
def test_one_question_stays_whole(text: str) -> None:
    assert split_questions(text) == (text,)


@pytest.mark.parametrize(
    ("text", "follows"), [("那怎么退回", True), ("这个在哪里", True), ("登录不了", False)]
)
def test_follow_ups_are_known_by_their_words(text: str, follows: bool) -> None:
    assert is_follow_up(text) is follows


@given(st.text(max_size=3000))
def test_any_text_makes_at_least_one_bounded_query(text: str) -> None:
    for state in (DialogueState(), TOPIC):
        queries = plan(state, text)
        assert queries
        assert all(len(q.text) <= MAX_QUERY_CHARS + 301 for q in queries)
    has_words(text)


def test_words_are_told_from_noise() -> None:
    assert has_words("登不上")
    assert has_words("502")
    assert not has_words("😀！？")
    assert not has_words("\x00\x01\x02\x03\x04ab")

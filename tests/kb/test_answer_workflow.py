"""The table of an answer's life, and differences that join back to their texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.answer_difference import Change, difference
from kb.answer_workflow import TRANSITIONS, AnswerState, AnswerVerb, after, verbs_of
from kb.errors import AnswerVerbRefused

WORDS = st.text(alphabet="支付申请撤回指标余额ab 12\n。", max_size=60)


@pytest.mark.parametrize("state", list(AnswerState))
@pytest.mark.parametrize("verb", list(AnswerVerb))
def test_what_the_table_lacks_is_refused(state: AnswerState, verb: AnswerVerb) -> None:
    if (state, verb) in TRANSITIONS:
        assert after(state, verb) is TRANSITIONS[state, verb]
        assert verb in verbs_of(state)
    else:
        with pytest.raises(AnswerVerbRefused) as refused:
            after(state, verb)
        assert (refused.value.state, refused.value.verb) == (state, verb)


def test_nothing_is_published_without_review_but_what_was_reviewed_before() -> None:
    ways = {v for (s, v), to in TRANSITIONS.items() if to is AnswerState.PUBLISHED}
    assert ways == {AnswerVerb.APPROVE, AnswerVerb.PUBLISH_DUE, AnswerVerb.ROLL_BACK_LIVE}
    assert {s for s, v in TRANSITIONS if v is AnswerVerb.APPROVE} == {AnswerState.IN_REVIEW}


def test_no_state_is_a_dead_end() -> None:
    for state in AnswerState:
        reached = {state}
        for _ in AnswerState:
            reached |= {to for (s, _), to in TRANSITIONS.items() if s in reached}
        assert reached == set(AnswerState)


@given(WORDS, WORDS)
def test_pieces_join_to_both_texts(old: str, new: str) -> None:
    pieces = difference(old, new)
    assert "".join(p.text for p in pieces if p.change is not Change.ADDED) == old
    assert "".join(p.text for p in pieces if p.change is not Change.REMOVED) == new


def test_a_difference_is_of_words_and_not_of_the_whole() -> None:
    pieces = difference("点击撤回按钮即可", "点击删除按钮即可")
    assert [(p.change, p.text) for p in pieces if p.change is not Change.SAME] == [
        (Change.REMOVED, "撤回"),
        (Change.ADDED, "删除"),
    ]


def test_very_long_texts_are_compared_by_line_and_soon() -> None:
    lines = [f"第{n}步：打开菜单{n}。\n" for n in range(5_000)]
    pieces = difference("".join(lines), "".join([*lines[:-1], "完。\n"]))
    assert [p.change for p in pieces] == [Change.SAME, Change.REMOVED, Change.ADDED]

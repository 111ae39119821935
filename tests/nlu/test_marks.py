"""Marks of whole messages, and messages composed of shorter ones."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.composing import compose
from nlu.features import grams, mark_features
from nlu.marks import marks
from nlu.text import Folding
from nlu.training_data import Example
from nlu.types import Intent

EXAMPLES = (
    Example("付不了款", Intent.REPORT_FAULT),
    Example("单号是20261101", Intent.ADD_INFORMATION),
    Example("你好", Intent.GREET),
    Example("怎么付款", Intent.ASK_QUESTION),
)


def test_a_question_and_a_statement_differ() -> None:
    assert {"how", "asked", "asks last", "how last"} <= set(marks("打开是空白,怎么办?"))
    stated = marks("打开是空白")
    assert {"stated", "fails stated"} <= set(stated)
    assert "asked" not in stated


def test_clicking_is_no_question() -> None:
    assert "stated" in marks("我点了送审没反应")
    assert "asked" in marks("点样先送到审")


@pytest.mark.parametrize("text", ["重启了还是不行", "点哪里都报错,哪个都打不开", "什么都没了"])
def test_question_words_in_statements_are_no_questions(text: str) -> None:
    assert "stated" in marks(text)


def test_a_question_about_what_is_allowed_is_told_from_one_about_how() -> None:
    assert "allowed whether" in marks("差旅补助能不能发给实习生")
    assert "allowed whether" not in marks("差旅补助在哪个菜单录入")


def test_length_is_told_in_steps() -> None:
    assert [marks("好" * size)[-1] for size in (1, 6, 40)] == ["length 0", "length 1", "length 4"]


@given(st.text(max_size=200))
def test_any_text_has_marks_and_none_is_an_ngram(text: str) -> None:
    folded = Folding().fold(text)
    assert mark_features(folded) == mark_features(folded)
    assert not set(mark_features(folded)) & set(grams(folded))


def test_composed_messages_keep_their_matter_and_their_words() -> None:
    made = compose(EXAMPLES, 200)
    assert made == compose(EXAMPLES, 200)
    counts = Counter(example.intent for example in made)
    assert set(counts) == {Intent.REPORT_FAULT, Intent.ASK_QUESTION}
    assert counts[Intent.REPORT_FAULT] > counts[Intent.ASK_QUESTION]
    parts = [example.text for example in EXAMPLES]
    assert all(sum(part in example.text for part in parts) >= 1 for example in made)
    assert all(not example.entities for example in made)


def test_nothing_is_composed_without_the_parts() -> None:
    assert compose(EXAMPLES[:1], 5) != ()
    assert compose(EXAMPLES[2:3], 5) == ()
    assert compose((), 5) == ()

"""Groups of questions: complete, without overlaps, the same in any order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from kb.clustering import MOST_TEXTS, Floats, groups, likenesses, most_typical

NOTHING = np.zeros


def alike(texts: list[str]) -> Floats:
    """Likeness by spelling alone."""
    return likenesses(texts, NOTHING((len(texts), 4), dtype=np.float32))


@given(st.lists(st.text(max_size=12), max_size=12))
@settings(max_examples=60, deadline=None)
def test_every_text_is_in_exactly_one_group(texts: list[str]) -> None:
    found = groups(alike(texts))
    assert sorted(row for rows in found for row in rows) == list(range(len(texts)))
    assert [len(rows) for rows in found] == sorted((len(rows) for rows in found), reverse=True)


@given(st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_the_order_of_the_texts_does_not_matter(chance: object) -> None:
    texts = [
        "境外汇款怎么付",
        "境外汇款怎么支付呢",
        "公章丢了怎么办",
        "公章丢了应该怎么办",
        "下雨吗",
    ]
    order = list(range(len(texts)))
    chance.shuffle(order)  # type: ignore[attr-defined]  # hypothesis gives a Random
    found = groups(alike([texts[place] for place in order]))
    as_texts = {frozenset(texts[order[row]] for row in rows) for rows in found}
    assert as_texts == {frozenset(texts[0:2]), frozenset(texts[2:4]), frozenset(texts[4:])}


def test_vectors_join_what_no_character_does() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    found = groups(likenesses(["公务卡", "还款", "工资"], vectors))
    assert found == [[0, 1], [2]]


def test_the_most_typical_is_in_the_middle() -> None:
    texts = ["境外汇款怎么付", "请问境外汇款怎么付啊老师", "境外汇款"]
    assert most_typical(alike(texts), [0, 1, 2]) == 0
    assert most_typical(alike(texts), [2]) == 2


def test_what_cannot_be_grouped_is_refused() -> None:
    with pytest.raises(ValueError, match="one vector per text"):
        likenesses(["一"], NOTHING((2, 3), dtype=np.float32))
    many = ["一"] * (MOST_TEXTS + 1)
    with pytest.raises(ValueError, match="more than"):
        likenesses(many, NOTHING((len(many), 1), dtype=np.float32))


@given(st.lists(st.text("登录 系统AaＢ\t\n。", max_size=12), min_size=1, max_size=6))
def test_spelling_is_weighed_as_the_library_does(texts: list[str]) -> None:
    texts = [*texts, "登录"]
    library = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    rows = library.fit_transform([text or " " for text in texts])
    nothing = np.zeros((len(texts), 4), np.float32)
    expected = np.clip((rows @ rows.T).toarray(), 0.0, 1.0)
    np.fill_diagonal(expected, 1.0)
    assert likenesses([text or " " for text in texts], nothing) == pytest.approx(expected, abs=1e-5)

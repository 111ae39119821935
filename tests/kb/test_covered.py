"""Covered: what a question is about counts, what everybody says does not; built and laid over."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.coverage import Coverage
from kb.covered import covered, load_everyday
from kb.incremental import LaidField
from kb.laid_part import LaidTexts, text_weights
from kb.lexical import LexicalField, lexical_tokens
from kb.lexicon import load_lexicon

DATA = Path(__file__).parents[2] / "data" / "lexicon"
TEXTS = ("请假申请怎么提交", "发票怎么冲红", "登录门户")
FIELD = LexicalField.build([[text] for text in TEXTS], lexical_tokens, 0.75)
EMPTY = LexicalField.build([[""] for _ in TEXTS], lexical_tokens, 0.75)
ROWS = np.arange(len(TEXTS), dtype=np.int64)


def shares(words: dict[str, float]) -> list[float]:
    return covered(words, ROWS, [FIELD, EMPTY]).tolist()


def test_a_word_is_held_whole_in_parts_or_not_at_all() -> None:
    assert shares({"发票": 1.0}) == [0.0, 1.0, 0.0]
    assert shares({"票据": 1.0}) == [0.0, pytest.approx(0.2), 0.0]
    assert shares({"登录门": 1.0})[2] == 1.0
    assert 0.2 < shares({"登录网": 1.0})[2] < 0.5


def test_words_count_by_their_weight() -> None:
    assert shares({"发票": 3.0, "提交": 1.0}) == [0.25, 0.75, 0.0]
    assert shares({}) == shares({"发票": 0.0}) == [0.0, 0.0, 0.0]


def test_no_candidates_have_no_shares() -> None:
    assert covered({"发票": 1.0}, ROWS[:0], [FIELD]).shape == (0,)


@given(st.dictionaries(st.text(min_size=1, max_size=6), st.floats(0.0, 9.0), max_size=5))
def test_shares_are_shares_whatever_the_words(words: dict[str, float]) -> None:
    found = covered(words, ROWS, [FIELD, EMPTY])
    assert ((found >= 0.0) & (found <= 1.0 + 1e-9)).all()


def test_an_answer_laid_over_holds_its_own_words_and_no_others() -> None:
    texts = [text_weights(FIELD, "head", "补办发票")]
    gone = np.array([False, True, False, False, False])
    laid = LaidField(FIELD, "head", [LaidTexts([texts]), LaidTexts([texts])], gone)
    rows = np.array([0, 2, 3, 4], dtype=np.int64)
    assert laid.holds("补\t办", rows).tolist() == [False, False, True, True]
    assert laid.holds("登\t录", rows).tolist() == [False, True, False, False]
    assert not laid.holds("没有", rows).any()


def test_everyday_words_say_little_of_a_subject(tmp_path: Path) -> None:
    coverage = Coverage.build(TEXTS, load_lexicon(DATA).everyday)
    words = coverage.content("我的发票怎么办")
    assert words["发票"] > 5 * max(words["我"], words["的"])
    coverage.save(tmp_path / "coverage.json")
    assert Coverage.load(tmp_path / "coverage.json").content("我的发票怎么办") == words


def test_the_shipped_table_is_one_of_shares() -> None:
    everyday = load_everyday(DATA / "everyday.tsv")
    assert len(everyday) > 5_000
    assert all(0.0 <= share <= 1.0 and word.strip() == word for word, share in everyday.items())


def test_a_missing_table_is_empty_and_a_broken_one_is_refused(tmp_path: Path) -> None:
    assert load_everyday(tmp_path / "none.tsv") == {}
    broken = tmp_path / "broken.tsv"
    for line in ("词\t多", "词", "词\t0.1\t0.2"):
        broken.write_text(f"# head\n\n{line}\n", encoding="utf-8")
        with pytest.raises(ValueError, match=r"could not convert|unpack"):
            load_everyday(broken)

"""The search form of texts: what is folded, replaced, left out, and what must survive."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.lexicon import Lexicon
from kb.normalise import Normaliser
from tests.kb.samples import lexicon

NORMALISER = Normaliser(lexicon())


@pytest.mark.parametrize(
    ("written", "searched"),
    [
        ("Ｕ盾登陸不了！！！", "ukey登录不了"),
        ("請問電子繳款書點樣打印？", "电子缴款书怎么打印"),
        ("您好，麻烦问一下指标怎么查，谢谢", "指标怎么查"),
        ("在吗在吗在吗", "在吗"),
        ("你好", "你好"),
        ("单号 ZF202611200001 打不开", "单号 打不开"),
        ("登 录 不 了", "登录不了"),
        ("V2.0. 版", "v2.0 版"),
        ("laptop里的OTP", "laptop里的短信验证码"),
        ("https://example.com/a?b=c 打不开", "打不开"),
    ],
)
def test_query_forms(written: str, searched: str) -> None:
    assert NORMALISER.query(written) == searched


def test_texts_keep_courtesy_and_repetition() -> None:
    assert NORMALISER.text("您好，请问") == "您好 请问"


@given(st.text(max_size=200))
def test_any_text_folds_to_words_and_single_separators(text: str) -> None:
    folded = NORMALISER.fold(text)
    assert folded == folded.strip()
    assert not any(mark in folded for mark in "\x00，。！？、：；“”（）【】\n_")


@given(st.text(max_size=200))
def test_a_query_with_words_never_becomes_empty(text: str) -> None:
    if NORMALISER.fold(text):
        assert NORMALISER.query(text)


def test_an_empty_lexicon_only_folds() -> None:
    assert Normaliser(Lexicon()).query("请问Ｕ盾") == "请问u盾"

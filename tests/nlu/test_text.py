"""Folding keeps every offset."""

from hypothesis import given
from hypothesis import strategies as st

from nlu.features import grams, spelling
from nlu.text import Folding, readable
from nlu.types import MAX_TEXT_CHARS

FOLDING = Folding()


def test_common_spelling() -> None:
    assert FOLDING.fold("ＵＫｅｙ點解登陸唔到？") == "ukey点解登陆唔到?"


@given(st.text())
def test_no_character_moves(text: str) -> None:
    folded = FOLDING.fold(text)
    assert len(folded) == min(len(text), MAX_TEXT_CHARS)
    assert FOLDING.fold(folded) == folded
    folded.encode("utf-8")


@given(st.text(st.characters(categories=["Cs", "Cc"])))
def test_unreadable_characters_become_blanks(text: str) -> None:
    assert readable(text).strip() == ""


def test_spelling_masks_numbers_and_cuts_repetitions() -> None:
    assert spelling("急急急急急！  单号 20261121") == "急急!单号00".replace("!", "！")
    assert spelling("bad   gateway 支付") == "bad gateway支付"


@given(st.text(max_size=60))
def test_every_gram_has_a_size(text: str) -> None:
    assert all(1 <= len(gram) <= 4 for gram in grams(text) if not gram.startswith("\x05"))


def test_latin_words_and_their_pairs_are_read_whole() -> None:
    words = [gram[1:] for gram in grams("重置 my ukey's pin 2026!") if gram.startswith("\x05")]
    assert words == ["my", "ukey's", "pin", "my ukey's", "ukey's pin"]
    assert not [gram for gram in grams("支付申请怎么撤回") if gram.startswith("\x05")]

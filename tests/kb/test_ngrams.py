"""How tokens sound, and what reading them aloud may cost."""

from pypinyin.constants import PHRASES_DICT

from kb.ngrams import sounds


def test_homophones_sound_alike() -> None:
    assert sounds(list("支付")) == sounds(list("之副"))
    assert sounds(["重", "ukey"]) == ["p:zhong", "p:ukey"]


def test_the_phrases_of_the_library_are_not_loaded() -> None:
    """They take 46 MiB of every process and change no reading of a single character."""
    assert not PHRASES_DICT

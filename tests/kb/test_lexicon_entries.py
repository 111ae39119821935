"""Entries of the lexicon: kept in one form, in harmony, over the shipped ones."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.settings import data_dir
from bot.workbench.lexicons import shipped
from kb.lexicon import Lexicon, lexicon_from_json, lexicon_to_json, load_lexicon
from kb.lexicon_entries import (
    Entry,
    Kind,
    LexiconInvalid,
    merged,
    require_harmony,
    searched,
)
from kb.normalise import Normaliser

KEY = Entry(Kind.SYNONYM, "ukey", ("u盾", "优盾"))
PAIR = Entry(
    Kind.PAIR,
    "quota",
    ("额度没了",),
    question="查不到指标，还是余额不足？",
    options=("查不到指标", "余额不足"),
    decided_by=("查不到", "余额不足"),
)


def test_the_shipped_entries_are_the_shipped_lexicon() -> None:
    known = shipped(data_dir())
    whole = load_lexicon(data_dir() / "lexicon")
    again = searched(known.entries, known.base)
    assert dict(again.replacements) == dict(whole.replacements)
    assert set(again.fillers) == set(whole.fillers)
    assert set(again.terms) == set(whole.terms)
    assert {one.kind for one in known.entries} >= {Kind.SYNONYM, Kind.TYPO, Kind.FILLER, Kind.PAIR}


def test_every_shipped_pair_can_be_saved_again() -> None:
    for entry in shipped(data_dir()).entries:
        if entry.kind is Kind.PAIR:
            assert entry.checked().key == entry.key


def test_an_own_entry_stands_in_the_place_of_a_shipped_one() -> None:
    own = replace(KEY, variants=("加密狗",))
    lexicon = searched(merged([KEY], [own]), Lexicon({"点解": "为什么"}))
    normaliser = Normaliser(lexicon)
    assert normaliser.query("加密狗点解不亮") == "ukey为什么不亮"
    assert normaliser.query("优盾不亮") == "优盾不亮"
    off = searched(merged([KEY], [replace(KEY, active=False)]), Lexicon())
    assert Normaliser(off).query("u盾不亮") == "u盾不亮"
    assert off.terms == ()


def test_it_is_kept_in_the_form_that_is_compared() -> None:
    kept = Entry(Kind.SYNONYM, "  UKey ", (" U盾", "u盾", "", "优 盾 ")).checked()
    assert (kept.word, kept.variants) == ("ukey", ("u盾", "优 盾"))
    assert Entry.from_json("synonym", kept.word, kept.to_json(), active=True) == kept


@pytest.mark.parametrize(
    ("entry", "field", "reason"),
    [
        (replace(KEY, word=" "), "word", "empty"),
        (replace(KEY, word="长" * 201), "word", "too_long"),
        (replace(KEY, variants=()), "variants", "empty"),
        (replace(KEY, variants=("盾",)), "variants", "too_short"),
        (replace(KEY, variants=tuple(f"写法{n}" for n in range(101))), "variants", "too_many"),
        (replace(KEY, variants=("长" * 201,)), "variants", "too_long"),
        (Entry(Kind.FILLER, "请问", ("多余",)), "variants", "not"),
        (Entry(Kind.BLOCK, "钱"), "word", "too_short"),
        (replace(PAIR, question=""), "question", "empty"),
        (replace(PAIR, options=("查不到指标",)), "options", "count"),
        (replace(PAIR, options=("查不到指标", "别的")), "options", "undecided"),
    ],
)
def test_what_would_do_harm_is_refused(entry: Entry, field: str, reason: str) -> None:
    with pytest.raises(LexiconInvalid) as refused:
        entry.checked()
    assert (refused.value.field, refused.value.reason) == (field, reason)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (Entry(Kind.SYNONYM, "证书", ("证书",)), "itself"),
        (Entry(Kind.SYNONYM, "证书", ("优盾",)), "taken"),
        (Entry(Kind.TYPO, "证书", ("ukey",)), "is_word"),
        (Entry(Kind.SYNONYM, "u盾", ("加密狗",)), "is_variant"),
    ],
)
def test_entries_do_not_contradict_one_another(entry: Entry, reason: str) -> None:
    with pytest.raises(LexiconInvalid) as refused:
        require_harmony(entry, [KEY])
    assert refused.value.reason == reason
    require_harmony(
        entry if reason == "itself" and not entry.active else replace(entry, active=False), [KEY]
    )
    if reason != "itself":
        require_harmony(entry, [replace(KEY, active=False)])


words = st.text("abcxyz证书优盾 ", min_size=0, max_size=8)


@given(words, st.lists(words, max_size=4))
def test_keeping_twice_changes_nothing(word: str, variants: list[str]) -> None:
    try:
        kept = Entry(Kind.SYNONYM, word, tuple(variants)).checked()
    except LexiconInvalid:
        return
    assert kept.checked() == kept


def test_it_travels_as_json() -> None:
    lexicon = searched([KEY, Entry(Kind.FILLER, "请问")], Lexicon({"点解": "为什么"}))
    assert lexicon_from_json(lexicon_to_json(lexicon)) == lexicon

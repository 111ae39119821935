"""Words that never stand for one another: asked for the one, answered by it, not by the other."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.settings import data_dir
from bot.workbench.lexicons import shipped
from kb.answer_text import AnswerText
from kb.answers import indexed_text
from kb.articles import Corpus
from kb.distinct import DOUBTED, Distinct, DistinctWords
from kb.fusion import Band
from kb.golden import OneIndex
from kb.index_holder import IndexHolder
from kb.lexicon import Lexicon, lexicon_from_json, lexicon_to_json, load_lexicon
from kb.lexicon_entries import Entry, Kind, LexiconInvalid, require_harmony
from kb.normalise import Normaliser
from kb.retriever import Retriever
from kb.settings import KnowledgeSettings
from kb.train import build_index

PAYMENT = Distinct(("支付申请", "退付"))
BUDGET = Distinct(("预算", "决算"), ("预算单位",))
ASKED = "退付申请怎么录入"


def words(*groups: Distinct) -> DistinctWords:
    return DistinctWords(groups, str.lower)


@pytest.mark.parametrize(
    ("query", "heads", "body", "mistaken"),
    [
        (ASKED, "支付申请怎么录入", "点新增", True),
        (ASKED, "支付申请怎么录入", "退付另走一个菜单", False),
        (ASKED, "非税退付要什么材料", "意见函", False),
        ("支付申请怎么录入", "非税退付要什么材料", "意见函", True),
        ("支付申请和退付有什么不同", "支付申请怎么录入", "点新增", False),
        ("怎么录入", "支付申请怎么录入", "点新增", False),
        ("预算单位的决算怎么报", "决算怎么报", "按通知", False),
        ("预算单位怎么报", "决算怎么报", "按通知", False),
        ("预算怎么报", "决算怎么报", "预算单位登录", True),
    ],
)
def test_an_answer_to_another_word_is_mistaken(
    query: str, heads: str, body: str, *, mistaken: bool
) -> None:
    named = words(PAYMENT, BUDGET).named(query)
    assert any(one.is_mistaken(heads, body) for one in named) is mistaken


@given(st.text(), st.text(), st.text())
def test_an_answer_that_says_what_was_asked_for_never_is(query: str, heads: str, body: str) -> None:
    for word in PAYMENT.words:
        named = words(PAYMENT).named(f"{query} {word}")
        assert not any(one.is_mistaken(heads, f"{body} {word}") for one in named)


def test_words_that_synonyms_make_one_are_no_group() -> None:
    lexicon = Lexicon({"退付申请": "退付"}, distinct=(Distinct(("退付申请", "退付")),))
    assert not Normaliser(lexicon).distinct.named("退付申请怎么办")


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Lexicon], tuple[Band, dict]]:
    """Band and scores by title, with one lexicon, of two answers that look alike."""
    home = tmp_path_factory.mktemp("home")
    texts = {
        "支付申请怎么录入": ("付款单在哪里录", "点【支付申请录入】，新增后保存。"),
        "非税多收的钱怎么退": ("收费多收了要退", "走退付流程，附意见函。"),
        "公务卡怎么还款": ("刷卡之后怎么还", "点【公务卡还款】。"),
    }
    answers = tuple(
        indexed_text(f"{place}", AnswerText(title, body, (similar,)))
        for place, (title, (similar, body)) in enumerate(texts.items())
    )
    now, settings = datetime(2026, 1, 1, tzinfo=UTC), KnowledgeSettings()
    build_index(home, Corpus(answers), settings, lexicon=Lexicon(), negatives=(), now=now)
    index = IndexHolder(home, settings).current()

    def searched(query: str, lexicon: Lexicon) -> tuple[Band, dict[str, float]]:
        known = replace(index, normaliser=Normaliser(lexicon))
        result = Retriever(OneIndex(known)).search(query)
        assert sum(result.probabilities) <= 1.0 + 1e-9
        assert list(result.probabilities) == sorted(result.probabilities, reverse=True)
        return result.band, {one.title: one.score for one in result.candidates}

    return searched


def test_it_is_offered_and_not_given(
    ask: Callable[[str, Lexicon], tuple[Band, dict[str, float]]],
) -> None:
    title = "支付申请怎么录入"
    band, scores = ask(ASKED, Lexicon())
    assert (band, max(scores, key=lambda one: scores[one])) == (Band.ANSWER, title)
    band, doubted = ask(ASKED, Lexicon(distinct=(PAYMENT,)))
    assert doubted[title] <= DOUBTED < scores[title]
    assert band is not Band.ANSWER or max(doubted, key=lambda one: doubted[one]) != title
    assert ask(title, Lexicon(distinct=(PAYMENT,))) == ask(title, Lexicon())


def test_the_shipped_groups_are_entries_that_can_be_saved() -> None:
    lexicon = load_lexicon(data_dir() / "lexicon")
    assert PAYMENT in lexicon.distinct
    known = shipped(data_dir())
    groups = [one for one in known.entries if one.kind is Kind.DISTINCT]
    assert len({one.word for one in groups}) == len(groups) == len(lexicon.distinct)
    for one in groups:
        assert one.checked() == one
        require_harmony(one, known.entries)


def test_they_are_kept_in_the_file_that_every_process_follows() -> None:
    lexicon = Lexicon({"甲": "乙"}, distinct=(PAYMENT, BUDGET))
    assert lexicon_from_json(lexicon_to_json(lexicon)).distinct == (PAYMENT, BUDGET)


def test_words_that_search_takes_for_one_are_refused() -> None:
    synonym = Entry(Kind.SYNONYM, "退付", ("退费",))
    with pytest.raises(LexiconInvalid) as refused:
        require_harmony(Entry(Kind.DISTINCT, "退费", ("退付",)), [synonym])
    assert (refused.value.reason, refused.value.about) == ("same", "退付 → 退付")
    with pytest.raises(LexiconInvalid):
        Entry(Kind.DISTINCT, "退付", ("退付",)).checked()
    with pytest.raises(LexiconInvalid):
        Entry(Kind.DISTINCT, "退", ("付",)).checked()


def test_scores_that_leave_nothing_to_the_others_stay_below_one() -> None:
    from kb.retriever import _doubted
    from kb.search_index import Hits

    hits = Hits(np.arange(3), np.zeros((3, 1)), np.zeros(3, bool), np.zeros(1))

    def score(hits: Hits) -> np.ndarray:
        return np.array([0.98, 0.01, 0.01]) if len(hits.answers) == 3 else np.array([0.5, 0.49])

    found = _doubted(score, hits, np.array([0]))
    assert found.sum() <= 1.0 + 1e-9
    assert found[0] == pytest.approx(0.01)

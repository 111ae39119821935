"""Golden questions against the live index and a candidate: what a change improves and breaks."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.fusion import Band
from kb.golden import (
    GoldenQuestion,
    GoldenResult,
    OneIndex,
    ask,
    compare,
    summary,
)
from kb.incremental import Overlay
from kb.index_holder import open_index
from kb.retriever import Retriever
from kb.settings import KnowledgeSettings
from tests.kb.samples import NOW, make_corpus

TODAY = NOW.date()


def golden_questions() -> list[GoldenQuestion]:
    """The standard question of every article, and one that nothing answers."""
    known = [
        GoldenQuestion(answer.answer_id, answer.title, frozenset({answer.answer_id}))
        for answer in make_corpus().articles
    ]
    return [*known, GoldenQuestion("none", "今天晚上吃什么好呢", frozenset())]


def test_what_is_published_passes(
    retriever: Retriever, built_home: Path, kb_settings: KnowledgeSettings
) -> None:
    index = open_index(built_home, kb_settings)
    questions = golden_questions()
    results = ask(OneIndex(index), questions, today=TODAY)
    counted = summary(questions, results)
    assert counted.hit1 == counted.hit3 == counted.refusal == 1.0
    assert counted.answerable == len(questions) - 1
    live = retriever.search(questions[0].text, today=TODAY)
    assert results[questions[0].id].score == live.candidates[0].score


def test_a_withdrawn_answer_and_a_thief_are_seen_before_they_go_live(
    built_home: Path, kb_settings: KnowledgeSettings
) -> None:
    index = open_index(built_home, kb_settings)
    questions = golden_questions()
    first, second = list(make_corpus().articles)[:2]
    thief = replace(second, answer_id="thief", title=first.title, questions=first.questions)
    candidate = Overlay.over(index).with_changes({first.answer_id: None, "thief": thief}).index
    found = compare(
        questions,
        ask(OneIndex(index), questions, today=TODAY),
        ask(OneIndex(candidate), questions, today=TODAY),
    )
    assert first.answer_id in found.broken
    assert found.improved == ()
    assert found.worst_drop() >= 1 / (len(questions) - 1) - 1e-9
    back = compare(
        questions,
        ask(OneIndex(candidate), questions, today=TODAY),
        ask(OneIndex(index), questions, today=TODAY),
    )
    assert first.answer_id in back.improved
    assert back.worst_drop() == 0.0


RANKS = st.integers(0, 10)
BANDS = st.sampled_from(Band)


@given(st.lists(st.tuples(st.booleans(), RANKS, BANDS, RANKS, BANDS), max_size=20))
def test_a_comparison_counts_every_question_once(
    rows: list[tuple[bool, int, Band, int, Band]],
) -> None:
    questions, before, after = [], {}, {}
    for number, (known, rank_a, band_a, rank_b, band_b) in enumerate(rows):
        key = str(number)
        questions.append(GoldenQuestion(key, key, frozenset({"x"} if known else ())))
        before[key] = GoldenResult(key, rank_a, band_a, "", 0.0)
        after[key] = GoldenResult(key, rank_b, band_b, "", 0.0)
    found = compare(questions, before, after)
    assert not set(found.improved) & set(found.broken)
    gained = len(found.improved) - len(found.broken)
    passed_before = found.before.first + found.before.refused
    assert passed_before + gained == found.after.first + found.after.refused
    assert 0.0 <= found.worst_drop() <= 1.0


def test_a_question_without_a_result_is_an_error() -> None:
    with pytest.raises(KeyError):
        compare([GoldenQuestion("a", "a", frozenset())], {}, {})

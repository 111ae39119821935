"""The figures are counted right, and the evaluation asks the same search as everyone else."""

import math
from pathlib import Path

import numpy as np
import pytest

from kb.evaluate import (
    Question,
    Ranked,
    auroc,
    evaluate,
    read_questions,
    retriever_ranking,
    table,
)
from kb.fusion import Band
from kb.retriever import Retriever
from tests.kb.samples import make_corpus

QUESTIONS = Path(__file__).parents[2] / "data" / "evaluation" / "questions.tsv"


def test_the_evaluation_calls_the_live_search(retriever: Retriever) -> None:
    ranked = retriever_ranking(retriever)("怎么打印凭证")
    live = retriever.search("怎么打印凭证")
    assert ranked.answers == tuple(candidate.answer_id for candidate in live.candidates)
    assert ranked.scores == tuple(candidate.score for candidate in live.candidates)
    assert ranked.band is live.band


def test_figures_of_a_known_ranking() -> None:
    ranks = {
        "first": Ranked(("a", "b"), (0.9, 0.1), Band.ANSWER),
        "second": Ranked(("b", "a"), (0.6, 0.3), Band.ANSWER),
        "absent": Ranked(("b",), (0.2,), Band.NONE),
        "foreign": Ranked(("b",), (0.5,), Band.ANSWER),
        "empty": Ranked((), ()),
    }
    right = frozenset({"a"})
    questions = [Question(text, right) for text in ("first", "second", "absent")]
    questions += [Question(text, frozenset(), "foreign") for text in ("foreign", "empty")]
    report = evaluate(ranks.__getitem__, questions)
    assert report.hit1 == pytest.approx(1 / 3)
    assert report.hit3 == pytest.approx(2 / 3)
    assert report.mrr == pytest.approx(0.5)
    assert report.coverage == pytest.approx(2 / 3)
    assert report.precision == pytest.approx(1 / 3)
    assert report.precision_answerable == pytest.approx(1 / 2)
    assert report.auroc == {"foreign": pytest.approx(5 / 6)}
    assert "hit@1 0.333" in table({"known": report})


def test_auroc_counts_ties_half() -> None:
    assert auroc(np.array([0.5, 0.9]), np.array([0.5, 0.1])) == pytest.approx(7 / 8)
    assert math.isnan(auroc(np.array([]), np.array([0.5])))


def test_questions_without_an_answer_here_are_left_out() -> None:
    assert all(not question.answers for question in read_questions(QUESTIONS, [], split="dev"))


def test_the_shipped_questions_are_well_formed() -> None:
    rows = [line.split("\t") for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    header, *body = rows
    assert header == ["id", "text", "ref", "section", "must", "split", "topic"]
    assert len(body) >= 150
    assert len({row[1] for row in body}) == len(body)
    assert {row[4] for row in body} == {"answer", "none"}
    topics = {row[6]: row[5] for row in body}
    assert all(topics[row[6]] == row[5] for row in body)
    assert all(bool(row[3]) == (row[4] == "answer") for row in body)


def test_a_shuffled_ranking_is_seen(retriever: Retriever) -> None:
    """The floor on which the quick suite in CI stands can fail."""
    answers = make_corpus().answers
    questions = [
        Question(f"{answer.questions[0]}要怎么弄", frozenset({answer.answer_id}))
        for answer in answers
        if answer.questions
    ]
    chance = np.random.default_rng(1)

    def shuffled(query: str) -> Ranked:
        ranked = retriever_ranking(retriever)(query)
        order = chance.permutation(len(ranked.answers))
        return Ranked(tuple(ranked.answers[place] for place in order), ranked.scores)

    assert evaluate(retriever_ranking(retriever), questions).hit1 >= 0.9
    assert evaluate(shuffled, questions).hit1 < 0.6

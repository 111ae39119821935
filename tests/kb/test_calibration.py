"""Fitting learns what separates right from wrong, and keeps the shipped weights otherwise."""

from dataclasses import replace

import numpy as np

from kb.articles import AnswerOrigin
from kb.calibration import FEWEST_SAMPLES, PRIOR, Asked, Sample, fit
from kb.fusion import QUERY_SIGNALS, SIGNALS, Cuts, scores
from kb.normalise import Normaliser
from kb.search_index import Hits
from kb.train import hold_out
from kb.units import SearchText, search_texts
from tests.kb.samples import SUBJECTS, lexicon, make_corpus

CUTS = Cuts(0.4, 0.25)


def _sample(chance: np.random.Generator, *, answered: bool, passages: bool = False) -> Sample:
    """Five candidates; the right one is strong in the last signal of the first half only."""
    signals = chance.random((5, len(SIGNALS))) * 0.5
    if answered:
        signals[2, 5] = 1.0
    hits = Hits(
        answers=np.arange(5) * 10,
        signals=signals,
        is_passage=np.full(5, passages),
        query=np.ones(len(QUERY_SIGNALS)),
    )
    asked = Asked.ANSWERED if answered else Asked.REMOVED
    return Sample(hits, 20 if answered else None, asked)


def test_fitting_finds_the_signal_that_tells() -> None:
    chance = np.random.default_rng(5)
    samples = [_sample(chance, answered=number % 2 == 0) for number in range(400)]
    fusion = fit(samples, CUTS)
    right, refused = 0, 0
    for number in range(200):
        sample = _sample(chance, answered=number % 2 == 0)
        hits = sample.hits
        result = scores(fusion.weights, hits.signals, hits.is_passage, hits.query)
        right += sample.gold is not None and int(result.argmax()) == 2 and result[2] > 0.5
        refused += sample.gold is None and result.sum() < 0.5
    assert right >= 95
    assert refused >= 90


def test_too_few_questions_leave_the_shipped_weights() -> None:
    chance = np.random.default_rng(5)
    samples = [_sample(chance, answered=True) for _ in range(500)]
    samples += [_sample(chance, answered=False) for _ in range(FEWEST_SAMPLES - 1)]
    assert fit(samples, CUTS).weights == PRIOR


def test_passages_do_not_count_against_questions_of_removed_entries() -> None:
    chance = np.random.default_rng(5)
    samples = [_sample(chance, answered=number % 2 == 0) for number in range(200)]
    removed = [_sample(chance, answered=False, passages=True) for _ in range(60)]
    strong = [
        replace(one, hits=replace(one.hits, signals=np.ones((5, len(SIGNALS))))) for one in removed
    ]
    with_noise = fit(samples + strong, CUTS).weights
    assert with_noise.passage == PRIOR.passage
    assert with_noise.passage_bias == PRIOR.passage_bias


def _texts() -> list[SearchText]:
    return search_texts(make_corpus(), Normaliser(lexicon()))


def test_a_held_out_question_is_not_in_the_index_it_is_asked_of() -> None:
    held = hold_out(_texts(), ["今天天气怎么样"], seed=1)
    assert held is not None
    answered = [question for question in held.questions if question.gold is not None]
    assert len(answered) + 3 == len(SUBJECTS)
    for question in answered:
        assert question.gold is not None
        assert question.text not in held.texts[question.gold].heads
    removed = [question for question in held.questions if question.asked is Asked.REMOVED]
    kept = {head for text in held.texts for head in text.heads}
    assert removed
    assert not kept & {question.text for question in removed}


def test_passages_and_standard_questions_are_never_held_out() -> None:
    texts = _texts()
    held = hold_out(texts, [], seed=1)
    assert held is not None
    standard = {text.heads[0] for text in held.texts}
    assert not standard & {
        question.text for question in held.questions if question.gold is not None
    }
    assert sum(text.origin is AnswerOrigin.PASSAGE for text in held.texts) == 1


def test_a_small_table_is_left_whole() -> None:
    assert hold_out(_texts()[:9], ["天气"], seed=1) is None

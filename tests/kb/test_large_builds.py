"""What keeps builds of large knowledge bases short: counting in arrays, sparse steps, a draw."""

import bm25s
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kb.articles import AnswerOrigin
from kb.contrastive import BagSettings, train_bag
from kb.postings import K1, bm25_index
from kb.row_adam import RowAdam, one_cycle
from kb.train import CALIBRATED_ANSWERS, drawn
from kb.units import SearchText

_TOKENS = st.lists(st.sampled_from("甲乙丙丁戊"), max_size=8)


@given(st.lists(_TOKENS, min_size=1, max_size=12), st.sampled_from([0.0, 0.6, 1.0]), _TOKENS)
def test_scores_are_those_of_bm25s(
    documents: list[list[str]], length_weight: float, query: list[str]
) -> None:
    ours = bm25_index(documents, length_weight)
    theirs = bm25s.BM25(k1=K1, b=length_weight, method="lucene")
    theirs.index([document or [""] for document in documents], show_progress=False)
    for token in set(query):
        if token in theirs.vocab_dict:
            found, expected = ours.get_scores([token]), theirs.get_scores([token])
            np.testing.assert_allclose(found, expected, atol=1e-6)
        else:
            assert token not in ours.vocab_dict


def test_no_text_at_all_is_an_index_too() -> None:
    assert set(bm25_index([], 0.5).vocab_dict) == {""}


def test_a_step_moves_only_its_rows_downhill() -> None:
    weights = torch.ones(5, 3)
    optimiser = RowAdam(weights)
    rows = torch.tensor([1, 3])
    for step in range(60):
        optimiser.step(rows, 2 * weights[rows], 0.1 * one_cycle(step / 60))
    assert weights[[0, 2, 4]].eq(1.0).all()
    assert weights[rows].abs().max() < 0.2


def test_the_rate_goes_up_and_then_down_to_nothing() -> None:
    rates = [one_cycle(step / 100) for step in range(100)]
    assert max(rates) == rates[10] == pytest.approx(1.0)
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 0.01


def test_many_texts_get_shorter_vectors() -> None:
    groups = [[f"问题{number}甲", f"问题{number}乙"] for number in range(30)]
    steps: list[float] = []
    settings = BagSettings(many=60, steps=3, most_steps=4, batch=4)
    bag = train_bag(groups, settings=settings, seed=1, progress=steps.append)
    assert bag.get_embedding_dimension() == settings.dimension_of_many
    assert len(steps) == 4
    assert BagSettings().dimension > settings.dimension_of_many


def test_weights_are_fitted_on_a_draw_of_a_large_knowledge_base() -> None:
    texts = [_text(number) for number in range(CALIBRATED_ANSWERS + 50)]
    chosen = drawn(texts, 1)
    assert len(chosen) == CALIBRATED_ANSWERS
    assert chosen == drawn(texts, 1) != drawn(texts, 2)
    assert [text for text in texts if text in set(chosen)] == chosen
    few = texts[:CALIBRATED_ANSWERS]
    assert drawn(few, 1) is few


def _text(number: int) -> SearchText:
    return SearchText((f"问题{number}",), "", "", (), AnswerOrigin.ARTICLE)

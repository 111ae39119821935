"""Probabilities, bands and shown scores: properties that hold for any signals."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kb.calibration import GUIDES_ONLY, PRIOR
from kb.fusion import QUERY_SIGNALS, SIGNALS, Band, Cuts, Fusion, Weights, scores, shown_scores

COUNT = len(SIGNALS)
CUTS = Cuts(answer=0.4, offer=0.25)
UNITS = st.floats(0.0, 1.0)


@given(
    st.integers(0, 6).flatmap(lambda rows: arrays(np.float64, (rows, COUNT), elements=UNITS)),
    arrays(np.float64, len(QUERY_SIGNALS), elements=UNITS),
    st.sampled_from([PRIOR, GUIDES_ONLY]),
)
def test_scores_are_a_part_of_one(signals: np.ndarray, query: np.ndarray, weights: Weights) -> None:
    is_passage = np.arange(len(signals)) % 2 == 0
    result = scores(weights, signals, is_passage, query)
    assert result.shape == (len(signals),)
    assert ((result >= 0.0) & (result <= 1.0)).all()
    assert result.sum() <= 1.0 + 1e-9


@given(st.permutations(range(5)))
def test_the_order_of_candidates_does_not_matter(order: list[int]) -> None:
    chance = np.random.default_rng(3)
    signals, query = chance.random((5, COUNT)), chance.random(len(QUERY_SIGNALS))
    is_passage = np.array([True, False, True, False, False])
    straight = scores(PRIOR, signals, is_passage, query)
    shuffled = scores(PRIOR, signals[order], is_passage[order], query)
    np.testing.assert_allclose(shuffled, straight[order])


@given(
    st.lists(st.tuples(st.floats(0.0, 0.2), st.booleans()), max_size=5).map(
        lambda pairs: sorted(pairs, reverse=True)
    )
)
def test_shown_scores_descend_and_never_fall_below_an_articles_own(
    pairs: list[tuple[float, bool]],
) -> None:
    ranked = np.array([score for score, _ in pairs])
    is_passage = np.array([passage for _, passage in pairs], dtype=bool)
    shown = shown_scores(ranked, is_passage)
    assert (np.diff(shown) <= 1e-12).all()
    assert (shown <= 1.0).all()
    if len(shown):
        assert shown[0] >= ranked[0] - 1e-12


@pytest.mark.parametrize(
    ("ranked", "band"),
    [
        ([], Band.NONE),
        ([0.4], Band.ANSWER),
        ([0.39, 0.01], Band.OFFER),
        ([0.1, 0.1, 0.06], Band.OFFER),
        ([0.1, 0.1, 0.04, 0.04], Band.NONE),
    ],
)
def test_bands(ranked: list[float], band: Band) -> None:
    assert CUTS.band(np.array(ranked)) is band


def test_a_fusion_survives_json() -> None:
    fusion = Fusion(PRIOR, CUTS)
    assert Fusion.from_json(json.loads(json.dumps(fusion.to_json()))) == fusion


def test_a_fusion_from_before_a_signal_was_thought_of_gives_it_no_weight() -> None:
    row = json.loads(json.dumps(Fusion(PRIOR, CUTS).to_json()))
    at = row["signals"].index("covered")
    for values in (row["signals"], row["weights"]["article"], row["weights"]["passage"]):
        del values[at]
    read = Fusion.from_json(row).weights
    assert read.passage == (*PRIOR.passage[:at], 0.0, *PRIOR.passage[at + 1 :])
    assert read.article == (*PRIOR.article[:at], 0.0, *PRIOR.article[at + 1 :])


@pytest.mark.parametrize("change", [{"signals": ["other"]}, {"query_signals": []}])
def test_a_fusion_for_other_signals_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="signals"):
        Fusion.from_json(Fusion(PRIOR, CUTS).to_json() | change)


def test_weights_of_the_wrong_number_are_refused() -> None:
    with pytest.raises(ValueError, match="signals"):
        Weights((1.0,), PRIOR.passage, 0.0, 0.0, PRIOR.none)

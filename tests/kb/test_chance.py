"""Chance that belongs to a text: what is published beside it does not change what it is given."""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kb import chance
from kb.articles import AnswerOrigin
from kb.contrastive import BagSettings, train_bag
from kb.encoder import NgramEncoder, Vectors
from kb.importer import import_file
from kb.sections import FaqTable
from kb.train import Asked, hold_out
from kb.units import SearchText

ROOT = Path(__file__).parents[2]
_TEXTS = st.lists(st.text(max_size=6), unique=True, min_size=1, max_size=20)


def test_signs_are_balanced_and_as_good_as_uncorrelated() -> None:
    drawn = chance.signs([f"词{number}" for number in range(200)], 600, 1)
    assert drawn.shape == (200, 600)
    assert set(np.unique(drawn)) == {-1.0, 1.0}
    likeness = drawn @ drawn.T / 600
    np.fill_diagonal(likeness, 0.0)
    assert abs(likeness).max() < 0.25
    assert likeness.std() < 1.1 / np.sqrt(600)
    assert not np.array_equal(drawn, chance.signs([f"词{number}" for number in range(200)], 600, 2))


@given(_TEXTS, st.integers(0, 2**64), st.integers(1, 30))
def test_a_text_is_given_the_same_wherever_it_stands(
    texts: list[str], seed: int, dimension: int
) -> None:
    turned = texts[::-1]
    assert np.array_equal(
        chance.signs(texts, dimension, seed), chance.signs(turned, dimension, seed)[::-1]
    )
    assert np.array_equal(chance.keys(texts, seed), chance.keys(turned, seed)[::-1])


@given(_TEXTS, st.integers(0, 9))
def test_one_text_more_moves_no_two_past_each_other(texts: list[str], seed: int) -> None:
    shuffled = [texts[place] for place in chance.order(texts, seed)]
    fewer = [texts[1:][place] for place in chance.order(texts[1:], seed)]
    assert [text for text in shuffled if text != texts[0]] == fewer


def test_shares_are_even_and_other_ones_in_every_turn() -> None:
    keys = chance.keys([f"词{number}" for number in range(20_000)], 1)
    first, second = chance.shares(keys, 0), chance.shares(keys, 1)
    for drawn in (first, second):
        assert (np.histogram(drawn, 10, (0.0, 1.0))[0] > 1_800).all()
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03
    assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 0.03


def test_an_answer_less_hardly_moves_what_the_others_are_found_by() -> None:
    groups = _groups()
    questions = [group[-1] for group in groups[1:]]
    kept = [group[:-1] for group in groups]
    before = _likenesses(kept, questions, seed=1)[:, 1:]
    after, by_chance = (_likenesses(kept[1:], questions, seed=seed) for seed in (1, 2))
    assert (before.argmax(axis=1) == after.argmax(axis=1)).mean() > 0.95
    assert 2 * abs(before - after).mean() < abs(before - by_chance).mean()


def test_texts_without_any_feature_are_trained_beside_others() -> None:
    bag = train_bag([["%", "%"], ["付款", "支付"], [""]], settings=BagSettings(steps=2), seed=1)
    assert np.isfinite(bag.embedding.weight.detach().numpy()).all()


def test_what_is_held_out_for_fitting_stays_held_out_beside_another_answer() -> None:
    texts = [
        SearchText(tuple(f"{number}问{n}" for n in range(4)), "", "", (), AnswerOrigin.ARTICLE)
        for number in range(60)
    ]
    before, after = hold_out(texts, [], 3), hold_out(texts[1:], [], 3)
    assert before is not None
    assert after is not None
    asked = [{q.text for q in held.questions} for held in (before, after)]
    assert len(asked[0] ^ asked[1]) <= 8
    assert sum(q.asked is Asked.REMOVED for q in before.questions) == 3 * 12


def _groups() -> list[list[str]]:
    """The questions of three of the sample tables, five of each answer."""
    groups = []
    for path in sorted((ROOT / "data" / "faq").iterdir())[:3]:
        table = import_file(path)
        assert isinstance(table, FaqTable)
        asked = [[entry.question, *entry.similar] for entry in table.entries]
        groups += [questions[:5] for questions in asked if len(questions) >= 5]
    return groups


def _likenesses(groups: list[list[str]], questions: list[str], *, seed: int) -> Vectors:
    """Of each question to the sum of each group, by vectors trained on the groups."""
    bag = train_bag(groups, settings=BagSettings(dimension=64, steps=60), seed=seed)
    encoder = NgramEncoder(bag.vocabulary, bag.embedding.weight.detach().numpy())
    sums = np.stack([encoder.encode(group).sum(axis=0) for group in groups])
    sums /= np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(encoder.encode(questions) @ sums.T)

"""The parts of search, each by itself: n-grams, windows, BM25 fields, vectors, training."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.contrastive import BagSettings, train_bag
from kb.coverage import Coverage
from kb.encoder import NgramEncoder, Vocabulary, weighted_features
from kb.index import EXACT_NUMBERS, DenseIndex
from kb.lexical import LexicalField, lexical_tokens, sound_tokens
from kb.units import sentence_windows


def test_homophones_share_their_sounds_and_little_else() -> None:
    right, slip = set(weighted_features("证券")), set(weighted_features("政券"))
    assert {feature for feature in right & slip if feature.startswith("p:")} == {
        "p:zheng",
        "p:quan",
    }
    assert "证" not in slip


def test_forms_of_a_latin_word_share_pieces() -> None:
    assert set(weighted_features("printing")) & set(weighted_features("printer"))


@given(st.text(max_size=80))
def test_features_of_any_text_are_positive(text: str) -> None:
    assert all(weight > 0.0 for weight in weighted_features(text).values())


@given(st.text(alphabet="一二三。；\n！a ", max_size=300))
def test_windows_keep_every_word_in_order(text: str) -> None:
    kept = "".join(sentence_windows(text, 20))
    assert [c for c in kept if c not in "。；\n！"] == [c for c in text if c not in "。；\n！"]


def _field(texts: list[list[str]]) -> LexicalField:
    return LexicalField.build(texts, lexical_tokens, 0.6)


def test_the_best_text_of_an_answer_counts() -> None:
    field = _field([["打印凭证"], ["登录门户", "重置口令"], []])
    scores = field.scores("重置口令")
    assert scores.shape == (3,)
    assert int(scores.argmax()) == 1
    assert scores[2] == 0.0
    assert 0.0 < scores[1] <= 1.0


@pytest.mark.parametrize("texts", [[], [[]], [[""]], [["  "], []]])
def test_a_field_of_nothing_finds_nothing(texts: list[list[str]]) -> None:
    assert not _field(texts).scores("登录").any()


def test_a_field_survives_its_folder(tmp_path: Path) -> None:
    field = _field([["打印凭证"], ["登录门户", "重置口令"]])
    field.save(tmp_path / "head")
    again = LexicalField.load(tmp_path / "head", lexical_tokens)
    np.testing.assert_array_equal(again.scores("登录门户"), field.scores("登录门户"))


def test_sounds_find_a_homophone() -> None:
    field = LexicalField.build([["清算回单"], ["登录门户"]], sound_tokens, 0.75)
    assert int(field.scores("青酸会单").argmax()) == 0


def test_coverage_tells_a_foreign_subject(tmp_path: Path) -> None:
    coverage = Coverage.build(["支付申请怎么录入", "指标怎么查询"], {"怎么": 0.3})
    known, foreign = coverage.unknown_shares("支付指标"), coverage.unknown_shares("食堂菜单")
    assert all(ours < theirs for ours, theirs in zip(known, foreign, strict=True))
    assert coverage.unknown_shares("") == [1.0, 1.0, 1.0]
    coverage.save(tmp_path / "coverage.json")
    assert Coverage.load(tmp_path / "coverage.json").unknown_shares("支付指标") == known


def _unit_rows(count: int, dimension: int) -> np.ndarray:
    rows = np.random.default_rng(7).normal(size=(count, dimension)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


@pytest.mark.parametrize("count", [0, 1, 500])
def test_the_exact_index_returns_the_nearest(tmp_path: Path, count: int) -> None:
    rows = _unit_rows(count, 16)
    DenseIndex.build(rows).save(tmp_path / "index")
    index = DenseIndex.load(tmp_path / "index")
    found, likeness = index.search(rows[-1] if count else np.zeros(16, np.float32), 10)
    assert len(found) == min(count, 10)
    if count:
        assert found[0] == count - 1
        assert likeness[0] == pytest.approx(1.0, abs=1e-5)


def test_the_clustered_index_finds_nearly_all_neighbours(tmp_path: Path) -> None:
    centres = _unit_rows(200, 64)
    rows = np.repeat(centres, 330, axis=0) + 0.05 * _unit_rows(200 * 330, 64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    assert rows.size > EXACT_NUMBERS
    DenseIndex.build(rows).save(tmp_path / "index")
    index = DenseIndex.load(tmp_path / "index")
    hits = 0
    for row in range(0, len(rows), 3_000):
        true = set(np.argsort(-(rows @ rows[row]))[:10].tolist())
        hits += len(true & set(index.search(rows[row], 10)[0].tolist()))
    assert hits >= 0.9 * 10 * len(range(0, len(rows), 3_000))


def _train(groups: list[list[str]], **changes: int) -> NgramEncoder:
    bag = train_bag(groups, settings=BagSettings(dimension=32, steps=40, **changes), seed=1)
    return NgramEncoder(bag.vocabulary, bag.embedding.weight.detach().numpy())


def test_training_draws_together_what_shares_no_word() -> None:
    groups = [["登录不上", "进不去门户", "登录门户"], ["打印没反应", "出不来纸", "打印出纸"]]
    vectors = _train(groups).encode(["登录", "进不去", "出不来"])
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]


@pytest.mark.parametrize("batch", [2, 5, 100])
def test_training_in_batches_of_any_size(batch: int) -> None:
    groups = [[f"问题{number}甲", f"问题{number}乙"] for number in range(6)]
    assert np.isfinite(_train(groups, batch=batch).encode(["问题3甲"])).all()


def test_training_from_next_to_nothing() -> None:
    for groups in ([["一"]], [[""], [""]], [["甲"], ["乙"]]):
        assert _train(groups).encode(["甲"]).shape == (1, 32)


def test_training_is_repeatable() -> None:
    groups = [["登录不上", "进不去门户"], ["打印没反应", "出不来纸"]]
    np.testing.assert_array_equal(_train(groups).encode(["登录"]), _train(groups).encode(["登录"]))


def test_a_vocabulary_survives_its_folder(tmp_path: Path) -> None:
    vocabulary = Vocabulary(["登", "登\t录", "\u2028", '"'])
    vocabulary.save(tmp_path)
    assert Vocabulary.load(tmp_path).entries == vocabulary.entries

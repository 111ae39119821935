"""The linear model and the interpreter made of it: learning, saving, refusing damaged files."""

import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from nlu.errors import ModelUnreadable, TrainingFailed
from nlu.linear import MANIFEST_FILE, VOCABULARY_FILE, WEIGHTS_FILE, LinearModel
from nlu.linear_training import fit_linear
from nlu.similarity import SimilarityInterpreter
from nlu.triage import Triager
from nlu.types import Intent

TEXTS = ("你好", "您好", "早上好", "谢谢", "多谢", "感谢", "再见", "拜拜", "回见")
LABELS = ("greet",) * 3 + ("thanks",) * 3 + ("goodbye",) * 3


def test_it_learns_what_it_was_taught() -> None:
    model = fit_linear(TEXTS, LABELS)
    told = [model.labels[int(model.probabilities(text).argmax())] for text in TEXTS]
    assert told == list(LABELS)


def test_two_labels_are_enough_and_one_is_not() -> None:
    model = fit_linear(TEXTS[:6], LABELS[:6])
    assert model.probabilities("谢谢")[model.labels.index("thanks")] > 0.5
    with pytest.raises(TrainingFailed):
        fit_linear(TEXTS[:3], LABELS[:3])
    with pytest.raises(TrainingFailed):
        fit_linear((), ())


def test_training_is_deterministic() -> None:
    first, second = fit_linear(TEXTS, LABELS), fit_linear(TEXTS, LABELS)
    assert first.vocabulary == second.vocabulary
    assert np.array_equal(first.weights, second.weights)
    assert first.temperature == second.temperature


def test_probabilities_add_up_even_for_unknown_words() -> None:
    model = fit_linear(TEXTS, LABELS)
    for text in ("你好", "zzz", ""):
        assert float(model.probabilities(text).sum()) == pytest.approx(1.0)


def test_the_telling_words_are_in_the_text() -> None:
    model = fit_linear([f"{text}啊" for text in TEXTS], LABELS)
    assert model.telling("真的多谢啊", "thanks") in "真的多谢啊"
    assert model.telling("zzz", "thanks") == ""


def test_telling_words_neither_begin_nor_end_with_what_only_binds() -> None:
    texts = ["户的甲乙", "户的丙丁", "户的戊己", "张纸甲丙", "张纸乙戊", "张纸丁己"]
    model = fit_linear(texts, ["account"] * 3 + ["printer"] * 3)
    assert "的" not in model.telling("户的甲乙", "account")
    assert model.telling("张纸甲丙", "printer") == "张纸"


def test_saved_and_read_again(tmp_path: Path) -> None:
    model = fit_linear(TEXTS, LABELS)
    model.save(tmp_path)
    copy = LinearModel.load(tmp_path)
    assert np.array_equal(copy.probabilities("你好谢谢"), model.probabilities("你好谢谢"))


@pytest.mark.parametrize("name", [MANIFEST_FILE, VOCABULARY_FILE, WEIGHTS_FILE])
@pytest.mark.parametrize("content", [None, b"", b"\x80\x04cos\nsystem\n", b"[]", b"{}"])
def test_damaged_files_are_refused(tmp_path: Path, name: str, content: bytes | None) -> None:
    fit_linear(TEXTS, LABELS).save(tmp_path)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelUnreadable):
        LinearModel.load(tmp_path)


def test_pickled_arrays_are_not_opened(tmp_path: Path) -> None:
    fit_linear(TEXTS, LABELS).save(tmp_path)
    evil = np.array([{"a": 1}], dtype=object)
    np.savez(tmp_path / WEIGHTS_FILE, idf=evil, weights=evil, bias=evil)
    with pytest.raises(ModelUnreadable):
        LinearModel.load(tmp_path)


@pytest.mark.parametrize(
    "change", [{"features": 0}, {"labels": ["greet"]}, {"temperature": 0}, {"temperature": -1}]
)
def test_another_version_or_shape_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    fit_linear(TEXTS, LABELS).save(tmp_path)
    path = tmp_path / MANIFEST_FILE
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), encoding="utf-8")
    with pytest.raises(ModelUnreadable):
        LinearModel.load(tmp_path)


def test_an_interpreter_of_other_intents_is_refused(tmp_path: Path, small_folder: Path) -> None:
    shutil.copytree(small_folder, tmp_path / "x")
    path = tmp_path / "x" / "intents" / MANIFEST_FILE
    manifest = json.loads(path.read_text("utf-8"))
    manifest["labels"][0] = "book_flight"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelUnreadable):
        SimilarityInterpreter.load(tmp_path / "x")


@pytest.mark.parametrize("content", ["", "{}", '{"phrases": [["a", "city", "b"]], "patterns": []}'])
def test_damaged_entities_are_refused(tmp_path: Path, small_folder: Path, content: str) -> None:
    shutil.copytree(small_folder, tmp_path / "x")
    (tmp_path / "x" / "entities.json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelUnreadable):
        SimilarityInterpreter.load(tmp_path / "x")
    with pytest.raises(ModelUnreadable):
        Triager.load(tmp_path / "x")


def test_nothing_trained_yet(tmp_path: Path) -> None:
    with pytest.raises(ModelUnreadable):
        SimilarityInterpreter.load(tmp_path / "nowhere")


def test_the_shipped_interpreter_loads_and_answers_at_once(shipped_folder: Path) -> None:
    started = time.process_time()
    interpreter = SimilarityInterpreter.load(shipped_folder)
    assert time.process_time() - started < 0.3
    texts = ["支付申请送审以后发现收款人账号填错了，还能不能撤回来重新改"] * 50
    started = time.process_time()
    for text in texts:
        interpreter.understand(text)
    assert (time.process_time() - started) / len(texts) < 0.002


def test_unknown_words_are_out_of_scope_or_unsure(shipped: SimilarityInterpreter) -> None:
    answer = shipped.understand("qwxz pfk")
    assert answer.intent is Intent.OUT_OF_SCOPE or answer.confidence < 0.6

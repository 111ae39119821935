"""Remembered questions: nearest first, saved without loss, damaged files refused."""

from pathlib import Path

import numpy as np
import pytest

from nlu.category_data import Categorised
from nlu.errors import ModelUnreadable
from nlu.linear import LinearModel
from nlu.memory import MEMORY_FILE, RECALLED, Memory, remember
from nlu.train import fit_categories
from store.vocabulary import Category

QUESTIONS = tuple(
    Categorised(text, category)
    for category, texts in {
        Category.ACCOUNT: ("证书过期了怎么续", "忘记登录密码怎么办", "账号被锁了怎么解开"),
        Category.DATA: ("余额和明细对不上", "收款户名写错被退票", "报表的合计数不对"),
        Category.HOW_TO: ("凭证在哪里打印", "支付申请怎么撤回", "附件从哪里上传"),
    }.items()
    for text in texts
)


@pytest.fixture(scope="module")
def model() -> LinearModel:
    # Twice, so that every n-gram is met often enough to be a feature.
    fitted = fit_categories(QUESTIONS + QUESTIONS)
    assert fitted is not None
    return fitted


@pytest.fixture
def memory(model: LinearModel) -> Memory:
    return remember(model, QUESTIONS)


def test_the_nearest_question_comes_first(model: LinearModel, memory: Memory) -> None:
    for question in QUESTIONS:
        recalled = memory.recall(model.read(question.text))
        assert recalled[0].category is question.category
        assert recalled[0].score == max(one.score for one in recalled)
        assert len(recalled) == min(RECALLED, len(QUESTIONS))


def test_an_empty_memory_recalls_nothing(model: LinearModel) -> None:
    assert remember(model, ()).recall(model.read("证书过期了")) == ()


def test_saved_and_read_again(tmp_path: Path, model: LinearModel, memory: Memory) -> None:
    memory.save(tmp_path)
    reading = model.read("证书怎么续")
    assert Memory.load(tmp_path).recall(reading) == memory.recall(reading)


@pytest.mark.parametrize("content", [None, b"", b"\x80\x04cos\nsystem\n", b"[]"])
def test_damaged_files_are_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / MEMORY_FILE).write_bytes(content)
    with pytest.raises(ModelUnreadable):
        Memory.load(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"kinds": np.array([len(Category)] * len(QUESTIONS))},
        {"kinds": np.array([0])},
        {"starts": np.array([0, 5])},
        {"starts": np.empty(0, np.int64)},
        {"values": np.array([np.nan])},
        {"values": np.array([{"a": 1}], dtype=object)},
    ],
)
def test_numbers_that_do_not_fit_are_refused(
    tmp_path: Path, memory: Memory, change: dict[str, np.ndarray]
) -> None:
    arrays = {name: getattr(memory, name) for name in ("starts", "questions", "values", "kinds")}
    np.savez(tmp_path / MEMORY_FILE, **(arrays | change))
    with pytest.raises(ModelUnreadable):
        Memory.load(tmp_path)

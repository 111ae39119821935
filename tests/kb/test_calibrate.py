"""Calibration makes scores true, keeps every order, and refuses what it cannot know."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from kb.calibrate import FEWEST_ANSWERABLE, FEWEST_UNANSWERABLE, calibrate
from kb.calibration import PRIOR
from kb.calibration_map import Asked, ScoreMap, fit_map, margins_of
from kb.calibration_questions import ask_held_out, ask_index
from kb.calibration_store import (
    Calibration,
    calibration_file,
    forget_calibration,
    read_calibration,
    write_calibration,
)
from kb.errors import CalibrationRefused
from kb.evaluate import Question
from kb.fresh_index import FreshIndex
from kb.fusion import QUERY_SIGNALS, SIGNALS, Cuts, Fusion, scores
from kb.index_holder import IndexHolder
from kb.retriever import Retriever
from kb.settings import KnowledgeSettings
from tests.kb.samples import SUBJECTS

CUTS = Cuts(0.28, 0.25)


def questions(count: int, *, scale: float = 1.0, shift: float = 0.0, seed: int = 4) -> list[Asked]:
    """Questions whose true chances come from margins that were then divided and moved."""
    chance = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        true = np.append(chance.normal(-1.0, 3.0, size=4), 0.0)
        shares = np.exp(true - true.max())
        right = int(chance.choice(5, p=shares / shares.sum()))
        mask = np.arange(4) == right
        found.append(Asked((true[:4] + shift) / scale, mask, right < 4))
    return found


def test_the_map_finds_what_was_done_to_the_scores() -> None:
    found = fit_map(questions(4_000, scale=2.0, shift=1.5))
    assert found.scale == pytest.approx(2.0, rel=0.1)
    assert found.shift == pytest.approx(1.5, abs=0.2)


def test_scores_become_true_and_are_cross_checked() -> None:
    made = calibrate(questions(1_500, scale=2.5, shift=-2.0), in_force=CUTS, target=0.9)
    assert made.before.error > 0.12
    assert made.after.error < 0.05
    assert made.after.precision == pytest.approx(0.9, abs=0.03)
    assert made.chosen.precision >= 0.9
    assert made.cuts.offer <= 0.5


def test_true_scores_are_left_alone() -> None:
    found = fit_map(questions(3_000))
    assert found.scale == pytest.approx(1.0, rel=0.1)
    assert found.shift == pytest.approx(0.0, abs=0.15)


@pytest.mark.parametrize(
    ("answerable", "unanswerable"),
    [(0, 0), (FEWEST_ANSWERABLE - 1, 500), (500, FEWEST_UNANSWERABLE - 1)],
)
def test_too_few_questions_are_refused(answerable: int, unanswerable: int) -> None:
    right, wrong = np.array([True]), np.array([False])
    asked = [Asked(np.array([2.0]), right, True)] * answerable
    asked += [Asked(np.array([-2.0]), wrong, False)] * unanswerable
    with pytest.raises(CalibrationRefused) as refused:
        calibrate(asked, in_force=CUTS, target=0.95)
    assert refused.value.reason == "few"
    assert refused.value.answerable == answerable


def test_a_target_that_no_cut_keeps_is_refused() -> None:
    asked = [Asked(np.array([1.0]), np.array([n % 2 == 0]), n % 2 == 0) for n in range(400)]
    with pytest.raises(CalibrationRefused) as refused:
        calibrate(asked, in_force=CUTS, target=0.95)
    assert refused.value.reason == "target"


def test_nothing_among_the_candidates_is_no_crash() -> None:
    nothing = Asked(np.zeros(0), np.zeros(0, bool), answerable=False)
    outcome = ScoreMap(2.0, 1.0).outcome(nothing)
    assert (outcome.score, outcome.right) == (0.0, False)
    assert fit_map([nothing] * 5).scale > 0


def test_mapped_weights_give_the_mapped_scores() -> None:
    """What is fitted on margins is what the index then computes with its scaled weights."""
    chance = np.random.default_rng(2)
    signals = 0.3 * chance.random((6, len(SIGNALS)))
    is_passage = np.array([False, False, True, False, True, False])
    query = np.array([1.0, *chance.random(len(QUERY_SIGNALS) - 1)])
    plain = scores(PRIOR, signals, is_passage, query)
    score_map = ScoreMap(1.7, -0.8)
    mapped = score_map.applied(Fusion(PRIOR, CUTS), Cuts(0.6, 0.5))
    expected = score_map.probabilities(
        Asked(margins_of(plain.tolist()), np.zeros(6, bool), answerable=True)
    )
    assert scores(mapped.weights, signals, is_passage, query) == pytest.approx(expected, abs=1e-9)
    assert np.argsort(expected).tolist() == np.argsort(plain).tolist()
    assert mapped.cuts == Cuts(0.6, 0.5)


def fresh(home: Path, settings: KnowledgeSettings) -> FreshIndex:
    return FreshIndex(home, IndexHolder(home, settings), refresh_seconds=0.0)


def some_calibration(revision: str = "r") -> Calibration:
    return Calibration(
        score_map=ScoreMap(2.0, -1.0),
        cuts=Cuts(0.7, 0.5),
        at="2026-11-21T00:00:00+00:00",
        revision=revision,
        source="own.tsv",
        questions=100,
        target=0.95,
        precision=0.96,
        bound=0.93,
        coverage=0.7,
    )


@pytest.fixture
def home(built_home: Path, tmp_path: Path) -> Path:
    """The built workspace with a calibration file of its own."""
    (tmp_path / "indexes").mkdir()
    for path in (built_home / "indexes").iterdir():
        (tmp_path / "indexes" / path.name).symlink_to(path)
    (tmp_path / "models").symlink_to(built_home / "models")
    return tmp_path


def until(index: FreshIndex, wanted: Cuts) -> bool:
    """Whether the running index takes up these cuts; it looks in a thread of its own."""
    import time

    for _ in range(500):
        if index.current().fusion.cuts == wanted:
            return True
        time.sleep(0.01)
    return False


def test_a_running_search_takes_it_up_and_back(home: Path, kb_settings: KnowledgeSettings) -> None:
    running = fresh(home, kb_settings)
    retriever = Retriever(running)
    built = running.current().fusion
    before = retriever.search("怎么打印凭证")
    write_calibration(home, some_calibration())
    assert until(running, Cuts(0.7, 0.5))
    after = retriever.search("怎么打印凭证")
    assert [one.answer_id for one in after.candidates] == [
        one.answer_id for one in before.candidates
    ]
    assert after.candidates[0].score != before.candidates[0].score
    assert running.uncalibrated().fusion == built
    assert running.candidate({}).fusion.cuts == Cuts(0.7, 0.5)
    assert running.calibration == some_calibration()
    assert forget_calibration(home)
    assert until(running, built.cuts)
    assert not forget_calibration(home)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"version": 2}', '{"version": 1}', "{}" * 9],
)
def test_a_broken_file_changes_nothing(
    home: Path, kb_settings: KnowledgeSettings, content: str
) -> None:
    calibration_file(home).write_text(content, "utf-8")
    assert read_calibration(home) is None
    assert fresh(home, kb_settings).current().fusion.cuts == CUTS


@pytest.mark.parametrize(
    "change",
    [
        {"score_map": ScoreMap(float("nan"), 0.0)},
        {"score_map": ScoreMap(-1.0, 0.0)},
        {"score_map": ScoreMap(1.0, float("inf"))},
        {"cuts": Cuts(0.0, 0.5)},
        {"cuts": Cuts(0.5, float("nan"))},
    ],
)
def test_values_that_no_fit_gives_are_refused(home: Path, change: dict[str, object]) -> None:
    write_calibration(home, replace(some_calibration(), **change))  # type: ignore[arg-type]
    assert read_calibration(home) is None


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_calibration(tmp_path, some_calibration())
    assert read_calibration(tmp_path) == some_calibration()


def test_questions_that_the_index_holds_are_not_asked(
    home: Path, kb_settings: KnowledgeSettings
) -> None:
    index = fresh(home, kb_settings).current()
    right = frozenset({index.answers[0].answer_id})
    asked: Sequence[Question] = [
        Question(index.answers[0].questions[1], right),
        Question(f"请问{index.answers[0].questions[0]}要先点哪里", right),
        Question("火星上怎么种土豆", frozenset()),
    ]
    found, known = ask_index(index, asked, today=date(2026, 11, 21))
    assert known == 1
    assert [one.answerable for one in found] == [True, False]
    assert found[0].right.sum() == 1
    outcome = ScoreMap().outcome(found[0])
    shown = Retriever(fresh(home, kb_settings)).search(asked[1].text)
    assert outcome.score == pytest.approx(shown.probabilities[0], abs=1e-9)


def test_held_out_questions_know_their_answers(home: Path, kb_settings: KnowledgeSettings) -> None:
    index = fresh(home, kb_settings).current()
    asked = ask_held_out(index, ["今天天气怎么样", "讲个笑话"], kb_settings)
    answerable = [one for one in asked if one.answerable]
    assert len(answerable) >= 5 * (len(SUBJECTS) - 3)
    assert np.mean([ScoreMap().outcome(one).right for one in answerable]) > 0.8
    assert any(not one.answerable for one in asked)

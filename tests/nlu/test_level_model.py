"""Levels that were learned: pooled with the rules, shown as evidence, never against sure rules."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.errors import TrainingFailed
from nlu.level_model import LEVEL_RULE, Rated, fit_levels, pool, rated_examples
from nlu.severity import Damage, Situation, Slowness, Verdict
from nlu.similarity import SimilarityInterpreter
from nlu.train import Corrections, train_interpreter
from nlu.training_data import Example, TrainingData, read_training_data
from nlu.triage import LEVELS_FOLDER, Triager
from nlu.triage_types import Answers, Effect, Question, Scope
from store.vocabulary import Severity
from tests.nlu.samples import DATA, write_small

GENERAL, URGENT, MAJOR = Severity
SEEN = Situation(Scope.UNKNOWN, Damage.STOPPED, Slowness.NONE, core=True, restorable=None)
SHARES = st.tuples(*[st.floats(0, 1) for _ in Severity])


def test_a_doubtful_rule_gives_way_and_names_the_question() -> None:
    doubtful = Verdict(GENERAL, 0.6)
    pooled = pool(doubtful, SEEN, {GENERAL: 0.02, URGENT: 0.08, MAJOR: 0.9})
    assert pooled.severity is MAJOR
    assert pooled.question is Question.SCOPE
    kept = pool(doubtful, SEEN, {GENERAL: 0.5, URGENT: 0.3, MAJOR: 0.2})
    assert (kept.severity, kept.question) == (GENERAL, None)
    assert kept.confidence > pooled.confidence


@given(SHARES, st.sampled_from(list(Severity)), st.floats(0.88, 0.99))
def test_a_sure_rule_stands(shares: tuple[float, ...], level: Severity, sure: float) -> None:
    pooled = pool(Verdict(level, sure), SEEN, dict(zip(Severity, shares, strict=True)))
    assert pooled.severity is level
    assert 0 < pooled.confidence <= 1


def test_levels_come_from_metadata_and_must_be_ours(tmp_path: Path) -> None:
    entry = 'nlu:\n- intent: report_fault\n  metadata: {{severity: "{}"}}\n  examples: "- 停了"\n'
    (tmp_path / "a.yml").write_text(entry.format(MAJOR.value), encoding="utf-8")
    assert rated_examples(read_training_data([tmp_path])) == (Rated("停了", MAJOR),)
    foreign = TrainingData((Example("停了", "report_fault", severity="P0"),))
    with pytest.raises(TrainingFailed, match="P0"):
        rated_examples(foreign)


def test_one_level_teaches_nothing() -> None:
    assert fit_levels([Rated("停了", MAJOR), Rated("全停", MAJOR)]) is None
    assert fit_levels(()) is None


def test_a_correction_is_learned(tmp_path: Path) -> None:
    corrected = [Rated(f"第{n}台叫号屏不亮", URGENT) for n in range(8)]
    corrected += [Rated(f"第{n}个页面字太小", GENERAL) for n in range(8)]
    train_interpreter([write_small(tmp_path / "data")], tmp_path / "plain")
    train_interpreter(
        [tmp_path / "data"], tmp_path / "taught", corrections=Corrections(rated=tuple(corrected))
    )
    assert not (tmp_path / "plain" / LEVELS_FOLDER).exists()
    text = "二楼的叫号屏不亮，无法叫号"
    understanding = SimilarityInterpreter.load(tmp_path / "plain").understand(text)

    def judged(folder: str, answers: Answers | None = None) -> tuple[Severity, set[str]]:
        triager = Triager.load(tmp_path / folder)
        triage = triager.triage("系统异常：" + text, understanding=understanding, answers=answers)
        effects = {one.effect for one in triage.reasons if one.rule == LEVEL_RULE}
        return triage.severity, effects

    plain, taught = judged("plain"), judged("taught")
    assert plain[1] == set()
    assert taught[0] is URGENT
    assert taught[1] == ({Effect.RAISES} if plain[0] is GENERAL else set())
    # What the user answered outweighs what others told.
    assert judged("taught", Answers(scope=Scope.SELF))[0] is GENERAL


def test_what_ships_has_every_level_and_shows_its_words(
    triager: Triager, shipped: SimilarityInterpreter
) -> None:
    rated = rated_examples(read_training_data([DATA / "nlu"]))
    assert all(sum(one.severity is level for one in rated) >= 100 for level in Severity)
    text = "前台三个缴费窗口同时开不了票，群众围着"
    triage = triager.triage(text, understanding=shipped.understand(text))
    assert triage.severity is MAJOR
    moved = next(one for one in triage.reasons if one.rule == LEVEL_RULE)
    assert moved.evidence in text
    assert (moved.effect, triage.question) == (Effect.RAISES, Question.CORE)

"""Floors for quality on the evaluation sets: figures a little below what was measured.

The floors of the held-back parts are never tuned on; `docs/adr/0005-nlu-pipeline.md` has the
figures. A shuffled answer must fall through each of them.
"""

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from nlu.evaluate import (
    TriageCase,
    TriageReport,
    compare_entities,
    compare_intents,
    compare_labels,
    compare_triage,
    read_triage_cases,
)
from nlu.similarity import SimilarityInterpreter
from nlu.training_data import read_training_data
from nlu.triage import Triager
from nlu.types import Intent
from store.vocabulary import Severity
from tests.nlu.samples import DATA

EVALUATION = DATA / "evaluation"


@dataclass(frozen=True, slots=True)
class Floors:
    """Least figures: macro-F1 of severity and category, accuracy of incident.

    The category hears nothing of the knowledge base here; in a conversation it does, and is higher.
    """

    severity: float
    incident: float
    category: float


def judge_all(
    triager: Triager, interpreter: SimilarityInterpreter, cases: Sequence[TriageCase]
) -> TriageReport:
    judged = [
        triager.triage(case.text, understanding=interpreter.understand(case.text)) for case in cases
    ]
    return compare_triage(cases, judged)


def test_intents_and_entities(shipped: SimilarityInterpreter) -> None:
    test = read_training_data([EVALUATION / "nlu_test.yml"]).examples
    answers = [shipped.understand(example.text) for example in test]
    assert compare_intents(test, answers).accuracy >= 0.95
    assert compare_entities(test, answers).overall.f1 >= 0.90
    shuffled = random.Random(1).sample(answers, len(answers))
    assert compare_intents(test, shuffled).accuracy < 0.3


@pytest.mark.parametrize(
    "text", ["U盾坏了", "一保存就报错了", "单子又退回来了", "打印机坏了", "系统崩了"]
)
def test_a_short_fault_is_no_thanks(shipped: SimilarityInterpreter, text: str) -> None:
    """What ends in the same character as "it works now" must not close a matter."""
    said = shipped.understand(text)
    assert said.intent is not Intent.SOLVED or said.confidence < 0.5


@pytest.mark.parametrize(("split", "floor"), [("dev", 0.88), ("test", 0.83)])
def test_intents_of_whole_messages(
    shipped: SimilarityInterpreter, split: str, floor: float
) -> None:
    with (EVALUATION / "messages.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    chosen = [row for row in rows if row["split"] == split]
    right = [row["intent"] for row in chosen]
    given = [str(shipped.understand(row["text"]).intent) for row in chosen]
    assert compare_labels(right, given).accuracy >= floor
    assert compare_labels(right, random.Random(1).sample(given, len(given))).accuracy < 0.5


@pytest.mark.parametrize(
    ("name", "split", "floors"),
    [
        ("triage.tsv", "dev", Floors(severity=0.95, incident=0.94, category=0.89)),
        ("triage.tsv", "test", Floors(severity=0.88, incident=0.92, category=0.90)),
        ("messages.tsv", "dev", Floors(severity=0.95, incident=0.93, category=0.76)),
        ("messages.tsv", "test", Floors(severity=0.85, incident=0.92, category=0.72)),
    ],
)
def test_triage(
    triager: Triager, shipped: SimilarityInterpreter, name: str, split: str, floors: Floors
) -> None:
    cases = [case for case in read_triage_cases(EVALUATION / name) if case.split == split]
    report = judge_all(triager, shipped, cases)
    assert report.severity.macro_f1 >= floors.severity
    assert report.incident.accuracy >= floors.incident
    assert report.category.macro_f1 >= floors.category
    major = report.severity.by_label[str(Severity.MAJOR)]
    assert major.recall >= 0.93
    assert major.precision >= 0.78


def test_a_shuffled_triage_falls_through(triager: Triager, shipped: SimilarityInterpreter) -> None:
    cases = read_triage_cases(EVALUATION / "triage.tsv")
    texts = random.Random(1).sample([case.text for case in cases], len(cases))
    judged = [triager.triage(text, understanding=shipped.understand(text)) for text in texts]
    assert compare_triage(cases, judged).severity.macro_f1 < 0.5

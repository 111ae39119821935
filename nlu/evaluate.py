"""How well messages are understood: accuracy, precision, recall and F1, from labelled files.

Pure counting over answers that were already given, so that the same figures come out for any
interpreter. Refuses to judge whether a figure is good enough; floors live in the tests.
"""

import csv
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlu.errors import EvaluationDataInvalid
from nlu.training_data import Example
from nlu.triage_types import Triage
from nlu.types import Understanding
from store.vocabulary import Category, Severity


@dataclass(frozen=True, slots=True)
class Score:
    """How one label fared: ``hits`` of ``expected`` found, among ``given`` answers."""

    hits: int
    given: int
    expected: int

    @property
    def precision(self) -> float:
        """The share of given answers that were right; 1 when none was given."""
        return self.hits / self.given if self.given else 1.0

    @property
    def recall(self) -> float:
        """The share of expected answers that were found; 1 when none was expected."""
        return self.hits / self.expected if self.expected else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        total = self.given + self.expected
        return 2 * self.hits / total if total else 1.0


@dataclass(frozen=True, slots=True)
class LabelReport:
    """A single-label task: every message has exactly one right label."""

    accuracy: float
    macro_f1: float
    by_label: dict[str, Score]
    confusions: tuple[tuple[str, str, int], ...]
    count: int


@dataclass(frozen=True, slots=True)
class EntityReport:
    """Entities found exactly: the same kind at the same place."""

    overall: Score
    by_name: dict[str, Score]


def compare_labels(expected: Sequence[str], given: Sequence[str]) -> LabelReport:
    """Score a single-label task.

    Macro-F1 is over the labels that are expected at least once. Raises ValueError when the
    sequences differ in length or are empty.
    """
    pairs = Counter(zip(expected, given, strict=True))
    if not pairs:
        raise ValueError("nothing to evaluate")
    wanted, answered = Counter(expected), Counter(given)
    scores = {
        label: Score(pairs[label, label], answered[label], wanted[label])
        for label in sorted({*wanted, *answered})
    }
    hits = sum(score.hits for score in scores.values())
    confusions = sorted(
        ((right, wrong, times) for (right, wrong), times in pairs.items() if right != wrong),
        key=lambda confusion: (-confusion[2], confusion),
    )
    macro = sum(scores[label].f1 for label in wanted) / len(wanted)
    return LabelReport(hits / len(expected), macro, scores, tuple(confusions), len(expected))


def compare_intents(examples: Sequence[Example], answers: Sequence[Understanding]) -> LabelReport:
    """Score the intents of labelled messages."""
    return compare_labels(
        [example.intent for example in examples], [str(answer.intent) for answer in answers]
    )


def compare_entities(examples: Sequence[Example], answers: Sequence[Understanding]) -> EntityReport:
    """Score the entities of labelled messages by kind and exact place."""
    expected: list[tuple[str, Hashable]] = []
    given: list[tuple[str, Hashable]] = []
    for number, (example, answer) in enumerate(zip(examples, answers, strict=True)):
        expected += [(kind.name, (number, kind.start, kind.end)) for kind in example.entities]
        given += [(str(kind.name), (number, kind.start, kind.end)) for kind in answer.entities]
    names = sorted({name for name, _ in (*expected, *given)})
    by_name = {name: _found(expected, given, name) for name in names}
    return EntityReport(_overall(by_name.values()), by_name)


def _found(
    expected: Iterable[tuple[str, Hashable]], given: Iterable[tuple[str, Hashable]], name: str
) -> Score:
    wanted = {place for kind, place in expected if kind == name}
    answered = {place for kind, place in given if kind == name}
    return Score(len(wanted & answered), len(answered), len(wanted))


def _overall(scores: Iterable[Score]) -> Score:
    """Micro-averaged: every entity counts the same."""
    listed = list(scores)
    return Score(
        sum(score.hits for score in listed),
        sum(score.given for score in listed),
        sum(score.expected for score in listed),
    )


@dataclass(frozen=True, slots=True)
class TriageCase:
    """A labelled message: what it is and how severe. ``split`` is ``dev`` or ``test``."""

    case_id: str
    split: str
    text: str
    incident: bool
    category: Category
    severity: Severity


@dataclass(frozen=True, slots=True)
class TriageReport:
    """How well matters were judged."""

    incident: LabelReport
    category: LabelReport
    severity: LabelReport


def read_triage_cases(path: Path) -> tuple[TriageCase, ...]:
    """The cases of a tab-separated file with the columns of :class:`TriageCase`.

    Rows without a severity are small talk and are passed over. Raises EvaluationDataInvalid
    naming the line that cannot be read.
    """
    cases = []
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        for number, row in enumerate(rows, 2):
            try:
                if row["severity"]:
                    cases.append(_triage_case(row))
            except (KeyError, ValueError, TypeError) as wrong:
                raise EvaluationDataInvalid(path, number, str(wrong)) from wrong
    return tuple(cases)


def _triage_case(row: Mapping[str, str]) -> TriageCase:
    return TriageCase(
        row["id"],
        row["split"],
        row["text"],
        {"true": True, "1": True, "false": False, "0": False}[row["incident"]],
        Category(row["category"]),
        Severity(row["severity"]),
    )


def compare_triage(cases: Sequence[TriageCase], judged: Sequence[Triage]) -> TriageReport:
    """Score the triage of labelled messages."""
    return TriageReport(
        compare_labels([str(c.incident) for c in cases], [str(j.incident) for j in judged]),
        compare_labels([str(c.category) for c in cases], [str(j.category) for j in judged]),
        compare_labels([str(c.severity) for c in cases], [str(j.severity) for j in judged]),
    )

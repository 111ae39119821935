"""What an evaluation found, as it is kept and compared. Values only.

Undefined figures (no question of that sort) are None, never a number. Refuses to compute.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from kb.evaluation_curves import CurvePoint, ReliabilityBin
from kb.fusion import Band


class Suite(StrEnum):
    """What can be evaluated."""

    RETRIEVAL = "retrieval"
    NLU = "nlu"
    TRIAGE = "triage"


class Miss(StrEnum):
    """What is wrong with a result, the worst first."""

    ANSWERED_FOREIGN = "answered_foreign"  # answered directly what nothing answers
    ANSWERED_WRONG = "answered_wrong"  # answered directly, with another answer
    NOT_FOUND = "not_found"  # the right answer is not among the candidates
    NOT_FIRST = "not_first"  # the right answer is there, another one is before it
    NOT_OFFERED = "not_offered"  # the right answer came first and was held back


@dataclass(frozen=True, slots=True)
class RankingFigures:
    """Shares of 1 over answerable questions; `auroc` of answerable against unanswerable ones."""

    hit1: float
    hit3: float
    hit5: float
    mrr: float
    auroc: float | None


@dataclass(frozen=True, slots=True)
class RetrievalGroup:
    """One set of questions. `coverage`: answerable ones answered directly; `precision`: of all
    direct answers those that are right; `refusal`: unanswerable ones not answered directly."""

    name: str
    answerable: int
    unanswerable: int
    unmatched: int
    ours: RankingFigures
    baseline: RankingFigures
    coverage: float
    precision: float | None
    refusal: float | None


@dataclass(frozen=True, slots=True)
class WorstQuery:
    """A question that went wrong, and why: who won with which signals, and what was missing.

    `missing` are words of the question that its right answer (or, where none is right, the winner)
    does not have anywhere. Ranks count from 1; 0 is not among the candidates.
    """

    group: str
    text: str
    miss: Miss
    band: Band
    winner: str
    winner_id: str
    score: float
    lexical: float
    dense: float
    expected: str
    rank: int
    expected_score: float
    baseline_rank: int
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RetrievalReport:
    """Everything about search. `passed` tells by digest of the question whether it went right."""

    groups: tuple[RetrievalGroup, ...]
    curve: tuple[CurvePoint, ...]
    reliability: tuple[ReliabilityBin, ...]
    calibration_error: float
    worst: tuple[WorstQuery, ...]
    passed: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """A task with one right label per message. `matrix[right][given]` counts messages."""

    name: str
    task: str
    count: int
    accuracy: float
    macro_f1: float
    labels: tuple[str, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    matrix: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class EntityFigures:
    """Entities found exactly, all kinds together."""

    name: str
    expected: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """One run. `questions` is a digest of what was asked: only equal ones can be compared.

    `calibrated_at` is empty where the cuts are those of the settings; `is_stale` tells that the
    calibration was fitted on an earlier build of the index.
    """

    id: str
    at: str
    actor: str
    source: str
    suites: tuple[Suite, ...]
    questions: str
    revision: str
    answers: int
    answer_cut: float
    offer_cut: float
    seconds: float
    calibrated_at: str = ""
    is_stale: bool = False
    retrieval: RetrievalReport | None = None
    intents: tuple[LabelFigures, ...] = ()
    entities: tuple[EntityFigures, ...] = ()
    triage: tuple[LabelFigures, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Against an earlier run over the same questions; `changes` by name of the figure."""

    before: EvaluationReport
    changes: Mapping[str, float]
    improved: int
    broken: int

    @property
    def is_of_search(self) -> bool:
        """Whether both runs searched, so that single questions can be compared."""
        return self.before.retrieval is not None and any("hit1" in name for name in self.changes)


def headline(report: EvaluationReport) -> dict[str, float]:
    """The figures that are followed over time, by name; what was not measured is not there."""
    figures: dict[str, float] = {}
    for group in report.retrieval.groups if report.retrieval else ():
        figures[f"{group.name} hit1"] = group.ours.hit1
        figures[f"{group.name} hit3"] = group.ours.hit3
        figures[f"{group.name} hit5"] = group.ours.hit5
        figures[f"{group.name} mrr"] = group.ours.mrr
        figures[f"{group.name} coverage"] = group.coverage
        if group.precision is not None:
            figures[f"{group.name} precision"] = group.precision
        if group.ours.auroc is not None:
            figures[f"{group.name} auroc"] = group.ours.auroc
        if group.refusal is not None:
            figures[f"{group.name} refusal"] = group.refusal
    for label in (*report.intents, *report.triage):
        figures[f"{label.name} {label.task} accuracy"] = label.accuracy
        figures[f"{label.name} {label.task} macro_f1"] = label.macro_f1
        figures |= _by_label(label) if label.task == "severity" else {}
    for entity in report.entities:
        figures[f"{entity.name} entities f1"] = entity.f1
    return figures


def _by_label(label: LabelFigures) -> dict[str, float]:
    """A missed major matter and a false alarm cost differently: each level by itself."""
    start = f"{label.name} {label.task}"
    shares = zip(label.labels, label.precision, label.recall, strict=True)
    return {
        f"{start} {level} {name}": value
        for level, precision, recall in shares
        for name, value in (("precision", precision), ("recall", recall))
    }


def compared(now: EvaluationReport, before: EvaluationReport) -> Comparison:
    """What changed in figures that both have, and how many questions went right or wrong since."""
    ours, theirs = headline(now), headline(before)
    changes = {name: value - theirs[name] for name, value in ours.items() if name in theirs}
    passed = now.retrieval.passed if now.retrieval else {}
    earlier = before.retrieval.passed if before.retrieval else {}
    both = passed.keys() & earlier.keys()
    return Comparison(
        before=before,
        changes=changes,
        improved=sum(passed[key] and not earlier[key] for key in both),
        broken=sum(earlier[key] and not passed[key] for key in both),
    )

"""How good the search is on questions whose answer is known: the figures, never an opinion.

Calls the same `Retriever.search` as the live path. Any other ranking can be measured beside it on
the same questions. Refuses to train or to tune anything.
"""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kb.articles import AnswerOrigin, IndexedAnswer
from kb.fusion import Band
from kb.retriever import Retriever

DEPTH = 10


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the ids of every answer that would do (none: nothing answers it), its sort."""

    text: str
    answers: frozenset[str]
    sort: str = ""


@dataclass(frozen=True, slots=True)
class Ranked:
    """What a ranking makes of a question: answer ids and scores, best first, and the band."""

    answers: tuple[str, ...]
    scores: tuple[float, ...]
    band: Band | None = None


Ranking = Callable[[str], Ranked]


@dataclass(frozen=True, slots=True)
class Report:
    """Shares of 1 over one set of questions; `auroc` by sort of unanswerable question.

    `coverage` is the share of answerable questions answered directly; `precision` the share of all
    direct answers that were right, `precision_answerable` the same without unanswerable questions.
    """

    questions: int
    hit1: float
    hit3: float
    hit5: float
    mrr: float
    auroc: Mapping[str, float]
    coverage: float
    precision: float
    precision_answerable: float


def retriever_ranking(retriever: Retriever) -> Ranking:
    """The live search as a ranking."""

    def rank(query: str) -> Ranked:
        result = retriever.search(query, limit=DEPTH)
        return Ranked(
            tuple(candidate.answer_id for candidate in result.candidates),
            tuple(candidate.score for candidate in result.candidates),
            result.band,
        )

    return rank


def evaluate(ranking: Ranking, questions: Sequence[Question]) -> Report:
    """Ask every question and count."""
    ranked = [ranking(question.text) for question in questions]
    answerable = np.array([bool(question.answers) for question in questions], dtype=bool)
    places = np.array([_place(*pair) for pair in zip(ranked, questions, strict=True)])
    first = np.array([one.scores[0] if one.scores else 0.0 for one in ranked])
    direct = np.array([one.band is Band.ANSWER for one in ranked], dtype=bool)
    known = places[answerable]
    return Report(
        questions=len(questions),
        hit1=_share(known < 1),
        hit3=_share(known < 3),
        hit5=_share(known < 5),
        mrr=_share(np.where(known < DEPTH, 1.0 / (known + 1.0), 0.0)),
        auroc=_auroc_by_sort(questions, first, answerable),
        coverage=_share(direct[answerable]),
        precision=_share(places[direct] < 1),
        precision_answerable=_share(places[direct & answerable] < 1),
    )


def auroc(positive: np.ndarray, negative: np.ndarray) -> float:
    """The chance that a positive's score is above a negative's; ties count half."""
    if not len(positive) or not len(negative):
        return float("nan")
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, side="left")
    not_above = np.searchsorted(ordered, positive, side="right")
    return float((below + not_above).sum() / (2.0 * len(positive) * len(negative)))


def read_questions(path: Path, answers: Iterable[IndexedAnswer], *, split: str) -> list[Question]:
    """Questions of one split of `data/evaluation/questions.tsv`, matched to an index's answers.

    A question whose answer this index does not have is left out.
    """
    indexed = [(answer, _section(answer)) for answer in answers]
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    questions: list[Question] = []
    for row in rows:
        if row["split"] != split:
            continue
        fitting = _fitting(row, indexed)
        if fitting or row["must"] == "none":
            questions.append(Question(row["text"], fitting, row["must"]))
    return questions


def table(reports: Mapping[str, Report]) -> str:
    """The reports side by side as plain text, one line each."""
    width = max(map(len, reports))
    return "\n".join(f"{name:{width}}  {_line(report)}" for name, report in reports.items())


def _line(report: Report) -> str:
    shares = (
        f"hit@1 {report.hit1:.3f}  hit@3 {report.hit3:.3f}  hit@5 {report.hit5:.3f}  "
        f"MRR {report.mrr:.3f}"
    )
    refusal = "".join(f"  AUROC {sort} {value:.3f}" for sort, value in report.auroc.items())
    direct = (
        f"  answered {report.coverage:.3f} right {report.precision:.3f}"
        f" (answerable {report.precision_answerable:.3f})"
        if report.coverage
        else ""
    )
    return shares + refusal + direct


def _fitting(
    row: Mapping[str, str], indexed: Sequence[tuple[IndexedAnswer, str]]
) -> frozenset[str]:
    refs = set(filter(None, row["ref"].split("|")))
    sections = list(filter(None, row["section"].split("||")))
    return frozenset(
        answer.answer_id
        for answer, section in indexed
        if answer.ref in refs or (section and any(part in section for part in sections))
    )


def _section(answer: IndexedAnswer) -> str:
    if answer.origin is not AnswerOrigin.PASSAGE:
        return ""
    return " > ".join((answer.source.guide, *answer.source.section))


def _place(ranked: Ranked, question: Question) -> int:
    """Where the first right answer is; DEPTH when it is not there."""
    found = (place for place, one in enumerate(ranked.answers[:DEPTH]) if one in question.answers)
    return next(found, DEPTH)


def _auroc_by_sort(
    questions: Sequence[Question], scores: np.ndarray, answerable: np.ndarray
) -> dict[str, float]:
    sorts = np.array([question.sort for question in questions])
    return {
        str(sort): auroc(scores[answerable], scores[~answerable & (sorts == sort)])
        for sort in dict.fromkeys(sorts[~answerable])
    }


def _share(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else 0.0

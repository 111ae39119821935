"""Calibrates the search of a workspace on questions of its own, and puts the result in force.

Questions come from a table, or from what the workspace has: its golden questions, and questions
held out of its own answers. Refuses to train the index anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from bot.conversations.greeting import LOCAL
from bot.dialogue import queries
from bot.dialogue.state import DialogueState
from bot.errors import EvaluationEmpty
from bot.evaluations.suites import Table, read_table, retrieval_groups
from kb.articles import IndexedAnswer
from kb.calibrate import Calibrated, calibrate
from kb.calibration_map import Asked
from kb.calibration_questions import ask_held_out, ask_index
from kb.calibration_store import Calibration, write_calibration
from kb.evaluate import Question
from kb.search_index import SearchIndex
from kb.settings import KnowledgeSettings

#: Share of direct answers that shall be right, unless the caller asks for another.
TARGET = 0.95
#: How a calibration without a table calls what it was fitted on.
OWN_QUESTIONS = "workspace"


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fit that is not in force yet. ``known`` questions were left out: the index holds them."""

    calibrated: Calibrated
    calibration: Calibration
    known: int


def fit_from_table(index: SearchIndex, path: Path, *, target: float, now: datetime) -> Fitted:
    """Fit on a table as ``caiwen evaluate`` reads it.

    Raises EvaluationFileInvalid, EvaluationEmpty and CalibrationRefused.
    """
    questions = _questions(read_table(path), index.published)
    if not questions:
        raise EvaluationEmpty
    asked, known = ask_index(index, questions, today=now.astimezone(LOCAL).date())
    return _fit(index, asked, path.name, known=known, target=target, now=now)


def fit_from_workspace(
    index: SearchIndex,
    golden: Table,
    negatives: Sequence[str],
    settings: KnowledgeSettings,
    *,
    target: float,
    now: datetime,
) -> Fitted:
    """Fit on golden questions and on questions held out of the index. Raises CalibrationRefused."""
    today = now.astimezone(LOCAL).date()
    asked, known = ask_index(index, _questions(golden, index.published), today=today)
    asked += ask_held_out(index, negatives, settings)
    return _fit(index, asked, OWN_QUESTIONS, known=known, target=target, now=now)


def put_in_force(home: Path, fitted: Fitted) -> None:
    """Let every process of the workspace search with it."""
    write_calibration(home, fitted.calibration)


def _questions(table: Table, answers: Sequence[IndexedAnswer]) -> list[Question]:
    """As a conversation would search them."""
    return [
        replace(one, text=queries.plan(DialogueState(), one.text)[0].text)
        for group in retrieval_groups(table, answers)
        for one in group.questions
    ]


def _fit(
    index: SearchIndex,
    asked: Sequence[Asked],
    source: str,
    *,
    known: int,
    target: float,
    now: datetime,
) -> Fitted:
    found = calibrate(asked, in_force=index.fusion.cuts, target=target)
    calibration = Calibration(
        score_map=found.score_map,
        cuts=found.cuts,
        at=now.isoformat(),
        revision=index.manifest.revision,
        source=source,
        questions=len(asked),
        target=target,
        precision=found.chosen.precision,
        bound=found.chosen.bound,
        coverage=found.chosen.coverage,
    )
    return Fitted(found, calibration, known)

"""Every refusal has a place: a status and a phrase at the edge, or a reason for having none."""

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.phrases import load
from bot.settings import data_dir
from bot.web.problems import INTERNAL, INVALID, PROBLEMS, Problem
from tests.architecture.source import modules

#: What no request can meet, and who meets it instead.
NOT_HTTP = {
    "bot.errors.BotError": "a base",
    "handoff.errors.HandoffError": "a base",
    "kb.errors.KnowledgeError": "a base",
    "nlu.errors.NluError": "a base",
    "kb.errors.ImportRefused": "import tells it per file",
    "kb.errors.PictureUnread": "the conversation goes on with the picture alone",
    "kb.errors.IndexMissing": "searching finds nothing until there is an index",
    "kb.errors.IndexMismatch": "the index in memory stays",
    "kb.errors.NothingPublished": "training tells it",
    "kb.errors.CalibrationRefused": "the command tells it",
    "kb.errors.TuningRefused": "the command tells it",
    "nlu.errors.InterpreterUnavailable": "the other interpreter answers",
    "nlu.errors.TrainingDataInvalid": "training tells it",
    "nlu.errors.TrainingFailed": "training tells it",
    "nlu.errors.ModelUnreadable": "trained anew at start",
    "bot.errors.EvaluationFileInvalid": "the command tells the file and the line",
    "bot.errors.EvaluationEmpty": "the command and the page of the last run tell it",
    "nlu.errors.EvaluationDataInvalid": "only benchmarks read evaluation files",
    "bot.notifications.errors.AlertRefused": "the webhook answers 401 and tells nothing",
    "connectors.errors.CallbackRefused": "the webhook answers 403 and tells nothing",
    "connectors.errors.InvalidCallbackKey": "the settings tell it at start",
}
#: Slugs that ``problems.py`` gives to what FastAPI itself refuses.
FRAMEWORK = ("not_found", "method_not_allowed", "message_too_long", "refused")
CATALOGUES = sorted((data_dir() / "locales").glob("*.yml"))


def refusals() -> Iterator[type[Exception]]:
    """Every exception class of every ``errors.py``."""
    files = [m.path for m in modules() if m.path.endswith("/errors.py")]
    assert len(files) >= 4, files
    for path in files:
        name = path.removesuffix(".py").replace("/", ".")
        module = importlib.import_module(name)
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if kind.__module__ == name and issubclass(kind, Exception):
                yield kind


def full_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__name__}"


def test_every_refusal_is_mapped_or_explained() -> None:
    known = {full_name(kind) for kind in PROBLEMS} | set(NOT_HTTP)
    assert {full_name(kind) for kind in refusals()} - known == set()


def test_no_explanation_is_left_over() -> None:
    names = {full_name(kind) for kind in refusals()}
    assert set(NOT_HTTP) - names == set()
    assert set(NOT_HTTP) & {full_name(kind) for kind in PROBLEMS} == set()


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: path.stem)
def test_every_problem_has_a_title_and_a_detail(catalogue: Path) -> None:
    phrases = load(catalogue)
    framework = [Problem(400, slug) for slug in FRAMEWORK]
    for problem in (*PROBLEMS.values(), INTERNAL, INVALID, *framework):
        for part in ("title", "detail"):
            assert phrases.has(f"problem.{problem.slug}.{part}"), problem
            # They are said without values: a placeholder would break the answer itself.
            assert phrases.say(f"problem.{problem.slug}.{part}").strip()


def test_statuses_are_errors() -> None:
    assert PROBLEMS
    assert all(400 <= problem.status <= 599 for problem in PROBLEMS.values())

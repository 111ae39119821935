"""Interpreters trained once for all tests."""

from pathlib import Path

import pytest

from nlu.similarity import SimilarityInterpreter
from nlu.train import train_interpreter
from nlu.triage import Triager
from tests.nlu.samples import write_small


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved interpreter of the small training set."""
    root = tmp_path_factory.mktemp("small")
    train_interpreter([write_small(root / "data")], root / "interpreter")
    return root / "interpreter"


@pytest.fixture(scope="session")
def small(small_folder: Path) -> SimilarityInterpreter:
    """The interpreter of the small training set."""
    return SimilarityInterpreter.load(small_folder)


@pytest.fixture(scope="session")
def shipped_folder(shipped_interpreter: Path) -> Path:
    """A saved interpreter of the data that ships."""
    return shipped_interpreter


@pytest.fixture(scope="session")
def shipped(shipped_folder: Path) -> SimilarityInterpreter:
    """The interpreter of the data that ships."""
    return SimilarityInterpreter.load(shipped_folder)


@pytest.fixture(scope="session")
def triager(shipped_folder: Path) -> Triager:
    """The triager of the data that ships."""
    return Triager.load(shipped_folder)

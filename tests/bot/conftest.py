"""Workspaces of the command's own, and silence for its log."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.cli import main
from tests.bot.command import caiwen
from tests.product import copy_workspace


@pytest.fixture
def quiet_logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The command points the log at its own standard error, which is gone after each call."""
    monkeypatch.setattr(main, "configure_logging", lambda *, verbose: None)
    with capture_logs():
        yield


@pytest.fixture
def home(prepared_workspace: Path, tmp_path: Path) -> Path:
    """A prepared workspace of one's own."""
    copied = tmp_path / "home"
    copy_workspace(prepared_workspace, copied)
    return copied


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A workspace with a database and nothing in it."""
    made = tmp_path / "fresh"
    assert caiwen(made, "init", "--no-sample").exit_code == 0
    return made

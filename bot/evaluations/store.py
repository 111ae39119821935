"""Keeps evaluations in the workspace: one file each below `evaluations/`, the newest ones only.

Files, not a table: like models and indexes they belong to the workspace they measured, and the
command can write them without a database. A file that cannot be read is passed over and logged.
Refuses to run anything; it only lets one run at a time.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import structlog
from pydantic import TypeAdapter, ValidationError

from bot.errors import EvaluationRunning
from bot.evaluations.records import Comparison, EvaluationReport, compared

log = structlog.get_logger("bot.evaluation_store")

#: Older files are removed when a new one is kept.
KEPT = 60
#: A look at the lock takes microseconds; so many tries take about a millisecond.
LOCK_TRIES = 500
_REPORT = TypeAdapter(EvaluationReport)


@dataclass(frozen=True, slots=True)
class EvaluationStore:
    """The evaluations of one workspace."""

    home: Path

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self.home / "evaluations"

    def keep(self, report: EvaluationReport) -> Path:
        """Write a report, complete or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        final = self.folder / f"{report.id}.json"
        written = final.with_suffix(".tmp")
        with written.open("wb") as file:
            file.write(_REPORT.dump_json(report, indent=1))
            file.flush()
            os.fsync(file.fileno())
        written.replace(final)
        for old in self._files()[KEPT:]:
            old.unlink(missing_ok=True)
        return final

    def newest(self, limit: int = KEPT) -> list[EvaluationReport]:
        """The newest first."""
        read = (self._read(path) for path in self._files()[:limit])
        return [report for report in read if report is not None]

    def find(self, report_id: str) -> EvaluationReport | None:
        """One of them; the id must be one of ours, never a path."""
        if not report_id.isalnum():
            return None
        path = self.folder / f"{report_id}.json"
        return self._read(path) if path.is_file() else None

    def compare(self, report: EvaluationReport) -> Comparison | None:
        """Against the newest earlier run over the same questions and suites, if there is one."""
        for before in self.newest():
            is_earlier = before.id < report.id and before.questions == report.questions
            if is_earlier and set(report.suites) <= set(before.suites):
                return compared(report, before)
        return None

    @contextmanager
    def running_alone(self) -> Iterator[None]:
        """Raises EvaluationRunning while another process or task of this workspace evaluates."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "running.lock").open("w") as file:
            _lock(file)
            yield

    def is_running(self) -> bool:
        """Whether somebody evaluates now."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "running.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False

    def _files(self) -> list[Path]:
        # Ids sort by the time they were made.
        return sorted(self.folder.glob("*.json"), key=lambda path: path.name, reverse=True)

    def _read(self, path: Path) -> EvaluationReport | None:
        try:
            return _REPORT.validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            log.warning("evaluation_unreadable", file=path.name, error=type(error).__name__)
            return None


def _lock(file: IO[str]) -> None:
    """Whoever only looks whether somebody runs holds the lock for an instant: try again then."""
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.sched_yield()
        else:
            return
    raise EvaluationRunning

"""Evaluations of this workspace: run, kept, compared; in the background when the workbench asks.

One at a time for the whole workspace. Refuses to touch the live index: it only reads.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from bot.accounts.service import Principal
from bot.background_task import BackgroundTask
from bot.clock import Clock
from bot.errors import BotError, EvaluationEmpty, EvaluationRunning
from bot.evaluations.asking import Live, evaluate_workspace
from bot.evaluations.records import Comparison, EvaluationReport, Suite
from bot.evaluations.store import EvaluationStore
from bot.evaluations.suites import Material, Table, own, shipped
from bot.golden import repository as golden_rows
from bot.tables import Role
from kb.errors import IndexMissing, KnowledgeError
from store import audit
from store.session import Database

log = structlog.get_logger("bot.evaluations")

RUN_ROLES = (Role.EDITOR, Role.REVIEWER)
#: The set of the workspace's golden questions, beside the shipped sets.
GOLDEN = "golden"


@dataclass(slots=True)
class _Background(BackgroundTask):
    """The run that the workbench asked for, and how the last one failed."""

    failed: str = ""


@dataclass(frozen=True, slots=True)
class Evaluations:
    """The verbs on evaluations."""

    database: Database
    live: Live
    store: EvaluationStore
    data: Path
    clock: Clock
    _background: _Background = field(default_factory=_Background)

    async def run(
        self, suites: Sequence[Suite], *, actor: str, file: Path | None = None
    ) -> tuple[EvaluationReport, Comparison | None]:
        """Ask, keep and compare; raises as `evaluate_workspace` does, and EvaluationRunning.

        Without a file: the shipped sets as far as they fit this workspace, and its golden
        questions.
        """
        with self.store.running_alone():
            material = await asyncio.to_thread(own, file) if file else await self._material()
            report = await evaluate_workspace(
                self.live, material, suites, actor=actor, now=self.clock()
            )
            comparison = await asyncio.to_thread(self.store.compare, report)
            await asyncio.to_thread(self.store.keep, report)
        log.info("evaluated", report_id=report.id, seconds=round(report.seconds, 1))
        return report, comparison

    async def start(self, staff: Principal) -> None:
        """Evaluate everything in the background. Raises EvaluationRunning, NotPermitted."""
        staff.require(*RUN_ROLES)
        if self.is_running:
            raise EvaluationRunning
        async with self.database.transaction() as session:
            await audit.record(
                session,
                actor=f"staff:{staff.staff_id}",
                action="quality.started",
                subject="quality",
                detail={},
                now=self.clock(),
            )
        self._background.failed = ""
        self._background.task = asyncio.create_task(self._run_quietly(staff.name))

    @property
    def is_running(self) -> bool:
        """Whether this workspace is being evaluated, here or by another process."""
        return self._background.is_running or self.store.is_running()

    @property
    def failed(self) -> str:
        """Why the last run in the background came to nothing: a code, empty when it did not."""
        return self._background.failed

    async def settle(self) -> None:
        """Wait for the run in the background."""
        await self._background.settle()

    async def stop(self) -> None:
        """Give up the run in the background; nothing of it is kept."""
        await self._background.stop()

    async def _run_quietly(self, actor: str) -> None:
        try:
            await self.run(list(Suite), actor=actor)
        except EvaluationRunning:
            self._background.failed = "running"
        except EvaluationEmpty:
            self._background.failed = "empty"
        except IndexMissing:
            self._background.failed = "no_index"
        except (BotError, KnowledgeError, OSError, ValueError, RuntimeError):
            log.exception("evaluation_failed")
            self._background.failed = "broken"

    async def _material(self) -> Material:
        ours = await asyncio.to_thread(shipped, self.data / "evaluation")
        golden = await self.golden()
        return replace(ours, tables=(*ours.tables, golden)) if golden.rows else ours

    async def golden(self) -> Table:
        """The golden questions of this workspace as a table."""
        async with self.database.reading() as session:
            questions = await golden_rows.questions(session)
        rows = tuple({"text": one.text, "answer_id": one.answer_id or ""} for one in questions)
        return Table(GOLDEN, Path(GOLDEN), frozenset({"text", "answer_id"}), rows)

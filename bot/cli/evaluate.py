"""``caiwen evaluate``: how good this workspace's answers are, printed, plotted, compared."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.assembly import assemble
from bot.cli.context import run, state_of
from bot.deployment import Deployment
from bot.errors import EvaluationEmpty, EvaluationFileInvalid, EvaluationRunning
from bot.evaluations.floors import read_floors, shortfalls
from bot.evaluations.lines import report_lines
from bot.evaluations.records import Comparison, EvaluationReport, Suite
from bot.web.workbench.evaluation_page import evaluation_page
from kb.errors import IndexMismatch, IndexMissing


class Chosen(StrEnum):
    """What may be evaluated from the command line."""

    RETRIEVAL = "retrieval"
    NLU = "nlu"
    TRIAGE = "triage"
    ALL = "all"


def evaluate(
    context: typer.Context,
    suite: Annotated[Chosen, typer.Option(help="评测什么，默认全部。")] = Chosen.ALL,
    file: Annotated[
        Path | None, typer.Option(help="自己的评测表（制表符分隔，至少有 text 列）。")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="把报告写成一个 HTML 文件。")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="在标准输出给出 JSON。")] = False,
    floors: Annotated[
        Path | None, typer.Option(help="下限表（figure、least 两列）；有一项不到就以 1 退出。")
    ] = None,
) -> None:
    """Measure search, understanding and triage of this workspace as users meet them."""
    state = state_of(context)
    suites = list(Suite) if suite is Chosen.ALL else [Suite(suite.value)]
    try:
        least = read_floors(floors) if floors else {}
        report, comparison = _evaluated(state, suites, file)
    except EvaluationFileInvalid as invalid:
        raise _bad_file(state, invalid) from None
    if html is not None:
        _write(state, html, report, comparison)
    if as_json:
        typer.echo(json.dumps(asdict(report), ensure_ascii=False))
    else:
        for line in report_lines(report, comparison, state.phrases):
            typer.echo(line)
    missed = shortfalls(report, least)
    for one in missed:
        found = "—" if one.found is None else f"{one.found:.3f}"
        state.say("evaluation.below", figure=one.figure, found=found, least=f"{one.least:.3f}")
    if missed:
        raise typer.Exit(1)


def _bad_file(state: Deployment, invalid: EvaluationFileInvalid) -> typer.Exit:
    reason = state.phrases.say(f"evaluation.invalid.{invalid.reason}")
    return state.fail("evaluation.bad_file", file=invalid.file, line=invalid.line, reason=reason)


def _evaluated(
    state: Deployment, suites: Sequence[Suite], file: Path | None
) -> tuple[EvaluationReport, Comparison | None]:
    try:
        return run(state, _evaluate(state, suites, file))
    except EvaluationEmpty:
        raise state.fail("evaluation.empty") from None
    except EvaluationRunning:
        raise state.fail("evaluation.running") from None
    except (IndexMissing, IndexMismatch):
        raise state.fail("cli.no_index") from None


async def _evaluate(
    state: Deployment, suites: Sequence[Suite], file: Path | None
) -> tuple[EvaluationReport, Comparison | None]:
    services = await asyncio.to_thread(assemble, state.settings)
    try:
        return await services.evaluations.run(suites, actor="caiwen evaluate", file=file)
    finally:
        await services.channels.close()
        await services.interpreter.close()
        await services.database.dispose()


def _write(
    state: Deployment, path: Path, report: EvaluationReport, comparison: Comparison | None
) -> None:
    try:
        path.write_text(evaluation_page(state.phrases, report, comparison), encoding="utf-8")
    except OSError as error:
        raise state.fail("evaluation.not_written", path=path, error=error.strerror) from None
    state.say("evaluation.written", path=path)

"""``caiwen kb calibrate``: true scores and a kept precision from this deployment's questions."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from bot.assembly import Services, assemble
from bot.calibrating import TARGET, Fitted, fit_from_table, fit_from_workspace, put_in_force
from bot.cli.context import run, state_of
from bot.clock import utc_now
from bot.deployment import Deployment
from bot.errors import EvaluationEmpty, EvaluationFileInvalid
from bot.learning import negatives
from bot.phrases import Phrases
from bot.web.workbench.evaluation_page import calibration_page
from kb.calibrate import FEWEST_ANSWERABLE, FEWEST_UNANSWERABLE, Measured
from kb.calibration_store import forget_calibration
from kb.errors import CalibrationRefused, IndexMismatch, IndexMissing
from kb.evaluation_curves import CurvePoint

#: Lines and width of the curve that is drawn in a terminal.
_STEPS, _BAR = 10, 40


def calibrate(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Option(help="自己的问题表，格式同 caiwen evaluate；默认用本工作区的问题。"),
    ] = None,
    precision: Annotated[
        float, typer.Option(min=0.5, max=0.99, help="直接回答里至少要答对的比例。")
    ] = TARGET,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只算不改。")] = False,
    html: Annotated[Path | None, typer.Option(help="把图写成一个 HTML 文件。")] = None,
    forget: Annotated[bool, typer.Option("--forget", help="取消校准，恢复默认门槛。")] = False,
) -> None:
    """Fit scores and the answer cut; a running service takes them up without a restart."""
    state = state_of(context)
    if forget:
        there = forget_calibration(state.settings.home)
        state.say("calibration.forgotten" if there else "calibration.nothing_to_forget")
        return
    fitted = _fitted(state, file, precision)
    for line in _lines(fitted, state.phrases):
        typer.echo(line)
    if html is not None:
        _write(state, html, fitted)
    if dry_run:
        state.say("calibration.dry_run")
        return
    put_in_force(state.settings.home, fitted)
    state.say("calibration.in_force")


def _fitted(state: Deployment, file: Path | None, precision: float) -> Fitted:
    try:
        return run(state, _fit(state, file, precision))
    except EvaluationFileInvalid as invalid:
        reason = state.phrases.say(f"evaluation.invalid.{invalid.reason}")
        raise state.fail(
            "evaluation.bad_file", file=invalid.file, line=invalid.line, reason=reason
        ) from None
    except EvaluationEmpty:
        raise state.fail("evaluation.empty") from None
    except CalibrationRefused as refused:
        raise state.fail(
            f"calibration.refused.{refused.reason}",
            answerable=refused.answerable,
            unanswerable=refused.unanswerable,
            fewest_answerable=FEWEST_ANSWERABLE,
            fewest_unanswerable=FEWEST_UNANSWERABLE,
            target=f"{precision:.2f}",
        ) from None
    except (IndexMissing, IndexMismatch):
        raise state.fail("cli.no_index") from None


async def _fit(state: Deployment, file: Path | None, precision: float) -> Fitted:
    services: Services = await asyncio.to_thread(assemble, state.settings)
    try:
        # What is in force already is left out: a map laid over a map could not be undone.
        index = await asyncio.to_thread(services.evaluations.live.index.uncalibrated)
        now = utc_now()
        if file is not None:
            return await asyncio.to_thread(fit_from_table, index, file, target=precision, now=now)
        golden = await services.evaluations.golden()
        return await asyncio.to_thread(
            fit_from_workspace,
            index,
            golden,
            negatives(),
            state.settings.kb,
            target=precision,
            now=now,
        )
    finally:
        await services.channels.close()
        await services.interpreter.close()
        await services.database.dispose()


def _lines(fitted: Fitted, phrases: Phrases) -> Iterator[str]:
    found = fitted.calibrated
    yield phrases.say(
        "calibration.line.questions",
        answerable=found.answerable,
        unanswerable=found.unanswerable,
        known=fitted.known,
    )
    yield phrases.say("calibration.line.before", **_shares(found.before))
    yield phrases.say("calibration.line.after", **_shares(found.after))
    yield phrases.say(
        "calibration.line.cuts",
        answer=f"{found.cuts.answer:.3f}",
        offer=f"{found.cuts.offer:.3f}",
        precision=f"{found.chosen.precision:.3f}",
        bound=f"{found.chosen.bound:.3f}",
        answered=found.chosen.answered,
    )
    yield phrases.say("calibration.line.curve")
    yield from map(_bar, _thinned(found.after.curve))


def _shares(measured: Measured) -> dict[str, str]:
    return {
        "error": f"{measured.error:.3f}",
        "coverage": f"{measured.coverage:.3f}",
        "precision": f"{measured.precision:.3f}",
    }


def _thinned(curve: tuple[CurvePoint, ...]) -> list[CurvePoint]:
    """The first point at or beyond each tenth of coverage."""
    wanted = ((step + 1) / _STEPS for step in range(_STEPS))
    found = (next((p for p in curve if p.coverage >= share - 1e-9), None) for share in wanted)
    return list(dict.fromkeys(point for point in found if point is not None))


def _bar(point: CurvePoint) -> str:
    filled = round(point.precision * _BAR)
    bar = "█" * filled + "░" * (_BAR - filled)
    return f"  {point.cut:.3f}  {point.coverage:.2f}  {bar} {point.precision:.3f}"


def _write(state: Deployment, path: Path, fitted: Fitted) -> None:
    try:
        path.write_text(calibration_page(state.phrases, fitted), encoding="utf-8")
    except OSError as error:
        raise state.fail("evaluation.not_written", path=path, error=error.strerror) from None
    state.say("evaluation.written", path=path)

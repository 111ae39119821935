"""The page of answer quality: the newest evaluation, how it moved, and a button for the next.

Refuses to evaluate during a request: a run goes on in the background and the page follows it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.accounts.service import Principal
from bot.assembly import Services
from bot.errors import EvaluationNotFound
from bot.evaluations.lines import moment
from bot.evaluations.plots import Labels, trend_plot
from bot.evaluations.records import EvaluationReport
from bot.web.page_access import FRESH, PageStaff
from bot.web.security import AppServices
from bot.web.workbench.access import Frame, frame
from bot.web.workbench.answers import parts
from bot.web.workbench.evaluation_page import EvaluationView, evaluation_page, view_of
from bot.workbench.service import EDITING_ROLES

router = APIRouter(include_in_schema=False)

ADDRESS = "/workbench/quality"
ReportId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
#: The report is one file with its style inside; nothing else may run or load in it.
_REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
#: A trend of more runs than this is a line without points.
TREND_RUNS = 30


@dataclass(frozen=True, slots=True)
class Run:
    """One line of the list of runs; ``hit1`` is over all answerable questions."""

    id: str
    at: str
    actor: str
    source: str
    hit1: float | None


@dataclass(frozen=True, slots=True)
class QualityPage(Frame):
    """The newest evaluation, or a chosen one."""

    view: EvaluationView | None
    runs: Sequence[Run]
    trend: Markup | None
    running: bool
    failed: str


@router.get(ADDRESS)
async def show(staff: PageStaff, app: AppServices) -> Response:
    """The newest evaluation."""
    return await _page(app, staff, None)


@router.get(f"{ADDRESS}/{{report_id}}")
async def show_one(report_id: ReportId, staff: PageStaff, app: AppServices) -> Response:
    """An earlier one."""
    return await _page(app, staff, report_id)


@router.get(f"{ADDRESS}/{{report_id}}/report.html")
async def whole_report(report_id: ReportId, staff: PageStaff, app: AppServices) -> Response:
    """One file to keep or to send, with everything in it."""
    staff.require(*EDITING_ROLES)
    html = await asyncio.to_thread(_html, app, report_id)
    return HTMLResponse(html, headers={**FRESH, "Content-Security-Policy": _REPORT_POLICY})


@router.post(f"{ADDRESS}/run")
async def run(staff: PageStaff, app: AppServices) -> Response:
    """Evaluate everything in the background."""
    await app.evaluations.start(staff)
    return RedirectResponse(ADDRESS, 303)


async def _page(app: Services, staff: Principal, report_id: str | None) -> Response:
    outer = frame(app, staff, "quality")
    staff.require(*EDITING_ROLES)
    # Dozens of files: read in a thread, for others wait for this loop.
    reports, chosen, view = await asyncio.to_thread(_read, app, report_id)
    page = QualityPage(
        **parts(outer),
        view=view,
        runs=[_run(report) for report in reports],
        trend=_trend(app, reports, chosen),
        running=app.evaluations.is_running,
        failed=app.evaluations.failed,
    )
    return app.pages.page("workbench/quality.html", {"page": page}, headers=FRESH)


def _html(app: Services, report_id: str) -> str:
    report = app.evaluations.store.find(report_id)
    if report is None:
        raise EvaluationNotFound(report_id)
    return evaluation_page(app.phrases, report, app.evaluations.store.compare(report))


def _read(
    app: Services, report_id: str | None
) -> tuple[list[EvaluationReport], EvaluationReport | None, EvaluationView | None]:
    """The newest reports, the chosen one and its view; raises EvaluationNotFound."""
    store = app.evaluations.store
    reports = store.newest(TREND_RUNS)
    chosen = reports[0] if reports else None
    if report_id is not None:
        chosen = store.find(report_id)
        if chosen is None:
            raise EvaluationNotFound(report_id)
    view = view_of(app.phrases, chosen, store.compare(chosen)) if chosen else None
    return reports, chosen, view


def _run(report: EvaluationReport) -> Run:
    return Run(report.id, moment(report), report.actor, report.source, _hit1(report))


def _hit1(report: EvaluationReport) -> float | None:
    """Over the answerable questions of all sets together."""
    groups = report.retrieval.groups if report.retrieval else ()
    total = sum(group.answerable for group in groups)
    return sum(group.ours.hit1 * group.answerable for group in groups) / total if total else None


def _trend(
    app: Services, reports: Sequence[EvaluationReport], chosen: EvaluationReport | None
) -> Markup | None:
    """Only runs over the same questions as the shown one can be compared with it."""
    same = [one for one in reversed(reports) if chosen and one.questions == chosen.questions]
    values = [value for one in same if (value := _hit1(one)) is not None]
    if len(values) < 2:
        return None
    say = app.phrases.say
    start = "evaluation.plot.trend"
    return trend_plot(values, Labels(say(f"{start}.title"), say(f"{start}.x"), say(f"{start}.y")))

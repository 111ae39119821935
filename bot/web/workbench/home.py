"""The workbench's first page: what waits, what was published. Refuses to change anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from bot.web.page_access import FRESH, PageStaff
from bot.web.security import AppServices
from bot.web.workbench.access import Frame, frame
from bot.web.workbench.answers import parts
from bot.workbench.service import Overview
from kb.answer_workflow import AnswerState

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class HomePage(Frame):
    """Counts by state and the short lists."""

    overview: Overview
    states: Sequence[AnswerState]
    counts: Mapping[str, int]
    stale: int


@router.get("/workbench")
async def home(staff: PageStaff, app: AppServices) -> Response:
    """What there is to do."""
    outer = frame(app, staff, "home")
    overview = await app.workbench.overview(staff)
    counts = {state.value: overview.counts.get(state.value, 0) for state in AnswerState}
    page = HomePage(
        **parts(outer),
        overview=overview,
        states=list(AnswerState),
        counts=counts,
        stale=await app.staleness.count(staff),
    )
    return app.pages.page("workbench/home.html", {"page": page}, headers=FRESH)

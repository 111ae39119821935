"""Pages of what the knowledge base lacks: the list, one gap, and the verbs on it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from bot.assembly import Services
from bot.gaps.service import ListedGap, OpenedGap, Replayed
from bot.gaps.tables import GapStatus
from bot.web.page_access import FRESH, PageStaff, text_fields
from bot.web.security import AppServices
from bot.web.workbench.access import Frame, frame
from kb.tables import Status

router = APIRouter(include_in_schema=False)

ADDRESS = "/workbench/gaps"
GapId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
#: Fewer questions than this are shown only when asked for: one question is seldom a gap.
LEAST = 2
TABS = (GapStatus.OPEN, GapStatus.DRAFTED, GapStatus.DISMISSED)


@dataclass(frozen=True, slots=True)
class GapsPage(Frame):
    """The list of one tab."""

    tab: GapStatus
    tabs: Sequence[GapStatus]
    gaps: Sequence[ListedGap]
    all: bool
    collected: int | None


@dataclass(frozen=True, slots=True)
class GapPage(Frame):
    """One gap; ``replayed`` is what its questions get now, once asked for or published."""

    opened: OpenedGap
    is_answered: bool
    replayed: Sequence[Replayed]
    hits: int
    told: int | None


def _framed(app: Services, staff: PageStaff) -> dict[str, Any]:
    base = frame(app, staff, "gaps")
    return {field.name: getattr(base, field.name) for field in fields(Frame)}


@router.get(ADDRESS)
async def list_gaps(
    staff: PageStaff,
    app: AppServices,
    tab: GapStatus = GapStatus.OPEN,
    every: Annotated[bool, Query(alias="all")] = False,
    collected: Annotated[int | None, Query(ge=0, le=1_000_000)] = None,
) -> Response:
    """Gaps, the most asked first."""
    framed = _framed(app, staff)
    found = await app.gaps.listed(statuses=[tab], least=1 if every else LEAST)
    shown = GapsPage(**framed, tab=tab, tabs=TABS, gaps=found, all=every, collected=collected)
    return app.pages.page("workbench/gaps.html", {"page": shown}, headers=FRESH)


@router.post(f"{ADDRESS}/collect")
async def collect_now(staff: PageStaff, app: AppServices) -> Response:
    """Look through the newest conversations without waiting for the next round."""
    _framed(app, staff)
    found = await app.gaps.collect()
    await app.proposals.collect()
    return RedirectResponse(f"{ADDRESS}?collected={found.questions}", 303)


@router.get(f"{ADDRESS}/{{gap_id}}")
async def show_gap(
    gap_id: GapId,
    staff: PageStaff,
    app: AppServices,
    told: Annotated[int | None, Query(ge=0, le=10_000)] = None,
) -> Response:
    """One gap: who asked what, what engineers said, and what the bot says now."""
    framed = _framed(app, staff)
    opened = await app.gaps.opened(gap_id)
    answered = opened.article_status == Status.PUBLISHED.value
    replayed = await asyncio.to_thread(app.gaps.replay, opened) if answered else []
    shown = GapPage(
        **framed,
        opened=opened,
        is_answered=answered,
        replayed=replayed,
        hits=sum(one.rank == 1 for one in replayed),
        told=told,
    )
    return app.pages.page("workbench/gap.html", {"page": shown}, headers=FRESH)


@router.post(f"{ADDRESS}/{{gap_id}}/draft")
async def draft(gap_id: GapId, staff: PageStaff, app: AppServices) -> Response:
    """Make a draft of it and go on in the editor."""
    article_id = await app.gaps.draft(staff, gap_id)
    return RedirectResponse(f"/workbench/answers/{article_id}", 303)


@router.post(f"{ADDRESS}/{{gap_id}}/dismiss")
async def dismiss(gap_id: GapId, staff: PageStaff, app: AppServices, request: Request) -> Response:
    """Nothing to answer here."""
    given = await text_fields(request, "note")
    await app.gaps.dismiss(staff, gap_id, given["note"])
    return RedirectResponse(ADDRESS, 303)


@router.post(f"{ADDRESS}/{{gap_id}}/reopen")
async def reopen(gap_id: GapId, staff: PageStaff, app: AppServices) -> Response:
    """Take it up again."""
    await app.gaps.reopen(staff, gap_id)
    return RedirectResponse(f"{ADDRESS}/{gap_id}", 303)


@router.post(f"{ADDRESS}/{{gap_id}}/tell")
async def tell(gap_id: GapId, staff: PageStaff, app: AppServices) -> Response:
    """Tell those who asked."""
    told = await app.gaps.tell(staff, gap_id)
    return RedirectResponse(f"{ADDRESS}/{gap_id}?told={told}", 303)

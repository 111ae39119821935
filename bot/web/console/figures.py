"""The page of monthly averages: choose a month, see the sums and where they come from, take CSV."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import RedirectResponse, Response

from bot.accounts.service import Principal
from bot.assembly import Services
from bot.conversations.greeting import LOCAL
from bot.errors import InvalidInput
from bot.rules.admin import LOOK_ROLES
from bot.rules.monthly_figures import TARGETS, Month
from bot.web.admin.rule_trials import refreshing
from bot.web.navigation import Place, places
from bot.web.page_access import FRESH, PageStaff, text_fields
from bot.web.security import AppServices
from handoff.rule_tables import RuleTrial

router = APIRouter(include_in_schema=False)

ADDRESS = "/console/figures"
RunId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
_SUMS = ("count", "timed", "late", "used", "used_mean", "elapsed", "elapsed_mean")
#: What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class FiguresPage:
    """The month's form and, once asked for, what came of it."""

    staff: Principal
    places: Sequence[Place]
    month: str
    targets: Sequence[str] = tuple(one.value for one in TARGETS)
    sums: Sequence[str] = _SUMS
    trial: RuleTrial | None = None
    silent: bool = False
    error: str = ""


def _page(app: Services, staff: Principal, month: str, **more: Any) -> FiguresPage:
    staff.require(*LOOK_ROLES)
    return FiguresPage(staff, places(app.phrases, staff), month, **more)


@router.get(ADDRESS)
async def choose(staff: PageStaff, app: AppServices) -> Response:
    """The form, with the month that goes on."""
    page = _page(app, staff, app.clock().astimezone(LOCAL).strftime("%Y-%m"))
    return app.pages.page("console/figures.html", {"page": page}, headers=FRESH)


@router.post(ADDRESS)
async def begin(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Look a month through."""
    typed = (await text_fields(request, "month"))["month"]
    try:
        month = Month.of(typed, app.clock().astimezone(LOCAL))
        run_id = await app.rules.figures.start(staff, month)
    except InvalidInput as refused:
        page = _page(app, staff, typed[:10], error=app.phrases.say(refused.reason))
        context = {"page": page}
        return app.pages.page("console/figures.html", context, status=422, headers=FRESH)
    return RedirectResponse(f"{ADDRESS}/{run_id}", 303)


@router.get(f"{ADDRESS}/{{run_id}}")
async def show(run_id: RunId, staff: PageStaff, app: AppServices) -> Response:
    """How far it has got, and what came of it."""
    found = await app.rules.figures.figures(staff, run_id)
    silent = app.rules.runs.is_silent(found)
    page = _page(app, staff, found.name, trial=found, silent=silent)
    headers = refreshing(found, silent=silent)
    return app.pages.page("console/figures.html", {"page": page}, headers=headers)


@router.get(f"{ADDRESS}/{{run_id}}/figures.csv")
async def table(run_id: RunId, staff: PageStaff, app: AppServices) -> Response:
    """The sums, and below them every ticket that they are made of."""
    found = await app.rules.figures.figures(staff, run_id)
    text = StringIO()
    writer = csv.writer(text)
    writer.writerows(_lines(app, found.result))
    headers = {"Content-Disposition": f'attachment; filename="figures-{found.name}.csv"', **FRESH}
    # Spreadsheets take the mark at the beginning for UTF-8, and nothing else.
    return Response(
        "\ufeff" + text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers
    )


def _lines(app: Services, result: dict[str, Any]) -> Iterator[list[object]]:
    say = app.phrases.say
    named = [(target.value, say(f"sla.target.{target.value}")) for target in TARGETS]
    about = [say("figures.contract"), say("figures.region")]
    yield [*about, *(f"{word} {say(f'figures.{name}')}" for _, word in named for name in _SUMS)]
    for one in result.get("groups", ()):
        sums = (one[target][name] for target, _ in named for name in _SUMS)
        yield [_safe(one["contract"]), _safe(one["region"]), *sums]
    yield []
    shown = ("used", "elapsed")
    yield [
        say("figures.number"),
        *about,
        *[f"{word} {say(f'figures.{name}')}" for _, word in named for name in shown],
    ]
    for one in result.get("tickets", ()):
        lengths = (one.get(target, {}).get(name, "") for target, _ in named for name in shown)
        yield [one["number"], _safe(one["contract"]), _safe(one["region"]), *lengths]


def _safe(text: str) -> str:
    """A cell that no spreadsheet reckons with."""
    return f"'{text}" if text.startswith(_FORMULA) else text

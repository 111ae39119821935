"""The administrator's page of units: whose people ask, how much, and one name for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from bot.accounts.service import Principal
from bot.accounts.units import SHOWN, Unit, Units
from bot.assembly import Services
from bot.errors import InvalidInput
from bot.web.admin.access import Framed, frame
from bot.web.page_access import FRESH, PageStaff, text_fields
from bot.web.security import AppServices

router = APIRouter(include_in_schema=False)

ADDRESS = "/console/admin/units"
SEARCH = "/console/search"
Part = Annotated[str, Query(max_length=120)]


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One unit, and where its tickets are found."""

    unit: Unit
    href: str


@dataclass(frozen=True, slots=True)
class UnitsPage(Framed):
    """Units found; ``moved`` people belong to another one since the last correction."""

    region: str
    name: str
    rows: Sequence[UnitRow]
    cut: bool
    shown: int = SHOWN
    moved: int | None = None
    error: str = ""


def _units(app: Services) -> Units:
    return Units(app.database, app.clock)


@router.get(ADDRESS)
async def units(
    staff: PageStaff,
    app: AppServices,
    region: Part = "",
    name: Part = "",
    moved: Annotated[int | None, Query(ge=0, le=10**9)] = None,
) -> Response:
    """Units whose names hold these parts."""
    page = await _page(app, staff, region, name, moved=moved)
    return app.pages.page("admin/units.html", {"page": page}, headers=FRESH)


async def _page(
    app: Services,
    staff: Principal,
    region: str,
    name: str,
    *,
    moved: int | None = None,
    error: str = "",
) -> UnitsPage:
    outer = frame(app, staff, "units")
    found = await _units(app).find(staff, region=region.strip(), name=name.strip())
    rows = [UnitRow(one, _tickets(one)) for one in found]
    cut = len(rows) == SHOWN
    return UnitsPage(outer, region, name, rows, cut, moved=moved, error=error)


def _tickets(unit: Unit) -> str:
    asked = {"region": unit.people.region, "unit": unit.people.name}
    given = {name: value for name, value in asked.items() if value}
    return f"{SEARCH}?{urlencode(given)}" if unit.people.name else ""


@router.post(ADDRESS)
async def correct(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Give a unit another name or region."""
    fields = await text_fields(request, "from_region", "from_name", "region", "name")
    before = (fields["from_region"], fields["from_name"])
    try:
        moved = await _units(app).correct(staff, before, (fields["region"], fields["name"]))
    except InvalidInput as refused:
        error = app.phrases.say(refused.reason)
        page = await _page(app, staff, *before, error=error)
        return app.pages.page("admin/units.html", {"page": page}, status=422, headers=FRESH)
    asked = {"region": fields["region"], "name": fields["name"], "moved": moved}
    return RedirectResponse(f"{ADDRESS}?{urlencode(asked)}", 303)

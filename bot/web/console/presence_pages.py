"""Who is there: the part of the console's top bar, a page for browsers without scripts, and JSON.

Refuses to judge presence (``handoff.presence``); a heartbeat is only passed on.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Request, status
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from bot.accounts.service import DESK_ROLES, READING_ROLES, Principal
from bot.assembly import Services
from bot.errors import InvalidInput
from bot.tickets.presence import LEVELS, Colleague
from bot.web.navigation import Place, places
from bot.web.page_access import FRESH, PageStaff, is_part, text_fields
from bot.web.security import AppServices
from bot.web.staff_access import ApiStaff
from handoff.routing import Presence
from handoff.settings import Routing

router = APIRouter()

ADDRESS = "/console/presence"
#: Nobody is idle for longer than a working week.
LONGEST_IDLE_S = 7 * 24 * 3600
Idle = Annotated[int, Field(ge=0, le=LONGEST_IDLE_S)]


@dataclass(frozen=True, slots=True)
class PresencePage:
    """Colleagues with their state, and the choice for oneself, if one has any."""

    staff: Principal
    places: Sequence[Place]
    colleagues: Sequence[Colleague]
    mine: Colleague | None
    here: int
    choices: Sequence[Presence]
    routed: bool


class ChoiceIn(BaseModel):
    """What an engineer says of themselves; ``hours`` on call."""

    presence: Presence
    hours: Annotated[int, Field(ge=1, le=24)] | None = None


class BeatIn(BaseModel):
    """A console's answer; ``idle_s``: seconds since mouse or keyboard were used."""

    idle_s: Idle = 0


async def _page(app: Services, staff: Principal) -> PresencePage:
    found = await app.presences.colleagues()
    return PresencePage(
        staff=staff,
        places=places(app.phrases, staff),
        colleagues=found,
        mine=next((one for one in found if one.staff_id == staff.staff_id), None),
        here=sum(one.presence is Presence.ONLINE for one in found),
        choices=list(Presence),
        routed=app.settings.handoff.routing is not Routing.OFF,
    )


@router.get(ADDRESS, include_in_schema=False)
async def page(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Who is there; scripts ask for the part of the top bar only."""
    staff.require(*READING_ROLES)
    name = "_presence.html" if is_part(request) else "presence.html"
    headers = {**FRESH, "Vary": "HX-Request"}
    return app.pages.page(name, {"page": await _page(app, staff)}, headers=headers)


@router.post(ADDRESS, include_in_schema=False)
async def choose_form(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Say whether one can be given work."""
    _require_routed(staff)
    fields = await text_fields(request, "presence", "hours")
    if fields["presence"] not in {one.value for one in Presence}:
        raise InvalidInput("presence", "presence.unknown")
    hours = int(fields["hours"]) if fields["hours"] in {str(n) for n in range(1, 25)} else None
    await app.presences.choose(staff, Presence(fields["presence"]), hours=hours)
    if is_part(request):
        return app.pages.page("_presence.html", {"page": await _page(app, staff)}, headers=FRESH)
    return RedirectResponse(ADDRESS, 303)


@router.post(f"{ADDRESS}/beat", include_in_schema=False, status_code=status.HTTP_204_NO_CONTENT)
async def beat_form(request: Request, staff: PageStaff, app: AppServices) -> None:
    """The console answers a beat of its stream."""
    _require_routed(staff)
    idle = (await text_fields(request, "idle"))["idle"]
    known = idle.isascii() and idle.isdecimal() and len(idle) <= 7
    await app.presences.beat(staff, min(int(idle), LONGEST_IDLE_S) if known else 0)


def _require_routed(staff: Principal) -> None:
    """Only who works on a queue is there or not."""
    staff.require(*DESK_ROLES)
    if staff.role not in LEVELS:
        raise InvalidInput("presence", "presence.not_routed")


@router.get("/api/v1/desk/presence", tags=["staff"])
async def list_presence(staff: ApiStaff, app: AppServices) -> dict[str, Any]:
    """Everybody who works on tickets, who is there first."""
    staff.require(*READING_ROLES)
    return {"colleagues": [asdict(one) for one in await app.presences.colleagues()]}


@router.post("/api/v1/desk/presence", tags=["staff"], status_code=status.HTTP_204_NO_CONTENT)
async def choose(body: ChoiceIn, staff: ApiStaff, app: AppServices) -> None:
    """Say whether one can be given work."""
    _require_routed(staff)
    await app.presences.choose(staff, body.presence, hours=body.hours)


@router.post("/api/v1/desk/presence/beat", tags=["staff"], status_code=status.HTTP_204_NO_CONTENT)
async def beat(body: BeatIn, staff: ApiStaff, app: AppServices) -> None:
    """Answer a ``beat`` of the desk's event stream: who does not is not there."""
    _require_routed(staff)
    await app.presences.beat(staff, body.idle_s)

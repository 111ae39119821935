"""回访 as a page: whom to call, why, until when, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from bot.accounts.service import DESK_ROLES, Principal
from bot.assembly import Services
from bot.errors import CallBackDone, InvalidInput
from bot.tickets.revisits import NOTE_CHARS, Listed
from bot.web.navigation import Place, places
from bot.web.page_access import FRESH, PageStaff, text_fields
from bot.web.security import AppServices
from handoff.callbacks import ATTEMPTS, Result

router = APIRouter(include_in_schema=False)

ADDRESS = "/console/callbacks"
RowId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


@dataclass(frozen=True, slots=True)
class CallBacksPage:
    """The list; ``refused`` is the row whose form was, and ``note`` what was typed in it."""

    staff: Principal
    places: Sequence[Place]
    rows: Sequence[Listed]
    done: bool
    now: datetime
    results: Mapping[str, int]
    choices: Sequence[Result]
    attempts: int
    limit: int
    may_record: bool
    refused: str = ""
    note: str = ""
    error: str = ""


async def _page(
    app: Services,
    staff: Principal,
    *,
    done: bool = False,
    refused: str = "",
    note: str = "",
    error: str = "",
    status: int = 200,
) -> Response:
    page = CallBacksPage(
        staff=staff,
        places=places(app.phrases, staff),
        rows=await app.revisits.listed(staff, done=done),
        done=done,
        now=app.clock(),
        results=await app.revisits.results(staff),
        choices=list(Result),
        attempts=ATTEMPTS,
        limit=NOTE_CHARS,
        may_record=staff.may(*DESK_ROLES),
        refused=refused,
        note=note,
        error=error,
    )
    return app.pages.page("callbacks.html", {"page": page}, status=status, headers=FRESH)


@router.get(ADDRESS)
async def listed(
    staff: PageStaff, app: AppServices, done: Annotated[bool, Query()] = False
) -> Response:
    """Calls to make, or made."""
    return await _page(app, staff, done=done)


@router.post(f"{ADDRESS}/{{row_id}}")
async def record(row_id: RowId, request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Write down what came of a call; a refusal keeps what was typed."""
    fields = await text_fields(request, "result", "note")
    say, note = app.phrases.say, fields["note"]
    if fields["result"] not in {one.value for one in Result}:
        error = say("call_backs.bad_result")
        return await _page(app, staff, refused=row_id, note=note, error=error, status=422)
    try:
        await app.revisits.record(staff, row_id, Result(fields["result"]), note)
    except InvalidInput as refusal:
        error = say(refusal.reason)
        return await _page(app, staff, refused=row_id, note=note, error=error, status=422)
    except CallBackDone:
        error = say("problem.call_back_done.detail")
        return await _page(app, staff, error=error, status=409)
    return RedirectResponse(ADDRESS, 303)

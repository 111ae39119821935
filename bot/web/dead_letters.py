"""Undelivered rows as a page and as JSON: looking at them and sending them again."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, status
from starlette.responses import RedirectResponse, Response

from bot import dead_letters
from bot.accounts.service import Principal
from bot.assembly import Services
from bot.dead_letters import RESEND_ROLES, DeadLetter
from bot.errors import DeadLetterNotFound
from bot.web.navigation import Place, places
from bot.web.page_access import FRESH, PageStaff
from bot.web.security import AppServices
from bot.web.staff_access import ApiStaff

router = APIRouter()

ADDRESS = "/console/dead-letters"
RowId = Annotated[int, Path(ge=1, le=2**62)]
Before = Annotated[int, Query(ge=1, le=2**62)]


@dataclass(frozen=True, slots=True)
class LetterRow:
    """One undelivered row in words."""

    id: int
    what: str
    to: str
    number: str
    created_at: datetime
    failed_at: datetime | None
    attempts: int
    reason: str
    error: str


@dataclass(frozen=True, slots=True)
class DeadLettersPage:
    """The list, what was just done, and what was refused."""

    staff: Principal
    places: Sequence[Place]
    rows: Sequence[LetterRow]
    total: int
    older: int | None
    first: bool
    may_resend: bool
    resent: int | None = None
    error: str = ""


@router.get(ADDRESS, include_in_schema=False)
async def page(
    staff: PageStaff,
    app: AppServices,
    before: Before | None = None,
    resent: Annotated[int | None, Query(ge=0, le=10_000)] = None,
) -> Response:
    """What could not be delivered."""
    return await _page(app, staff, before=before, resent=resent)


async def _page(
    app: Services,
    staff: Principal,
    *,
    before: int | None = None,
    resent: int | None = None,
    error: str = "",
    code: int = 200,
) -> Response:
    found = await dead_letters.listed(app.database, staff, before=before)
    shown = DeadLettersPage(
        staff=staff,
        places=places(app.phrases, staff),
        rows=[_row(app, one) for one in found.letters],
        total=found.total,
        older=found.older,
        first=before is None,
        may_resend=staff.may(*RESEND_ROLES),
        resent=resent,
        error=error,
    )
    return app.pages.page("dead_letters.html", {"page": shown}, status=code, headers=FRESH)


def _row(app: Services, letter: DeadLetter) -> LetterRow:
    return LetterRow(
        id=letter.id,
        what=_word(app, "kind", letter.kind.partition(":")[0]),
        to=_to(app, letter),
        number=letter.number,
        created_at=letter.created_at,
        failed_at=letter.failed_at,
        attempts=letter.attempts,
        reason=_word(app, "reason", letter.error),
        error=letter.error,
    )


def _word(app: Services, group: str, code: str) -> str:
    key = f"dead_letters.{group}.{code}"
    return app.phrases.say(key if app.phrases.has(key) else f"dead_letters.{group}.other")


def _to(app: Services, letter: DeadLetter) -> str:
    say = app.phrases.say
    if letter.kind != "deliver":
        return say("dead_letters.staff")
    if not letter.channel:
        return say("dead_letters.nobody")
    key = f"console.code.channel.{letter.channel}"
    channel = say(key) if app.phrases.has(key) else letter.channel
    who = letter.recipient or say("console.anonymous")
    return " · ".join(part for part in (who, letter.unit, channel) if part)


@router.post(f"{ADDRESS}/resend", include_in_schema=False)
async def resend_all_form(staff: PageStaff, app: AppServices) -> Response:
    """Send everything on the newest page again."""
    count = await dead_letters.resend_all(app.database, staff, now=app.clock())
    app.relay.wake()
    return RedirectResponse(f"{ADDRESS}?resent={count}", 303)


@router.post(f"{ADDRESS}/{{row_id}}/resend", include_in_schema=False)
async def resend_form(row_id: RowId, staff: PageStaff, app: AppServices) -> Response:
    """Send one row again; the list as it is now when somebody was faster."""
    try:
        await dead_letters.resend(app.database, staff, row_id, now=app.clock())
    except DeadLetterNotFound:
        error = app.phrases.say("problem.dead_letter_not_found.detail")
        return await _page(app, staff, error=error, code=404)
    app.relay.wake()
    return RedirectResponse(f"{ADDRESS}?resent=1", 303)


@router.get("/api/v1/dead-letters", tags=["staff"])
async def list_dead_letters(
    staff: ApiStaff, app: AppServices, before: Before | None = None
) -> dict[str, Any]:
    """What could not be delivered: what, to whom, when, how often, class of the error."""
    found = await dead_letters.listed(app.database, staff, before=before)
    letters = [asdict(one) for one in found.letters]
    return {"dead_letters": letters, "total": found.total, "older": found.older}


@router.post("/api/v1/dead-letters/resend", tags=["staff"])
async def resend_all(staff: ApiStaff, app: AppServices) -> dict[str, int]:
    """Send the newest hundred again."""
    count = await dead_letters.resend_all(app.database, staff, now=app.clock())
    app.relay.wake()
    return {"resent": count}


@router.post(
    "/api/v1/dead-letters/{row_id}/resend", tags=["staff"], status_code=status.HTTP_204_NO_CONTENT
)
async def resend(row_id: RowId, staff: ApiStaff, app: AppServices) -> None:
    """Send one again."""
    await dead_letters.resend(app.database, staff, row_id, now=app.clock())
    app.relay.wake()

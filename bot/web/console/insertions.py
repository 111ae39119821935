"""The list under the reply box that opens at ``/``: answers and phrases to choose from."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from bot.accounts.service import DESK_ROLES
from bot.tickets.reply_insertions import ReplyInsertions
from bot.web.page_access import FRESH, PageStaff
from bot.web.security import AppServices

router = APIRouter(include_in_schema=False)


@router.get("/console/tickets/{number}/insertions")
async def insertions(
    number: str,
    staff: PageStaff,
    app: AppServices,
    q: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """What fits the words after the stroke, for the script of the reply box."""
    staff.require(*DESK_ROLES)
    search = ReplyInsertions(app.database, app.knowledge, app.phrases, app.clock)
    found = await search.find(staff, number, q)
    return app.pages.page("_insertions.html", {"found": found, "q": q.strip()}, headers=FRESH)

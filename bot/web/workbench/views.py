"""Saving the answers list as it is filtered under a name, and forgetting it again."""

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Path, Request
from starlette.responses import RedirectResponse, Response

from bot.errors import InvalidInput
from bot.web.page_access import PageStaff, text_fields
from bot.web.security import AppServices
from bot.web.workbench.answers import (
    ADDRESS,
    LONGEST,
    address_of,
    answers_page,
    today,
    wanted_answers,
)
from bot.web.workbench.editor import invalid
from kb.errors import AnswerInvalid

router = APIRouter(include_in_schema=False)

MAX_FIELDS = 20


@router.post("/workbench/views")
async def save(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Keep the filters of the page under a name; what an address cannot ask for is dropped."""
    fields = await text_fields(request, "name", "query", "shared")
    pairs = parse_qsl(fields["query"][: MAX_FIELDS * LONGEST])[:MAX_FIELDS]
    wanted = wanted_answers({name: value[:LONGEST] for name, value in pairs}, today(app))
    address = address_of("answers", wanted, "")
    try:
        query = address.partition("?")[2]
        await app.answer_views.save(staff, fields["name"], query, shared=fields["shared"] == "1")
    except InvalidInput as refused:
        error = invalid(app, AnswerInvalid(refused.field, refused.reason))
        return await answers_page(app, staff, wanted, error=error, name=fields["name"])
    return RedirectResponse(address, 303)


@router.post("/workbench/views/{view_id}/remove")
async def remove(
    view_id: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")], staff: PageStaff, app: AppServices
) -> Response:
    """Forget a view."""
    await app.answer_views.remove(staff, view_id)
    return RedirectResponse(ADDRESS, 303)

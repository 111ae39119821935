"""Saving a search under a name, and forgetting it again."""

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Path, Request
from starlette.responses import RedirectResponse, Response

from bot.errors import InvalidInput
from bot.web.console.search_pages import ADDRESS, Asked, search_page
from bot.web.page_access import PageStaff, text_fields
from bot.web.security import AppServices

router = APIRouter(include_in_schema=False)

_MOST, _LONGEST = 20, 200


@router.post(f"{ADDRESS}/views")
async def save(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Keep the conditions of the page under a name; what no search asks for is dropped."""
    fields = await text_fields(request, "name", "query", "shared")
    pairs = parse_qsl(fields["query"][: _MOST * _LONGEST])[:_MOST]
    wanted = Asked.of({name: value[:_LONGEST] for name, value in pairs})
    try:
        shared = fields["shared"] == "1"
        await app.searches.views.save(staff, fields["name"], wanted.query, shared=shared)
    except InvalidInput as refused:
        error = app.phrases.say(f"search.view.refused.{refused.reason}")
        return await search_page(app, staff, wanted, error=error, name=fields["name"])
    return RedirectResponse(wanted.address(), 303)


@router.post(f"{ADDRESS}/views/{{view_id}}/remove")
async def remove(
    view_id: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")], staff: PageStaff, app: AppServices
) -> Response:
    """Forget a view."""
    await app.searches.views.remove(staff, view_id)
    return RedirectResponse(ADDRESS, 303)

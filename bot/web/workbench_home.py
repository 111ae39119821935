"""The workbench's first page. Refuses to change anything."""

from fastapi import APIRouter
from starlette.responses import Response

from bot.web.page_access import FRESH, PageStaff
from bot.web.security import AppServices
from bot.web.workbench_access import frame

router = APIRouter(include_in_schema=False)


@router.get("/workbench")
async def home(staff: PageStaff, app: AppServices) -> Response:
    """What there is to do."""
    context = {"page": frame(app, staff, "home")}
    return app.pages.page("workbench/home.html", context, headers=FRESH)

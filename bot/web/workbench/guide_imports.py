"""Importing guides on a page: the upload, and the job that can be left and seen again."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from bot.guides.imports import SeenJob, Upload
from bot.web.page_access import FRESH, PageStaff, is_part
from bot.web.security import AppServices
from bot.web.workbench.access import Frame, frame
from bot.web.workbench.answers import parts
from bot.web.workbench.guides import guide_page, guides_page, invalid
from bot.workbench.service import EDITING_ROLES
from kb.errors import GuideInvalid

router = APIRouter(include_in_schema=False)

#: The one address whose bodies may be as large as a batch of guides.
UPLOADS = "/workbench/guide-imports"
ImportId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


@dataclass(frozen=True, slots=True)
class ImportPage(Frame):
    """A job with its files."""

    job: SeenJob


@router.post(UPLOADS)
async def upload(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Take the files in and begin."""
    async with request.form() as form:
        staff.require(*EDITING_ROLES)
        chosen = str(form.get("guide_id") or "")[:32]
        uploads = [
            Upload(one.filename, one.file)
            for one in form.getlist("files")
            if isinstance(one, UploadFile) and one.filename
        ]
        try:
            import_id = await app.guide_imports.begin(
                staff, uploads, publish=form.get("publish") == "1", guide_id=chosen
            )
        except GuideInvalid as refused:
            error = invalid(app, refused)
            if chosen:
                return await guide_page(app, staff, chosen, error=error, status=422)
            return await guides_page(app, staff, error=error, status=422)
    return RedirectResponse(f"{UPLOADS}/{import_id}", 303)


@router.get(f"{UPLOADS}/{{import_id}}")
async def job(
    import_id: ImportId, request: Request, staff: PageStaff, app: AppServices
) -> Response:
    """How far it is; as part of the page when only that is asked for."""
    page = ImportPage(
        **parts(frame(app, staff, "guides")), job=await app.guide_imports.seen(staff, import_id)
    )
    name = "_guide_import.html" if is_part(request) else "guide_import.html"
    return app.pages.page(f"workbench/{name}", {"page": page}, headers=FRESH)


@router.post(f"{UPLOADS}/{{import_id}}/cancel")
async def cancel(import_id: ImportId, staff: PageStaff, app: AppServices) -> Response:
    """Stop it; what is finished stays."""
    await app.guide_imports.cancel(staff, import_id)
    return _back(import_id)


@router.post(f"{UPLOADS}/{{import_id}}/again")
async def again(import_id: ImportId, staff: PageStaff, app: AppServices) -> Response:
    """Go on with what was interrupted or cancelled."""
    await app.guide_imports.again(staff, import_id)
    return _back(import_id)


def _back(import_id: str) -> Response:
    return RedirectResponse(f"{UPLOADS}/{import_id}", 303)

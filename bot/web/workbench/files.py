"""Attaching a file to an answer in the editor: the upload, and the mark that it becomes."""

from fastapi import APIRouter, UploadFile
from starlette.responses import JSONResponse, Response

from bot.web.page_access import PageStaff
from bot.web.security import AppServices
from bot.web.workbench.editor import invalid
from bot.workbench.service import EDITING_ROLES
from kb.errors import AnswerInvalid

router = APIRouter(include_in_schema=False)

#: The one address whose bodies may be as large as an attachment.
ATTACHMENTS = "/workbench/attachments"


@router.post(ATTACHMENTS)
async def attach(staff: PageStaff, app: AppServices, file: UploadFile) -> Response:
    """Keep a file; the mark to put into the answer."""
    staff.require(*EDITING_ROLES)
    try:
        mark = await app.workbench.keep_file(staff, await file.read(), file.filename or "")
    except AnswerInvalid as refused:
        return JSONResponse({"detail": invalid(app, refused)}, status_code=422)
    return JSONResponse({"markup": mark}, status_code=201)

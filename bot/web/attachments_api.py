"""Pictures and files over HTTP: sent by users and engineers, given to those who may see them.

A file is only ever named by its id inside a conversation or a ticket, and given out so that no
browser runs anything in it.
"""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import UploadFile
from starlette.responses import FileResponse

from bot.accounts.service import READING_ROLES
from bot.attachments.errors import AttachmentEmpty
from bot.attachments.kinds import SHOWN
from bot.attachments.service import Given, Upload
from bot.errors import InvalidInput
from bot.web.page_access import PageStaff
from bot.web.schemas import ClientId, MessageAccepted
from bot.web.security import AppServices, OwnConversationId
from bot.web.staff_access import ApiStaff

router = APIRouter(tags=["attachments"])

#: Whose bodies may be as large as a file.
UPLOADS = re.compile(
    r"/api/v1/(?:conversations|tickets)/[^/]{1,64}/attachments|/console/tickets/[^/]{1,64}/files"
)
AttachmentId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
#: What a file's bytes are given out with: shown at most as a picture, run never.
HEADERS = {
    "Cache-Control": "private, max-age=86400",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_CLIENT_ID: TypeAdapter[str] = TypeAdapter(ClientId)


@router.post("/api/v1/conversations/{conversation_id}/attachments")
async def send(
    conversation_id: OwnConversationId, request: Request, app: AppServices, response: Response
) -> MessageAccepted:
    """Send a picture or a file (multipart: `client_msg_id`, `file`, and `text` if there is any).

    202 when it is new, 200 with the same body when it is known.
    """
    recorded = await app.attachments.receive(conversation_id, await upload_of(request))
    response.status_code = 200 if recorded.duplicate else 202
    return MessageAccepted(message_id=recorded.message_id, seq=recorded.seq)


@router.get("/api/v1/conversations/{conversation_id}/attachments/{attachment_id}")
async def fetch(
    conversation_id: OwnConversationId, attachment_id: AttachmentId, app: AppServices
) -> Response:
    """The bytes of a file of one's own conversation."""
    return given(await app.attachments.for_user(conversation_id, attachment_id))


@router.post("/api/v1/tickets/{number}/attachments")
async def reply(number: str, request: Request, staff: ApiStaff, app: AppServices) -> dict[str, Any]:
    """Answer with a picture or a file; the form is the same as that of users."""
    return await app.attachments.reply(staff, number, await upload_of(request))


@router.get("/api/v1/tickets/{number}/attachments/{attachment_id}")
async def fetch_for_program(
    number: str, attachment_id: AttachmentId, staff: ApiStaff, app: AppServices
) -> Response:
    """The bytes of a file of a ticket's conversation; audited as a download."""
    staff.require(*READING_ROLES)
    found = await app.attachments.for_staff(staff, number, attachment_id, download=True)
    return given(found, download=True)


@router.get("/console/tickets/{number}/files/{attachment_id}", include_in_schema=False)
async def fetch_for_page(
    number: str,
    attachment_id: AttachmentId,
    staff: PageStaff,
    app: AppServices,
    download: Annotated[bool, Query()] = False,
) -> Response:
    """A picture in the transcript, or a file to be kept; whatever is kept is audited."""
    staff.require(*READING_ROLES)
    found = await app.attachments.for_staff(staff, number, attachment_id, download=download)
    return given(found, download=download)


async def upload_of(request: Request) -> Upload:
    """The file of a form. Raises ``InvalidInput`` or ``AttachmentEmpty``."""
    async with request.form(max_files=1, max_fields=8, max_part_size=1_000_000) as form:
        file, text = form.get("file"), form.get("text") or ""
        if not isinstance(file, UploadFile) or not isinstance(text, str):
            raise AttachmentEmpty
        try:
            client_msg_id = _CLIENT_ID.validate_python(form.get("client_msg_id"))
        except ValidationError as error:
            raise InvalidInput("client_msg_id", "console.error.form") from error
        data = await file.read()
        return Upload(client_msg_id, text.strip(), file.filename or "", data)


def given(found: Given, *, download: bool = False) -> Response:
    """The bytes; only pictures are shown in place, and those only when asked for."""
    shown = found.media_type in SHOWN and not download
    return FileResponse(
        found.path,
        media_type=found.media_type if shown else "application/octet-stream",
        headers=HEADERS,
        filename=found.name,
        content_disposition_type="inline" if shown else "attachment",
    )

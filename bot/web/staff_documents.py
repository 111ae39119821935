"""Documents for download, with names that every browser keeps."""

from urllib.parse import quote

from starlette.responses import Response

from bot.tickets.problem_reports import MEDIA_TYPE
from bot.web.page_access import FRESH


def document(number: str, content: bytes) -> Response:
    """A Word document about a ticket; never shown in place, whatever is in it."""
    return attachment(f"{number}.docx", content, MEDIA_TYPE)


def attachment(name: str, content: bytes, media_type: str) -> Response:
    """A file to be kept, never shown in place."""
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Response(
        content, media_type=media_type, headers={**FRESH, "Content-Disposition": disposition}
    )

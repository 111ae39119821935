"""Documents for download, with names that every browser keeps."""

from urllib.parse import quote

from starlette.responses import Response

from bot.problem_reports import MEDIA_TYPE
from bot.web.page_access import FRESH


def document(number: str, content: bytes) -> Response:
    """A Word document about a ticket; never shown in place, whatever is in it."""
    name = quote(f"{number}.docx", safe="")
    disposition = f"attachment; filename*=UTF-8''{name}"
    return Response(
        content, media_type=MEDIA_TYPE, headers={**FRESH, "Content-Disposition": disposition}
    )

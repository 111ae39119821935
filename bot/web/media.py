"""Pictures and files of answers, by content hash, with headers that let no browser run them."""

import re
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from bot.web.security import AppServices
from kb import repository as knowledge_rows
from kb.service import media_path

router = APIRouter(tags=["media"])

_SHA256 = re.compile(r"^[0-9a-f]{64}$")
#: What a browser may show in place; anything else is offered for download.
SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


@router.get("/media/{sha256}")
async def picture(sha256: Annotated[str, Path(max_length=80)], app: AppServices) -> Response:
    """A picture of the knowledge base to show, or a file of it to save."""
    if not _SHA256.match(sha256):
        raise HTTPException(404)
    async with app.database.reading() as session:
        row = await knowledge_rows.media(session, sha256)
    if row is None:
        raise HTTPException(404)
    path = media_path(app.workspace.media, sha256, row.extension)
    if not path.is_file():
        raise HTTPException(404)
    shown = row.media_type in SHOWN
    headers = dict(HEADERS)
    if not shown:
        name = quote(row.name or sha256[:12], safe="")
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    media_type = row.media_type if shown else "application/octet-stream"
    return FileResponse(path, media_type=media_type, headers=headers)

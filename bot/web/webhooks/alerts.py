"""Alerts from monitoring systems: checked, recorded, answered 200.

Senders try again after 5xx only, so what we cannot record is never answered 4xx. A body that
cannot be read is recorded like any other: sending it again would change nothing, and somebody
has to see it; so is the beginning of one that is too large. Whoever is not let in learns nothing
about why.
"""

import re
from typing import Annotated

import structlog
from fastapi import APIRouter, Path, Request, Response, status
from sqlalchemy.exc import SQLAlchemyError

from bot.alerts.service import UNAVAILABLE
from bot.notifications.errors import AlertRefused
from bot.web.security import AppServices

router = APIRouter(prefix="/hooks/alerts", tags=["alerts"])

#: Where deliveries come in.
PATHS = re.compile(r"/hooks/alerts/[^/]+")
SourceId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]

log = structlog.get_logger("bot.web.alerts")


@router.api_route("/{source_id}", methods=["POST", "PUT"], include_in_schema=False)
async def receive(source_id: SourceId, request: Request, app: AppServices) -> Response:
    """One delivery. It is recorded when this answers 200."""
    limit = app.settings.web.max_alert_bytes
    try:
        body, size = await _read(request, limit)
        if size > limit:
            await app.alerts.note_oversized(source_id, request.headers, body, size)
        else:
            await app.alerts.receive(source_id, request.headers, body)
    except AlertRefused:
        log.warning("alert_refused", source=source_id)
        return Response(status_code=status.HTTP_401_UNAUTHORIZED)
    except UNAVAILABLE as error:
        log.error("alert_source_locked", source=source_id, error=type(error).__name__)  # noqa: TRY400
        return Response(status_code=status.HTTP_503_SERVICE_UNAVAILABLE)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        log.error("alert_not_recorded", source=source_id, error=type(error).__name__)  # noqa: TRY400
        return Response(status_code=status.HTTP_503_SERVICE_UNAVAILABLE)
    return Response(status_code=status.HTTP_200_OK)


async def _read(request: Request, limit: int) -> tuple[bytes, int]:
    """At most the limit of the body, and how long it is: the rest is taken in and forgotten.

    A sender that is answered in the middle of its body may see a broken connection instead.
    """
    kept, size = bytearray(), 0
    async for chunk in request.stream():
        kept += chunk[: limit - len(kept)]
        size += len(chunk)
    return bytes(kept), size

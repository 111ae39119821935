"""Whether the process lives, whether it can work, and its figures."""

from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from bot.web.security import AppServices
from store import outbox

router = APIRouter(tags=["operation"])


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def ready(app: AppServices, response: Response) -> dict[str, Any]:
    """Database and search are there. Rasa is not needed for being ready."""
    checks = {"database": await _database_answers(app), "index": app.knowledge.is_ready()}
    ok = all(checks.values())
    response.status_code = 200 if ok else 503
    return {"status": "ok" if ok else "unavailable", "checks": checks}


async def _database_answers(app: AppServices) -> bool:
    try:
        async with app.database.reading() as session:
            await session.execute(text("SELECT 1"))
    except Exception:  # whatever is wrong, the answer is no
        return False
    return True


@router.get("/metrics")
async def metrics(app: AppServices) -> Response:
    """Prometheus text format."""
    async with app.database.reading() as session:
        waiting = await outbox.counts(session)
    for status in outbox.OutboxStatus:
        app.metrics.outbox_rows.labels(status.value).set(waiting.get(status.value, 0))
    app.metrics.streams.set(app.live.subscribers())
    return Response(generate_latest(app.metrics.registry), media_type=CONTENT_TYPE_LATEST)

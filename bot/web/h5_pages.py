"""The widget's page inside 粤政易: sends the browser to the platform and takes it back, proven."""

import structlog
from fastapi import APIRouter, Request
from fastapi.exceptions import HTTPException
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from bot.assembly import Services
from bot.errors import IdentityRefused
from bot.web.security import AppServices
from bot.web.widget_pages import frame_page, script_json
from connectors.base import PermanentError, TransientError

router = APIRouter(include_in_schema=False)

#: What the browser keeps between leaving and coming back.
COOKIE, COOKIE_PATH, COOKIE_S = "caiwen_h5", "/h5", 600

log = structlog.get_logger("bot.web.h5")


@router.get("/h5")
async def begin(request: Request, app: AppServices, again: str = "") -> Response:
    """Send the browser to the platform, which sends it back: at once, or when a code is scanned."""
    if not app.h5_login.is_on:
        raise HTTPException(404)
    browser = request.headers.get("User-Agent", "")[:1_000]
    nonce, address = app.h5_login.begin(again=bool(again), browser=browser)
    answer = RedirectResponse(address, 302, headers={"Cache-Control": "no-store"})
    answer.set_cookie(
        COOKIE,
        nonce,
        max_age=COOKIE_S,
        path=COOKIE_PATH,
        httponly=True,
        secure=app.settings.web.secure_cookies,
        # The platform's redirect comes from another site.
        samesite="lax",
    )
    return answer


@router.get("/h5/back")
async def back(request: Request, app: AppServices) -> Response:
    """The widget, for the person whose code this is."""
    if not app.h5_login.is_on:
        raise HTTPException(404)
    state, code = (request.query_params.get(name, "")[:600] for name in ("state", "code"))
    if not app.h5_login.is_own(state, request.cookies.get(COOKIE, "")):
        return _once_more(app, state, "state")
    try:
        person, proof = await app.h5_login.finish(code)
    except PermanentError:
        # Such as a code that is used up, because the page was loaded again.
        return _once_more(app, state, "code")
    except TransientError as error:
        # Nobody is left without help because the platform is away.
        log.warning("h5_login_failed", error=type(error).__name__)
        return _widget(request, app, {})
    return _widget(request, app, {"id": f"wecom:{person.subject}", "proof": proof})


def _once_more(app: Services, state: str, flaw: str) -> Response:
    log.warning("h5_login_refused", flaw=flaw)
    if not state.startswith("0"):
        raise IdentityRefused
    public = app.channels.settings.wecom.public_url.rstrip("/")
    return RedirectResponse(f"{public}/h5?again=1", 302, headers={"Cache-Control": "no-store"})


def _widget(request: Request, app: Services, person: dict[str, str]) -> Response:
    told = Markup(script_json(person)) if person else None  # noqa: S704  # escaped for this place
    answer = frame_page(request, app, person=told)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.delete_cookie(COOKIE, path=COOKIE_PATH)
    return answer

"""Pages of staff before the desk: the front door, login, password.

Every form works without scripts: it posts, and the answer is 303 or the same page with what was
refused. Refuses to check passwords (``bot.accounts.service``) and to hold words.
"""

import hmac
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import RedirectResponse, Response

from bot.accounts.service import (
    MIN_PASSWORD_CHARS,
    SESSION_LENGTH,
    LoginResult,
    Principal,
    change_password,
    log_in,
    log_out,
    principal_of,
)
from bot.assembly import Services
from bot.errors import InvalidInput, LockedOut, LoginRefused, NotAuthenticated
from bot.web.console import log as console_log
from bot.web.console import pages as console_pages
from bot.web.console import verbs as console_verbs
from bot.web.contexts import IndexPage, LoginPage, PasswordPage
from bot.web.navigation import front_page
from bot.web.page_access import FRESH, PageStaff, form_fields, require_same_site, safe_next
from bot.web.security import COOKIE, AppServices, current_staff

router = APIRouter(include_in_schema=False)


@router.get("/")
async def index(app: AppServices) -> Response:
    """Where to go from here."""
    return app.pages.page("index.html", {"page": IndexPage(portal=app.settings.portal)})


@router.get("/login")
async def login_form(
    request: Request,
    app: AppServices,
    next_page: Annotated[str, Query(alias="next", max_length=500)] = "",
) -> Response:
    """The login form; who is logged in already goes on."""
    try:
        staff = await current_staff(request, app)
    except NotAuthenticated:
        page = LoginPage(next=safe_next(next_page))
        return app.pages.page("login.html", {"page": page}, headers=FRESH)
    target = safe_next(next_page)
    return RedirectResponse(front_page(staff) if target == "/console" else target, 303)


@router.post("/login")
async def login(
    request: Request, app: AppServices, user_agent: Annotated[str, Header()] = ""
) -> Response:
    """Check the password; the session rests in a cookie that scripts cannot read."""
    require_same_site(request)
    fields = await form_fields(request, "username", "password", "next")
    username, target = fields["username"].strip()[:200], safe_next(fields["next"])
    async with app.database.transaction() as session:
        result = await log_in(
            session,
            username=username,
            password=fields["password"][:1000],
            kind="cookie",
            user_agent=user_agent,
            now=app.clock(),
        )
        staff = await principal_of(session, result.token, now=app.clock())
    if result.refusal is not None:
        return _login_refused(app, result, LoginPage(next=target, username=username))
    if staff is not None and target == "/console":
        target = front_page(staff)
    response = RedirectResponse(target, 303, headers=FRESH)
    response.set_cookie(
        COOKIE,
        result.token,
        max_age=int(SESSION_LENGTH.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=app.settings.web.secure_cookies,
    )
    return response


def _login_refused(app: Services, result: LoginResult, page: LoginPage) -> Response:
    headers, status = dict(FRESH), 401
    if isinstance(result.refusal, LockedOut):
        seconds = result.refusal.retry_after_s
        error = app.phrases.say("login.locked", minutes=max(1, -(-seconds // 60)))
        headers["Retry-After"], status = str(seconds), 429
    else:
        error = app.phrases.say("problem.login_refused.detail")
    context = {"page": replace(page, error=error)}
    return app.pages.page("login.html", context, status=status, headers=headers)


@router.post("/logout")
async def logout(request: Request, _staff: PageStaff, app: AppServices) -> Response:
    """End this browser's session."""
    async with app.database.transaction() as session:
        await log_out(session, request.cookies.get(COOKIE, ""))
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
    return response


@router.get("/password")
async def password_form(
    staff: PageStaff,
    app: AppServices,
    next_page: Annotated[str, Query(alias="next", max_length=500)] = "",
) -> Response:
    """The form to change one's password."""
    return _password_page(app, staff, next_page=safe_next(next_page))


def _password_page(
    app: Services, staff: Principal, *, next_page: str, error: str = "", status: int = 200
) -> Response:
    page = PasswordPage(
        staff, staff.must_change_password, MIN_PASSWORD_CHARS, next=next_page, error=error
    )
    return app.pages.page("password.html", {"page": page}, status=status, headers=FRESH)


@router.post("/password")
async def password(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Change one's password, typed twice."""
    fields = await form_fields(request, "old", "new", "again", "next")
    old, new, target = fields["old"], fields["new"], safe_next(fields["next"])
    error = ""
    if not hmac.compare_digest(new.encode(), fields["again"].encode()):
        error = app.phrases.say("login.differs")
    else:
        try:
            async with app.database.transaction() as session:
                await change_password(
                    session,
                    staff.staff_id,
                    old=old,
                    new=new,
                    keep=request.cookies.get(COOKIE, ""),
                    now=app.clock(),
                )
        except LoginRefused:
            error = app.phrases.say("login.wrong_old")
        except InvalidInput as refused:
            error = app.phrases.say(refused.reason)
    if error:
        return _password_page(app, staff, next_page=target, error=error, status=422)
    return RedirectResponse(target, 303)


router.include_router(console_pages.router)
router.include_router(console_verbs.router)
router.include_router(console_log.pages)

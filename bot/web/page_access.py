"""Who may see a page, where to be led otherwise, and what a form holds.

Pages redirect where the API refuses. Refuses to decide roles; each page asks for its own.
"""

from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.exceptions import HTTPException

from bot.accounts.service import Principal
from bot.errors import CsrfRefused, InvalidInput, NotAuthenticated
from bot.web.security import AppServices, current_staff

#: Pages of staff are never kept by browsers or proxies.
FRESH = {"Cache-Control": "no-store"}


async def page_staff(request: Request, app: AppServices) -> Principal:
    """Who is logged in; anybody else is led to the login and back here afterwards."""
    try:
        staff = await current_staff(request, app)
    except NotAuthenticated:
        raise _elsewhere(request, f"/login?next={quote(_here(request))}") from None
    if staff.must_change_password and request.url.path not in ("/password", "/logout"):
        raise _elsewhere(request, f"/password?next={quote(_here(request))}")
    return staff


PageStaff = Annotated[Principal, Depends(page_staff)]


def _elsewhere(request: Request, address: str) -> HTTPException:
    if is_part(request):
        return HTTPException(401, headers={"HX-Redirect": address})
    return HTTPException(303, headers={"Location": address})


def _here(request: Request) -> str:
    """The page to come back to: this one, or for forms and parts the page they belong to."""
    if request.method == "GET" and not is_part(request):
        query = request.url.query
        return request.url.path + (f"?{query}" if query else "")
    number = request.path_params.get("number")
    return f"/console/tickets/{quote(number)}" if number else "/console"


def is_part(request: Request) -> bool:
    return request.headers.get("hx-request") == "true"


def safe_next(address: str) -> str:
    """A path of this site, or the console: a login link never leads to another site."""
    path = address.partition("?")[0]
    own = address.startswith("/") and not address.startswith("//") and "\\" not in address
    if not own or not address.isprintable() or path in ("/login", "/logout"):
        return "/console"
    return address


def require_same_site(request: Request) -> None:
    """A login form of another site is refused, where the browser says whose form it was."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    host = request.headers.get("host", "")
    if site is not None:
        foreign = site not in ("same-origin", "none")
    else:
        foreign = origin is not None and origin.partition("://")[2] != host
    if foreign:
        raise CsrfRefused


async def form_fields(request: Request, *names: str) -> dict[str, str]:
    """Fields of a form as they were typed; what is missing is empty, a file is refused."""
    async with request.form() as form:
        fields = {name: form.get(name, "") for name in names}
    if not all(isinstance(value, str) for value in fields.values()):
        raise InvalidInput("form", "console.error.form")
    return {name: str(value) for name, value in fields.items()}


async def text_fields(request: Request, *names: str) -> dict[str, str]:
    """Texts of a form, trimmed, with the line ends that we store."""
    fields = await form_fields(request, *names)
    return {name: value.replace("\r\n", "\n").strip() for name, value in fields.items()}

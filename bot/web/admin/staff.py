"""The administrator's pages of accounts. A one-time password is on one answer and nowhere else."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from bot.accounts.administration import Account, OneTime, Profile
from bot.accounts.service import Principal
from bot.assembly import Services
from bot.errors import InvalidInput, LastAdministrator
from bot.tables import Role
from bot.web.admin.access import Framed, frame
from bot.web.page_access import FRESH, PageStaff, text_fields
from bot.web.security import AppServices

router = APIRouter(include_in_schema=False)

ADDRESS = "/console/admin/staff"
StaffId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
_FIELDS = ("username", "name", "post", "role", "regions", "modules", "capacity")
_SEPARATORS = re.compile(r"[\s,，、;；]+")


@dataclass(frozen=True, slots=True)
class StaffPage(Framed):
    """The list, and what was just done."""

    accounts: Sequence[Account]
    capacity: int
    returned: int | None = None


@dataclass(frozen=True, slots=True)
class AccountPage(Framed):
    """One account, or a new one, with what was typed and what was refused."""

    account: Account | None
    fields: Mapping[str, str]
    roles: Sequence[Role]
    capacity: int
    error: str = ""
    saved: bool = False


@dataclass(frozen=True, slots=True)
class PasswordTold(Framed):
    """A one-time password, for this one answer."""

    told: OneTime


@router.get(ADDRESS)
async def accounts(
    staff: PageStaff, app: AppServices, returned: Annotated[int | None, Query(ge=0, le=500)] = None
) -> Response:
    """Every account."""
    outer = frame(app, staff, "staff")
    found = await app.staff_admin.accounts(staff)
    page = StaffPage(outer, found, app.settings.handoff.capacity, returned)
    return app.pages.page("admin/staff.html", {"page": page}, headers=FRESH)


@router.get(f"{ADDRESS}/new")
async def new(staff: PageStaff, app: AppServices) -> Response:
    """The form for a new account."""
    fields = dict.fromkeys(_FIELDS, "") | {"role": Role.ENGINEER.value}
    return _form(app, staff, None, fields)


def _form(
    app: Services,
    staff: Principal,
    account: Account | None,
    fields: Mapping[str, str],
    *,
    error: str = "",
    saved: bool = False,
    status: int = 200,
) -> Response:
    page = AccountPage(
        frame=frame(app, staff, "staff"),
        account=account,
        fields=fields,
        roles=list(Role),
        capacity=app.settings.handoff.capacity,
        error=error,
        saved=saved,
    )
    return app.pages.page("admin/account.html", {"page": page}, status=status, headers=FRESH)


@router.post(ADDRESS)
async def create(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Make the account and tell its one-time password."""
    staff.require()
    fields = await text_fields(request, *_FIELDS)
    try:
        told = await app.staff_admin.create(staff, fields["username"], read_profile(fields))
    except InvalidInput as refused:
        error = app.phrases.say(refused.reason)
        return _form(app, staff, None, fields, error=error, status=422)
    return _told(app, staff, told)


def _told(app: Services, staff: Principal, told: OneTime) -> Response:
    page = PasswordTold(frame(app, staff, "staff"), told)
    return app.pages.page("admin/password_told.html", {"page": page}, headers=FRESH)


def read_profile(fields: Mapping[str, str]) -> Profile:
    """The form as a value. Raises :class:`InvalidInput` for what cannot be read at all."""
    roles = {role.value: role for role in Role}
    if fields["role"] not in roles:
        raise InvalidInput("role", "staff_admin.bad_role")
    capacity = fields["capacity"]
    if capacity and not (capacity.isascii() and capacity.isdecimal() and len(capacity) <= 3):
        raise InvalidInput("capacity", "staff_admin.bad_capacity")
    return Profile(
        name=fields["name"] or fields.get("username", ""),
        post=fields["post"],
        role=roles[fields["role"]],
        regions=_entries(fields["regions"]),
        modules=_entries(fields["modules"]),
        capacity=int(capacity) if capacity else None,
    )


def _entries(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for part in _SEPARATORS.split(text) if part))


@router.get(f"{ADDRESS}/{{staff_id}}")
async def show(
    staff_id: StaffId,
    staff: PageStaff,
    app: AppServices,
    saved: Annotated[bool, Query()] = False,
) -> Response:
    """One account."""
    account = await app.staff_admin.account(staff, staff_id)
    return _form(app, staff, account, _known(account), saved=saved)


def _known(account: Account) -> dict[str, str]:
    known = account.profile
    return {
        "username": account.staff.username,
        "name": known.name,
        "post": known.post,
        "role": known.role.value,
        "regions": "、".join(known.regions),
        "modules": "、".join(known.modules),
        "capacity": "" if known.capacity is None else str(known.capacity),
    }


@router.post(f"{ADDRESS}/{{staff_id}}")
async def change(
    staff_id: StaffId, request: Request, staff: PageStaff, app: AppServices
) -> Response:
    """Save what was typed."""
    account = await app.staff_admin.account(staff, staff_id)
    fields = await text_fields(request, *_FIELDS)
    try:
        await app.staff_admin.change(staff, staff_id, read_profile(fields))
    except (InvalidInput, LastAdministrator) as refused:
        fields["username"] = account.staff.username
        status, error = _words(app, refused)
        return _form(app, staff, account, fields, error=error, status=status)
    return RedirectResponse(f"{ADDRESS}/{staff_id}?saved=true", 303)


def _words(app: Services, refused: InvalidInput | LastAdministrator) -> tuple[int, str]:
    if isinstance(refused, InvalidInput):
        return 422, app.phrases.say(refused.reason)
    return 409, app.phrases.say("problem.last_administrator.detail")


@router.post(f"{ADDRESS}/{{staff_id}}/disable")
async def disable(staff_id: StaffId, staff: PageStaff, app: AppServices) -> Response:
    """Switch the account off; its open tickets go back into their queues."""
    try:
        returned = await app.staff_admin.disable(staff, staff_id)
    except LastAdministrator as refused:
        account = await app.staff_admin.account(staff, staff_id)
        status, error = _words(app, refused)
        return _form(app, staff, account, _known(account), error=error, status=status)
    return RedirectResponse(f"{ADDRESS}?returned={min(returned, 500)}", 303)


@router.post(f"{ADDRESS}/{{staff_id}}/enable")
async def enable(staff_id: StaffId, staff: PageStaff, app: AppServices) -> Response:
    """Switch the account on again."""
    await app.staff_admin.enable(staff, staff_id)
    return RedirectResponse(f"{ADDRESS}/{staff_id}?saved=true", 303)


@router.post(f"{ADDRESS}/{{staff_id}}/password")
async def reset_password(staff_id: StaffId, staff: PageStaff, app: AppServices) -> Response:
    """Tell a new one-time password."""
    return _told(app, staff, await app.staff_admin.reset_password(staff, staff_id))

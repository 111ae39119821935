"""The administrator's page of tags and custom fields: look, make, change, switch off."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from bot.accounts.service import Principal
from bot.assembly import Services
from bot.changes.service import Change
from bot.errors import InvalidInput
from bot.tickets.fields import FieldForm
from bot.web.admin.access import Framed, frame
from bot.web.admin.forms import texts, version
from bot.web.page_access import FRESH, PageStaff
from bot.web.security import AppServices
from handoff.marks import FieldKind
from store.vocabulary import Category

router = APIRouter(include_in_schema=False)

ADDRESS = "/console/admin/fields"


@dataclass(frozen=True, slots=True)
class Shown:
    """One field's form and its history."""

    form: FieldForm
    history: Sequence[Change] = ()


@dataclass(frozen=True, slots=True)
class FieldsPage(Framed):
    """All fields, an empty form, and the tags in use. ``refused``: the key the error is about."""

    fields: Sequence[Shown]
    new: FieldForm
    tags: Sequence[tuple[str, int]]
    kinds: Sequence[str] = tuple(one.value for one in FieldKind)
    categories: Sequence[str] = tuple(one.value for one in Category)
    refused: FieldForm | None = None
    error: str = ""


@router.get(ADDRESS)
async def fields(staff: PageStaff, app: AppServices) -> Response:
    """All fields."""
    return await _page(app, staff)


@router.post(ADDRESS)
async def save(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Make or change one; refused, what was typed stays."""
    typed = await texts(request)
    form = FieldForm(
        **{name: typed.get(name, [""])[0] for name in ("key", "label", "kind", "choices")},
        categories=tuple(typed.get("categories", ())),
        position=typed.get("position", ["0"])[0] or "0",
        active=bool(typed.get("active", [""])[0]),
        version=version(typed),
    )
    try:
        await app.fields.save(staff, form)
    except InvalidInput as refused:
        return await _page(app, staff, form, app.phrases.say(refused.reason))
    return RedirectResponse(ADDRESS, 303)


async def _page(
    app: Services, staff: Principal, refused: FieldForm | None = None, error: str = ""
) -> Response:
    outer = frame(app, staff, "fields")
    shown = []
    for one in await app.fields.all(staff):
        typed = refused if refused and refused.version and refused.key == one.key else None
        history = await app.fields.history(staff, one.key)
        shown.append(Shown(typed or FieldForm.of(one), history))
    page = FieldsPage(
        outer,
        shown,
        refused if refused and not refused.version else FieldForm(),
        await app.fields.tags_in_use(),
        refused=refused,
        error=error,
    )
    status = 422 if error else 200
    return app.pages.page("admin/fields.html", {"page": page}, status=status, headers=FRESH)

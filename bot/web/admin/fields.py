"""The administrator's page of tags and custom fields: look, make, change, switch off."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from bot.accounts.service import Principal
from bot.assembly import Services
from bot.errors import InvalidInput
from bot.tickets.fields import FieldForm
from bot.web.admin.access import frame
from bot.web.admin.forms import texts, version
from bot.web.admin.kept_lists import KeptPage, kept_page, new_form, shown
from bot.web.page_access import PageStaff
from bot.web.security import AppServices
from handoff.marks import FieldKind
from store.vocabulary import Category

router = APIRouter(include_in_schema=False)

ADDRESS = "/console/admin/fields"


@dataclass(frozen=True, slots=True)
class FieldsPage(KeptPage[FieldForm]):
    """All fields, an empty form, and the tags in use."""

    tags: Sequence[tuple[str, int]]
    kinds: Sequence[str] = tuple(one.value for one in FieldKind)
    categories: Sequence[str] = tuple(one.value for one in Category)


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
    forms = map(FieldForm.of, await app.fields.all(staff))
    history = partial(app.fields.history, staff)
    page = FieldsPage(
        frame(app, staff, "fields"),
        await shown(forms, attrgetter("key"), history, refused),
        new_form(refused, FieldForm()),
        refused,
        error,
        await app.fields.tags_in_use(),
    )
    return kept_page(app, "admin/fields.html", page)

"""The administrator's page of ticket templates: look, make, change, restore, remove."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from bot.accounts.service import Principal
from bot.assembly import Services
from bot.errors import InvalidInput
from bot.tickets.templates import PLACEHOLDERS, TemplateForm
from bot.web.admin.access import frame
from bot.web.admin.forms import texts, version
from bot.web.admin.kept_lists import KeptPage, kept_page, new_form, shown
from bot.web.admin.refusals import or_refused
from bot.web.admin.rules import RowId
from bot.web.console.sheets import CUSTOM, custom_view
from bot.web.contexts import FieldView
from bot.web.page_access import PageStaff
from bot.web.security import AppServices
from store.vocabulary import Category, Severity

router = APIRouter(include_in_schema=False)

ADDRESS = "/console/admin/ticket-templates"
_NAMES = ("id", "name", "category", "module", "severity", "text", "position")


@dataclass(frozen=True, slots=True)
class TemplatesPage(KeptPage[TemplateForm]):
    """All templates and an empty form; ``fields`` are a template's custom fields by its id."""

    fields: Mapping[str, Sequence[FieldView]]
    placeholders: Sequence[str] = PLACEHOLDERS
    categories: Sequence[str] = tuple(one.value for one in Category)
    severities: Sequence[str] = tuple(one.value for one in Severity)


@router.get(ADDRESS)
async def templates(staff: PageStaff, app: AppServices) -> Response:
    """All templates."""
    return await _page(app, staff)


@router.post(ADDRESS)
async def save(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Make or change one; refused, what was typed stays."""
    typed = await texts(request)
    form = TemplateForm(
        **{name: typed[name][0] for name in _NAMES if typed.get(name)},
        fields={
            name.removeprefix(CUSTOM): values[0]
            for name, values in typed.items()
            if name.startswith(CUSTOM) and values[0]
        },
        version=version(typed),
        known=await app.fields.in_use(),
    )
    try:
        await app.templates.save(staff, form)
    except InvalidInput as refused:
        return await _page(app, staff, form, app.phrases.say(refused.reason))
    return RedirectResponse(ADDRESS, 303)


@router.post(f"{ADDRESS}/{{template_id}}/remove")
async def remove(template_id: RowId, staff: PageStaff, app: AppServices) -> Response:
    """Remove one."""
    await app.templates.remove(staff, template_id)
    return RedirectResponse(ADDRESS, 303)


@router.post(f"{ADDRESS}/{{template_id}}/restore/{{change_id}}")
async def restore(
    template_id: RowId, change_id: RowId, staff: PageStaff, app: AppServices
) -> Response:
    """Make one as it was."""
    return await or_refused(
        app.templates.restore(staff, template_id, change_id),
        InvalidInput,
        lambda refused: _page(app, staff, error=app.phrases.say(refused.reason)),
        then=ADDRESS,
    )


async def _page(
    app: Services, staff: Principal, refused: TemplateForm | None = None, error: str = ""
) -> Response:
    known = await app.fields.in_use()
    forms = map(TemplateForm.of, await app.templates.all(staff))
    rows = await shown(forms, attrgetter("id"), partial(app.templates.history, staff), refused)
    new = new_form(refused, TemplateForm())
    page = TemplatesPage(
        frame(app, staff, "templates"),
        rows,
        new,
        refused,
        error,
        {
            one.id: [custom_view(field, _named(one.fields)) for field in known]
            for one in (*(row.form for row in rows), replace(new, id=""))
        },
    )
    return kept_page(app, "admin/templates.html", page)


def _named(fields: Mapping[str, str]) -> dict[str, str]:
    return {f"{CUSTOM}{key}": value for key, value in fields.items()}

"""The administrator's page of canned phrases: look, make, change, restore, remove."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from bot.accounts.service import Principal
from bot.assembly import Services
from bot.errors import InvalidInput
from bot.tickets.canned import PLACEHOLDERS, PhraseForm
from bot.web.admin.access import frame
from bot.web.admin.forms import texts, version
from bot.web.admin.kept_lists import KeptPage, kept_page, new_form, shown
from bot.web.admin.refusals import or_refused
from bot.web.admin.rules import RowId
from bot.web.page_access import PageStaff
from bot.web.security import AppServices
from store.vocabulary import Category

router = APIRouter(include_in_schema=False)

ADDRESS = "/console/admin/phrases"


@dataclass(frozen=True, slots=True)
class PhrasesPage(KeptPage[PhraseForm]):
    """All phrases, an empty form, and what is offered while there are none."""

    shipped: Sequence[str]
    placeholders: Sequence[str] = PLACEHOLDERS
    categories: Sequence[str] = tuple(one.value for one in Category)


@router.get(ADDRESS)
async def phrases(staff: PageStaff, app: AppServices) -> Response:
    """All phrases."""
    return await _page(app, staff)


@router.post(ADDRESS)
async def save(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Make or change one; refused, what was typed stays."""
    typed = await texts(request)
    names = ("id", "title", "text", "category", "module", "position")
    given = {name: typed[name][0] for name in names if typed.get(name)}
    form = PhraseForm(**given, version=version(typed))
    try:
        await app.canned.save(staff, form)
    except InvalidInput as refused:
        return await _page(app, staff, form, app.phrases.say(refused.reason))
    return RedirectResponse(ADDRESS, 303)


@router.post(f"{ADDRESS}/{{phrase_id}}/remove")
async def remove(phrase_id: RowId, staff: PageStaff, app: AppServices) -> Response:
    """Remove one."""
    await app.canned.remove(staff, phrase_id)
    return RedirectResponse(ADDRESS, 303)


@router.post(f"{ADDRESS}/{{phrase_id}}/restore/{{change_id}}")
async def restore(
    phrase_id: RowId, change_id: RowId, staff: PageStaff, app: AppServices
) -> Response:
    """Make one as it was."""
    return await or_refused(
        app.canned.restore(staff, phrase_id, change_id),
        InvalidInput,
        lambda refused: _page(app, staff, error=app.phrases.say(refused.reason)),
        then=ADDRESS,
    )


async def _page(
    app: Services, staff: Principal, refused: PhraseForm | None = None, error: str = ""
) -> Response:
    forms = map(PhraseForm.of, await app.canned.all(staff))
    history = partial(app.canned.history, staff)
    page = PhrasesPage(
        frame(app, staff, "phrases"),
        await shown(forms, attrgetter("id"), history, refused),
        new_form(refused, PhraseForm()),
        refused,
        error,
        app.phrases.lines("console.canned"),
    )
    return kept_page(app, "admin/phrases.html", page)

"""The administrator's page of canned phrases: look, make, change, remove."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from bot.accounts.service import Principal
from bot.assembly import Services
from bot.changes.service import Change
from bot.errors import InvalidInput
from bot.tickets.canned import PLACEHOLDERS, PhraseForm
from bot.web.admin.access import Framed, frame
from bot.web.admin.forms import texts, version
from bot.web.admin.rules import RowId
from bot.web.page_access import FRESH, PageStaff
from bot.web.security import AppServices
from store.vocabulary import Category

router = APIRouter(include_in_schema=False)

ADDRESS = "/console/admin/phrases"


@dataclass(frozen=True, slots=True)
class Shown:
    """One phrase's form and its history."""

    form: PhraseForm
    history: Sequence[Change] = ()


@dataclass(frozen=True, slots=True)
class PhrasesPage(Framed):
    """All phrases and an empty form. ``refused``: the form that the error is about."""

    phrases: Sequence[Shown]
    new: PhraseForm
    shipped: Sequence[str]
    refused: PhraseForm | None = None
    error: str = ""
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


async def _page(
    app: Services, staff: Principal, refused: PhraseForm | None = None, error: str = ""
) -> Response:
    outer = frame(app, staff, "phrases")
    shown = []
    for one in await app.canned.all(staff):
        typed = refused if refused and refused.id == one.id else None
        history = await app.canned.history(staff, one.id)
        shown.append(Shown(typed or PhraseForm.of(one), history))
    page = PhrasesPage(
        outer,
        shown,
        refused if refused and not refused.id else PhraseForm(),
        app.phrases.lines("console.canned"),
        refused=refused,
        error=error,
    )
    status = 422 if error else 200
    return app.pages.page("admin/phrases.html", {"page": page}, status=status, headers=FRESH)

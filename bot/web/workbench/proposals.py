"""What the editor proposes beside its form: similar questions, and sections of guides to name.

With scripts only this part of the page changes; without, the whole form comes back as it was
typed. Taking a proposal is a tick that is sent with saving (`workbench_editor`).
"""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from bot.accounts.service import Principal
from bot.assembly import Services
from bot.questions.proposals import Origin, Proposal
from bot.web.page_access import FRESH, PageStaff, is_part, text_fields
from bot.web.security import AppServices
from bot.web.workbench.answers import ADDRESS
from bot.web.workbench.editor import editor, shown_editor
from bot.web.workbench.forms import AnswerForm, answer_form
from bot.workbench.service import EDITING_ROLES
from kb.answer_text import MAX_QUESTION, MAX_SIMILAR

router = APIRouter(include_in_schema=False)

MAX_WORDS = 100

AnswerId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


@router.post("/workbench/new/proposals")
async def for_new(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """What else could be asked, by rules, of what is typed so far."""
    return await _answer(request, app, staff, "")


@router.post(f"{ADDRESS}/{{article_id}}/proposals")
async def for_known(
    article_id: AnswerId, request: Request, staff: PageStaff, app: AppServices
) -> Response:
    """What people asked who were led to this answer; first forgets what is declined."""
    staff.require(*EDITING_ROLES)
    declined = (await text_fields(request, "decline"))["decline"]
    if declined:
        await app.proposals.decline(staff, article_id, declined)
    return await _answer(request, app, staff, article_id)


@router.post("/workbench/new/sections")
async def sections_for_new(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Sections of guides that a new answer could be drawn from."""
    return await _sections(request, app, staff, "")


@router.post(f"{ADDRESS}/{{article_id}}/sections")
async def sections_for_known(
    article_id: AnswerId, request: Request, staff: PageStaff, app: AppServices
) -> Response:
    """Sections of guides that the answer could be drawn from."""
    return await _sections(request, app, staff, article_id)


async def _sections(request: Request, app: Services, staff: Principal, article_id: str) -> Response:
    staff.require(*EDITING_ROLES)
    form = await answer_form(request)
    words = form.section_words[:MAX_WORDS] or form.source_title[:MAX_WORDS]
    found = await app.workbench.sections(staff, words) if words.strip() else ()
    page = await editor(app, staff, article_id, form if is_part(request) else form.merged())
    page = replace(page, found_sections=found)
    if is_part(request):
        return app.pages.page("workbench/_sections.html", {"page": page}, headers=FRESH)
    return shown_editor(app, page)


async def _answer(request: Request, app: Services, staff: Principal, article_id: str) -> Response:
    staff.require(*EDITING_ROLES)
    form = await answer_form(request)
    if not is_part(request):
        form = form.merged()
    questions = [form.question, *form.similar.splitlines()][: MAX_SIMILAR + 1]
    asked = [text[:MAX_QUESTION] for text in questions if text.strip()]
    found = await app.proposals.proposed(staff, article_id, asked)
    page = await editor(app, staff, article_id, form)
    shown = replace(page, proposals=_with_ticked(found, form))
    if is_part(request):
        return app.pages.page("workbench/_proposals.html", {"page": shown}, headers=FRESH)
    return shown_editor(app, shown)


def _with_ticked(found: list[Proposal], form: AnswerForm) -> list[Proposal]:
    """What is ticked stays, wherever the list ends now."""
    texts = {one.text for one in found}
    ticked = [Proposal(text, Origin.RULE) for text in form.adopt if text not in texts]
    return ticked + found

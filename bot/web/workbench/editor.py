"""The editor: writing an answer with preview and pictures, and saving it as a new version.

Nothing that was typed is lost: whatever is refused, the form comes back as it was sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fastapi import APIRouter, Request, UploadFile
from starlette.responses import JSONResponse, RedirectResponse, Response

from bot.accounts.service import Principal
from bot.assembly import Services
from bot.questions.proposals import Proposal
from bot.web.page_access import FRESH, PageStaff, text_fields
from bot.web.security import AppServices
from bot.web.workbench.access import Frame, frame
from bot.web.workbench.answers import ADDRESS, AnswerId, card, parts
from bot.web.workbench.forms import AnswerForm, answer_form, number
from bot.workbench.service import EDITING_ROLES, Choices
from bot.workbench.staleness import Doubt
from bot.workbench.ticket_drafts import Origin
from kb.answer_text import AnswerText
from kb.errors import AnswerChanged, AnswerInvalid, AnswerLocked, AnswerVerbRefused
from kb.guide_repository import NamedSection
from kb.question_thefts import Theft
from store.vocabulary import Category

router = APIRouter(include_in_schema=False)

NEW = "/workbench/new"
NOTHING = AnswerText("", "")


@dataclass(frozen=True, slots=True)
class EditorPage(Frame):
    """The form; ``article_id`` is empty for a new answer."""

    article_id: str
    form: AnswerForm
    card: object
    choices: Choices
    categories: Sequence[str]
    thefts: Sequence[Theft] = ()
    error: str = ""
    locked: AnswerLocked | None = None
    doubts: Sequence[Doubt] = ()
    origin: Origin | None = None
    #: None as long as nobody has asked for them.
    proposals: Sequence[Proposal] | None = None
    #: The section that the form names, and those found by words, None when nobody looked.
    section: NamedSection | None = None
    found_sections: Sequence[NamedSection] | None = None

    @property
    def sections_at(self) -> str:
        """Where sections are searched."""
        return f"{ADDRESS}/{self.article_id}/sections" if self.article_id else f"{NEW}/sections"

    @property
    def propose_at(self) -> str:
        """Where similar questions are proposed."""
        return f"{ADDRESS}/{self.article_id}/proposals" if self.article_id else f"{NEW}/proposals"


async def _page(
    app: Services,
    staff: Principal,
    article_id: str,
    form: AnswerForm,
    *,
    status: int = 200,
    error: str = "",
    thefts: Sequence[Theft] = (),
    locked: AnswerLocked | None = None,
) -> Response:
    page = await editor(app, staff, article_id, form.merged())
    shown = replace(page, thefts=thefts, error=error, locked=locked)
    return shown_editor(app, shown, status=status)


async def editor(app: Services, staff: Principal, article_id: str, form: AnswerForm) -> EditorPage:
    """The page that shows this form."""
    return EditorPage(
        **parts(frame(app, staff, "answers")),
        article_id=article_id,
        form=form,
        card=card(AnswerText(form.question, form.answer)),
        choices=await app.workbench.choices(staff),
        categories=_categories(form.category),
        doubts=await app.staleness.doubts(staff, article_id) if article_id else (),
        origin=await app.ticket_drafts.origin(staff, article_id) if article_id else None,
        section=await app.workbench.section(form.source_section_id or ""),
    )


def shown_editor(app: Services, page: EditorPage, *, status: int = 200) -> Response:
    """The whole page."""
    return app.pages.page("workbench/editor.html", {"page": page}, status=status, headers=FRESH)


def _categories(chosen: str) -> list[str]:
    """Those of the domain, and the one that an imported table brought along."""
    known = dict.fromkeys(category.value for category in Category)
    return list(known | ({chosen: None} if chosen else {}))


@router.get(NEW)
async def new(staff: PageStaff, app: AppServices) -> Response:
    """An empty form."""
    staff.require(*EDITING_ROLES)
    return await _page(app, staff, "", AnswerForm(owner=staff.name))


@router.post(NEW)
async def create(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Keep a new draft."""
    staff.require(*EDITING_ROLES)
    form = await answer_form(request)
    try:
        text = form.text(NOTHING)
        thefts = await _unconfirmed(app, "", form, text, (text.question, *text.similar))
        if thefts:
            return await _page(app, staff, "", form, status=422, thefts=thefts)
        done = await app.workbench.create(staff, text)
    except AnswerInvalid as refused:
        return await _page(app, staff, "", form, status=422, error=invalid(app, refused))
    return RedirectResponse(f"{ADDRESS}/{done.article_id}", 303)


@router.get(f"{ADDRESS}/{{article_id}}/edit")
async def edit(article_id: AnswerId, staff: PageStaff, app: AppServices) -> Response:
    """The form with the newest version; who opens it holds the answer for a while."""
    staff.require(*EDITING_ROLES)
    locked = None
    try:
        await app.workbench.take_up(staff, article_id)
    except AnswerLocked as refused:
        locked = refused
    whole = await app.workbench.answer(staff, article_id)
    form = AnswerForm.of(whole.text, whole.seen)
    return await _page(app, staff, article_id, form, locked=locked)


@router.post(f"{ADDRESS}/{{article_id}}/lock")
async def lock(article_id: AnswerId, staff: PageStaff, app: AppServices) -> Response:
    """The open editor says that somebody still sits there."""
    await app.workbench.take_up(staff, article_id)
    return Response(status_code=204)


@router.post(f"{ADDRESS}/{{article_id}}/take-over")
async def take_over(article_id: AnswerId, staff: PageStaff, app: AppServices) -> Response:
    """Edit although a colleague has it open."""
    await app.workbench.take_up(staff, article_id, take_over=True)
    return RedirectResponse(f"{ADDRESS}/{article_id}/edit", 303)


@router.post(f"{ADDRESS}/{{article_id}}/release")
async def release(article_id: AnswerId, staff: PageStaff, app: AppServices) -> Response:
    """Leave the editor without saving."""
    await app.workbench.put_down(staff, article_id)
    return RedirectResponse(f"{ADDRESS}/{article_id}", 303)


@router.post(f"{ADDRESS}/{{article_id}}/save")
async def save(
    article_id: AnswerId, request: Request, staff: PageStaff, app: AppServices
) -> Response:
    """Keep a new version; the form again with everything typed when it is refused."""
    staff.require(*EDITING_ROLES)
    form = await answer_form(request)
    try:
        return await _save(app, staff, article_id, form)
    except AnswerInvalid as refused:
        error, status = invalid(app, refused), 422
    except AnswerChanged as refused:
        error, status = app.phrases.say("workbench.editor.changed"), 409
        form = replace(form, seen=str(refused.found))
    except AnswerVerbRefused as refused:
        error = app.phrases.say(f"workbench.editor.refused.{refused.state}")
        status = 409
    except AnswerLocked as refused:
        return await _page(app, staff, article_id, form, status=409, locked=refused)
    return await _page(app, staff, article_id, form, status=status, error=error)


async def _save(app: Services, staff: Principal, article_id: str, form: AnswerForm) -> Response:
    whole = await app.workbench.answer(staff, article_id)
    text = form.text(whole.text)
    known = {whole.text.question, *whole.text.similar}
    fresh = [one for one in (text.question, *text.similar) if one not in known]
    thefts = await _unconfirmed(app, article_id, form, text, fresh)
    if thefts:
        return await _page(app, staff, article_id, form, status=422, thefts=thefts)
    await app.workbench.save(staff, article_id, number(form.seen), text, form.note)
    return RedirectResponse(f"{ADDRESS}/{article_id}", 303)


async def _unconfirmed(
    app: Services, article_id: str, form: AnswerForm, text: AnswerText, fresh: Sequence[str]
) -> list[Theft]:
    """Questions taken from other answers, unless the editor has seen exactly these already."""
    thefts = await app.workbench.thefts(article_id, text, fresh)
    return [] if form.confirmed == confirmation(thefts) else thefts


def confirmation(thefts: Sequence[Theft]) -> str:
    """What the form sends along when the editor keeps these questions all the same."""
    return "\n".join(sorted(theft.question for theft in thefts))


@router.post("/workbench/preview")
async def preview(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """The card of what is typed so far."""
    staff.require(*EDITING_ROLES)
    fields = await text_fields(request, "question", "answer")
    shown = card(AnswerText(fields["question"], fields["answer"]))
    return app.pages.page("workbench/_card.html", {"card": shown}, headers=FRESH)


@router.post("/workbench/pictures")
async def picture(staff: PageStaff, app: AppServices, file: UploadFile) -> Response:
    """Keep a pasted picture; the mark to put into the answer."""
    try:
        sha256 = await app.workbench.keep_picture(staff, await file.read(), file.filename or "")
    except AnswerInvalid as refused:
        return JSONResponse({"detail": invalid(app, refused)}, status_code=422)
    return JSONResponse({"markup": f"![](/media/{sha256})"}, status_code=201)


def invalid(app: Services, refused: AnswerInvalid) -> str:
    """Which field, and why."""
    say = app.phrases.say
    return say(
        "workbench.invalid.line",
        field=say(f"workbench.field.{refused.field}"),
        reason=say(f"workbench.invalid.{refused.reason}"),
    )

"""What settles and what raises doubts by hand: "still right", and release notes.

A release note is pasted or uploaded, shows which answers it would flag, and flags those chosen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.datastructures import FormData, UploadFile
from starlette.responses import RedirectResponse, Response

from bot.accounts.service import Principal
from bot.assembly import Services
from bot.web.page_access import FRESH, PageStaff, text_fields
from bot.web.security import AppServices
from bot.web.workbench.access import Frame, frame
from bot.web.workbench.answers import ADDRESS, AnswerId, answer_page, parts
from bot.web.workbench.editor import invalid
from bot.workbench.service import EDITING_ROLES
from kb.errors import AnswerInvalid, ImportRefused
from kb.stale_release import Proposal
from kb.stale_tables import ReleaseNoteRow

router = APIRouter(include_in_schema=False)

NOTES = "/workbench/release-notes"
#: Answers shown at once; a note that names more is too general to act on.
SHOWN = 300


@dataclass(frozen=True, slots=True)
class NotesPage(Frame):
    """The form, what it would flag once that was asked for, and the notes before."""

    name: str
    note: str
    proposals: Sequence[Proposal] | None
    left_out: int
    notes: Sequence[ReleaseNoteRow]
    flagged: bool
    error: str


@router.post(f"{ADDRESS}/{{article_id}}/still-right")
async def still_right(
    article_id: AnswerId, request: Request, staff: PageStaff, app: AppServices
) -> Response:
    """A person has looked: nothing needs to change."""
    note = (await text_fields(request, "note"))["note"]
    try:
        await app.staleness.still_right(staff, article_id, note)
    except AnswerInvalid as refused:
        error = invalid(app, refused)
        return await answer_page(app, staff, article_id, error=error, note=note, status=422)
    return RedirectResponse(f"{ADDRESS}/{article_id}", 303)


@router.get(NOTES)
async def notes(staff: PageStaff, app: AppServices, flagged: bool = False) -> Response:
    """An empty form and the notes before."""
    return await _page(app, staff, flagged=flagged)


async def _page(
    app: Services,
    staff: Principal,
    *,
    name: str = "",
    note: str = "",
    proposals: Sequence[Proposal] | None = None,
    flagged: bool = False,
    error: str = "",
    status: int = 200,
) -> Response:
    page = NotesPage(
        **parts(frame(app, staff, "guides")),
        name=name,
        note=note,
        proposals=proposals[:SHOWN] if proposals is not None else None,
        left_out=max(0, len(proposals or ()) - SHOWN),
        notes=await app.staleness.notes(staff),
        flagged=flagged,
        error=error,
    )
    return app.pages.page(
        "workbench/release_notes.html", {"page": page}, status=status, headers=FRESH
    )


@router.post(NOTES)
async def use(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Show what a note would flag; flag what was chosen once that is confirmed."""
    async with request.form() as form:
        staff.require(*EDITING_ROLES)
        name, note = _typed(form, "name"), _typed(form, "note")
        chosen = [one for one in form.getlist("chosen") if isinstance(one, str)]
        confirmed = form.get("confirm") == "1"
        try:
            note, name = await _with_file(app, staff, form, note, name)
            if confirmed:
                await app.staleness.flag(staff, name=name, note=note, chosen=chosen)
                return RedirectResponse(f"{NOTES}?flagged=true", 303)
            if not note:
                raise AnswerInvalid("release", "empty")
        except AnswerInvalid as refused:
            error = invalid(app, refused)
        except ImportRefused as refused:
            error = app.phrases.say(f"import.refused.{refused.reason.value}")
        else:
            error = ""
    found = await app.staleness.proposals(staff, note) if note else None
    status = 422 if error else 200
    return await _page(
        app, staff, name=name, note=note, proposals=found, error=error, status=status
    )


async def _with_file(
    app: Services, staff: Principal, form: FormData, note: str, name: str
) -> tuple[str, str]:
    """The note with what an uploaded file says after it; the file's name where none was typed."""
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        return note, name
    read = await app.staleness.note_of_file(staff, file.filename, file.file)
    return "\n".join(one for one in (note, read) if one), name or file.filename[:200]


def _typed(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value.replace("\r\n", "\n").strip() if isinstance(value, str) else ""

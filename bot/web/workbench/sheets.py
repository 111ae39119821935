"""Answers as a workbook: taking it away, and bringing it back in two steps.

The first step says what every row would do; nothing is saved before somebody has seen that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from bot.accounts.service import Principal
from bot.assembly import Services
from bot.conversations.greeting import LOCAL
from bot.web.page_access import FRESH, PageStaff, text_fields
from bot.web.security import AppServices
from bot.web.staff_documents import attachment
from bot.web.workbench.access import Frame, frame
from bot.web.workbench.answers import asked_for, parts, today, wanted_answers
from bot.workbench.service import EDITING_ROLES
from bot.workbench.sheets import DOING, Fate, Plan, Planned, RowTheft
from kb.errors import ImportRefused

router = APIRouter(include_in_schema=False)

SHEETS = "/workbench/answer-sheets"
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Rows shown of each fate; the counts say how many there are.
SHOWN = 200


@dataclass(frozen=True, slots=True)
class SheetPage(Frame):
    """The form, and what a workbook would do or has done."""

    plan: Plan | None = None
    done: bool = False
    submitted: bool = False
    error: str = ""

    @property
    def fates(self) -> list[tuple[str, int]]:
        """How many rows share each fate, none left out."""
        counts = [(fate.value, self.plan.count(fate)) for fate in Fate] if self.plan else []
        return [(name, count) for name, count in counts if count]

    @property
    def rows(self) -> list[Planned]:
        """What needs a look: refused rows first, then what is done; unchanged ones need none."""
        rows = self.plan.rows if self.plan else ()
        refused = [row for row in rows if row.fate not in {*DOING, Fate.SAME}]
        return [*refused[:SHOWN], *[row for row in rows if row.fate in DOING][:SHOWN]]

    @property
    def thefts(self) -> Sequence[RowTheft]:
        """Questions taken from other answers, the first of them."""
        return self.plan.thefts[:SHOWN] if self.plan else ()


@router.get(f"{SHEETS}/answers.xlsx")
async def export(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """The answers of the list as it is filtered, as a workbook."""
    wanted = wanted_answers(asked_for(request), today(app))
    content = await app.answer_sheets.export(staff, wanted)
    name = app.phrases.say("workbench.sheet.file", day=f"{app.clock().astimezone(LOCAL):%Y%m%d}")
    return attachment(name, content, MEDIA_TYPE)


@router.get(SHEETS)
async def form(staff: PageStaff, app: AppServices) -> Response:
    """Where a workbook is brought back."""
    return _page(app, SheetPage(**parts(frame(app, staff, "answers"))))


@router.post(SHEETS)
async def look(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """What the uploaded workbook would do."""
    staff.require(*EDITING_ROLES)
    async with request.form() as sent:
        file = sent.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            return _refused(app, staff, app.phrases.say("workbench.sheet.no_file"))
        data = await file.read()
    try:
        plan = await app.answer_sheets.look(staff, data)
    except ImportRefused as refused:
        return _refused(app, staff, _why(app, refused))
    return _page(app, SheetPage(**parts(frame(app, staff, "answers")), plan=plan))


@router.post(f"{SHEETS}/carry-out")
async def carry_out(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Save the rows that were shown."""
    fields = await text_fields(request, "key", "submit")
    submit = fields["submit"] == "1"
    try:
        plan = await app.answer_sheets.carry_out(staff, fields["key"], submit=submit)
    except ImportRefused as refused:
        return _refused(app, staff, _why(app, refused))
    outer = parts(frame(app, staff, "answers"))
    return _page(app, SheetPage(**outer, plan=plan, done=True, submitted=submit))


def _page(app: Services, page: SheetPage, status: int = 200) -> Response:
    return app.pages.page("workbench/sheets.html", {"page": page}, status=status, headers=FRESH)


def _refused(app: Services, staff: Principal, error: str) -> Response:
    page = SheetPage(**parts(frame(app, staff, "answers")), error=error)
    return _page(app, page, status=422)


def _why(app: Services, refused: ImportRefused) -> str:
    if refused.detail in ("headings", "not kept"):
        return app.phrases.say(f"workbench.sheet.{refused.detail.replace(' ', '_')}")
    return app.phrases.say(f"import.refused.{refused.reason.value}")

"""The administrator's pages of calendars. A form is tried on open tickets before it is saved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from bot.accounts.service import Principal
from bot.assembly import Services
from bot.calendar_admin import CalendarView, Preview
from bot.errors import CalendarChanged, InvalidInput
from bot.web.admin.access import Framed, frame
from bot.web.admin.holiday_notice import PastedNotice, paste
from bot.web.page_access import FRESH, PageStaff, text_fields
from bot.web.security import AppServices
from bot.web.staff_access import version_of
from handoff.alarms import MissingYear
from handoff.calendar import ExceptionKind
from handoff.calendar_text import CalendarDraft, ExceptionDraft
from handoff.explanation import moment
from handoff.terms import WEEKDAYS

router = APIRouter(include_in_schema=False)

ADDRESS = "/console/admin/calendars"
CalendarId = Annotated[str, Path(pattern="^[a-z][a-z0-9_-]{0,39}$")]
#: Lines of exceptions that a form may have, and empty ones offered for new entries.
MAX_LINES, NEW_LINES = 120, 4
_PARTS = ("first", "last", "kind", "hours", "name")


@dataclass(frozen=True, slots=True)
class CalendarsPage(Framed):
    """All calendars, and years that nobody has loaded yet."""

    views: Sequence[CalendarView]
    missing: Sequence[MissingYear]


@dataclass(frozen=True, slots=True)
class MoveRow:
    """One deadline that would move, in words."""

    number: str
    title: str
    severity: str
    target: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class CalendarPage(Framed):
    """One calendar's form, what was refused, and what saving would do."""

    view: CalendarView
    draft: CalendarDraft
    lines: Sequence[ExceptionDraft]
    weekdays: Sequence[str]
    kinds: Sequence[ExceptionKind]
    version: int
    missing: Sequence[MissingYear]
    notice: PastedNotice
    preview: Preview | None = None
    rows: Sequence[MoveRow] = ()
    error: str = ""
    saved: bool = False


@router.get(ADDRESS)
async def calendars(staff: PageStaff, app: AppServices) -> Response:
    """Every calendar."""
    outer = frame(app, staff, "calendars")
    views = await app.calendar_admin.calendars(staff)
    page = CalendarsPage(outer, views, app.calendar_admin.missing())
    return app.pages.page("admin/calendars.html", {"page": page}, headers=FRESH)


@router.get(f"{ADDRESS}/{{calendar_id}}")
async def show(
    calendar_id: CalendarId,
    staff: PageStaff,
    app: AppServices,
    saved: Annotated[bool, Query()] = False,
) -> Response:
    """One calendar's form."""
    view = await app.calendar_admin.calendar(staff, calendar_id)
    page = _page(app, staff, view, CalendarDraft.of(view.calendar), saved=saved)
    return app.pages.page("admin/calendar.html", {"page": page}, headers=FRESH)


def _page(
    app: Services,
    staff: Principal,
    view: CalendarView,
    draft: CalendarDraft,
    *,
    version: int | None = None,
    preview: Preview | None = None,
    notice: PastedNotice | None = None,
    error: str = "",
    saved: bool = False,
) -> CalendarPage:
    blank = ExceptionDraft("", "", ExceptionKind.CLOSED.value, "", "")
    missing = [one for one in app.calendar_admin.missing() if one.calendar_id == view.calendar.id]
    return CalendarPage(
        frame=frame(app, staff, "calendars"),
        view=view,
        draft=draft,
        lines=[*draft.exceptions, *[blank] * NEW_LINES],
        weekdays=WEEKDAYS,
        kinds=list(ExceptionKind),
        version=view.version if version is None else version,
        missing=missing,
        preview=preview,
        rows=_rows(app, view, preview) if preview else (),
        notice=notice or PastedNotice(year=str(missing[0].year) if missing else ""),
        error=error,
        saved=saved,
    )


def _rows(app: Services, view: CalendarView, preview: Preview) -> list[MoveRow]:
    say, zone = app.phrases.say, view.calendar.zone
    never = say("calendar_admin.not_running")
    return [
        MoveRow(
            number=one.number,
            title=one.title,
            severity=one.severity,
            target=say(f"sla.target.{move.target}"),
            before=moment(move.before, zone=zone, say=say) if move.before else never,
            after=moment(move.after, zone=zone, say=say) if move.after else never,
        )
        for one in preview.moved
        for move in one.moves
    ]


@router.post(f"{ADDRESS}/{{calendar_id}}")
async def submit(
    calendar_id: CalendarId, request: Request, staff: PageStaff, app: AppServices
) -> Response:
    """Try what was typed on open tickets, or save it."""
    view = await app.calendar_admin.calendar(staff, calendar_id)
    draft = await _draft(request)
    fields = await text_fields(request, "do", "version", "notice", "notice_year")
    version = version_of(fields["version"] or "0")
    preview, error, status = None, "", 200
    text, year = fields["notice"], fields["notice_year"]
    notice = PastedNotice(text, year)
    try:
        if fields["do"] == "paste" and text:
            draft, notice = _with_notice(app, view, draft, notice)
        if fields["do"] == "save":
            await app.calendar_admin.save(staff, calendar_id, draft, expected=version)
            return RedirectResponse(f"{ADDRESS}/{calendar_id}?saved=true", 303)
        preview = await app.calendar_admin.preview(staff, calendar_id, draft)
    except InvalidInput as refused:
        status, error = 422, _words(app, refused)
    except CalendarChanged:
        status, error = 409, app.phrases.say("problem.calendar_changed.detail")
    page = _page(
        app, staff, view, draft, version=version, preview=preview, notice=notice, error=error
    )
    return app.pages.page("admin/calendar.html", {"page": page}, status=status, headers=FRESH)


def _with_notice(
    app: Services, view: CalendarView, draft: CalendarDraft, given: PastedNotice
) -> tuple[CalendarDraft, PastedNotice]:
    filled, notice = paste(app, view.calendar, draft, given.text, given.year)
    if len(filled.exceptions) > MAX_LINES - NEW_LINES:
        raise InvalidInput("notice", "calendar_admin.error.too_many")
    return filled, notice


def _words(app: Services, refused: InvalidInput) -> str:
    part, _, where = refused.field.partition(".")
    line = where.partition(".")[0] if part in ("exceptions", "week") else ""
    return app.phrases.say(refused.reason, where=line)


async def _draft(request: Request) -> CalendarDraft:
    names = [f"{part}_{n}" for n in range(MAX_LINES) for part in _PARTS]
    days = [f"week_{n}" for n in range(7)]
    fields = await text_fields(request, *days, "makeup", "entered_years", *names)
    lines = (_line(fields, n) for n in range(MAX_LINES))
    return CalendarDraft(
        week={day: fields[f"week_{n}"] for n, day in enumerate(WEEKDAYS)},
        makeup=fields["makeup"],
        exceptions=tuple(line for line in lines if line is not None),
        entered_years=fields["entered_years"],
    )


def _line(fields: Mapping[str, str], n: int) -> ExceptionDraft | None:
    """A line of the form; ``None`` for one that was left, or made, empty."""
    first, last, kind, hours, name = (fields[f"{part}_{n}"] for part in _PARTS)
    if not (first or last or hours or name):
        return None
    return ExceptionDraft(first, last, kind, hours, name)

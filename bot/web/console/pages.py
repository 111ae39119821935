"""The engineer's console: the whole page, and its parts for scripts.

The parts are the same templates that the page is made of. Refuses to change anything but what
has been read; verbs are in ``console_verbs``.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from markupsafe import Markup
from starlette.responses import Response

from bot.accounts.service import DESK_ROLES, READING_ROLES, Principal
from bot.assembly import Services
from bot.errors import InvalidInput, TicketNotFound
from bot.web.console.sheets import SHEETS, sheet
from bot.web.console.ticket_views import Views
from bot.web.contexts import ConsolePage, Form, Queue, SheetView, Tab, TicketView
from bot.web.navigation import places
from bot.web.page_access import FRESH, PageStaff, is_part
from bot.web.security import AppServices
from bot.web.staff_documents import document
from bot.web.widget_pages import script_json
from handoff.listing_repository import COUNT_LIMIT
from handoff.ticket import OPEN_STATUSES, Action, Status
from store.base import new_id
from store.vocabulary import Severity

router = APIRouter(include_in_schema=False)

#: Tickets that a list shows; who has more should narrow it.
LIST_LIMIT = 60
#: Messages before the last seen one that are sent again: the bot's turn may have come since.
OVERLAP = 8
OPEN = ",".join(status.value for status in OPEN_STATUSES)
_QUEUES = ("mine", "waiting", "all")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which list is looked at."""

    queue: str
    q: str
    severity: str
    status: str

    def query(self, **changes: str) -> str:
        """The same list as an address, empty values left out."""
        shown = {"queue": self.queue, "q": self.q, "severity": self.severity, "status": self.status}
        given = {name: value for name, value in {**shown, **changes}.items() if value}
        return f"?{urlencode(given)}" if given else ""


async def asked(
    queue: Annotated[str, Query(max_length=20)] = "",
    q: Annotated[str, Query(max_length=200)] = "",
    severity: Annotated[str, Query(max_length=10)] = "",
    status: Annotated[str, Query(max_length=10)] = "",
) -> Asked:
    """Unknown values ask for nothing special."""
    return Asked(
        queue=queue if queue in _QUEUES else "",
        q=q.strip(),
        severity=severity if severity in {s.value for s in Severity} else "",
        status=status if status in {s.value for s in Status} else "",
    )


AskedFor = Annotated[Asked, Depends(asked)]


async def _queue(app: Services, staff: Principal, wanted: Asked, chosen: str = "") -> Queue:
    """The three lists; the counts are of the lists as narrowed."""
    severity = Severity(wanted.severity) if wanted.severity else None
    ids, refused = await _matching(app, wanted)
    common: dict[str, Any] = {"severity": severity, "ids": ids}
    status = wanted.status or OPEN
    narrowings: dict[str, dict[str, Any]] = {
        "mine": {"assignee_id": staff.staff_id, "status": status},
        "waiting": {"unassigned": True, "status": status},
        "all": {"status": wanted.status},
    }
    news = await app.console.counts(staff, narrowings, **common)
    key = wanted.queue or ("mine" if news.counts["mine"] else "waiting")
    if not wanted.queue and wanted.q:
        key = "all"
    rows = await app.console.tickets(staff, **narrowings[key], **common, limit=LIST_LIMIT)
    views = Views(app.phrases, app.clock())
    query = replace(wanted, queue=key).query()
    narrowed = bool(wanted.q or wanted.severity or wanted.status)
    return Queue(
        key=key,
        q=wanted.q,
        severity=wanted.severity,
        status=wanted.status,
        tabs=[_tab(app, wanted, name, count, key) for name, count in news.counts.items()],
        rows=[views.row(row, staff, chosen=chosen, query=query) for row in rows],
        severities=[s.value for s in reversed(Severity)],
        statuses=[s.value for s in Status],
        empty=refused or app.phrases.say("console.empty.narrowed" if narrowed else _EMPTY[key]),
        narrowed=narrowed,
        proposals=app.incidents.board.proposed_to(staff),
        waiting=" ".join(news.waiting),
        unread=news.unread,
        query=query,
        chosen=chosen,
    )


async def _matching(app: Services, wanted: Asked) -> tuple[Collection[str] | None, str]:
    """The tickets with the words, or none and why these words cannot be looked for."""
    try:
        return await app.searches.matching(wanted.q), ""
    except InvalidInput as refusal:
        return (), app.phrases.say(refusal.reason)


_EMPTY = {
    "mine": "console.empty.mine",
    "waiting": "console.empty.waiting",
    "all": "console.empty.all",
}
_TITLES = {
    "mine": "console.queue.mine",
    "waiting": "console.queue.waiting",
    "all": "console.queue.all",
}


def _tab(app: Services, wanted: Asked, key: str, count: int, chosen: str) -> Tab:
    return Tab(
        key=key,
        title=app.phrases.say(_TITLES[key]),
        count=str(count) if count < COUNT_LIMIT else f"{COUNT_LIMIT - 1}+",
        href=f"/console{wanted.query(queue=key)}",
        chosen=key == chosen,
    )


async def _found(app: Services, staff: Principal, number: str) -> dict[str, Any]:
    found = await app.console.ticket(staff, number)
    if found is None:
        raise TicketNotFound(number)
    return {**found, "alerts": await app.alert_desk.of_module(staff, found["module"] or "")}


async def console_page(
    app: Services, staff: Principal, wanted: Asked, *, number: str = "", form: Form | None = None
) -> ConsolePage:
    """Everything the console shows."""
    ticket, opened = None, None
    shown = form or Form(new_id())
    if number:
        found = await _found(app, staff, number)
        ticket = Views(app.phrases, app.clock()).ticket(found, staff)
        opened = await _sheet(app, staff, found, shown)
        if ticket.rights.act and ticket.live:
            await app.console.mark_read(staff, number)
    return ConsolePage(
        staff=staff,
        role=app.phrases.say(f"role.{staff.role.value}"),
        now=app.clock(),
        queue=await _queue(app, staff, wanted, number),
        words=_words(app),
        places=places(app.phrases, staff),
        ticket=ticket,
        form=shown if shown.refused else replace(shown, mode=_mode(ticket)),
        sheet=opened,
    )


async def _sheet(
    app: Services, staff: Principal, found: dict[str, Any], form: Form
) -> SheetView | None:
    actions = {action.value: action for action in SHEETS}
    if form.sheet not in actions:
        return None
    return await sheet(app, staff, found, actions[form.sheet], form)


def _mode(ticket: TicketView | None) -> str:
    return "note" if ticket is not None and not ticket.rights.reply else "reply"


def _words(app: Services) -> Markup:
    """What the scripts say, as JSON that may stand in a script element."""
    start = "console.live."
    words = {k[len(start) :]: t[0] for k, t in app.phrases.texts.items() if k.startswith(start)}
    return Markup(script_json(words))  # noqa: S704  # escaped for this very place


@router.get("/console")
async def console(staff: PageStaff, app: AppServices, wanted: AskedFor) -> Response:
    """The console without a chosen ticket."""
    staff.require(*READING_ROLES)
    page = await console_page(app, staff, wanted)
    return app.pages.page("console.html", {"page": page}, headers=FRESH)


@router.get("/console/queue")
async def queue(
    staff: PageStaff,
    app: AppServices,
    wanted: AskedFor,
    chosen: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """The left column alone."""
    staff.require(*READING_ROLES)
    found = await _queue(app, staff, wanted, chosen)
    return app.pages.page("_queue.html", {"queue": found}, headers=FRESH)


@router.get("/console/tickets/{number}")
async def ticket(
    number: str,
    request: Request,
    staff: PageStaff,
    app: AppServices,
    wanted: AskedFor,
) -> Response:
    """The console with this ticket; scripts ask for the two right columns only."""
    staff.require(*READING_ROLES)
    part = is_part(request) and request.headers.get("hx-history-restore-request") != "true"
    page = await console_page(app, staff, wanted, number=number, form=_asked_form(request))
    name = "_work.html" if part else "console.html"
    return app.pages.page(name, {"page": page}, headers={**FRESH, "Vary": "HX-Request"})


def _asked_form(request: Request) -> Form:
    """The dialog that a browser without scripts asks for."""
    wanted = request.query_params.get("do", "")
    return Form(new_id(), dialog="resolve") if wanted == "resolve" else Form(new_id(), sheet=wanted)


@router.get("/console/tickets/{number}/sheets/{action}")
async def sheet_part(
    number: str, action: Action, staff: PageStaff, app: AppServices, wanted: AskedFor
) -> Response:
    """One dialog for scripts; empty when the verb is not to be had any more."""
    staff.require(*DESK_ROLES)
    found = await _found(app, staff, number)
    opened = await _sheet(app, staff, found, Form(new_id(), sheet=action.value))
    view = Views(app.phrases, app.clock()).ticket(found, staff)
    context = {"ticket": view, "sheet": opened, "staff": staff, "query": wanted.query()}
    return app.pages.page("_sheet.html", context, headers=FRESH)


@router.get("/console/tickets/{number}/report.docx")
async def report_document(number: str, staff: PageStaff, app: AppServices) -> Response:
    """The report as a Word document."""
    staff.require(*READING_ROLES)
    return document(number, await app.console.report_document(staff, number))


@router.get("/console/tickets/{number}/transcript")
async def transcript(
    number: str,
    staff: PageStaff,
    app: AppServices,
    after: Annotated[int, Query(ge=0, le=2_000_000_000)] = 0,
) -> Response:
    """Messages after a sequence number, and a few before it that may have changed."""
    staff.require(*READING_ROLES)
    found = await app.console.transcript(staff, number, after=max(0, after - OVERLAP))
    if found is None:
        raise TicketNotFound(number)
    views = Views(app.phrases, app.clock())
    messages = views.messages(found, staff, after=after - OVERLAP)
    return app.pages.page("_messages.html", {"messages": messages}, headers=FRESH)


@router.get("/console/tickets/{number}/panel")
async def panel(number: str, staff: PageStaff, app: AppServices, wanted: AskedFor) -> Response:
    """Head, reply box and right column, for replacing each in place."""
    staff.require(*READING_ROLES)
    return await panel_part(app, staff, number, wanted)


async def panel_part(
    app: Services,
    staff: Principal,
    number: str,
    wanted: Asked,
    *,
    form: Form | None = None,
    status: int = 200,
) -> Response:
    found = await _found(app, staff, number)
    view = Views(app.phrases, app.clock()).ticket(found, staff)
    shown = form or Form(new_id(), mode=_mode(view))
    opened = await _sheet(app, staff, found, shown)
    context = {
        "ticket": view,
        "form": shown,
        "sheet": opened,
        "staff": staff,
        "query": wanted.query(),
    }
    return app.pages.page("_panel.html", context, status=status, headers=FRESH)


@router.post("/console/tickets/{number}/read")
async def read(number: str, staff: PageStaff, app: AppServices) -> Response:
    """Everything in the ticket has been seen."""
    staff.require(*DESK_ROLES)
    await app.console.mark_read(staff, number)
    return Response(status_code=204)

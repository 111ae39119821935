"""Pages of incidents: proposals, open ones, past ones, one whole, and the forms of its verbs.

A refusal shows the incident as it is now, in words, with what was typed kept. Refuses to decide
what is allowed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from bot.accounts.service import DESK_ROLES, READING_ROLES, Principal
from bot.assembly import Services
from bot.clock import Clock
from bot.conversations.greeting import LOCAL
from bot.errors import BotError, InvalidInput
from bot.errors import TicketNotFound as TicketMissing
from bot.incidents.service import Listed, Opened
from bot.web.incident_verbs import VERBS, Body, OpenIn, perform
from bot.web.navigation import Place, places
from bot.web.page_access import FRESH, PageStaff, text_fields
from bot.web.problems import PROBLEMS
from bot.web.security import AppServices
from bot.web.staff_access import version_of
from handoff.errors import HandoffError, IncidentNotFound
from handoff.incident import IncidentAction, IncidentStatus, allowed_actions
from handoff.incident_tables import IncidentEvent, IncidentMeasure
from store.vocabulary import Severity

router = APIRouter(include_in_schema=False)

ADDRESS = "/console/incidents"
TABS: Mapping[str, tuple[IncidentStatus, ...]] = {
    "open": (IncidentStatus.PROPOSED, IncidentStatus.OPEN),
    "review": (IncidentStatus.RESOLVED,),
    "past": (IncidentStatus.CLOSED, IncidentStatus.REJECTED),
}
#: Words to begin with; a person makes them fit.
TEMPLATES = ("outage", "slow", "login", "data")
_OPEN_FIELDS = tuple(OpenIn.model_fields)
Chosen = Annotated[str, Query(max_length=20)]


@dataclass(frozen=True, slots=True)
class IncidentsPage:
    """A tab of the list, and the measures that are owed."""

    staff: Principal
    places: Sequence[Place]
    tab: str
    tabs: Sequence[str]
    listed: Sequence[Listed]
    owed: Sequence[tuple[IncidentMeasure, str]]
    today: str
    may_decide: bool


@dataclass(frozen=True, slots=True)
class NewPage:
    """The form of an incident that a person knows of."""

    staff: Principal
    places: Sequence[Place]
    typed: Mapping[str, str]
    templates: Sequence[str]
    error: str = ""
    severities: Sequence[str] = tuple(one.value for one in Severity)


@dataclass(frozen=True, slots=True)
class EventLine:
    """One thing done to an incident, in words."""

    what: str
    actor: str
    at: datetime
    facts: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """One ticket that a proposal stood on, as it was then; the newest has no likeness."""

    number: str
    unit: str
    region: str
    at: datetime
    likeness: float | None


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """One incident; ``typed`` is what a refused form held, ``refused`` which form."""

    staff: Principal
    places: Sequence[Place]
    opened: Opened
    actions: frozenset[str]
    events: Sequence[EventLine]
    evidence: Sequence[EvidenceLine]
    templates: Sequence[str]
    today: str
    typed: Mapping[str, str]
    refused: str = ""
    error: str = ""
    severities: Sequence[str] = tuple(one.value for one in Severity)


@router.get(ADDRESS)
async def list_page(staff: PageStaff, app: AppServices, tab: Chosen = "open") -> Response:
    """The incidents of one tab."""
    staff.require(*READING_ROLES)
    chosen = tab if tab in TABS else "open"
    page = IncidentsPage(
        staff=staff,
        places=places(app.phrases, staff),
        tab=chosen,
        tabs=tuple(TABS),
        listed=await app.incidents.verbs.listed(staff, TABS[chosen]),
        owed=await app.incidents.verbs.owed(staff) if chosen == "review" else (),
        today=_today(app.clock),
        may_decide=staff.may(*DESK_ROLES),
    )
    return app.pages.page("console/incidents.html", {"page": page}, headers=FRESH)


def _today(clock: Clock) -> str:
    return clock().astimezone(LOCAL).date().isoformat()


@router.get(f"{ADDRESS}/new")
async def new_page(
    staff: PageStaff,
    app: AppServices,
    template: Chosen = "",
    ticket: Annotated[str, Query(max_length=24)] = "",
) -> Response:
    """The empty form, or with the words of a template."""
    staff.require(*DESK_ROLES)
    typed = dict.fromkeys(_OPEN_FIELDS, "") | {"severity": Severity.URGENT.value, "ticket": ticket}
    return _new(app, staff, typed | _words(app, template))


def _words(app: Services, template: str) -> dict[str, str]:
    """A template's words for users; none for a name that is none."""
    if template not in TEMPLATES:
        return {}
    say = app.phrases.say
    key = f"incident.template.{template}"
    return {"note": say(f"{key}.note"), "meanwhile": say(f"{key}.meanwhile")}


def _new(
    app: Services, staff: Principal, typed: Mapping[str, str], error: str = "", status: int = 200
) -> Response:
    page = NewPage(staff, places(app.phrases, staff), typed, TEMPLATES, error)
    name = "console/incident_new.html"
    return app.pages.page(name, {"page": page}, status=status, headers=FRESH)


@router.post(ADDRESS)
async def open_form(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Open one by hand; refused, the form comes back with everything that was typed."""
    staff.require(*DESK_ROLES)
    typed = await text_fields(request, *_OPEN_FIELDS)
    try:
        body = OpenIn.model_validate(_given(typed))
        number = await app.incidents.verbs.open(staff, body.new(), of=body.ticket)
    except (ValidationError, BotError, HandoffError) as refusal:
        status, error = _told(app, refusal)
        return _new(app, staff, typed, error, status)
    return RedirectResponse(f"{ADDRESS}/{number}", 303)


def _given(typed: Mapping[str, str]) -> dict[str, str]:
    """What was filled in: an empty field is one that was not."""
    return {name: value for name, value in typed.items() if value}


@router.get(f"{ADDRESS}/{{number}}")
async def show(number: str, staff: PageStaff, app: AppServices, template: Chosen = "") -> Response:
    """One incident."""
    return await _page(app, staff, number, typed=_words(app, template))


@router.post(f"{ADDRESS}/{{number}}/do/{{action}}")
async def do(
    number: str, action: IncidentAction, request: Request, staff: PageStaff, app: AppServices
) -> Response:
    """A verb, on the incident as it was when the page was made."""
    shape: type[Body] | None = VERBS.get(action)
    if shape is None:
        raise IncidentNotFound(number)
    typed = await text_fields(request, *shape.model_fields)
    try:
        seen = (await text_fields(request, "version"))["version"]
        verb = VERBS[action].model_validate(_given(typed))
        expected = version_of(seen) if seen else None
        await perform(app.incidents.verbs, staff, number, verb, expected)
    except IncidentNotFound:
        raise
    except (ValidationError, BotError, HandoffError) as refusal:
        status, error = _told(app, refusal)
        kept = {"typed": typed, "refused": action.value, "error": error}
        return await _page(app, staff, number, status=status, **kept)
    return RedirectResponse(f"{ADDRESS}/{quote(number)}", 303)


def _told(app: Services, refusal: Exception) -> tuple[int, str]:
    """Status and words of a refusal."""
    say = app.phrases.say
    if isinstance(refusal, ValidationError):
        return 422, say(_reason(refusal))
    if isinstance(refusal, InvalidInput) and app.phrases.has(refusal.reason):
        return 422, say(refusal.reason)
    if isinstance(refusal, TicketMissing):
        return 422, say("incident.error.ticket")
    problem = next((PROBLEMS[kind] for kind in type(refusal).__mro__ if kind in PROBLEMS), None)
    if problem is None:
        raise refusal
    return problem.status, say(f"problem.{problem.slug}.detail")


def _reason(refused: ValidationError) -> str:
    kinds = {error["type"] for error in refused.errors()}
    if "string_too_long" in kinds:
        return "console.error.too_long"
    return "console.error.empty" if kinds & {"missing"} else "console.error.form"


async def _page(
    app: Services, staff: Principal, number: str, *, status: int = 200, **kept: Any
) -> Response:
    opened = await app.incidents.verbs.opened(staff, number)
    may = staff.may(*DESK_ROLES)
    actions = allowed_actions(IncidentStatus(opened.incident.status)) if may else ()
    page = IncidentPage(
        staff=staff,
        places=places(app.phrases, staff),
        opened=opened,
        actions=frozenset(action.value for action in actions),
        events=[_line(app, event) for event in reversed(opened.events)],
        evidence=[_evidence(row) for row in opened.incident.evidence.get("tickets", ())],
        templates=TEMPLATES,
        today=_today(app.clock),
        **kept,
    )
    return app.pages.page("console/incident.html", {"page": page}, status=status, headers=FRESH)


def _evidence(row: Mapping[str, Any]) -> EvidenceLine:
    at = datetime.fromisoformat(row["opened_at"])
    return EvidenceLine(row["number"], row["unit"], row["region"], at, row["likeness"])


def _line(app: Services, event: IncidentEvent) -> EventLine:
    say = app.phrases.say
    facts = [
        (say(f"incident.field.{name}"), _fact(app, name, value))
        for name, value in event.detail.items()
        if value not in (None, "") and app.phrases.has(f"incident.field.{name}")
    ]
    actor = event.actor_name or say(f"console.code.sender.{event.actor_kind}")
    return EventLine(say(f"incident.action.{event.action}"), actor, event.at, facts)


def _fact(app: Services, name: str, value: object) -> str:
    if name == "belonging":
        return app.phrases.say(f"incident.belonging.{value}")
    return str(value)

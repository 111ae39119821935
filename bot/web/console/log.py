"""Logging a call in a few seconds: a page, its live parts, and the same as JSON.

Without scripts the page still logs; then nobody is looked up and the proposal is made on saving.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.responses import RedirectResponse, Response

from bot.accounts.service import DESK_ROLES, Principal
from bot.assembly import Services
from bot.errors import InvalidInput
from bot.tickets.call_log import Caller, LoggedRequest, Source, known_reasons
from bot.tickets.templates import Filling, fill
from bot.web.console.sheets import CUSTOM, custom_view
from bot.web.contexts import FieldView
from bot.web.navigation import Place, places
from bot.web.page_access import FRESH, PageStaff, text_fields
from bot.web.security import AppServices
from bot.web.staff_access import ApiStaff
from bot.web.staff_verbs import FieldKey, FieldText
from store.base import new_id
from store.vocabulary import Category, Severity

#: Pages, and the same as JSON under ``/api/v1``.
pages = APIRouter(include_in_schema=False)
router = APIRouter()

ADDRESS = "/console/log"
#: Characters that a request may have.
MAX_TEXT = 10_000
_NAMES = (
    *("source", "text", "request_id", "caller_id", "name", "unit", "region", "phone"),
    *("severity", "category", "module", "take"),
)
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)]


class RequestIn(BaseModel):
    """A request as it was written down; empty means as proposed."""

    model_config = ConfigDict(extra="forbid")

    source: Source
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]
    request_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    caller_id: Annotated[str, StringConstraints(max_length=32)] = ""
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)] = ""
    unit: Line = ""
    region: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)] = ""
    phone: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)] = ""
    severity: Severity | None = None
    category: Category | None = None
    module: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)] = ""
    take: bool = False
    fields: Annotated[dict[FieldKey, FieldText], Field(max_length=60)] = Field(default_factory=dict)

    def request(self) -> LoggedRequest:
        """As the domain takes it."""
        return LoggedRequest(**self.model_dump())


class ProposalIn(BaseModel):
    """What is to be judged."""

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]


@dataclass(frozen=True, slots=True)
class LogPage:
    """The form, with what was typed."""

    staff: Principal
    places: Sequence[Place]
    request_id: str
    typed: dict[str, str]
    sources: Sequence[tuple[str, str]]
    severities: Sequence[str] = tuple(s.value for s in Severity)
    categories: Sequence[str] = tuple(c.value for c in Category)
    logged: str = ""
    error: str = ""
    callers: Sequence[Caller] = field(default_factory=tuple)
    #: Ids and names of templates, and the custom fields with what was typed.
    templates: Sequence[tuple[str, str]] = ()
    fields: Sequence[FieldView] = ()

    @property
    def filled_fields(self) -> bool:
        """Whether any custom field has a value."""
        return any(one.value for one in self.fields)


def _empty(staff: Principal) -> dict[str, str]:
    region = staff.regions[0] if staff.regions else ""
    return dict.fromkeys(_NAMES, "") | {"source": Source.PHONE.value, "region": region}


async def _page(app: Services, staff: Principal, typed: dict[str, str]) -> LogPage:
    return LogPage(
        staff=staff,
        places=places(app.phrases, staff),
        request_id=new_id(),
        typed=typed,
        templates=[(one.id, one.name) for one in await app.templates.in_use()],
        fields=[custom_view(one, typed) for one in await app.fields.in_use()],
        sources=[(s.value, app.phrases.say(f"console.code.channel.{s.value}")) for s in Source],
    )


@pages.get(ADDRESS)
async def page(
    staff: PageStaff, app: AppServices, logged: Annotated[str, Query(max_length=40)] = ""
) -> Response:
    """The empty form; ``logged`` is the ticket of the one before."""
    staff.require(*DESK_ROLES)
    shown = replace(await _page(app, staff, _empty(staff)), logged=logged)
    return app.pages.page("log.html", {"page": shown}, headers=FRESH)


@pages.get(f"{ADDRESS}/callers")
async def callers_part(
    staff: PageStaff, app: AppServices, who: Annotated[str, Query(max_length=120)] = ""
) -> Response:
    """People found, to choose from."""
    found = await app.call_log.callers(staff, who)
    context = {"callers": found, "asked": who.strip(), "chosen": ""}
    return app.pages.page("_callers.html", context, headers=FRESH)


@pages.post(f"{ADDRESS}/proposal")
async def proposal_part(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """What the text is judged to be."""
    text = (await text_fields(request, "text"))["text"]
    if len(text) > MAX_TEXT:
        raise InvalidInput("text", "console.error.too_long")
    triage = await app.call_log.propose(staff, text)
    reasons = known_reasons(app.phrases, triage) if triage else []
    context = {"triage": triage, "reasons": reasons}
    return app.pages.page("_proposal.html", context, headers=FRESH)


@pages.post(ADDRESS)
async def log_form(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Log it; refused, the form comes back with everything that was typed."""
    staff.require(*DESK_ROLES)
    typed = await _typed(request, app)
    given: dict[str, Any] = {name: typed[name] for name in _NAMES if typed[name]}
    given["fields"] = {
        name.removeprefix(CUSTOM): value
        for name, value in typed.items()
        if name.startswith(CUSTOM) and value
    }
    try:
        number = await app.call_log.log(staff, RequestIn.model_validate(given).request())
    except ValidationError as refused:
        return await _refused(app, staff, typed, _reason(refused))
    except InvalidInput as refused:
        return await _refused(app, staff, typed, refused.reason)
    if typed["take"]:
        return RedirectResponse(f"/console/tickets/{number}", 303)
    return RedirectResponse(f"{ADDRESS}?logged={number}", 303)


def _reason(refused: ValidationError) -> str:
    first = refused.errors()[0]
    if first["type"] == "string_too_long":
        return "console.error.too_long"
    return "console.error.empty" if first["loc"] == ("text",) else "console.error.form"


async def _typed(request: Request, app: Services) -> dict[str, str]:
    custom = [f"{CUSTOM}{one.key}" for one in await app.fields.in_use()]
    return await text_fields(request, *_NAMES, *custom)


@pages.post(f"{ADDRESS}/template")
async def use_template(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """The form filled in by a template; what was typed stays."""
    staff.require(*DESK_ROLES)
    typed = await _typed(request, app)
    wanted = (await text_fields(request, "template"))["template"]
    rows = await app.templates.in_use()
    chosen = next((one for one in rows if one.id == wanted), None)
    if chosen is None:
        return await _refused(app, staff, typed, "call_log.error.template")
    caller = await app.call_log.caller(staff, typed["caller_id"]) if typed["caller_id"] else None
    known = asdict(caller) if caller is not None else typed
    filled = fill(typed, chosen, rows, Filling(known, staff.name, app.clock()))
    filled["template"] = chosen.id
    filled |= {f"{CUSTOM}{key}": value for key, value in chosen.fields.items()}
    page = await _page(app, staff, filled)
    shown = replace(page, callers=[caller] if caller is not None else ())
    return app.pages.page("log.html", {"page": shown}, headers=FRESH)


async def _refused(app: Services, staff: Principal, typed: dict[str, str], reason: str) -> Response:
    shown = replace(await _page(app, staff, typed), error=app.phrases.say(reason))
    return app.pages.page("log.html", {"page": shown}, status=422, headers=FRESH)


@router.get("/callers")
async def find_callers(
    staff: ApiStaff, app: AppServices, q: Annotated[str, Query(max_length=120)] = ""
) -> dict[str, Any]:
    """People who have asked before, by number, name or unit."""
    return {"callers": [asdict(one) for one in await app.call_log.callers(staff, q)]}


@router.post("/proposals")
async def propose(body: ProposalIn, staff: ApiStaff, app: AppServices) -> dict[str, Any]:
    """Category, severity and module that a text is judged to have, with reasons."""
    triage = await app.call_log.propose(staff, body.text)
    if triage is None:
        raise InvalidInput("text", "console.error.empty")
    return {
        "category": triage.category.value,
        "severity": triage.severity.value,
        "module": triage.module,
        "reasons": known_reasons(app.phrases, triage),
    }


@router.post("/tickets", status_code=201)
async def log_request(body: RequestIn, staff: ApiStaff, app: AppServices) -> dict[str, str]:
    """Log a request that came by telephone, at the counter or by e-mail."""
    return {"number": await app.call_log.log(staff, body.request())}

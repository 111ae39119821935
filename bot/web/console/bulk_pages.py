"""One verb on many tickets: chosen in the search page, asked once, done one by one.

Each ticket is a transaction of its own with the version that was seen, so that one refusal undoes
nothing of the others, and every ticket's outcome is shown. The verbs, their fields and their
refusals are those of single tickets. Refuses to decide what is allowed.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import structlog
from fastapi import APIRouter, Request
from starlette.responses import Response

from bot.accounts.service import DESK_ROLES, Principal
from bot.assembly import Services
from bot.errors import BotError, InvalidInput, TicketNotFound
from bot.web.admin.forms import texts
from bot.web.console.search_pages import ADDRESS as SEARCH
from bot.web.console.sheets import SHEETS, Field, Kind, field_view, read
from bot.web.console.verbs import told
from bot.web.contexts import FieldView
from bot.web.navigation import Place, places
from bot.web.page_access import FRESH, PageStaff, safe_next
from bot.web.security import AppServices
from bot.web.staff_access import version_of
from bot.web.staff_verbs import perform
from handoff.errors import HandoffError
from handoff.ticket import Action
from store.base import new_id

router = APIRouter(include_in_schema=False)

ADDRESS = "/console/bulk"
#: More at once would be a page that nobody reads.
MOST = 100
#: Done by the same code as for one ticket, with the same fields.
_SHARED = (Action.ASSIGN, Action.RELEASE, Action.CLASSIFY, Action.LINK, Action.CLOSE)
_LONG = 10_000
#: What can be done to many tickets, in the order of the menu, and what is asked for it.
FIELDS: Mapping[str, tuple[Field, ...]] = MappingProxyType(
    {
        **{action.value: SHEETS[action] for action in _SHARED},
        "note": (Field("note", Kind.TEXT, limit=_LONG),),
        "resolve": (
            Field("cause", Kind.TEXT, limit=5_000),
            Field("solution", Kind.TEXT, limit=5_000),
        ),
        "incident": (Field("incident", Kind.LINE, limit=24),),
    }
)

log = structlog.get_logger("bot.bulk")


@dataclass(frozen=True, slots=True)
class Pick:
    """A ticket as it was seen when it was chosen."""

    number: str
    version: int

    def __post_init__(self) -> None:
        """Raise :class:`InvalidInput` for what is no number."""
        if not (self.number.isascii() and 0 < len(self.number) <= 24 and self.number.isprintable()):
            raise InvalidInput("pick", "bulk.refused.pick")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one ticket; ``refusal`` is empty when it was done."""

    number: str
    href: str
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class BulkPage:
    """The question, or what became of each ticket."""

    staff: Principal
    places: Sequence[Place]
    action: str
    picks: Sequence[Pick]
    fields: Sequence[FieldView]
    back: str
    once: str
    outcomes: Sequence[Outcome] = ()
    error: str = ""

    @property
    def done(self) -> int:
        """How many were done."""
        return sum(not one.refusal for one in self.outcomes)


@dataclass(frozen=True, slots=True)
class _Typed:
    """A form: what to do, to which tickets, with which values, and where to go back to."""

    action: str
    picks: Sequence[Pick]
    values: Mapping[str, str]
    back: str
    once: str
    go: bool


async def _typed(request: Request) -> _Typed:
    """Raises :class:`InvalidInput`."""
    form = await texts(request)
    first = {name: values[0] for name, values in form.items()}
    action = first.get("action", "")
    if action not in FIELDS:
        raise InvalidInput("action", "bulk.refused.action")
    back, once = safe_next(first.get("back", SEARCH)), first.get("once", "")
    return _Typed(
        action=action,
        picks=_picks(form.get("pick", [])),
        values={field.name: first.get(field.name, "") for field in FIELDS[action]},
        back=back if back.partition("?")[0] == SEARCH else SEARCH,
        once=once if once.isascii() and once.isalnum() and len(once) <= 40 else new_id(),
        go="go" in first,
    )


def _picks(typed: Sequence[str]) -> Sequence[Pick]:
    """Each ticket once, as it was chosen first."""
    if not typed:
        raise InvalidInput("pick", "bulk.refused.none")
    if len(typed) > MOST:
        raise InvalidInput("pick", "bulk.refused.many")
    found: dict[str, Pick] = {}
    for one in typed:
        number, _, version = one.partition(":")
        found.setdefault(number, Pick(number, version_of(version)))
    return list(found.values())


@router.post(ADDRESS)
async def bulk(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Ask what the verb needs; with ``go``, do it to each ticket and show what became of it."""
    staff.require(*DESK_ROLES)
    typed = await _typed(request)
    if not typed.go:
        return await _page(app, staff, typed)
    try:
        verb = _verb(app, staff, typed)
    except InvalidInput as refusal:
        return await _page(app, staff, typed, error=app.phrases.say(refusal.reason))
    outcomes = [await _outcome(app, pick, verb) for pick in typed.picks]
    done = sum(not one.refusal for one in outcomes)
    log.info("bulk_done", action=typed.action, staff=staff.staff_id, done=done, asked=len(outcomes))
    return await _page(app, staff, typed, outcomes=outcomes)


Verb = Callable[[Pick], Awaitable[object]]


def _verb(app: Services, staff: Principal, typed: _Typed) -> Verb:
    """What is done to each ticket. Raises :class:`InvalidInput` for what was typed."""
    values = typed.values
    if typed.action in {action.value for action in _SHARED}:
        shape, desk = read(Action(typed.action), values), (app.dispatch, app.engineers)
        return lambda pick: perform(desk, staff, pick.number, shape, pick.version)
    for field in FIELDS[typed.action]:
        if not values[field.name]:
            raise InvalidInput(field.name, "console.error.empty")
        if len(values[field.name]) > field.limit:
            raise InvalidInput(field.name, "console.error.too_long")
    if typed.action == "note":
        return lambda pick: app.engineers.note(
            staff, pick.number, values["note"], client_msg_id=f"bulk{typed.once}{pick.number}"
        )
    if typed.action == "resolve":
        return lambda pick: app.engineers.resolve(
            staff,
            pick.number,
            cause=values["cause"],
            solution=values["solution"],
            expected=pick.version,
        )
    return lambda pick: app.incidents.verbs.attach(staff, values["incident"].upper(), pick.number)


async def _outcome(app: Services, pick: Pick, verb: Verb) -> Outcome:
    href = f"/console/tickets/{quote(pick.number)}"
    try:
        await verb(pick)
    except TicketNotFound:
        return Outcome(pick.number, href, app.phrases.say("bulk.refused.gone"))
    except (BotError, HandoffError) as refusal:
        return Outcome(pick.number, href, told(app, refusal)[1])
    return Outcome(pick.number, href)


async def _page(
    app: Services,
    staff: Principal,
    typed: _Typed,
    *,
    outcomes: Sequence[Outcome] = (),
    error: str = "",
) -> Response:
    people: Sequence[tuple[str, str]] = ()
    if any(field.name == "assignee_id" for field in FIELDS[typed.action]):
        people = await app.searches.colleagues(staff)
    page = BulkPage(
        staff=staff,
        places=places(app.phrases, staff),
        action=typed.action,
        picks=typed.picks,
        fields=[
            field_view(app, field, typed.values[field.name], people)
            for field in FIELDS[typed.action]
        ],
        back=typed.back,
        once=typed.once,
        outcomes=outcomes,
        error=error,
    )
    context: dict[str, Any] = {"page": page}
    return app.pages.page("bulk.html", context, status=422 if error else 200, headers=FRESH)

"""The search page: words and filters over tickets and their transcripts, page by page.

Every search is an address, so that it can be kept, sent and gone back to. What was typed stays
when it is refused. Refuses to search; ``bot.tickets.searching`` does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, TypeVar
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Query
from starlette.responses import RedirectResponse, Response

from bot.accounts.service import DESK_ROLES, READING_ROLES, Principal
from bot.assembly import Services
from bot.cards import local_time
from bot.conversations.greeting import LOCAL
from bot.errors import InvalidInput
from bot.saved_views.tables import SavedViewRow
from bot.tickets.searching import SEARCH_VIEWS, Found, Place, Results
from bot.web.console.ticket_views import SEVERITY_CLASS
from bot.web.navigation import Place as PageLink
from bot.web.navigation import places
from bot.web.page_access import FRESH, PageStaff
from bot.web.security import AppServices
from handoff.listing_repository import TicketFilter
from handoff.mark_repository import TAG
from handoff.marks import CustomField
from handoff.ticket import OPEN_STATUSES, Status
from store.vocabulary import Severity

router = APIRouter(include_in_schema=False)

ADDRESS = "/console/search"
Word = TypeVar("Word", Status, Severity)
#: Instead of a colleague's id: whoever looks. Instead of a status: open, or that nobody has yet.
ME, OPEN, WAITING = "me", "open", "waiting"
#: The last so many days, counted from today whenever the search is opened.
DAYS = ("1", "7", "30", "90")
#: Verbs for many tickets at once, in the order of the menu; ``bulk_pages`` says what each asks.
BULK = ("assign", "release", "classify", "note", "link", "incident", "resolve", "close")
#: More is refused before anything is looked for; the words themselves have a smaller limit.
_TYPED = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """A search as it was typed. Field names are those of the address."""

    q: str = ""
    status: str = ""
    severity: str = ""
    region: str = ""
    module: str = ""
    unit: str = ""
    engineer: str = ""
    days: str = ""
    since: str = ""
    until: str = ""
    tag: str = ""
    field: str = ""
    value: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Asked":
        """What an address holds, as far as searches know it."""
        return cls(**{name: given.get(name, "").strip() for name in cls.__slots__})

    @property
    def typed(self) -> Mapping[str, str]:
        """What is not empty."""
        names = Asked.__slots__
        return {name: value for name in names if (value := getattr(self, name))}

    @property
    def query(self) -> str:
        """What the address says after its mark."""
        return urlencode(self.typed)

    def address(self, **more: str) -> str:
        """The same search as an address."""
        given = {**self.typed, **more}
        return f"{ADDRESS}?{urlencode(given)}" if given else ADDRESS

    def wanted(self, staff: Principal, now: datetime) -> TicketFilter:
        """The filters as they are for this person at this time. Raises :class:`InvalidInput`."""
        since, until = _day("since", self.since), _day("until", self.until)
        if self.days and since is None:
            since = _days_ago(self.days, now)
        if since and until and until < since:
            raise InvalidInput("until", "search.refused.days")
        return TicketFilter(
            status=_statuses(self.status),
            severity=[_known(Severity, "severity", self.severity)] if self.severity else (),
            region=self.region,
            module=self.module,
            unit=self.unit,
            assignee_id=(staff.staff_id if self.engineer == ME else self.engineer) or None,
            unassigned=self.status == WAITING,
            opened_from=since,
            opened_until=until + timedelta(days=1) if until else None,
            marks=self._marks(),
        )

    def _marks(self) -> Sequence[tuple[str, str]]:
        if bool(self.field) != bool(self.value):
            raise InvalidInput("value", "search.refused.pair")
        tags = [(TAG, self.tag)] if self.tag else []
        return [*tags, *([(self.field, self.value)] if self.field else [])]


async def _asked_rest(
    since: Annotated[str, Query(max_length=10)] = "",
    until: Annotated[str, Query(max_length=10)] = "",
    tag: Annotated[str, Query(max_length=30)] = "",
    field: Annotated[str, Query(max_length=40)] = "",
    value: Annotated[str, Query(max_length=200)] = "",
) -> Sequence[str]:
    return since, until, tag, field, value


async def asked(
    *,
    q: Annotated[str, Query(max_length=_TYPED)] = "",
    status: Annotated[str, Query(max_length=10)] = "",
    severity: Annotated[str, Query(max_length=10)] = "",
    region: Annotated[str, Query(max_length=80)] = "",
    module: Annotated[str, Query(max_length=80)] = "",
    unit: Annotated[str, Query(max_length=120)] = "",
    engineer: Annotated[str, Query(max_length=32)] = "",
    days: Annotated[str, Query(max_length=4)] = "",
    rest: Annotated[Sequence[str], Depends(_asked_rest)] = (),
) -> Asked:
    """What the address asks for."""
    typed = (q, status, severity, region, module, unit, engineer, days)
    return Asked(*(one.strip() for one in (*typed, *rest)))


@dataclass(frozen=True, slots=True)
class Row:
    """One ticket found."""

    number: str
    title: str
    status: str
    severity: str
    severity_class: str
    about: str
    opened: str
    places: Sequence["PlaceView"]
    more: int
    href: str
    version: int


@dataclass(frozen=True, slots=True)
class PlaceView:
    """Where words stand."""

    at: datetime
    shown: str
    who: str
    pieces: Sequence[tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class SearchPage:
    """The form and what was found; ``next`` leads on."""

    staff: Principal
    places: Sequence[PageLink]
    asked: Asked
    statuses: Sequence[str]
    severities: Sequence[str]
    engineers: Sequence[tuple[str, str]]
    rows: Sequence[Row]
    searched: bool
    first: bool
    next: str
    reached: str
    #: What can be done to many; nothing for who only reads.
    actions: Sequence[str] = ()
    #: Tags to choose from, and the custom fields.
    tags: Sequence[str] = ()
    custom: Sequence[CustomField] = ()
    views: Sequence[SavedViewRow] = ()
    #: The name that was typed for a view that could not be kept.
    view_name: str = ""
    may_clear: bool = False
    choices: Sequence[str] = DAYS
    here: str = ADDRESS
    error: str = ""


@router.get(ADDRESS)
async def search(
    staff: PageStaff,
    app: AppServices,
    wanted: Annotated[Asked, Depends(asked)],
    mark: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    """Look for tickets; a whole number leads straight to its ticket."""
    staff.require(*READING_ROLES)
    number = await app.searches.named(staff, wanted.q) if list(wanted.typed) == ["q"] else None
    if number is not None:
        return RedirectResponse(f"/console/tickets/{quote(number)}", 303)
    return await search_page(app, staff, wanted, mark=mark)


async def search_page(
    app: Services,
    staff: Principal,
    wanted: Asked,
    *,
    mark: str = "",
    error: str = "",
    name: str = "",
) -> Response:
    """The page of a search; ``error`` and ``name`` when a view could not be kept."""
    staff.require(*READING_ROLES)
    results, refused_view = Results(()), error
    try:
        if wanted.typed:
            filters = wanted.wanted(staff, app.clock())
            results = await app.searches.find(staff, filters, wanted.q, mark)
    except InvalidInput as refusal:
        error = app.phrases.say(refusal.reason)
    page = SearchPage(
        staff=staff,
        places=places(app.phrases, staff),
        asked=wanted,
        statuses=[one.value for one in Status],
        severities=[one.value for one in reversed(Severity)],
        engineers=await app.searches.colleagues(staff),
        rows=[_row(app, one) for one in results.found],
        searched=bool(wanted.typed) and error == refused_view,
        first=not mark,
        next=wanted.address(mark=results.next) if results.next else "",
        reached=_dated(app, results.reached) if results.reached else "",
        actions=BULK if staff.may(*DESK_ROLES) else (),
        tags=[tag for tag, _ in await app.fields.tags_in_use()],
        custom=await app.fields.in_use(),
        views=await app.searches.views.seen(staff),
        view_name=name,
        may_clear=staff.may(*SEARCH_VIEWS.clearing),
        here=wanted.address(**({"mark": mark} if mark else {})),
        error=error,
    )
    status = 422 if error else 200
    return app.pages.page("search.html", {"page": page}, status=status, headers=FRESH)


def _row(app: Services, found: Found) -> Row:
    ticket = found.ticket
    about = (ticket.region, ticket.unit, ticket.module or ticket.category)
    return Row(
        number=ticket.number,
        title=ticket.title,
        status=ticket.status,
        severity=ticket.severity,
        severity_class=SEVERITY_CLASS[ticket.severity],
        about=" · ".join(part for part in about if part),
        opened=_dated(app, ticket.opened_at),
        places=[_place(app, one) for one in found.places],
        more=found.more,
        href=f"/console/tickets/{quote(ticket.number)}",
        version=ticket.version,
    )


def _place(app: Services, place: Place) -> PlaceView:
    key = f"ticket_action.{place.action}" if place.action else f"console.code.sender.{place.sender}"
    return PlaceView(place.at, _dated(app, place.at), app.phrases.say(key), place.pieces)


def _dated(app: Services, at: datetime) -> str:
    """The time, with the year when that is not this one."""
    year = at.astimezone(LOCAL).year
    if year == app.clock().astimezone(LOCAL).year:
        return local_time(at)
    return app.phrases.say("search.dated", year=year, at=local_time(at))


def _statuses(typed: str) -> Sequence[Status]:
    if typed in (OPEN, WAITING):
        return tuple(OPEN_STATUSES)
    return [_known(Status, "status", typed)] if typed else ()


def _days_ago(typed: str, now: datetime) -> datetime:
    if typed not in DAYS:
        raise InvalidInput("days", "search.refused.choice")
    today = now.astimezone(LOCAL).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=int(typed) - 1)


def _known(words: type[Word], name: str, typed: str) -> Word:
    try:
        return words(typed)
    except ValueError:
        raise InvalidInput(name, "search.refused.choice") from None


def _day(name: str, typed: str) -> datetime | None:
    """The beginning of a day of the region."""
    if not typed:
        return None
    try:
        return datetime.combine(date.fromisoformat(typed), time(), LOCAL)
    except ValueError:
        raise InvalidInput(name, "search.refused.day") from None

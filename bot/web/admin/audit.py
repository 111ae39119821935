"""The administrator's page of the audit trail: who did what to which thing, when.

Refuses to change or forget anything: entries are only ever added, by whoever did the thing.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from bot import repository
from bot.assembly import Services
from bot.conversations.greeting import LOCAL
from bot.errors import InvalidInput
from bot.phrases import Phrases
from bot.web.admin.access import Framed, frame
from bot.web.page_access import FRESH, PageStaff
from bot.web.security import AppServices
from handoff.numbering import numbers_in
from handoff.ticket import Action
from store import audit
from store.audit import AuditEntry

router = APIRouter(include_in_schema=False)

ADDRESS = "/console/admin/audit"
PAGE = 50
#: What the phrases of actions begin with; what follows is the action's group and name.
ACTIONS = "audit.action."
TICKET = "ticket"
_GROUPS = "audit.group."
#: How an account stands in the trail: by itself, and as one who acts on tickets.
_KINDS = ("staff", "engineer")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the trail is narrowed to, as it was typed."""

    who: str
    group: str
    about: str
    since: str
    until: str

    @property
    def typed(self) -> Mapping[str, str]:
        """What is not empty."""
        names = Asked.__slots__
        return {name: value for name in names if (value := getattr(self, name))}


@dataclass(frozen=True, slots=True)
class Row:
    """One entry in words; ``href`` is where its subject can be looked at."""

    at: datetime
    who: str
    what: str
    subject: str
    href: str
    detail: str


@dataclass(frozen=True, slots=True)
class AuditPage(Framed):
    """A page of the trail, the newest first."""

    asked: Asked
    people: Sequence[tuple[str, str]]
    groups: Sequence[tuple[str, str]]
    rows: Sequence[Row]
    next: str
    error: str = ""


async def asked(
    *,
    who: Annotated[str, Query(max_length=32)] = "",
    group: Annotated[str, Query(max_length=40)] = "",
    about: Annotated[str, Query(max_length=120)] = "",
    since: Annotated[str, Query(max_length=10)] = "",
    until: Annotated[str, Query(max_length=10)] = "",
) -> Asked:
    """What the address asks for."""
    return Asked(who.strip(), group.strip(), about.strip(), since.strip(), until.strip())


@router.get(ADDRESS)
async def trail(
    staff: PageStaff,
    app: AppServices,
    wanted: Annotated[Asked, Depends(asked)],
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """The trail."""
    outer = frame(app, staff, "audit")
    async with app.database.glance() as session:
        people = {one.id: one.name for one in await repository.all_staff(session)}
    found: Sequence[AuditEntry] = ()
    error, status = "", 200
    try:
        narrowed = _narrowed(app.phrases, wanted)
        async with app.database.glance() as session:
            found = await audit.newest(session, narrowed, before=before, limit=PAGE + 1)
    except InvalidInput as refused:
        error, status = app.phrases.say(refused.reason), 422
    shown = found[:PAGE]
    more = {**wanted.typed, "before": str(shown[-1].id)} if len(found) > PAGE else {}
    page = AuditPage(
        frame=outer,
        asked=wanted,
        people=sorted(people.items(), key=lambda one: one[1]),
        groups=_groups(app.phrases),
        rows=[_row(app, one, people) for one in shown],
        next=f"{ADDRESS}?{urlencode(more)}" if more else "",
        error=error,
    )
    return app.pages.page("admin/audit.html", {"page": page}, status=status, headers=FRESH)


def _groups(phrases: Phrases) -> list[tuple[str, str]]:
    keys = [key for key in phrases.texts if key.startswith(_GROUPS)]
    return [(key.removeprefix(_GROUPS), phrases.say(key)) for key in keys]


def _narrowed(phrases: Phrases, wanted: Asked) -> audit.Wanted:
    """Raises :class:`InvalidInput` for a date that is none, or an end before the beginning."""
    since, until = _day("since", wanted.since), _day("until", wanted.until)
    if since and until and until < since:
        raise InvalidInput("until", "audit.error.days")
    return audit.Wanted(
        actors=[f"{kind}:{wanted.who}" for kind in _KINDS] if wanted.who else (),
        actions=_actions(phrases, wanted.group) if wanted.group else (),
        subjects=_subjects(phrases, wanted.about) if wanted.about else (),
        since=since,
        until=until + timedelta(days=1) if until else None,
    )


def _actions(phrases: Phrases, group: str) -> list[str]:
    """Every action of a group; a group that is not known has none, and finds nothing."""
    if group == TICKET:
        return [f"{TICKET}.{action.value}" for action in Action]
    start = f"{ACTIONS}{group}."
    return [key.removeprefix(ACTIONS) for key in phrases.texts if key.startswith(start)] or [group]


def _subjects(phrases: Phrases, about: str) -> list[str]:
    """A ticket's or incident's number as people write it, or a subject as it is kept."""
    numbers = numbers_in(about)
    kept = [f"{TICKET}:{number}" for number in numbers]
    kinds = [key.removeprefix(_GROUPS) for key in phrases.texts if key.startswith(_GROUPS)]
    return kept or [about, *(f"{kind}:{about}" for kind in kinds)]


def _day(name: str, typed: str) -> datetime | None:
    if not typed:
        return None
    try:
        return datetime.combine(date.fromisoformat(typed), time(), LOCAL)
    except ValueError:
        raise InvalidInput(name, "audit.error.day") from None


def _row(app: Services, entry: AuditEntry, people: Mapping[str, str]) -> Row:
    kind, _, key = entry.actor.partition(":")
    group, _, verb = entry.action.partition(".")
    say, has = app.phrases.say, app.phrases.has
    words = f"ticket_action.{verb}" if group == TICKET else f"{ACTIONS}{entry.action}"
    who = people.get(key) or (say(f"audit.actor.{kind}") if has(f"audit.actor.{kind}") else "")
    about, _, number = entry.subject.partition(":")
    return Row(
        at=entry.at,
        who=who or entry.actor,
        what=say(words) if has(words) else say("audit.other"),
        subject=people.get(number) or _called(app.phrases, about, number) or entry.subject,
        href=_PLACES.get(about, "").format(number),
        detail=json.dumps(entry.detail, ensure_ascii=False) if entry.detail else "",
    )


def _called(phrases: Phrases, kind: str, number: str) -> str:
    """A thing that people have no number for: what it is, and enough to tell it from others."""
    if not _ID.fullmatch(number) or not phrases.has(_GROUPS + kind):
        return number
    return phrases.say("audit.one_of", kind=phrases.say(_GROUPS + kind), end=number[-6:])


#: What the database calls a thing.
_ID = re.compile("[0-9a-f]{32}")
#: Where the things are that have a page of their own.
_PLACES = {
    TICKET: "/console/tickets/{}",
    "incident": "/console/incidents/{}",
    "staff": "/console/admin/staff/{}",
    "calendar": "/console/admin/calendars/{}",
    "answer": "/workbench/answers/{}",
    "guide": "/workbench/guides/{}",
    "guide_import": "/workbench/guide-imports/{}",
    "gap": "/workbench/gaps/{}",
    "ticket_rule": "/console/admin/ticket-rules/{}",
    "ticket_field": "/console/admin/fields",
    "notification_rule": "/console/admin/rules/{}",
    "notification_channel": "/console/admin/channels/{}",
    "alert_source": "/console/admin/alert-sources/{}",
}

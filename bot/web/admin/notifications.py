"""Pages of notification channels: list with health, make, change, test, switch.

A secret never returns to a page: its field is empty, with a word that one is kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from bot.accounts.service import Principal
from bot.assembly import Services
from bot.notifications.admin import LOOK_ROLES, TestResult
from bot.notifications.errors import NotificationInvalid, SecretsKeyMissing
from bot.notifications.forms import ChannelForm
from bot.notifications.kinds import KINDS, ChannelKind, Entry, Field, Kind
from bot.notifications.starters import starters
from bot.notifications.tables import Notification, NotificationChannel
from bot.web.admin.access import sections
from bot.web.admin.form_rows import FieldRow, as_typed, field_row
from bot.web.admin.forms import Fault, channel_form, fault_of, keyless, texts
from bot.web.navigation import Place, places
from bot.web.page_access import FRESH, PageStaff
from bot.web.security import AppServices

router = APIRouter(include_in_schema=False)

ADDRESS = "/console/admin/channels"
RowId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
Wanted = Annotated[ChannelKind, Query()]


@dataclass(frozen=True, slots=True)
class AdminPage:
    """What every page of the administration shows around its content."""

    staff: Principal
    places: Sequence[Place]
    may_change: bool


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel in the list. ``error_rate`` is per cent, ``None`` without attempts."""

    id: str
    name: str
    kind: str
    state: str
    waiting: int
    last_ok_at: datetime | None
    last_error_at: datetime | None
    last_error: str
    attempts: int
    error_rate: int | None


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule in the list, in words."""

    id: str
    name: str
    enabled: bool
    events: str
    severities: str
    regions: str
    channel: str


@dataclass(frozen=True, slots=True)
class ChannelsPage(AdminPage):
    """Channels, rules and the newest notifications; ``ready`` is whether secrets can be kept.

    ``sections`` are the other pages of the administration, for who may open them.
    """

    sections: Sequence[Place]
    channels: Sequence[ChannelRow]
    rules: Sequence[RuleRow]
    recent: Sequence[Notification]
    names: Mapping[str, str]
    kinds: Sequence[str]
    starters: Sequence[str]
    ready: bool


@dataclass(frozen=True, slots=True)
class ChannelPage(AdminPage):
    """One channel's form; ``id`` is empty for a new one."""

    id: str
    kind: str
    name: str
    state: str
    version: int
    one_each: bool
    fields: Sequence[FieldRow]
    recipient: str
    tested: TestResult | None
    fault: Fault | None
    saved: bool


@router.get(ADDRESS)
async def show(staff: PageStaff, app: AppServices) -> Response:
    """All channels and rules."""
    found = await app.notifications.admin.overview(staff)
    names = {one.channel.id: one.channel.name for one in found.channels}
    shown = ChannelsPage(
        **_around(app, staff),
        sections=sections(app.phrases) if staff.may() else (),
        channels=[
            ChannelRow(
                id=one.channel.id,
                name=one.channel.name,
                kind=one.channel.kind,
                state=one.channel.state,
                waiting=one.waiting,
                last_ok_at=one.channel.last_ok_at,
                last_error_at=one.channel.last_error_at,
                last_error=one.channel.last_error,
                attempts=one.traffic.sent + one.traffic.failed,
                error_rate=None
                if one.traffic.error_rate is None
                else round(one.traffic.error_rate * 100),
            )
            for one in found.channels
        ],
        rules=[
            RuleRow(
                id=rule.id,
                name=rule.name,
                enabled=rule.enabled,
                events=_listed(app, [app.phrases.say(f"notify.event.{e}") for e in rule.events]),
                severities=_listed(app, rule.severities),
                regions=_listed(app, rule.regions),
                channel=names[rule.channel_id],
            )
            for rule in found.rules
        ],
        recent=found.recent,
        names=names,
        kinds=[kind.value for kind in ChannelKind],
        starters=tuple(starters(app.phrases)),
        ready=found.ready,
    )
    return app.pages.page("admin/channels.html", {"page": shown}, headers=FRESH)


def _around(app: Services, staff: Principal) -> dict[str, Any]:
    staff.require(*LOOK_ROLES)
    return {"staff": staff, "places": places(app.phrases, staff), "may_change": staff.may()}


def _listed(app: Services, words: Sequence[str]) -> str:
    return "、".join(words) if words else app.phrases.say("notify.page.all")


@router.get(f"{ADDRESS}/new")
async def new(
    staff: PageStaff, app: AppServices, kind: Annotated[ChannelKind, Query()]
) -> Response:
    """An empty form."""
    return _form(app, staff, kind, ChannelForm("", {}))


@router.post(f"{ADDRESS}/new")
async def add(staff: PageStaff, app: AppServices, request: Request, kind: Wanted) -> Response:
    """Make a channel."""
    form = channel_form(KINDS[kind], await texts(request))
    try:
        channel_id = await app.notifications.admin.add_channel(staff, kind, form)
    except NotificationInvalid as invalid:
        return _form(app, staff, kind, form, fault=fault_of(app.phrases, invalid))
    except SecretsKeyMissing:
        return _form(app, staff, kind, form, fault=keyless(app.phrases))
    return RedirectResponse(f"{ADDRESS}/{channel_id}?saved=1", 303)


@router.get(f"{ADDRESS}/{{channel_id}}")
async def edit(
    channel_id: RowId, staff: PageStaff, app: AppServices, saved: bool = False
) -> Response:
    """The form of a channel."""
    channel = await app.notifications.admin.channel(staff, channel_id)
    return _form(
        app, staff, ChannelKind(channel.kind), _filled(channel), channel=channel, saved=saved
    )


@router.post(f"{ADDRESS}/{{channel_id}}")
async def save(channel_id: RowId, staff: PageStaff, app: AppServices, request: Request) -> Response:
    """Save a channel."""
    admin = app.notifications.admin
    channel = await admin.channel(staff, channel_id)
    kind = ChannelKind(channel.kind)
    form = channel_form(KINDS[kind], await texts(request))
    try:
        await admin.change_channel(staff, channel_id, form)
    except NotificationInvalid as invalid:
        return _form(app, staff, kind, form, channel=channel, fault=fault_of(app.phrases, invalid))
    except SecretsKeyMissing:
        return _form(app, staff, kind, form, channel=channel, fault=keyless(app.phrases))
    return RedirectResponse(f"{ADDRESS}/{channel_id}?saved=1", 303)


@router.post(f"{ADDRESS}/{{channel_id}}/switch")
async def switch(
    channel_id: RowId, staff: PageStaff, app: AppServices, request: Request
) -> Response:
    """Switch a channel on or off."""
    typed = await texts(request)
    await app.notifications.admin.switch(staff, channel_id, on=typed.get("to") == ["on"])
    return RedirectResponse(ADDRESS, 303)


@router.post(f"{ADDRESS}/{{channel_id}}/test")
async def test(channel_id: RowId, staff: PageStaff, app: AppServices, request: Request) -> Response:
    """Send one message and show how it went."""
    admin = app.notifications.admin
    recipient = "".join((await texts(request)).get("recipient", [])[:1])
    fault, tested = None, None
    try:
        tested = await admin.test(staff, channel_id, recipient)
    except NotificationInvalid as invalid:
        fault = fault_of(app.phrases, invalid)
    channel = await admin.channel(staff, channel_id)
    return _form(
        app,
        staff,
        ChannelKind(channel.kind),
        _filled(channel),
        channel=channel,
        fault=fault,
        tested=tested,
        recipient=recipient,
    )


def _filled(channel: NotificationChannel) -> ChannelForm:
    kind = KINDS[ChannelKind(channel.kind)]
    values = {field.name: as_typed(field, channel.config.get(field.name)) for field in kind.fields}
    return ChannelForm(channel.name, values, version=channel.version)


def _form(
    app: Services,
    staff: Principal,
    kind: ChannelKind,
    form: ChannelForm,
    *,
    channel: NotificationChannel | None = None,
    fault: Fault | None = None,
    saved: bool = False,
    tested: TestResult | None = None,
    recipient: str = "",
) -> Response:
    shown = ChannelPage(
        **_around(app, staff),
        id=channel.id if channel is not None else "",
        kind=kind.value,
        name=form.name,
        state=channel.state if channel is not None else "",
        version=form.version,
        one_each=KINDS[kind].one_each,
        fields=_rows(KINDS[kind], form, channel),
        recipient=recipient,
        tested=tested,
        fault=fault,
        saved=saved,
    )
    status = 422 if fault else 200
    return app.pages.page("admin/channel.html", {"page": shown}, status=status, headers=FRESH)


def _rows(kind: Kind, form: ChannelForm, channel: NotificationChannel | None) -> list[FieldRow]:
    known = channel.secrets if channel is not None else {}
    found = []
    for field in kind.fields:
        secret = field.entry is Entry.SECRET
        default = kind.model.model_fields[field.name].get_default(call_default_factory=True)
        value = "" if secret else form.fields.get(field.name, _default(field, default))
        found.append(field_row(field, value, kept=field.name in known))
    return found


def _default(field: Field, value: object) -> str:
    known = isinstance(value, str | int | bool | tuple | list)
    return as_typed(field, value) if known else ""

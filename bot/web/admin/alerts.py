"""Pages of alerts: what goes on, what is mute, who may send; a source's token is shown once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from bot.accounts.service import Principal
from bot.alerts.reading import FieldMap
from bot.alerts.sources import (
    LOOK_ROLES,
    MUTE_ROLES,
    AlertBoard,
    SilenceKind,
    SourceForm,
    SourceKind,
)
from bot.alerts.tables import AlertSource
from bot.assembly import Services
from bot.conversations.greeting import LOCAL
from bot.notifications.errors import NotificationInvalid, SecretsKeyMissing
from bot.web.admin.forms import Fault, fault_of, keyless, texts, told, version
from bot.web.navigation import Place, places
from bot.web.page_access import FRESH, PageStaff
from bot.web.security import AppServices
from store.vocabulary import Severity

router = APIRouter(include_in_schema=False)

ADDRESS = "/console/alerts"
SOURCES = "/console/admin/alert-sources"
RowId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
Wanted = Annotated[SourceKind, Query()]
#: Fields of a source's form that are one line each.
_LINES = ("name", "region", "module", "module_label", "tell_from")
_HEADERS = ("signature_header", "timestamp_header")
_SILENCE = ("kind", "labels", "comment", "starts_at", "ends_at")


@dataclass(frozen=True, slots=True)
class AlertsPage:
    """What monitoring says; ``typed`` is what a refused form held."""

    staff: Principal
    places: Sequence[Place]
    board: AlertBoard
    names: Mapping[str, str]
    kinds: Sequence[str]
    silences: Sequence[str]
    may_mute: bool
    may_change: bool
    typed: Mapping[str, str]
    error: str


@dataclass(frozen=True, slots=True)
class SourcePage:
    """One source's form; ``token`` is there once, right after it was made."""

    staff: Principal
    places: Sequence[Place]
    id: str
    kind: str
    form: SourceForm
    address: str
    paths: Sequence[tuple[str, str]]
    severities: Sequence[str]
    signed: bool
    token: str
    fault: Fault | None


@router.get(ADDRESS)
async def show(staff: PageStaff, app: AppServices) -> Response:
    """What goes on, what is over, what could not be read."""
    return await _board(app, staff, {})


async def _board(
    app: Services, staff: Principal, typed: Mapping[str, str], *, error: str = ""
) -> Response:
    staff.require(*LOOK_ROLES)
    board = await app.alert_desk.board(staff)
    shown = AlertsPage(
        staff=staff,
        places=places(app.phrases, staff),
        board=board,
        names={source.id: source.name for source in board.sources},
        kinds=[kind.value for kind in SourceKind],
        silences=[kind.value for kind in SilenceKind],
        may_mute=staff.may(*MUTE_ROLES),
        may_change=staff.may(),
        typed={name: typed.get(name, "") for name in _SILENCE},
        error=error,
    )
    status = 422 if error else 200
    return app.pages.page("admin/alerts.html", {"page": shown}, status=status, headers=FRESH)


@router.post(f"{ADDRESS}/silences")
async def mute(staff: PageStaff, app: AppServices, request: Request) -> Response:
    """Mute alerts for a time."""
    staff.require(*MUTE_ROLES)
    typed = {name: values[0] for name, values in (await texts(request)).items()}
    try:
        await app.alert_desk.mute(
            staff,
            _kind(typed.get("kind", "")),
            labels=typed.get("labels", ""),
            comment=typed.get("comment", ""),
            starts_at=_instant(typed.get("starts_at", ""), "starts_at", app.clock()),
            ends_at=_instant(typed.get("ends_at", ""), "ends_at"),
        )
    except NotificationInvalid as invalid:
        return await _board(app, staff, typed, error=told(app.phrases, invalid))
    return RedirectResponse(ADDRESS, 303)


def _kind(text: str) -> SilenceKind:
    try:
        return SilenceKind(text)
    except ValueError:
        raise NotificationInvalid("kind", "value") from None


def _instant(text: str, field: str, default: datetime | None = None) -> datetime:
    """A moment typed in the region's time."""
    if not text and default is not None:
        return default
    try:
        return datetime.fromisoformat(text).replace(tzinfo=LOCAL)
    except ValueError:
        raise NotificationInvalid(field, "span") from None


@router.post(f"{ADDRESS}/silences/{{silence_id}}/end")
async def unmute(silence_id: RowId, staff: PageStaff, app: AppServices) -> Response:
    """End a silence now."""
    await app.alert_desk.unmute(staff, silence_id)
    return RedirectResponse(ADDRESS, 303)


@router.get(f"{SOURCES}/new")
async def new(staff: PageStaff, app: AppServices, kind: Wanted) -> Response:
    """An empty form."""
    return _form(app, staff, kind, SourceForm())


@router.post(f"{SOURCES}/new")
async def add(staff: PageStaff, app: AppServices, request: Request, kind: Wanted) -> Response:
    """Make a source and show its token."""
    form = source_form(await texts(request))
    try:
        source_id, token = await app.alert_desk.add_source(staff, kind, form)
    except NotificationInvalid as invalid:
        return _form(app, staff, kind, form, fault=fault_of(app.phrases, invalid))
    except SecretsKeyMissing:
        return _form(app, staff, kind, form, fault=keyless(app.phrases))
    source = await app.alert_desk.source(staff, source_id)
    return _form(app, staff, kind, SourceForm.of(source), source=source, token=token)


@router.get(f"{SOURCES}/{{source_id}}")
async def edit(source_id: RowId, staff: PageStaff, app: AppServices) -> Response:
    """The form of a source."""
    source = await app.alert_desk.source(staff, source_id)
    return _form(app, staff, SourceKind(source.kind), SourceForm.of(source), source=source)


@router.post(f"{SOURCES}/{{source_id}}")
async def save(source_id: RowId, staff: PageStaff, app: AppServices, request: Request) -> Response:
    """Save a source."""
    form = source_form(await texts(request))
    try:
        await app.alert_desk.change_source(staff, source_id, form)
    except NotificationInvalid as invalid:
        source = await app.alert_desk.source(staff, source_id)
        fault = fault_of(app.phrases, invalid)
        return _form(app, staff, SourceKind(source.kind), form, source=source, fault=fault)
    except SecretsKeyMissing:
        source = await app.alert_desk.source(staff, source_id)
        fault = keyless(app.phrases)
        return _form(app, staff, SourceKind(source.kind), form, source=source, fault=fault)
    return RedirectResponse(ADDRESS, 303)


@router.post(f"{SOURCES}/{{source_id}}/token")
async def replace(source_id: RowId, staff: PageStaff, app: AppServices) -> Response:
    """Replace the token and show the new one."""
    token = await app.alert_desk.replace_token(staff, source_id)
    source = await app.alert_desk.source(staff, source_id)
    form = SourceForm.of(source)
    return _form(app, staff, SourceKind(source.kind), form, source=source, token=token)


def source_form(typed: Mapping[str, Sequence[str]]) -> SourceForm:
    """The form of a source."""
    one = {name: values[0] for name, values in typed.items()}
    lines = {name: one.get(name, "") for name in (*_LINES, *_HEADERS)}
    return SourceForm(
        enabled=bool(one.get("enabled")),
        modules=one.get("modules", ""),
        hmac_secret=one.get("hmac_secret", ""),
        forget_hmac=bool(one.get("forget_hmac_secret")),
        paths={
            part.name: one[f"path_{part.name}"]
            for part in fields(FieldMap)
            if f"path_{part.name}" in one
        },
        version=version({name: list(values) for name, values in typed.items()}),
        **lines,
    )


def _form(
    app: Services,
    staff: Principal,
    kind: SourceKind,
    form: SourceForm,
    *,
    source: AlertSource | None = None,
    token: str = "",
    fault: Fault | None = None,
) -> Response:
    staff.require()
    base = app.settings.notify.public_url.rstrip("/")
    default = FieldMap()
    shown = SourcePage(
        staff=staff,
        places=places(app.phrases, staff),
        id=source.id if source is not None else "",
        kind=kind.value,
        form=form,
        address=f"{base}/hooks/alerts/{source.id}" if source is not None else "",
        paths=[
            (part.name, form.paths.get(part.name, getattr(default, part.name)))
            for part in fields(FieldMap)
        ]
        if kind is SourceKind.GENERIC
        else [],
        severities=[one.value for one in Severity],
        signed=source is not None and "hmac_secret" in source.secrets,
        token=token,
        fault=fault,
    )
    status = 422 if fault else 200
    return app.pages.page("admin/alert_source.html", {"page": shown}, status=status, headers=FRESH)

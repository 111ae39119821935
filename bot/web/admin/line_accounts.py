"""The administrator's pages of channels' accounts: set up, change secrets, try, take back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from bot.accounts.service import Principal
from bot.assembly import Services
from bot.channels.accounts import Shown
from bot.channels.kinds import WIDGET
from bot.channels.links import LinkHealth, Links, LinkState
from bot.notifications.admin import TestResult
from bot.notifications.errors import NotificationInvalid, SecretsKeyMissing
from bot.notifications.forms import ChannelForm
from bot.web.admin.access import Framed, frame
from bot.web.admin.form_rows import FieldRow, as_typed, field_row
from bot.web.admin.forms import Fault, channel_form, fault_of, keyless, texts
from bot.web.page_access import FRESH, PageStaff
from bot.web.security import AppServices
from connectors.wecom_bot import NAME as BOT

router = APIRouter(include_in_schema=False)

LINES = "/console/admin/lines"
#: Where platforms post callbacks.
CALLBACKS: Mapping[str, str] = {
    "wecom": "/channels/wecom/callback",
    "wecom_bot": "/channels/wecom-bot/callback",
    "telegram": "/channels/telegram/webhook",
}
TESTED = ("wecom", "telegram")
#: A long connection in these states waits for somebody.
_STOPPED = (LinkState.TAKEN_OVER, LinkState.REFUSED)
Channel = Annotated[str, Path(pattern=r"^(?:[a-z][a-z_]{0,39}|widget:[A-Za-z0-9_-]{1,40})$")]


@dataclass(frozen=True, slots=True)
class LinePage(Framed):
    """One account's form."""

    title: str
    kind: str
    address: str
    callback: str
    version: int
    fields: Sequence[FieldRow]
    updated_by: str
    updated_at: datetime | None
    former_until: datetime | None
    may_test: bool
    #: The bot's long connection: how it does, where it goes, and whether it waits for a hand.
    link: LinkHealth | None
    link_address: str
    may_reconnect: bool
    tested: TestResult | None
    fault: Fault | None
    saved: bool
    may_change: bool = True


@router.get(f"{LINES}/widget")
async def new_widget(
    staff: PageStaff, key: Annotated[str, Query(pattern="^[A-Za-z0-9_-]{1,40}$")]
) -> Response:
    """The form of a widget key, new or known."""
    staff.require()
    return RedirectResponse(f"{LINES}/{WIDGET}{key}/account", 303)


@router.get(f"{LINES}/{{channel}}/account")
async def show(
    channel: Channel, staff: PageStaff, app: AppServices, saved: bool = False
) -> Response:
    """The form of an account."""
    found = await app.channel_accounts.show(staff, channel)
    return await _page(app, staff, found, saved=saved)


@router.post(f"{LINES}/{{channel}}/account")
async def save(channel: Channel, staff: PageStaff, app: AppServices, request: Request) -> Response:
    """Keep an account and use it."""
    found = await app.channel_accounts.show(staff, channel)
    given = await texts(request)
    form = channel_form(found.kind, given)
    try:
        await app.channel_accounts.save(staff, channel, form, cut_off=bool(given.get("cut_off")))
    except NotificationInvalid as invalid:
        return await _page(
            app, staff, found, form=form, fault=fault_of(app.phrases, invalid, "lines")
        )
    except SecretsKeyMissing:
        return await _page(app, staff, found, form=form, fault=keyless(app.phrases))
    return RedirectResponse(f"{LINES}/{channel}/account?saved=1", 303)


@router.post(f"{LINES}/{{channel}}/account/test")
async def test(channel: Channel, staff: PageStaff, app: AppServices) -> Response:
    """Ask the platform whether it takes the credentials."""
    tested = await app.channel_accounts.test(staff, channel)
    found = await app.channel_accounts.show(staff, channel)
    return await _page(app, staff, found, tested=tested)


@router.post(f"{LINES}/{BOT}/account/reconnect")
async def reconnect(staff: PageStaff, app: AppServices) -> Response:
    """Take the bot's long connection back from whoever has it, or try a refused account now."""
    links = Links(app.database, app.clock)
    await links.take_back(staff, app.channels.settings.wecom_bot)
    return RedirectResponse(f"{LINES}/{BOT}/account", 303)


@router.post(f"{LINES}/{{channel}}/account/take-back")
async def take_back(channel: Channel, staff: PageStaff, app: AppServices) -> Response:
    """Forget what the page keeps."""
    await app.channel_accounts.take_back(staff, channel)
    return RedirectResponse(LINES, 303)


async def _page(
    app: Services,
    staff: Principal,
    found: Shown,
    *,
    form: ChannelForm | None = None,
    tested: TestResult | None = None,
    fault: Fault | None = None,
    saved: bool = False,
) -> Response:
    kind = "widget" if found.channel.startswith(WIDGET) else found.channel
    key = found.channel.removeprefix(WIDGET)
    say = app.phrases.say
    title = (
        say("lines.widget", name=key) if kind == "widget" else say(f"console.code.channel.{kind}")
    )
    bot = app.channels.settings.wecom_bot
    keeps = found.channel == BOT and bot.keeps_socket
    link = await Links(app.database, app.clock).health(bot) if keeps else None
    rows = [
        field_row(
            field,
            form.fields.get(field.name, "")
            if form is not None
            else as_typed(field, found.values.get(field.name)),
            kept=field.name in found.kept,
        )
        for field in found.kind.fields
    ]
    page = LinePage(
        frame(app, staff, "lines"),
        title=title,
        kind=kind,
        address=f"{LINES}/{found.channel}/account",
        callback="" if keeps else CALLBACKS.get(found.channel, ""),
        version=found.version,
        fields=rows,
        updated_by=found.updated_by,
        updated_at=found.updated_at,
        former_until=found.former_until,
        may_test=found.channel in TESTED or keeps,
        link=link,
        link_address=app.channels.settings.wecom_bot.socket_url if keeps else "",
        may_reconnect=link is not None and link.state in _STOPPED,
        tested=tested,
        fault=fault,
        saved=saved,
    )
    status = 422 if fault else 200
    return app.pages.page("admin/line.html", {"page": page}, status=status, headers=FRESH)

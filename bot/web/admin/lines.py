"""The administrator's page of the channels of conversations: how they do, and their switch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import RedirectResponse, Response

from bot.assembly import Services
from bot.channels.desk import ChannelDesk, ChannelHealth
from bot.channels.h5_login import WIDGET as OWN_PAGE
from bot.channels.kinds import LINES as ACCOUNTS
from bot.channels.links import LinkHealth, Links
from bot.channels.widgets import WidgetHealth
from bot.web.admin.access import Framed, frame
from bot.web.page_access import FRESH, PageStaff
from bot.web.security import AppServices
from connectors.wecom_bot import NAME as BOT

router = APIRouter(include_in_schema=False)

ADDRESS = "/console/admin/lines"
ChannelName = Annotated[str, Path(pattern="^[a-z][a-z0-9_]{0,39}$")]


@dataclass(frozen=True, slots=True)
class LinesPage(Framed):
    """Every channel that is sent to."""

    lines: Sequence[ChannelHealth]
    #: Host pages, the first one standing for all that have no key.
    widgets: Sequence[WidgetHealth]
    #: The key of the page that the platform of members opens.
    own_page: str
    #: Channels with an account, and whether secrets can be kept.
    accounts: Sequence[str]
    ready: bool
    #: How the bot's long connection does, by channel.
    links: Mapping[str, LinkHealth]


def _desk(app: Services) -> ChannelDesk:
    return ChannelDesk(app.database, app.channels.by_name, app.clock, app.relay.wake)


@router.get(ADDRESS)
async def lines(staff: PageStaff, app: AppServices) -> Response:
    """How the channels do."""
    outer = frame(app, staff, "lines")
    page = LinesPage(
        outer,
        await _desk(app).health(staff),
        widgets=await app.widgets.health(staff),
        own_page=OWN_PAGE,
        accounts=tuple(ACCOUNTS),
        ready=app.channel_accounts.vault.ready,
        links=await _links(app),
    )
    return app.pages.page("admin/lines.html", {"page": page}, headers=FRESH)


async def _links(app: Services) -> Mapping[str, LinkHealth]:
    bot = app.channels.settings.wecom_bot
    found = await Links(app.database, app.clock).health(bot) if bot.keeps_socket else None
    return {BOT: found} if found is not None else {}


@router.post(f"{ADDRESS}/{{channel}}/pause")
async def pause(channel: ChannelName, staff: PageStaff, app: AppServices) -> Response:
    """Stop sending; what is said waits."""
    await _desk(app).set_paused(staff, channel, paused=True)
    return RedirectResponse(ADDRESS, 303)


@router.post(f"{ADDRESS}/{{channel}}/resume")
async def resume(channel: ChannelName, staff: PageStaff, app: AppServices) -> Response:
    """Send again, beginning with what waits."""
    await _desk(app).set_paused(staff, channel, paused=False)
    return RedirectResponse(ADDRESS, 303)

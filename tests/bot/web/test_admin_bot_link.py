"""The page of a bot's long connection: set up, watched, taken back; secrets never shown."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.channels.links import Links, LinkState
from bot.clock import utc_now
from bot.secrets_at_rest import SecretsSettings
from bot.tables import Role
from connectors.fake_wecom.bot_sockets import FakeBotSocket
from connectors.settings import BotMode
from tests.bot.notification_builders import KEY
from tests.bot.web.plain_browser import Browser, add, open_browser, shown
from tests.connectors.bot_platform import SECRET, a_bot_platform, socket_settings
from tests.product import Product, copy_workspace, make_settings, serving
from tests.waiting import PATIENCE_S, until

LINES = "/console/admin/lines"
ACCOUNT = f"{LINES}/wecom_bot/account"


@dataclass
class World:
    product: Product
    platform: FakeBotSocket
    root: Browser

    async def is_in(self, state: LinkState) -> bool:
        links = Links(self.product.services.database, utc_now)
        found = await links.health(self.product.services.channels.settings.wecom_bot)
        return found is not None and found.state is state


@pytest.fixture
async def world(prepared_workspace: Path, tmp_path: Path) -> AsyncIterator[World]:
    copy_workspace(prepared_workspace, tmp_path / "home")
    async with a_bot_platform() as platform:
        # The environment says where; the page says who.
        bot = socket_settings(platform).model_copy(
            update={"enabled": False, "bot_id": "", "secret": "", "mode": BotMode.WEBHOOK}
        )
        update = {"wecom_bot": bot, "secrets": SecretsSettings(keys=SecretStr(KEY))}
        settings = make_settings(tmp_path / "home").model_copy(update=update)
        async with serving(settings) as product:
            await add(product, "root", Role.ADMIN)
            root = open_browser(product)
            await root.log_in("root")
            yield World(product, platform, root)
            await root.client.aclose()


async def test_it_is_set_up_watched_and_taken_back_at_its_page(world: World) -> None:
    form = {"enabled": "1", "mode": "socket", "bot_id": "AIBOT1", "version": "0"}
    incomplete = await world.root.post(ACCOUNT, **form)
    assert incomplete.status_code == 422
    assert (await world.root.post(ACCOUNT, **form, secret=SECRET)).status_code == 303
    await until(lambda: world.is_in(LinkState.CONNECTED))
    page = await world.root.get(ACCOUNT)
    text = shown(page)
    assert "已连接" in text
    assert world.platform.bot.base_url.removeprefix("http") in text
    assert SECRET not in page.text
    assert "/channels/wecom-bot/callback" not in text
    assert 'data-link="connected"' in (await world.root.get(LINES)).text
    assert "平台接受这个账号" in (await world.root.post(f"{ACCOUNT}/test")).text
    await world.platform.kick()
    await until(lambda: world.is_in(LinkState.TAKEN_OVER))
    assert "连接被别处接管" in shown(await world.root.get(ACCOUNT))
    assert "平台接受这个账号" not in (await world.root.post(f"{ACCOUNT}/test")).text
    assert (await world.root.post(f"{ACCOUNT}/reconnect")).status_code == 303
    await world.platform.connected(PATIENCE_S)
    trail = shown(await world.root.get("/console/admin/audit"))
    assert "重新接管机器人长连接" in trail
    # Switched to callbacks, with keys of their own: the connection ends, and nothing is refused.
    keys = {"token": "TokenOfTheTest", "encoding_aes_key": "a" * 43}
    back = {"enabled": "1", "mode": "webhook", "bot_id": "AIBOT1", "version": "1", **keys}
    assert (await world.root.post(ACCOUNT, **back)).status_code == 303
    await until(lambda: _gone(world.platform))
    page = await world.root.get(ACCOUNT)
    assert "/channels/wecom-bot/callback" in page.text
    assert (await world.root.post(f"{ACCOUNT}/reconnect")).status_code == 422


async def _gone(platform: FakeBotSocket) -> bool:
    return not platform.is_live

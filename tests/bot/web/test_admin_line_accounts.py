"""Channels set up at their pages: used at once, secrets never shown, changed without a loss."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from pydantic import SecretStr

from bot.channels import repository as rows
from bot.channels.tables import ChannelAccount
from bot.clock import utc_now
from bot.notifications.errors import SecretsKeyMissing
from bot.notifications.rotation import reseal
from bot.secrets_at_rest import SecretsSettings, new_key
from bot.tables import Role
from connectors.base import InboundMessage
from connectors.memory import MemoryChannel
from connectors.wecom_crypto import CallbackKeys
from store import audit, outbox
from tests.bot.notification_builders import KEY
from tests.bot.web.plain_browser import HOSTILE, Browser, add, open_browser, shown
from tests.bot.wecom_platform import CORP, SETTINGS, Platform
from tests.connectors.fake_telegram import fake_telegram
from tests.product import Product, copy_workspace, make_settings, serving

LINES = "/console/admin/lines"
AES = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
FIRST = {
    "enabled": "1",
    "corp_id": CORP,
    "agent_id": "1000002",
    "secret": "app-secret-of-the-page",
    "token": "TokenOfThePage",
    "encoding_aes_key": AES,
}
NEW_TOKEN = "AnotherTokenOfThePage"


@dataclass
class World:
    product: Product
    root: Browser
    channel: MemoryChannel

    async def save(self, channel: str = "wecom", **fields: str) -> str:
        at = f"{LINES}/{channel}/account"
        page = await self.root.get(at)
        version = re.findall(r'name="version" value="(\d+)"', page.text)[0]
        answer = await self.root.post(at, **{"version": version, **fields})
        if answer.status_code == 303:
            answer = await self.root.get(answer.headers["location"])
        return answer.text

    async def account(self, channel: str = "wecom") -> ChannelAccount:
        async with self.product.services.database.reading() as session:
            row = await rows.account(session, channel)
        assert row is not None
        return row

    def platform(self, token: str) -> Platform:
        keys = CallbackKeys.of(token=token, encoding_aes_key=AES, receive_id=CORP)
        return Platform(self.product.client, keys)

    async def is_taken(self, token: str) -> bool:
        answer = await self.platform(token).say("你好")
        assert answer.status_code in (200, 403)
        return answer.status_code == 200


@pytest.fixture
async def world(prepared_workspace: Path, tmp_path: Path) -> AsyncIterator[World]:
    home = tmp_path / "home"
    copy_workspace(prepared_workspace, home)
    secrets = SecretsSettings(keys=SecretStr(KEY))
    settings = make_settings(home).model_copy(update={"secrets": secrets})
    channel = MemoryChannel("wecom")
    async with serving(settings, channels={"wecom": channel}) as product:
        await add(product, "root", Role.ADMIN)
        root = open_browser(product)
        await root.log_in("root")
        yield World(product, root, channel)
        await root.client.aclose()


async def test_a_channel_is_set_up_at_its_page_and_used_at_once(world: World) -> None:
    assert not await world.is_taken(FIRST["token"])
    with structlog.testing.capture_logs() as logs:
        assert "已保存" in await world.save(**FIRST)
        assert await world.is_taken(FIRST["token"])
    page = await world.root.get(f"{LINES}/wecom/account")
    row = await world.account()
    trail = await _trail(world)
    kept = json.dumps([row.config, row.secrets, row.former, logs, trail], default=str)
    for secret in (FIRST["secret"], FIRST["token"], AES):
        assert secret not in page.text
        assert secret not in kept
    assert "已保存，留空表示不变" in page.text
    assert page.headers["cache-control"] == "no-store"


async def _trail(world: World) -> list[dict[str, object]]:
    async with world.product.services.database.reading() as session:
        return [one.detail for one in await audit.entries_of(session, "channel:wecom")]


async def test_a_changed_secret_loses_no_callback_and_a_cut_one_is_void(world: World) -> None:
    await world.save(**FIRST)
    rest = {name: FIRST[name] for name in ("enabled", "corp_id", "agent_id")}
    text = await world.save(**rest, token=NEW_TOKEN)
    assert "更换前的密钥还认到" in text
    assert await world.is_taken(NEW_TOKEN)
    assert await world.is_taken(FIRST["token"])
    assert not await world.is_taken("NobodysToken")
    # What was typed elsewhere stayed; the other secrets too.
    row = await world.account()
    assert set(row.secrets) == {"secret", "token", "encoding_aes_key"}
    await world.save(**rest, cut_off="1")
    assert not await world.is_taken(FIRST["token"])
    assert await world.is_taken(NEW_TOKEN)
    assert (await _trail(world))[1]["secrets"] == ["token"]


async def test_the_former_secret_ends_by_itself(world: World) -> None:
    await world.save(**FIRST)
    await world.save(**{**FIRST, "token": NEW_TOKEN})
    async with world.product.services.database.transaction() as session:
        row = await rows.account(session, "wecom", lock=True)
        assert row is not None
        row.former_until = utc_now() - timedelta(seconds=1)
        row.version += 1  # as another process would write it
    await world.product.services.channels.refresh()
    assert not await world.is_taken(FIRST["token"])
    assert await world.is_taken(NEW_TOKEN)


async def test_a_switched_off_channel_keeps_what_waits(
    prepared_workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.deliveries._OFF_S", 0.1)
    copy_workspace(prepared_workspace, tmp_path / "home")
    async with fake_telegram() as fake:
        update = {"telegram": fake.settings(), "secrets": SecretsSettings(keys=SecretStr(KEY))}
        settings = make_settings(tmp_path / "home").model_copy(update=update)
        async with serving(settings) as product:
            await add(product, "root", Role.ADMIN)
            root = open_browser(product)
            await root.log_in("root")
            world = World(product, root, MemoryChannel("unused"))
            await world.save("telegram")  # off; the environment's secrets stay
            await product.services.channel_intake.greet(InboundMessage("telegram", "1", "", "42"))
            await asyncio.sleep(0.5)
            async with product.services.database.reading() as session:
                assert await outbox.counts(session) == {"pending": 1}
            assert fake.texts("42") == []
            await world.save("telegram", enabled="1")
            for _ in range(400):
                if fake.texts("42"):
                    break
                await asyncio.sleep(0.05)
            assert len(fake.texts("42")) == 1
            await root.client.aclose()


async def test_bad_forms_are_refused_in_words_and_change_nothing(world: World) -> None:
    for changed, told in (
        ({"corp_id": ""}, "企业 ID（corpid）：必须填写"),
        ({"agent_id": "x"}, "应用编号"),
        ({"token": "-"}, "Token"),
        ({"encoding_aes_key": "short"}, "EncodingAESKey：内容不合要求"),
        ({"corp_id": HOSTILE * 9}, "企业 ID"),
    ):
        text = await world.save(**{**FIRST, **changed})
        assert told in text.split('role="alert"', 1)[1][:200]
        assert HOSTILE not in text
    async with world.product.services.database.reading() as session:
        assert await rows.account(session, "wecom") is None
    stale = await world.root.post(f"{LINES}/wecom/account", version="7", **FIRST)
    assert stale.status_code == 409
    for name in ("nothing", "widget:a b", "web"):
        assert (await world.root.get(f"{LINES}/{name}/account")).status_code in (404, 422)


async def test_only_administrators_and_only_own_forms(world: World) -> None:
    browser = open_browser(world.product)
    await browser.log_in("chen")
    for path in ("wecom/account", "widget:a/account"):
        assert (await browser.get(f"{LINES}/{path}")).status_code == 403
    assert (await browser.post(f"{LINES}/wecom/account", **FIRST)).status_code == 403
    forged = Browser(world.root.client, csrf="forged")
    assert (await forged.post(f"{LINES}/wecom/account", **FIRST)).status_code == 403
    await browser.client.aclose()


async def test_the_environment_holds_again_when_a_page_takes_its_word_back(world: World) -> None:
    await world.save(**FIRST)
    assert await world.is_taken(FIRST["token"])
    answer = await world.root.post(f"{LINES}/wecom/account/take-back")
    assert answer.status_code == 303
    assert not await world.is_taken(FIRST["token"])


async def test_a_widget_key_is_made_and_its_secret_changed(world: World) -> None:
    origin = "https://portal.example.gov.cn"
    first, second = "f" * 40, "s" * 40
    text = await world.save(
        "widget:portal", enabled="1", origins=f"{origin}/", identity_secret=first
    )
    assert "已保存" in text
    channels = world.product.services.channels
    assert channels.settings.web.widget_origins == {"portal": [origin]}
    assert dict(channels.proofs) == {"portal": first}
    frame = await world.product.client.get("/widget", params={"key": "portal"})
    assert origin in frame.headers.get("content-security-policy", "")
    await world.save("widget:portal", enabled="1", origins=origin, identity_secret=second)
    assert dict(channels.proofs) == {"portal": second}
    assert dict(channels.former_proofs) == {"portal": first}
    assert "portal" in shown(await world.root.get(LINES))
    weak = await world.save("widget:portal", enabled="1", identity_secret="short")
    assert "身份签名密钥" in weak.split('role="alert"', 1)[1][:200]
    bad = await world.save("widget:portal", enabled="1", origins="javascript:alert(1)")
    assert 'role="alert"' in bad
    await world.save("widget:portal", origins=origin)  # switched off
    assert dict(channels.proofs) == {}


async def test_keys_are_changed_for_accounts_too(world: World) -> None:
    await world.save(**FIRST)
    await world.save(**{**FIRST, "token": NEW_TOKEN})
    fresh = new_key()
    both = SecretsSettings(keys=SecretStr(f"{fresh},{KEY}")).vault()
    done = await reseal(world.product.services.database, both, now=utc_now())
    assert (done.changed, done.unreadable) == (6, 0)
    row = await world.account()
    only = SecretsSettings(keys=SecretStr(fresh)).vault()
    assert only.open(row.secrets["token"], "channel_account:wecom:token") == NEW_TOKEN
    only_old = SecretsSettings(keys=SecretStr(KEY)).vault()
    with pytest.raises(SecretsKeyMissing):
        only_old.open(row.secrets["token"], "channel_account:wecom:token")


async def test_an_account_that_cannot_be_opened_leaves_what_was_there(world: World) -> None:
    await world.save(**FIRST)
    async with world.product.services.database.transaction() as session:
        row = await rows.account(session, "wecom", lock=True)
        assert row is not None
        row.secrets, row.version = {"token": "v1.00000000.AAAA"}, row.version + 1
    with structlog.testing.capture_logs() as logs:
        await world.product.services.channels.refresh()
    assert "channel_account_unusable" in [one["event"] for one in logs]
    assert await world.is_taken(FIRST["token"])


async def test_the_test_asks_the_platform(prepared_workspace: Path, tmp_path: Path) -> None:
    copy_workspace(prepared_workspace, tmp_path / "home")
    async with fake_telegram() as fake:
        update = {"telegram": fake.settings(), "wecom": SETTINGS}
        settings = make_settings(tmp_path / "home").model_copy(update=update)
        async with serving(settings) as product:
            await add(product, "root", Role.ADMIN)
            root = open_browser(product)
            await root.log_in("root")
            await root.get(f"{LINES}/telegram/account")
            taken = await root.post(f"{LINES}/telegram/account/test")
            assert "平台接受这个账号" in shown(taken)
            nowhere = await root.post(f"{LINES}/wecom/account/test")
            assert "没有连上" in shown(nowhere)
            assert SETTINGS.secret not in nowhere.text
            await root.client.aclose()

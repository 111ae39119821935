"""An administrator at the pages of channels, with every platform listening on this machine."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, async_playwright, expect
from pydantic import SecretStr

from bot.clock import utc_now
from bot.notifications.planning import PREFIX
from bot.secrets_at_rest import SecretsSettings
from bot.tables import Role
from connectors.fake_wecom.app import create_app
from connectors.fake_wecom.platform import FakeWecom
from connectors.settings import WecomSettings
from connectors.wecom_crypto import CallbackKeys
from store import outbox
from tests.bot.notification_builders import KEY
from tests.bot.notification_builders import SETTINGS as NOTIFY
from tests.bot.web.plain_browser import add
from tests.bot.wecom_platform import CORP, Platform, fake_settings
from tests.browser.axe import faults
from tests.browser.test_two_people import person
from tests.browser.widget_harness.chromium import ARGUMENTS, executable
from tests.connectors.fake_telegram import SECRET, TOKEN, FakeTelegram, fake_telegram
from tests.connectors.notify_peers import HttpPeer, http_peer
from tests.listening import listening
from tests.product import PASSWORD, Product, copy_workspace, make_settings, serving
from tests.waiting import until

LINES = "/console/admin/lines"
OVERFLOW = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
ROTATED = "another-secret-of-the-webhook"
PROOF = "the-secret-that-a-host-page-signs-with-1"
AES = "ZYXWVUTSRQPONMLKJIHGFEDCBA9876543210zyxwvut"
FIRST_TOKEN, SECOND_TOKEN = "FirstTokenOfThePage", "SecondTokenOfThePage"
ROBOT_KEY, OTHER_KEY = "first-key-of-the-group", "other-key-of-the-group"
BOT_CALLBACK = "/channels/wecom-bot/callback"
SECRET_LABELS = {"secret": "密钥（secret）", "token": "Token", "key": "EncodingAESKey"}
#: Everything that is typed below and must never come back to a browser.
TYPED = (
    *(TOKEN, SECRET, ROTATED, PROOF, AES, FIRST_TOKEN, SECOND_TOKEN, ROBOT_KEY, OTHER_KEY),
    fake_settings().secret,
)


@dataclass
class Desk:
    """The product, the platforms around it, and what an administrator has on the screen."""

    product: Product
    telegram: FakeTelegram
    wecom: FakeWecom
    peer: HttpPeer
    page: Page
    #: What the browser complains about, beside forms that are refused.
    complaints: list[str] = field(default_factory=list)

    async def open(self, channel: str) -> Page:
        await self.page.goto(f"{LINES}/{channel}/account")
        return self.page

    async def save(self, page: Page) -> None:
        await page.get_by_role("button", name="保存", exact=True).click()
        await expect(page.locator(".alert-done")).to_contain_text("已保存")

    async def fill_secrets(self, **secrets: str) -> None:
        for name, secret in secrets.items():
            await self.page.get_by_label(SECRET_LABELS[name], exact=True).fill(secret)

    async def asks(self, member: str, token: str) -> None:
        answer = await self.member(token).say("公务卡怎么还款", user=member)
        assert answer.status_code == 200
        await self.product.settle()

    async def is_refused_beside(self, label: str, typed: str) -> None:
        """The form comes back with the fault beside the field, and with what was typed."""
        given = self.page.get_by_label(label, exact=True)
        await given.fill(typed)
        await self.page.get_by_role("button", name="保存", exact=True).click()
        await expect(given).to_have_attribute("aria-invalid", "true")
        await expect(given).to_be_focused()
        await expect(self.page.locator("[aria-invalid]")).to_have_count(1)
        described = await given.get_attribute("aria-describedby")
        await expect(self.page.locator(f"#{described}")).to_be_visible()
        await expect(self.page.get_by_role("alert")).to_contain_text(label)
        secret = await given.get_attribute("type") == "password"
        await expect(given).to_have_value("" if secret else typed)
        await self.tells_no_secret()

    async def tells_no_secret(self) -> None:
        """Neither in the page's source nor in a field."""
        values = await self.page.eval_on_selector_all("input", "all => all.map(one => one.value)")
        text = await self.page.content()
        assert not [one for one in TYPED if one in text or one in values]

    async def looks_well(self) -> None:
        """On a desk and on a telephone: nothing sticks out, no fault, no secret in it."""
        await self.tells_no_secret()
        for size in (PHONE, DESK):
            await self.page.set_viewport_size(size)  # type: ignore[arg-type]  # it has both
            assert not await self.page.evaluate(OVERFLOW), self.page.url
            assert await faults(self.page) == []

    async def waiting(self, count: int) -> None:
        """Until so much waits to be sent."""

        async def so_much() -> bool:
            async with self.product.services.database.reading() as session:
                return (await outbox.counts(session)).get("pending", 0) == count

        await until(so_much)

    async def has_news(self) -> bool:
        """Whether a notification waits to be sent."""
        async with self.product.services.database.reading() as session:
            return bool(await outbox.waiting(session, PREFIX))

    async def taken(self, secret: str) -> bool:
        """Whether Telegram's callback is believed."""
        answer = await self.product.client.post(
            "/channels/telegram/webhook",
            json={"update_id": 1},
            headers={"X-Telegram-Bot-Api-Secret-Token": secret},
        )
        assert answer.status_code in (200, 403, 404)
        return answer.status_code == 200

    def member(self, token: str) -> Platform:
        """The platform's side, with what it was told."""
        keys = CallbackKeys.of(token=token, encoding_aes_key=AES, receive_id=CORP)
        return Platform(self.product.client, keys)


async def is_kept(field: Locator) -> None:
    """A secret that is written down and never read back."""
    await expect(field).to_have_value("")
    await expect(field).to_have_attribute("type", "password")
    await expect(field).to_have_attribute("placeholder", "已保存，留空表示不变")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(
    prepared_workspace: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Desk]:
    """One product for all; each test has a channel of its own."""
    home = tmp_path_factory.mktemp("lines") / "home"
    copy_workspace(prepared_workspace, home)
    wecom = FakeWecom(fake_settings(), utc_now)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.deliveries._OFF_S", 0.1)
        patch.setattr("bot.channels.desk.LOOK_S", 0.1)
        async with (
            fake_telegram() as telegram,
            listening(create_app(wecom)) as port,
            http_peer() as peer,
            async_playwright() as playwright,
        ):
            update = {
                "telegram": telegram.settings(enabled=False, token="", webhook_secret=""),
                "wecom": WecomSettings(base_url=f"http://127.0.0.1:{port}"),
                "secrets": SecretsSettings(keys=SecretStr(KEY)),
                "notify": NOTIFY,
            }
            settings = make_settings(home).model_copy(update=update)
            async with serving(settings) as product:
                await add(product, "root", Role.ADMIN)
                opened = await playwright.chromium.launch(
                    executable_path=executable(), args=ARGUMENTS
                )
                page = await (await person(opened, product)).new_page()
                made = Desk(product, telegram, wecom, peer, page)
                page.on("pageerror", lambda error: made.complaints.append(str(error)))
                page.on(
                    "console",
                    lambda m: made.complaints.append(m.text) if m.type == "error" else None,
                )
                await page.goto(LINES)
                await page.get_by_label("用户名").fill("root")
                await page.get_by_label("密码").fill(PASSWORD)
                await page.get_by_role("button", name="登录").click()
                await expect(page.get_by_role("heading", name="渠道账号")).to_be_visible()
                yield made
                await opened.close()


@pytest_asyncio.fixture(loop_scope="module")
async def desk(running: Desk) -> AsyncIterator[Desk]:
    """The desk, with nothing to complain about but forms that were refused."""
    running.complaints.clear()
    yield running
    assert [one for one in running.complaints if "422" not in one] == []

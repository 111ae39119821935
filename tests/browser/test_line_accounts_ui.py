"""The pages of channels' accounts in a real browser: create, test, rotate, switch off."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect
from pydantic import SecretStr

from bot.secrets_at_rest import SecretsSettings
from bot.tables import Role
from tests.bot.notification_builders import KEY
from tests.bot.web.plain_browser import add
from tests.browser.test_two_people import SHOTS, person
from tests.browser.widget_harness.chromium import ARGUMENTS, executable
from tests.connectors.fake_telegram import SECRET, TOKEN, FakeTelegram, fake_telegram
from tests.product import PASSWORD, Product, copy_workspace, make_settings, serving

pytestmark = pytest.mark.browser

LINES = "/console/admin/lines"
OVERFLOW = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
ROTATED = "another-secret-of-the-webhook"
PROOF = "the-secret-that-a-host-page-signs-with-1"


@dataclass
class Desk:
    """The product, Telegram, and what an administrator has on the screen."""

    product: Product
    telegram: FakeTelegram
    page: Page
    #: What the browser complains about.
    complaints: list[str]

    async def save(self) -> None:
        await self.page.get_by_role("button", name="保存").click()
        await expect(self.page.get_by_role("status")).to_contain_text("已保存")

    async def is_taken(self, secret: str) -> bool:
        answer = await self.product.client.post(
            "/channels/telegram/webhook",
            json={"update_id": 1},
            headers={"X-Telegram-Bot-Api-Secret-Token": secret},
        )
        assert answer.status_code in (200, 403, 404)
        return answer.status_code == 200


@pytest.fixture
async def desk(prepared_workspace: Path, tmp_path: Path) -> AsyncIterator[Desk]:
    copy_workspace(prepared_workspace, tmp_path / "home")
    async with fake_telegram() as fake, async_playwright() as playwright:
        off = fake.settings(enabled=False, token="", webhook_secret="")
        update = {"telegram": off, "secrets": SecretsSettings(keys=SecretStr(KEY))}
        settings = make_settings(tmp_path / "home").model_copy(update=update)
        async with serving(settings) as product:
            await add(product, "root", Role.ADMIN)
            opened = await playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
            page = await (await person(opened, product)).new_page()
            complaints: list[str] = []
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
            await page.goto(LINES)
            await page.get_by_label("用户名").fill("root")
            await page.get_by_label("密码").fill(PASSWORD)
            await page.get_by_role("button", name="登录").click()
            await expect(page.get_by_role("heading", name="渠道账号")).to_be_visible()
            yield Desk(product, fake, page, complaints)
            await opened.close()


async def test_an_account_from_its_making_to_its_end(desk: Desk) -> None:
    page = desk.page
    await page.locator("#accounts").get_by_role("link", name="Telegram").click()
    await page.get_by_label("Token").fill(TOKEN)
    await page.get_by_label("回调密钥").fill(SECRET)
    await page.get_by_label("启用").check()
    await desk.save()
    # Written, and never read back.
    for label in ("Token", "回调密钥"):
        field = page.get_by_label(label, exact=True)
        await expect(field).to_have_value("")
        await expect(field).to_have_attribute("type", "password")
        await expect(field).to_have_attribute("placeholder", "已保存，留空表示不变")
    assert await desk.is_taken(SECRET)
    await page.get_by_role("button", name="测试账号").click()
    await expect(page.locator("#tested")).to_contain_text("平台接受这个账号")
    assert desk.telegram.called("getMe")

    await page.get_by_label("回调密钥").fill(ROTATED)
    await desk.save()
    await expect(page.get_by_text("更换前的密钥还认到")).to_be_visible()
    assert await desk.is_taken(SECRET)
    assert await desk.is_taken(ROTATED)
    await page.get_by_label("旧密钥立即作废").check()
    await desk.save()
    assert not await desk.is_taken(SECRET)
    assert await desk.is_taken(ROTATED)
    await _no_secret_came_to_the_browser(desk)

    await page.get_by_role("link", name="返回渠道列表").click()
    row = page.locator('#lines tr[data-channel="telegram"]')
    await row.get_by_role("button", name="暂停发送").click()
    await expect(row).to_contain_text("已暂停发送")
    await row.get_by_role("button", name="恢复发送").click()
    await expect(row).to_contain_text("正常")
    await row.get_by_role("link").click()
    await page.get_by_label("启用").uncheck()
    await desk.save()
    assert not await desk.is_taken(ROTATED)
    await page.get_by_role("link", name="返回渠道列表").click()
    await expect(row).to_have_count(0)


async def _no_secret_came_to_the_browser(desk: Desk) -> None:
    await desk.page.reload()
    text = await desk.page.content()
    values = await desk.page.eval_on_selector_all("input", "all => all.map(one => one.value)")
    for secret in (TOKEN, SECRET, ROTATED):
        assert secret not in text
        assert secret not in values


async def test_a_host_page_gets_a_key_and_is_looked_after(desk: Desk) -> None:
    page = desk.page
    await page.get_by_label("网页聊天窗的 key").fill("portal")
    await page.get_by_role("button", name="新建或打开").click()
    await page.get_by_label("启用").check()
    await page.get_by_label("允许的网页来源").fill("https://portal.example.gov.cn")
    await page.get_by_label("身份签名密钥").fill("short")
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("alert")).to_contain_text("身份签名密钥")
    await page.get_by_label("身份签名密钥").fill(PROOF)
    await desk.save()
    assert PROOF not in await page.content()
    for body in ({"widget": "portal"}, {"widget": "portal", "identity": "junk"}):
        await desk.product.client.post("/api/v1/conversations", json=body)
    await page.get_by_role("link", name="返回渠道列表").click()
    row = page.locator('#widgets tr[data-widget="portal"]')
    await expect(row).to_contain_text("正常")
    await expect(row).to_contain_text("1 次（50%）")
    await page.set_viewport_size({"width": 390, "height": 844})
    assert not await page.evaluate(OVERFLOW)
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / "lines-phone.png", full_page=True)
        await page.set_viewport_size({"width": 1440, "height": 900})
        await page.screenshot(path=Path(SHOTS) / "lines.png", full_page=True)
    await row.get_by_role("link").click()
    assert not await page.evaluate(OVERFLOW)
    await page.get_by_label("启用").uncheck()
    await desk.save()
    await page.get_by_role("link", name="返回渠道列表").click()
    await expect(row).to_contain_text("已停用")
    # The form that was refused is told as such, and there is nothing else.
    assert [one for one in desk.complaints if "422" not in one] == []

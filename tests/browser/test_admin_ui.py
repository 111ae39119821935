"""Channels, rules and alerts in a real browser, on a desk and on a telephone."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from bot.clock import utc_now
from bot.notifications.planning import PREFIX
from store import outbox
from tests.bot.test_alert_reading import body, raw
from tests.bot.web.plain_browser import make_ticket
from tests.bot.web.test_admin_notifications import World, world_of
from tests.browser.line_desk import OVERFLOW, PHONE
from tests.browser.test_two_people import person
from tests.browser.widget_harness.chromium import ARGUMENTS, executable
from tests.product import PASSWORD

pytestmark = pytest.mark.browser


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield opened
        await opened.close()


@pytest.fixture
async def world(prepared_workspace: Path, tmp_path: Path) -> AsyncIterator[World]:
    async for made in world_of(tmp_path / "home", prepared_workspace):
        yield made


async def sit_down(browser: Browser, world: World) -> tuple[Page, list[str]]:
    """The administrator at the channels, and everything the browser complains about."""
    page = await (await person(browser, world.product)).new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    await page.goto("/console/admin/channels")
    await page.get_by_label("用户名").fill("root")
    await page.get_by_label("密码").fill(PASSWORD)
    await page.get_by_role("button", name="登录").click()
    await expect(page.get_by_role("heading", name="通知渠道与规则")).to_be_visible()
    return page, complaints


async def settled(world: World) -> None:
    """Wait until what arrived is also written down."""
    for _ in range(200):
        async with world.product.services.database.reading() as session:
            if not await outbox.waiting(session, PREFIX):
                return
        await asyncio.sleep(0.05)
    raise TimeoutError("notifications wait")


async def test_from_an_empty_page_to_a_message_in_the_group(world: World, browser: Browser) -> None:
    page, complaints = await sit_down(browser, world)
    await expect(page.get_by_text("还没有渠道")).to_be_visible()
    await page.get_by_role("link", name="新增企业微信群机器人").click()
    await page.get_by_label("名称").fill("运维值班群")
    await page.get_by_label("接口地址").fill(world.peer.address)
    await page.get_by_label("机器人 key").fill("0123456789abcdef")
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("status")).to_contain_text("已保存")
    await expect(page.get_by_label("机器人 key")).to_have_value("")
    await page.get_by_role("button", name="发送测试消息").click()
    await expect(page.locator("#tested")).to_contain_text("已被对方接收")

    await page.get_by_role("link", name="返回列表").click()
    await page.get_by_role("link", name="新增规则").click()
    await page.get_by_label("名称").fill("新工单进群")
    await page.get_by_label("新工单", exact=True).check()
    await page.get_by_label("标题").fill("{severity} {number}")
    await page.get_by_role("button", name="预览").click()
    await expect(page.locator("#preview")).to_contain_text("紧急 FS20261120-0001")
    await expect(page.get_by_label("新工单", exact=True)).to_be_checked()
    await page.get_by_role("button", name="保存").click()
    await expect(page.locator("#rules")).to_contain_text("新工单进群")

    number = await make_ticket(world.product)
    await asyncio.wait_for(world.peer.arrived_times(2), 5)
    assert number in world.peer.taken[1].json["text"]["content"]
    await settled(world)
    await page.reload()
    await expect(page.locator("#recent")).to_contain_text(number)
    await expect(page.locator("#channels")).to_contain_text("0%（2 次）")
    await page.set_viewport_size(PHONE)
    for path in ("", "/console/admin/rules/new"):
        await page.goto(path or page.url)
        assert not await page.evaluate(OVERFLOW), path
    assert complaints == []


async def test_alerts_come_in_and_are_muted(world: World, browser: Browser) -> None:
    page, complaints = await sit_down(browser, world)
    await page.get_by_role("link", name="告警", exact=True).click()
    await page.get_by_role("link", name="新增Alertmanager").click()
    await page.get_by_label("名称").fill("市局监控平台")
    await page.get_by_role("button", name="保存").click()
    token = await page.locator("#token code").inner_text()
    address = await page.locator("#address").inner_text()
    began = (utc_now() - timedelta(minutes=2)).isoformat()
    answer = await world.product.client.post(
        f"/hooks/alerts/{address.rpartition('/')[2]}",
        content=body(raw(startsAt=began)),
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 200
    await page.get_by_role("link", name="返回列表").click()
    await expect(page.locator("#firing")).to_contain_text("数据库连接耗尽")
    await page.get_by_text("新增静默或维护窗口").first.click()
    await page.get_by_label("标签").fill("alertname=数据库连接耗尽")
    await page.get_by_label("原因").fill("扩容中")
    await page.get_by_label("结束时间").fill(
        (utc_now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    )
    await page.get_by_role("button", name="新增静默或维护窗口").click()
    await expect(page.locator("#silences")).to_contain_text("扩容中")
    await page.set_viewport_size(PHONE)
    await page.reload()
    assert not await page.evaluate(OVERFLOW)
    await page.get_by_role("button", name="立即结束").click()
    await expect(page.locator("#silences")).to_have_count(0)
    assert complaints == []

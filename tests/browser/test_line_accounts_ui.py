"""The pages of channels' accounts in a real browser: create, test, rotate, switch off."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import expect

from bot.clock import utc_now
from connectors.wecom_crypto import CallbackKeys
from tests.bot.test_alert_reading import body, raw
from tests.bot.web.plain_browser import make_ticket
from tests.bot.wecom_platform import CORP, check_the_address, fake_settings
from tests.browser.line_desk import (
    AES,
    BOT_CALLBACK,
    FIRST_TOKEN,
    LINES,
    OTHER_KEY,
    PROOF,
    ROBOT_KEY,
    ROTATED,
    SECOND_TOKEN,
    SECRET_LABELS,
    Desk,
    desk,
    is_kept,
    running,
)
from tests.browser.test_two_people import SHOTS
from tests.connectors.fake_telegram import SECRET, TOKEN
from tests.waiting import until

__all__ = ["desk", "running"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_an_application_of_the_platform(desk: Desk) -> None:
    page = await desk.open("wecom")
    await page.get_by_label("启用").check()
    await page.get_by_label("企业 ID（corpid）").fill(CORP)
    await desk.fill_secrets(secret="not-the-secret-of-the-platform", token=FIRST_TOKEN, key=AES)
    await desk.is_refused_beside("应用编号（agentid）", "x")
    await desk.looks_well()
    await page.get_by_label("应用编号（agentid）").fill("1000002")
    await desk.fill_secrets(secret="not-the-secret-of-the-platform", token=FIRST_TOKEN)
    await desk.is_refused_beside("EncodingAESKey", "short")
    await desk.fill_secrets(secret="not-the-secret-of-the-platform", token=FIRST_TOKEN, key=AES)
    await desk.save(page)
    for label in SECRET_LABELS.values():
        await is_kept(page.get_by_label(label, exact=True))

    await page.get_by_role("button", name="测试账号").click()
    await expect(page.locator("#tested")).to_contain_text("平台拒绝")
    await desk.fill_secrets(secret=fake_settings().secret)
    await desk.save(page)
    await page.get_by_role("button", name="测试账号").click()
    await expect(page.locator("#tested")).to_contain_text("平台接受这个账号")

    await desk.fill_secrets(token=SECOND_TOKEN)
    await desk.save(page)
    await expect(page.get_by_text("更换前的密钥还认到")).to_be_visible()
    await desk.looks_well()
    for member, token in (("before", FIRST_TOKEN), ("after", SECOND_TOKEN)):
        await desk.asks(member, token)
        await desk.waiting(0)
        assert "公务卡怎么还款" in desk.wecom.texts(member)[1]
    await page.get_by_label("旧密钥立即作废").check()
    await desk.save(page)
    assert (await desk.member(FIRST_TOKEN).say("在吗")).status_code == 403

    # Stopped, and then off: what is to be said waits, and comes once and in order.
    await page.goto(LINES)
    row = page.locator('#lines tr[data-channel="wecom"]')
    await row.get_by_role("button", name="暂停发送").click()
    await desk.asks("waits", SECOND_TOKEN)
    await page.reload()
    await expect(row).to_contain_text("最早")
    await row.get_by_role("link").click()
    await page.get_by_label("启用").uncheck()
    await desk.save(page)
    await page.goto(LINES)
    await expect(row).to_have_count(0)
    await desk.waiting(2)
    assert desk.wecom.texts("waits") == []
    await (await desk.open("wecom")).get_by_label("启用").check()
    await desk.save(page)
    await page.goto(LINES)
    await row.get_by_role("button", name="恢复发送").click()
    await desk.waiting(0)
    greeting, answer, *_ = desk.wecom.texts("waits")
    assert "公务卡怎么还款" not in greeting
    assert "公务卡怎么还款" in answer
    await desk.looks_well()


async def test_a_bot_of_the_platform(desk: Desk) -> None:
    page = await desk.open("wecom_bot")
    await page.get_by_label("启用").check()
    await desk.fill_secrets(key=AES)
    await desk.is_refused_beside("Token", "no token!")
    await desk.fill_secrets(token=FIRST_TOKEN)
    await desk.is_refused_beside("EncodingAESKey", "short")
    await desk.fill_secrets(token=FIRST_TOKEN, key=AES)
    await desk.save(page)
    for name in ("token", "key"):
        await is_kept(page.get_by_label(SECRET_LABELS[name], exact=True))
    await desk.fill_secrets(token=SECOND_TOKEN)
    await desk.save(page)
    await desk.looks_well()
    now = str(int(utc_now().timestamp()))
    for token in (FIRST_TOKEN, SECOND_TOKEN):
        keys = CallbackKeys.of(token=token, encoding_aes_key=AES, receive_id="")
        await check_the_address(desk.product.client, BOT_CALLBACK, keys, now)
    await page.get_by_role("button", name="改回环境变量").click()
    await expect(page.locator('#lines tr[data-channel="wecom_bot"]')).to_have_count(0)


async def test_telegram_from_its_making_to_its_end(desk: Desk) -> None:
    await desk.page.goto(LINES)
    await desk.page.locator("#accounts").get_by_role("link", name="Telegram").click()
    page = desk.page
    await page.get_by_label("启用").check()
    await desk.is_refused_beside("Token", "no token!")
    await page.get_by_label("Token").fill(TOKEN)
    await page.get_by_label("回调密钥").fill(SECRET)
    await desk.save(page)
    for label in ("Token", "回调密钥"):
        await is_kept(page.get_by_label(label, exact=True))
    assert await desk.taken(SECRET)
    await page.get_by_role("button", name="测试账号").click()
    await expect(page.locator("#tested")).to_contain_text("平台接受这个账号")
    assert desk.telegram.called("getMe")

    await page.get_by_label("回调密钥").fill(ROTATED)
    await desk.save(page)
    await expect(page.get_by_text("更换前的密钥还认到")).to_be_visible()
    assert await desk.taken(SECRET)
    assert await desk.taken(ROTATED)
    await page.get_by_label("旧密钥立即作废").check()
    await desk.save(page)
    assert not await desk.taken(SECRET)
    assert await desk.taken(ROTATED)
    await desk.looks_well()

    await page.get_by_label("启用").uncheck()
    await desk.save(page)
    assert not await desk.taken(ROTATED)
    await page.get_by_role("button", name="测试账号").click()
    await expect(page.locator("#tested")).to_contain_text("渠道没有启用")
    await page.get_by_role("link", name="返回渠道列表").click()
    await expect(page.locator('#lines tr[data-channel="telegram"]')).to_have_count(0)


async def test_a_host_page_gets_a_key_and_is_looked_after(desk: Desk) -> None:
    page = desk.page
    await page.goto(LINES)
    await page.get_by_label("网页聊天窗的 key").fill("portal")
    await page.get_by_role("button", name="新建或打开").click()
    await page.get_by_label("启用").check()
    await desk.is_refused_beside("允许的网页来源", "javascript:alert(1)")
    await page.get_by_label("允许的网页来源").fill("https://portal.example.gov.cn")
    await desk.is_refused_beside("身份签名密钥", "short")
    await page.get_by_label("身份签名密钥").fill(PROOF)
    await desk.save(page)
    await is_kept(page.get_by_label("身份签名密钥"))
    for body_ in ({"widget": "portal"}, {"widget": "portal", "identity": "junk"}):
        await desk.product.client.post("/api/v1/conversations", json=body_)
    await page.get_by_role("link", name="返回渠道列表").click()
    row = page.locator('#widgets tr[data-widget="portal"]')
    await expect(row).to_contain_text("正常")
    await expect(row).to_contain_text("1 次（50%）")
    await desk.looks_well()
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / "lines.png", full_page=True)
    await row.get_by_role("link").click()
    await page.get_by_label("启用").uncheck()
    await desk.save(page)
    await page.get_by_role("link", name="返回渠道列表").click()
    await expect(row).to_contain_text("已停用")


async def test_a_group_that_is_notified(desk: Desk) -> None:
    page = desk.page
    await page.goto("/console/admin/channels/new?kind=wecom_robot")
    await page.get_by_label("名称").fill("运维值班群")
    await page.get_by_label("机器人 key").fill(ROBOT_KEY)
    await desk.is_refused_beside("接口地址", "http://10.0.0.1")
    await page.get_by_label("接口地址").fill(desk.peer.address)
    await desk.is_refused_beside("机器人 key", "short")
    await page.get_by_label("机器人 key").fill(ROBOT_KEY)
    await desk.save(page)
    await is_kept(page.get_by_label("机器人 key"))
    for answer, told in (({"errcode": 93000}, "密钥不被接受"), ({"errcode": 0}, "已被对方接收")):
        desk.peer.answers.append(answer)
        await page.get_by_role("button", name="发送测试消息").click()
        await expect(page.locator("#tested")).to_contain_text(told)
    await page.get_by_label("机器人 key").fill(OTHER_KEY)
    await desk.save(page)
    await page.get_by_role("button", name="发送测试消息").click()
    await expect(page.locator("#tested")).to_contain_text("已被对方接收")
    assert [one.query["key"] for one in desk.peer.taken] == [ROBOT_KEY, ROBOT_KEY, OTHER_KEY]
    await desk.looks_well()

    await page.goto("/console/admin/rules/new")
    await page.get_by_label("名称").fill("新工单进群")
    await page.get_by_label("新工单", exact=True).check()
    await page.get_by_role("button", name="保存", exact=True).click()
    await page.locator("#channels").get_by_role("button", name="停用").click()
    number = await make_ticket(desk.product)
    await until(desk.has_news)
    assert len(desk.peer.taken) == 3
    await page.locator("#channels").get_by_role("button", name="启用").click()
    await asyncio.wait_for(desk.peer.arrived_times(4), 60)
    assert number in desk.peer.taken[3].json["text"]["content"]
    await page.reload()
    await desk.looks_well()


async def test_where_alerts_come_from(desk: Desk) -> None:
    page = desk.page
    await page.goto("/console/admin/alert-sources/new?kind=grafana")
    await page.get_by_label("名称").fill("市局监控平台")
    await desk.is_refused_beside("签名密钥", "short")
    await desk.looks_well()
    await page.get_by_role("button", name="保存", exact=True).click()
    first = await page.locator("#token code").inner_text()
    address = (await page.locator("#address").inner_text()).rpartition("/")[2]
    await page.get_by_role("button", name="更换令牌").click()
    await expect(page.locator("#token code")).not_to_have_text(first)
    second = await page.locator("#token code").inner_text()
    await page.goto(f"/console/admin/alert-sources/{address}")
    assert first not in await page.content()
    assert second not in await page.content()
    for token, status in ((first, 401), (second, 200)):
        answer = await desk.product.client.post(
            f"/hooks/alerts/{address}",
            content=body(raw()),
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.status_code == status
    await page.get_by_label("接收这个来源的告警").uncheck()
    await page.get_by_role("button", name="保存", exact=True).click()
    await expect(page.locator("#sources")).to_contain_text("停用")
    await desk.looks_well()

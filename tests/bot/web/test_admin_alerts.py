"""Alerts at their pages: what goes on, sources and their tokens, silences, and who may."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.clock import utc_now
from bot.conversations.greeting import LOCAL
from bot.tables import Role
from store import audit
from tests.bot.test_alert_reading import body, raw
from tests.bot.web.plain_browser import HOSTILE, add, open_browser, shown
from tests.bot.web.test_admin_notifications import World, world_of

AT = "/console/alerts"
SOURCES = "/console/admin/alert-sources"


@pytest.fixture
async def world(prepared_workspace: Path, tmp_path: Path) -> AsyncIterator[World]:
    async for made in world_of(tmp_path / "home", prepared_workspace):
        yield made


async def source(world: World, kind: str = "alertmanager", **fields: str) -> tuple[str, str]:
    """A source's id and token, as its page shows them once."""
    await world.admin.get(f"{SOURCES}/new?kind={kind}")
    typed = {"name": "监控平台", "enabled": "1", **fields}
    page = await world.admin.post(f"{SOURCES}/new?kind={kind}", **typed)
    assert page.status_code == 200, shown(page)
    token = re.findall(r'id="token">[^<]*<code>([^<]+)</code>', page.text)[0]
    address = re.findall(r'id="address">([^<]+)<', page.text)[0]
    assert address.startswith("https://caiwen.example/hooks/alerts/")
    return address.rpartition("/")[2], token


async def deliver(world: World, source_id: str, token: str, content: bytes) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    answer = await world.product.client.post(
        f"/hooks/alerts/{source_id}", content=content, headers=headers
    )
    return answer.status_code


def began(**over: object) -> dict[str, object]:
    return raw(startsAt=(utc_now() - timedelta(minutes=2)).isoformat(), **over)


async def test_an_alert_is_shown_without_its_markup(world: World) -> None:
    source_id, token = await source(world)
    labels = {"alertname": HOSTILE, "severity": "critical", "disk": HOSTILE}
    link = "javascript:alert(1)"
    assert (
        await deliver(world, source_id, token, body(began(labels=labels, generatorURL=link))) == 200
    )
    await deliver(world, source_id, token, b"{broken")
    page = await world.admin.get(AT)
    assert "正在发生（1）" in page.text
    assert "连接数 100%" in page.text
    assert HOSTILE not in page.text
    assert "javascript:" not in page.text
    assert "不是 JSON" in page.text
    assert "{broken" in page.text
    assert token not in page.text
    again = await world.admin.get(f"{SOURCES}/{source_id}")
    assert token not in again.text


async def test_a_replaced_token_is_shown_once_and_works(world: World) -> None:
    source_id, old = await source(world)
    page = await world.admin.post(f"{SOURCES}/{source_id}/token")
    new = re.findall(r'id="token">[^<]*<code>([^<]+)</code>', page.text)[0]
    assert await deliver(world, source_id, old, body(began())) == 401
    assert await deliver(world, source_id, new, body(began())) == 200
    async with world.product.services.database.reading() as session:
        entries = await audit.entries_of(session, f"alert_source:{source_id}")
    assert [one.action for one in entries] == ["alert_source.added", "alert_source.token_replaced"]


async def test_a_source_is_changed_and_overtaken_forms_are_refused(world: World) -> None:
    source_id, token = await source(
        world, "generic", path_name="rule.title", modules="pay=支付申请", module_label="app"
    )
    content = b'{"rule": {"title": "\xe6\x85\xa2"}, "labels": {"app": "pay"}, "severity": "high"}'
    assert await deliver(world, source_id, token, content) == 200
    page = await world.admin.get(AT)
    assert "支付申请" in page.text
    assert "紧急" in shown(page)
    typed = {"name": "改名", "version": "1", "path_name": "rule.title"}
    assert (await world.admin.post(f"{SOURCES}/{source_id}", **typed)).status_code == 303
    assert (await world.admin.post(f"{SOURCES}/{source_id}", **typed)).status_code == 409
    # Its box was not ticked: it is off now.
    assert await deliver(world, source_id, token, content) == 401


REFUSED: list[tuple[dict[str, str], str]] = [
    ({"name": ""}, "名称：需要填写"),
    ({"modules": "pay"}, "模块对应：每行要写成"),
    ({"tell_from": "严重"}, "从哪个级别起通知：内容不合要求"),
    ({"hmac_secret": "short"}, "签名密钥：内容不合要求"),
    ({"signature_header": "X Y"}, "签名请求头：内容不合要求"),
    ({"module": "x" * 90}, "默认模块：太长"),
]


async def test_sources_that_cannot_be_kept(world: World) -> None:
    await world.admin.get(f"{SOURCES}/new?kind=grafana")
    for fields, words in REFUSED:
        typed = {"name": "监控", "enabled": "1", **fields}
        page = await world.admin.post(f"{SOURCES}/new?kind=grafana", **typed)
        assert page.status_code == 422, fields
        assert words in shown(page), fields


async def test_silences_hold_and_end(world: World) -> None:
    source_id, token = await source(world)
    until = (utc_now().astimezone(LOCAL) + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    typed = {"kind": "silence", "labels": "alertname=备份慢", "comment": "已知", "ends_at": until}
    for wrong, words in (
        ({"ends_at": "2020-01-01T00:00"}, "结束时间：时间不合要求"),
        ({"ends_at": "soon"}, "结束时间：时间不合要求"),
        ({"ends_at": "2099-01-01T00:00"}, "结束时间：时间不合要求"),
        ({"labels": "no mark"}, "标签：每行要写成"),
        ({"labels": ""}, "标签：每行要写成"),
        ({"kind": "quiet"}, "类型：内容不合要求"),
        ({"comment": ""}, "必须填写"),
    ):
        page = await world.admin.post(f"{AT}/silences", **{**typed, **wrong})
        assert page.status_code == 422, wrong
        assert words in shown(page), wrong
    assert (await world.admin.post(f"{AT}/silences", **typed)).status_code == 303
    await deliver(world, source_id, token, body(began(labels={"alertname": "备份慢"})))
    page = await world.admin.get(AT)
    assert "静默中" in page.text
    silence = re.findall(r'data-silence="([0-9a-f]{32})"', page.text)[0]
    assert (await world.admin.post(f"{AT}/silences/{silence}/end")).status_code == 303
    assert "data-silence" not in (await world.admin.get(AT)).text


async def test_who_may_look_mute_and_change(world: World) -> None:
    source_id, _ = await source(world)
    for role, looks, mutes in (
        (Role.ENGINEER, True, False),
        (Role.MANAGER, True, False),
        (Role.OPERATIONS, True, True),
        (Role.EDITOR, False, False),
    ):
        await add(world.product, role.value, role)
        browser = open_browser(world.product)
        await browser.log_in(role.value)
        assert (await browser.get(AT)).status_code == (200 if looks else 403), role
        muted = await browser.post(f"{AT}/silences", kind="silence")
        assert muted.status_code == (422 if mutes else 403), role
        for path in (f"{SOURCES}/{source_id}", f"{SOURCES}/new?kind=grafana"):
            assert (await browser.get(path)).status_code == 403, (role, path)
            assert (await browser.post(path, name="x")).status_code == 403, (role, path)
        assert (await browser.post(f"{SOURCES}/{source_id}/token")).status_code == 403
        await browser.client.aclose()
    assert (await world.admin.get(f"{SOURCES}/{'0' * 32}")).status_code == 404

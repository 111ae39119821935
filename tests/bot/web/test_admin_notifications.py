"""Channels and rules at their pages: made, tested, switched, and what is refused on the way."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from bot.notifications.tables import NotificationChannel, NotificationRule
from bot.secrets_at_rest import SecretsSettings
from bot.tables import Role
from connectors.notify_settings import NotifySettings
from store import audit
from tests.bot.notification_builders import KEY, SECRET, SETTINGS
from tests.bot.web.plain_browser import HOSTILE, Browser, add, make_ticket, open_browser, shown
from tests.bot.wecom_platform import SETTINGS as APPLICATION
from tests.connectors.notify_peers import HttpPeer, http_peer
from tests.product import Product, copy_workspace, make_settings, serving

AT = "/console/admin/channels"
RULES = "/console/admin/rules"
OTHER = "another-secret-that-must-not-leak"


@dataclass
class World:
    """The product, an administrator at a browser, and the other side."""

    product: Product
    admin: Browser
    peer: HttpPeer

    async def make(self, kind: str = "wecom_robot", **fields: str) -> str:
        typed = {"name": "值班群", "base_url": self.peer.address, "key": SECRET, **fields}
        answer = await self.admin.post(f"{AT}/new?kind={kind}", **typed)
        assert answer.status_code == 303, shown(answer)
        found = re.match(rf"{AT}/([0-9a-f]{{32}})\?saved=1", answer.headers["location"])
        assert found
        return found[1]

    async def channel(self, channel_id: str) -> NotificationChannel:
        async with self.product.services.database.reading() as session:
            row = await session.get(NotificationChannel, channel_id)
        assert row is not None
        return row

    async def names(self) -> list[str]:
        async with self.product.services.database.reading() as session:
            return list(await session.scalars(select(NotificationChannel.name)))

    async def rules(self) -> list[NotificationRule]:
        async with self.product.services.database.reading() as session:
            return list(await session.scalars(select(NotificationRule)))


async def world_of(
    home: Path, template: Path, *, key: str = KEY, notify: NotifySettings = SETTINGS
) -> AsyncIterator[World]:
    copy_workspace(template, home)
    secrets = SecretsSettings(keys=SecretStr(key))
    settings = make_settings(home).model_copy(update={"notify": notify, "secrets": secrets})
    async with serving(settings) as product, http_peer() as peer:
        await add(product, "root", Role.ADMIN)
        browser = open_browser(product)
        await browser.log_in("root")
        await browser.get(AT)
        yield World(product, browser, peer)
        await browser.client.aclose()


@pytest.fixture
async def world(prepared_workspace: Path, tmp_path: Path) -> AsyncIterator[World]:
    async for made in world_of(tmp_path / "home", prepared_workspace):
        yield made


async def test_a_channel_is_made_tested_and_its_secret_never_shown(world: World) -> None:
    channel_id = await world.make(name=HOSTILE)
    row = await world.channel(channel_id)
    assert SECRET not in json.dumps([row.config, row.secrets])
    pages = [await world.admin.get(path) for path in (AT, f"{AT}/{channel_id}")]
    tested = await world.admin.post(f"{AT}/{channel_id}/test")
    assert "测试消息已被对方接收" in shown(tested)
    assert world.peer.taken[0].query == {"key": SECRET}
    for page in (*pages, tested):
        assert page.status_code == 200
        assert SECRET not in page.text
        assert HOSTILE not in page.text
        assert page.headers["cache-control"] == "no-store"
    assert "已保存，留空表示不变" in pages[1].text
    # The other pages of the administration stay within reach.
    assert 'href="/console/admin/units"' in pages[0].text
    async with world.product.services.database.reading() as session:
        entries = await audit.entries_of(session, f"notification_channel:{channel_id}")
    assert [one.action.split(".")[1] for one in entries] == ["added", "tested"]
    assert SECRET not in str([one.detail for one in entries])
    assert (await world.channel(channel_id)).last_ok_at is not None


async def test_a_secret_stays_when_left_empty_and_changes_when_typed(world: World) -> None:
    channel_id = await world.make()
    before = (await world.channel(channel_id)).secrets
    page = await world.admin.get(f"{AT}/{channel_id}")
    version = re.findall(r'name="version" value="(\d+)"', page.text)[0]
    typed = {"name": "新名", "base_url": world.peer.address, "version": version}
    assert (await world.admin.post(f"{AT}/{channel_id}", **typed)).status_code == 303
    kept = await world.channel(channel_id)
    assert (kept.name, kept.secrets) == ("新名", before)
    typed |= {"version": str(int(version) + 1), "key": OTHER}
    assert (await world.admin.post(f"{AT}/{channel_id}", **typed)).status_code == 303
    await world.admin.post(f"{AT}/{channel_id}/test")
    assert world.peer.taken[-1].query == {"key": OTHER}
    # A form that somebody else has overtaken saves nothing.
    overtaken = await world.admin.post(f"{AT}/{channel_id}", **typed)
    assert overtaken.status_code == 409
    assert (await world.channel(channel_id)).version == int(version) + 2


async def test_an_optional_secret_can_be_forgotten(world: World) -> None:
    fields = {"name": "钉", "base_url": world.peer.address, "access_token": SECRET, "secret": OTHER}
    channel_id = await world.make("dingtalk", **fields)
    assert set((await world.channel(channel_id)).secrets) == {"access_token", "secret"}
    typed = {"name": "钉", "base_url": world.peer.address, "version": "1", "forget_secret": "1"}
    assert (await world.admin.post(f"{AT}/{channel_id}", **typed)).status_code == 303
    assert set((await world.channel(channel_id)).secrets) == {"access_token"}


REFUSED_CHANNELS: list[tuple[str, dict[str, str], str]] = [
    ("wecom_robot", {"base_url": "http://10.0.0.1"}, "接口地址：指向内网或本机地址"),
    ("wecom_robot", {"base_url": "http://169.254.169.254/"}, "指向内网"),
    ("wecom_robot", {"base_url": "ftp://example.cn"}, "只接受 http"),
    ("wecom_robot", {"base_url": "http://a:b@127.0.0.1"}, "不能带用户名"),
    ("wecom_robot", {"base_url": "http://no-such-host.invalid"}, "解析不到"),
    ("wecom_robot", {"key": ""}, "机器人 key：必须填写"),
    ("wecom_robot", {"key": "short"}, "机器人 key：内容不合要求"),
    ("wecom_robot", {"name": " "}, "名称：需要填写"),
    ("wecom_robot", {"per_minute": "1000"}, "每分钟最多条数：内容不合要求"),
    ("wecom_robot", {"per_minute": "x"}, "每分钟最多条数：内容不合要求"),
    ("sms", {"url": "http://127.0.0.1:1", "secret": SECRET}, "模板编号：必须填写"),
    (
        "sms",
        {"url": "http://127.0.0.1:1", "secret": SECRET, "templates": "opened"},
        "模板编号：每行要写成",
    ),
    ("email", {"host": "10.0.0.1", "sender": "a@example.cn"}, "服务器：指向内网"),
    ("email", {"host": "127.0.0.1", "sender": "no mailbox"}, "发件邮箱：内容不合要求"),
    ("webhook", {"url": "http://127.0.0.1:1", "secret": "short"}, "密钥：内容不合要求"),
]


async def test_what_cannot_be_kept_is_said_and_what_was_typed_stays(world: World) -> None:
    for kind, fields, words in REFUSED_CHANNELS:
        typed = {"name": "渠道", "base_url": world.peer.address, "key": SECRET, **fields}
        answer = await world.admin.post(f"{AT}/new?kind={kind}", **typed)
        assert answer.status_code == 422, fields
        assert words in shown(answer), (fields, shown(answer))
        assert SECRET not in answer.text
        for name in ("base_url", "host", "url"):
            assert fields.get(name, "") in answer.text
    assert await world.names() == []


async def test_without_a_key_nothing_secret_is_kept(
    prepared_workspace: Path, tmp_path: Path
) -> None:
    async for world in world_of(tmp_path / "home", prepared_workspace, key=""):
        assert "CAIWEN_SECRETS__KEYS" in (await world.admin.get(AT)).text
        typed = {"name": "群", "base_url": world.peer.address, "key": SECRET}
        answer = await world.admin.post(f"{AT}/new?kind=wecom_robot", **typed)
        assert answer.status_code == 422
        assert "CAIWEN_SECRETS__KEYS" in answer.text
        assert "群" in answer.text


async def test_switching_off_and_on_is_shown(world: World) -> None:
    channel_id = await world.make()
    await world.admin.get(AT)
    for to, word in (("off", "停用"), ("on", "启用")):
        answer = await world.admin.post(f"{AT}/{channel_id}/switch", to=to)
        assert answer.status_code == 303
        assert (await world.channel(channel_id)).state == to
        assert f'admin-state-{to}">{word}' in (await world.admin.get(AT)).text


async def test_a_failing_test_is_told_and_breaks_the_channel(world: World) -> None:
    channel_id = await world.make()
    world.peer.answers = [{"errcode": 93000, "errmsg": SECRET}]
    answer = await world.admin.post(f"{AT}/{channel_id}/test")
    assert "设置有误" in shown(answer)
    assert "errcode 93000" in answer.text
    assert SECRET not in answer.text
    assert (await world.channel(channel_id)).state == "broken"
    await world.admin.post(f"{AT}/{channel_id}/test")
    assert (await world.channel(channel_id)).state == "on"


async def test_the_application_tells_members_and_says_who_was_left_out(
    prepared_workspace: Path, tmp_path: Path
) -> None:
    """No secret of its own: the one of the channel of conversations is used."""
    copy_workspace(prepared_workspace, tmp_path / "home")
    taken = {"errcode": 0, "access_token": "t", "expires_in": 7200, "unlicenseduser": "wang"}
    async with http_peer(always=taken) as peer:
        wecom = APPLICATION.model_copy(update={"base_url": peer.address})
        settings = make_settings(tmp_path / "home").model_copy(update={"wecom": wecom})
        async with serving(settings) as product:
            await add(product, "root", Role.ADMIN)
            world = World(product, open_browser(product), peer)
            await world.admin.log_in("root")
            await world.admin.get(AT)
            channel_id = await world.make("wecom_app")
            empty = await world.admin.post(f"{AT}/{channel_id}/test", recipient="@all")
            assert "不是成员账号，也不是 party:部门编号" in shown(empty)
            tested = await world.admin.post(f"{AT}/{channel_id}/test", recipient="party:12")
            assert "测试消息已被对方接收" in shown(tested)
            assert "unlicenseduser: wang" in tested.text
            sent = peer.taken[-1].json
            assert (sent["toparty"], sent["agentid"]) == ("12", APPLICATION.agent_id)
            assert "unlicenseduser: wang" in (await world.admin.get(AT)).text
            await world.admin.client.aclose()


async def test_a_rule_is_made_previewed_changed_and_removed(world: World) -> None:
    channel_id = await world.make()
    page = await world.admin.get(f"{RULES}/new")
    assert "值班群" in page.text
    typed = {
        "name": "重大马上通知",
        "enabled": "1",
        "channel_id": channel_id,
        "recipients": "13800000000",
        "events": "opened",
        "severities": "重大",
        "title_template": "{severity} {number} <b>",
        "digest_minutes": "0",
        "repeat_minutes": "5",
        "repeat_times": "3",
    }
    preview = await world.admin.post(f"{RULES}/new", do="preview", **typed)
    assert "<strong>重大 FS20261120-0001 &lt;b&gt;</strong>" in preview.text
    assert 'value="重大马上通知"' in preview.text
    assert await world.rules() == []
    assert (await world.admin.post(f"{RULES}/new", do="save", **typed)).status_code == 303
    (rule,) = await world.rules()
    assert (rule.events, rule.severities, rule.recipients) == (
        ["opened"],
        ["重大"],
        ["13800000000"],
    )
    shown_page = await world.admin.get(f"{RULES}/{rule.id}")
    assert shown_page.text.count("checked") == 3  # on, one event, one severity
    changed = await world.admin.post(f"{RULES}/{rule.id}", version="1", **{**typed, "name": "改"})
    assert changed.status_code == 303
    again = await world.admin.post(f"{RULES}/{rule.id}", version="1", **typed)
    assert again.status_code == 409
    assert "改" in shown(await world.admin.get(AT))
    history = await world.admin.get(f"{RULES}/{rule.id}")
    assert f"{rule.name} → 改" in shown(history)
    before = history.text.split("/restore/")[-1][:32]
    assert (await world.admin.post(f"{RULES}/{rule.id}/restore/{before}")).status_code == 303
    assert [one.name for one in await world.rules()] == [rule.name]
    gone = await world.admin.post(f"{RULES}/{rule.id}/restore/{'0' * 32}")
    assert gone.status_code == 404
    assert (await world.admin.post(f"{RULES}/{rule.id}/remove")).status_code == 303
    assert await world.rules() == []


REFUSED_RULES: list[tuple[dict[str, str], str]] = [
    ({"name": ""}, "名称：需要填写"),
    ({"channel_id": "0" * 32}, "渠道：必须填写"),
    ({"events": "everything"}, "动态：内容不合要求"),
    ({"days": "7"}, "星期：内容不合要求"),
    ({"recipients": "not a phone"}, "接收人：不是手机号"),
    ({"active_from": "09:00"}, "生效时段：时间要成对"),
    ({"quiet_from": "x", "quiet_until": "y"}, "免打扰时段：时间要成对"),
    ({"digest_minutes": "-1"}, "汇总间隔（分钟）：内容不合要求"),
    ({"repeat_times": "1000"}, "最多提醒次数：内容不合要求"),
    ({"title_template": "{password}"}, "标题：没有这个变量（password）"),
    ({"text_template": "{number.__class__}"}, "正文：没有这个变量"),
    ({"text_template": "{"}, "正文：花括号要成对"),
]


async def test_rules_that_cannot_be_kept(world: World) -> None:
    channel_id = await world.make()
    await world.admin.get(f"{RULES}/new")
    for fields, words in REFUSED_RULES:
        typed = {"name": "规则", "channel_id": channel_id, **fields}
        for do in ("save", "preview"):
            answer = await world.admin.post(f"{RULES}/new", do=do, **typed)
            assert answer.status_code == 422, fields
            assert words in shown(answer), (fields, shown(answer))
    assert await world.rules() == []


async def test_who_may_look_and_who_may_change(world: World) -> None:
    channel_id = await world.make()
    for role, looks in (
        (Role.OPERATIONS, True),
        (Role.MANAGER, True),
        (Role.ENGINEER, False),
        (Role.EDITOR, False),
    ):
        await add(world.product, role.value, role)
        browser = open_browser(world.product)
        await browser.log_in(role.value)
        for path in (AT, f"{AT}/{channel_id}", f"{RULES}/new"):
            assert (await browser.get(path)).status_code == (200 if looks else 403), (role, path)
        for path in (
            f"{AT}/new?kind=wecom_robot",
            f"{AT}/{channel_id}",
            f"{AT}/{channel_id}/switch",
            f"{AT}/{channel_id}/test",
            f"{RULES}/new",
        ):
            answer = await browser.post(path, name="x", to="off", key=SECRET)
            assert answer.status_code == 403, (role, path)
        await browser.client.aclose()
    assert (await world.channel(channel_id)).state == "on"
    assert world.peer.taken == []


async def test_forms_of_other_sites_and_unknown_rows_are_refused(world: World) -> None:
    channel_id = await world.make()
    world.admin.csrf = "forged"
    assert (await world.admin.post(f"{AT}/{channel_id}/switch", to="off")).status_code == 403
    await world.admin.get(f"{RULES}/new")
    for path in (f"{AT}/{'0' * 32}", f"{RULES}/{'0' * 32}"):
        assert (await world.admin.get(path)).status_code == 404
    assert (await world.admin.get(f"{AT}/x")).status_code == 422
    assert (await world.admin.get(f"{AT}/new?kind=pigeon")).status_code == 422
    assert (await world.admin.post(f"{RULES}/{'0' * 32}/remove")).status_code == 404


async def test_a_rule_is_tried_on_the_past_and_sends_nothing(world: World) -> None:
    channel_id = await world.make()
    number = await make_ticket(world.product)
    typed = {"name": "试算", "channel_id": channel_id, "events": "opened"}
    tried = await world.admin.post(f"{RULES}/new", **typed, do="try")
    assert tried.status_code == 303, shown(tried)
    await world.product.services.rules.runs.settle()
    page = await world.admin.get(tried.headers["location"])
    assert page.status_code == 200
    assert "会发出 1 条消息" in shown(page)
    assert number in page.text
    assert HOSTILE not in page.text
    assert await world.rules() == []
    assert world.peer.taken == []
    nothing = {**typed, "events": "resolved"}
    answer = await world.admin.post(f"{RULES}/new", **nothing, do="try")
    await world.product.services.rules.runs.settle()
    assert "没有一件事符合" in shown(await world.admin.get(answer.headers["location"]))
    wrong = await world.admin.post(f"{RULES}/new", **{**typed, "name": ""}, do="try")
    assert wrong.status_code == 422
    there = answer.headers["location"].replace(RULES, "/console/admin/ticket-rules")
    assert (await world.admin.get(there)).status_code == 404, "a trial of another kind"

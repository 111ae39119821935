"""Deliveries over HTTP on both databases: recorded or 5xx, once, told once, muted when wanted."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from bot.accounts.service import Principal
from bot.alerts import repository as alert_repository
from bot.alerts.authentication import signature
from bot.alerts.proposals import proposals_from_alert
from bot.alerts.sources import SilenceKind, SourceForm, SourceKind
from bot.alerts.tables import AlertDelivery, AlertInstance
from bot.clock import utc_now
from bot.notifications.tables import Notification
from bot.secrets_at_rest import SecretsSettings
from bot.settings import Settings
from bot.tables import Role
from tests.bot.notification_builders import KEY, SETTINGS, keep, robot, rule
from tests.bot.test_alert_reading import body, raw
from tests.product import Product, serving

ADMIN = Principal(
    "0" * 32, "root", "管理员", "", Role.ADMIN, (), (), "", must_change_password=False
)


@dataclass
class World:
    """A product with one Alertmanager and a rule that tells everything to a group."""

    product: Product
    source_id: str
    token: str

    async def post(self, content: bytes, **headers: str) -> httpx.Response:
        given = {"Authorization": f"Bearer {self.token}", **headers}
        return await self.product.client.post(
            f"/hooks/alerts/{self.source_id}", content=content, headers=given
        )

    async def send(self, *alerts: dict[str, Any], **over: Any) -> None:
        answer = await self.post(body(*alerts, **over))
        assert answer.status_code == 200, answer.text

    async def instances(self) -> list[AlertInstance]:
        async with self.product.services.database.reading() as session:
            query = select(AlertInstance).order_by(AlertInstance.id)
            return list(await session.scalars(query))

    async def told(self) -> list[str]:
        async with self.product.services.database.reading() as session:
            query = select(Notification.title).order_by(Notification.id)
            return list(await session.scalars(query))


@pytest.fixture
async def world(any_settings: Settings) -> AsyncIterator[World]:
    secrets = SecretsSettings(keys=SecretStr(KEY))
    settings = any_settings.model_copy(update={"notify": SETTINGS, "secrets": secrets})
    async with serving(settings) as product:
        services = product.services
        group = robot("http://127.0.0.1:9")
        group.state = "off"
        await keep(services.database, group, rule(group.id))
        form = SourceForm(name="监控", modules="pay=支付申请", module_label="job")
        made = await services.alert_desk.add_source(ADMIN, SourceKind.ALERTMANAGER, form)
        yield World(product, *made)


def ago(**span: int) -> str:
    return (utc_now() - timedelta(**span)).isoformat()


async def test_an_alert_begins_repeats_and_ends_and_is_told_once(world: World) -> None:
    began = ago(minutes=3)
    labels = {"alertname": "支付库慢", "severity": "critical", "job": "pay", "region": "禅城区"}
    for _ in range(3):
        await world.send(raw(startsAt=began, labels=labels))
    (instance,) = await world.instances()
    assert (instance.status, instance.times, instance.severity) == ("firing", 3, "重大")
    assert (instance.module, instance.region) == ("支付申请", "禅城区")
    assert await world.told() == ["【重大】监控告警：支付库慢"]
    (proposal,) = proposals_from_alert([instance])
    assert (proposal.title, proposal.module) == ("支付库慢", "支付申请")
    await world.send(raw(startsAt=began, labels=labels, status="resolved", endsAt=ago(minutes=1)))
    (instance,) = await world.instances()
    assert instance.status == "resolved"
    assert instance.ends_at is not None
    assert proposals_from_alert([instance]) == []
    # It flaps: a new instance, and no new message.
    await world.send(raw(startsAt=ago(seconds=20), labels=labels))
    assert [one.flaps for one in await world.instances()] == [0, 1]
    assert len(await world.told()) == 1


async def test_two_servers_deliver_at_once_and_out_of_order(world: World) -> None:
    began, ended = ago(minutes=9), ago(minutes=2)
    firing = body(raw(startsAt=began))
    over = body(raw(startsAt=began, status="resolved", endsAt=ended), status="resolved")
    answers = await asyncio.gather(*(world.post(one) for one in (firing, over) * 5))
    assert {answer.status_code for answer in answers} <= {200, 503}
    for answer, content in zip(answers, (firing, over) * 5, strict=True):
        if answer.status_code != 200:
            assert (await world.post(content)).status_code == 200
    (instance,) = await world.instances()
    assert instance.status == "resolved"


async def test_an_end_alone_opens_nothing(world: World) -> None:
    await world.send(raw(status="resolved", startsAt=ago(minutes=9), endsAt=ago(minutes=2)))
    (instance,) = await world.instances()
    assert (instance.status, instance.known) == ("resolved", False)
    assert await world.told() == []


async def test_a_cut_list_ends_nothing_and_is_shown(world: World) -> None:
    began = ago(minutes=9)
    await world.send(raw(startsAt=began, fingerprint="a"), raw(startsAt=began, fingerprint="b"))
    await world.send(raw(startsAt=began, fingerprint="a"), truncatedAlerts=1)
    assert [one.status for one in await world.instances()] == ["firing", "firing"]
    board = await world.product.services.alert_desk.board(ADMIN)
    assert [one.truncated for one in board.flawed] == [1]


async def test_many_at_once_are_told_together(world: World) -> None:
    began = ago(minutes=1)
    alerts = [
        raw(startsAt=began, fingerprint=f"f{n}", labels={"alertname": f"规则{n % 60}", "n": str(n)})
        for n in range(300)
    ]
    await world.send(*alerts)
    told = await world.told()
    assert len(await world.instances()) == 300
    assert len(told) == 20
    assert any("5 个" in title for title in told)


@pytest.mark.slow
async def test_a_thousand_alerts_a_minute_are_taken_one_by_one(world: World) -> None:
    began, left = ago(minutes=1), list(range(1_000))

    async def sender() -> None:
        while left:
            n = left.pop()
            await world.send(raw(startsAt=began, fingerprint=f"one-{n}", labels={"n": str(n)}))

    async with asyncio.timeout(60):
        await asyncio.gather(*(sender() for _ in range(4)))
    assert len(await world.instances()) == 1_000


async def test_silences_and_maintenance(world: World) -> None:
    desk, now = world.product.services.alert_desk, utc_now()
    span = {"starts_at": now - timedelta(minutes=1), "ends_at": now + timedelta(hours=1)}
    silence = await desk.mute(
        ADMIN, SilenceKind.SILENCE, labels="alertname=备份慢", comment="已知", **span
    )
    muted = raw(startsAt=ago(minutes=1), labels={"alertname": "备份慢", "severity": "critical"})
    await world.send(muted, raw(startsAt=ago(minutes=1), fingerprint="other"))
    assert await world.told() == ["【重大】监控告警：数据库连接耗尽"]
    assert sorted(one.muted for one in await world.instances()) == [False, True]
    # When the silence is over and the matter is not, the next delivery tells it.
    await desk.unmute(ADMIN, silence)
    await world.send(muted)
    assert len(await world.told()) == 2
    await desk.mute(ADMIN, SilenceKind.MAINTENANCE, labels="", comment="升级", **span)
    await world.send(raw(startsAt=ago(minutes=1), fingerprint="third"))
    assert len(await world.told()) == 2


UNREADABLE = [
    b"",
    b"{",
    b"\x00\xff",
    b"[]",
    b'{"alerts":[{}]}',
    b'{"alerts":[{"labels":{"a":"\\u0000"}}]}',
]


async def test_what_cannot_be_read_is_recorded(world: World) -> None:
    for content in UNREADABLE:
        for _ in range(2):
            assert (await world.post(content)).status_code == 200
    async with world.product.services.database.reading() as session:
        deliveries = (await session.scalars(select(AlertDelivery))).all()
    assert [delivery.times for delivery in deliveries] == [2] * len(UNREADABLE)
    assert all(delivery.flaw for delivery in deliveries)
    assert await world.instances() == []


async def test_who_is_not_let_in_learns_nothing(world: World) -> None:
    good = body(raw())
    answers = [
        await world.post(good, Authorization="Bearer wrong"),
        await world.post(good, Authorization=""),
        await world.product.client.post(f"/hooks/alerts/{'0' * 32}", content=good),
    ]
    desk = world.product.services.alert_desk
    await desk.change_source(ADMIN, world.source_id, SourceForm(name="x", enabled=False, version=1))
    answers.append(await world.post(good))
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.content for answer in answers} == {b""}
    async with world.product.services.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(AlertDelivery)) == 0


async def test_a_replaced_token_is_the_only_one(world: World) -> None:
    new = await world.product.services.alert_desk.replace_token(ADMIN, world.source_id)
    assert (await world.post(body(raw()))).status_code == 401
    world.token = new
    assert (await world.post(body(raw()))).status_code == 200


async def test_grafana_signs_and_may_put(world: World) -> None:
    services = world.product.services
    form = SourceForm(name="面板", hmac_secret="grafana-secret")
    source_id, token = await services.alert_desk.add_source(ADMIN, SourceKind.GRAFANA, form)
    content = body(raw(), orgId=1)
    headers = {
        "Authorization": f"Bearer {token}",
        "X-Grafana-Alerting-Signature": signature("grafana-secret", content),
    }
    address = f"/hooks/alerts/{source_id}"
    answer = await world.product.client.put(address, content=content, headers=headers)
    assert answer.status_code == 200
    answer = await world.product.client.put(address, content=content + b" ", headers=headers)
    assert answer.status_code == 401


async def test_what_cannot_be_recorded_is_answered_5xx(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> bool:
        raise OperationalError("insert", {}, Exception("disk full"))

    monkeypatch.setattr(alert_repository, "note_delivery", broken)
    assert (await world.post(body(raw()))).status_code == 503
    monkeypatch.undo()
    assert await world.instances() == []
    assert (await world.post(body(raw()))).status_code == 200
    assert len(await world.instances()) == 1


async def test_a_large_group_is_taken_and_a_larger_one_is_written_down(world: World) -> None:
    began = ago(minutes=1)
    labels = {"alertname": "主机失联", "note": "说" * 1_000}
    crowd = [raw(startsAt=began, fingerprint=f"{n:x}", labels=labels) for n in range(200)]
    content = body(*crowd)
    assert 1_000_000 < len(content) < 8_000_000
    assert (await world.post(content)).status_code == 200
    assert len(await world.instances()) == 200
    before = await world.told()

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(90):
            yield b"x" * 100_000

    for endless in (b"x" * 8_000_001, pieces()):
        address = f"/hooks/alerts/{world.source_id}"
        headers = {"Authorization": f"Bearer {world.token}"}
        client = world.product.client
        assert (await client.post(address, content=endless, headers=headers)).status_code == 200
    assert (await world.post(b"x" * 8_000_001, Authorization="Bearer no")).status_code == 401
    async with world.product.services.database.reading() as session:
        (cut,) = [one for one in await alert_repository.flawed(session) if one.alerts == 0]
    assert (cut.flaw, len(cut.body), cut.times) == ("too_large", 20_000, 2)
    assert await world.told() == before
    page = {"Content-Length": str(16 * 8_000_000 + 1)}
    head = f"POST /hooks/alerts/{world.source_id} HTTP/1.1\r\nHost: x\r\n"
    assert await _answered(world, head + "".join(f"{k}: {v}\r\n" for k, v in page.items())) == 503


async def _answered(world: World, head: str) -> int:
    """The status of a request of which only the head is sent."""
    port = int(world.product.address.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{head}\r\n".encode())
    status = int((await reader.readline()).split()[1])
    writer.close()
    return status


async def test_no_token_is_in_any_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), capture_logs() as lines:
        await world.post(body(raw()))
        await world.post(body(raw()), Authorization=f"Bearer {world.token}x")
    assert any(line["event"] == "alert_refused" for line in lines)
    assert world.token not in str(lines) + caplog.text
    async with world.product.services.database.reading() as session:
        source = await alert_repository.source(session, world.source_id)
    assert world.token not in json.dumps([source.config, source.secrets])


async def test_what_is_over_is_forgotten_after_a_month(world: World) -> None:
    services = world.product.services
    await world.send(raw(startsAt=ago(minutes=9)))
    await world.send(raw(startsAt=ago(minutes=9), fingerprint="over"))
    await world.send(
        raw(status="resolved", startsAt=ago(minutes=9), endsAt=ago(minutes=1), fingerprint="over")
    )
    await services.alerts.forget_old()
    assert len(await world.instances()) == 2
    later = replace(services.alerts, clock=lambda: utc_now() + timedelta(days=31))
    await later.forget_old()
    assert [one.status for one in await world.instances()] == ["firing"]
    async with services.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(AlertDelivery)) == 0

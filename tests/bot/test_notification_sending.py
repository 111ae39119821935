"""From news to the other side and back to the rows: once, in time, and never lost."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from bot.notifications.events import Happened, NoticeEvent
from bot.notifications.makers import Makers
from bot.notifications.planning import Planner
from bot.notifications.sending import Sender
from bot.notifications.tables import (
    Notification,
    NotificationAttempt,
    NotificationChannel,
)
from bot.phrases import load
from bot.secrets_at_rest import SecretsSettings
from bot.settings import data_dir
from store import audit, outbox
from store.audit import AuditEntry
from store.session import Database
from store.vocabulary import Severity
from tests.bot.notification_builders import (
    NOW,
    SECRET,
    SETTINGS,
    happened,
    keep,
    robot,
    rule,
    vault,
    webhook,
)
from tests.connectors.notify_peers import http_peer

PHRASES = load(data_dir() / "locales" / "zh-CN.yml")


@dataclass
class World:
    """A database, a planner, a sender, and a clock that is moved by hand."""

    database: Database
    now: datetime = NOW
    planner: Planner = field(default_factory=lambda: Planner(PHRASES, "https://caiwen.example"))

    def __post_init__(self) -> None:
        self.makers = Makers(vault(), SETTINGS, self.clock)
        self.sender = Sender(self.database, self.makers, self.planner, self.clock)

    def clock(self) -> datetime:
        return self.now

    async def tell(self, *news: Happened) -> int:
        planned = 0
        async with self.database.transaction() as session:
            for one in news:
                planned += await self.planner.plan(session, one, now=self.now)
        return planned

    async def statuses(self) -> list[str]:
        async with self.database.reading() as session:
            query = select(Notification.status).order_by(Notification.id)
            return list((await session.scalars(query)).all())

    async def counts(self) -> dict[str, int]:
        async with self.database.reading() as session:
            return await outbox.counts(session)

    async def channel(self, channel_id: str) -> NotificationChannel:
        async with self.database.reading() as session:
            found = await session.get(NotificationChannel, channel_id)
        assert found is not None
        return found

    async def switch(self, channel_id: str, state: str) -> None:
        async with self.database.transaction() as session:
            found = await session.get(NotificationChannel, channel_id)
            assert found is not None
            found.state = state


@pytest.fixture
async def world(sqlite_database: Database) -> AsyncIterator[World]:
    made = World(sqlite_database)
    yield made
    await made.makers.close()


async def test_one_event_is_told_once_per_target(database: Database) -> None:
    """Noticed twice, at once, by two rules for the same group: one text."""
    world = World(database)
    async with http_peer() as peer:
        group = robot(peer.address)
        other = webhook(f"{peer.address}/hook")
        await keep(world.database, group, other, rule(group.id), rule(group.id), rule(other.id))
        planned = await asyncio.gather(*(world.tell(happened()) for _ in range(4)))
        assert sum(planned) == 2
        assert await world.tell(happened("e2")) == 2
        await world.sender.settle()
        assert sorted(one.path for one in peer.taken) == [
            "/cgi-bin/webhook/send",
            "/cgi-bin/webhook/send",
            "/hook",
            "/hook",
        ]
    assert await world.statuses() == ["sent"] * 4
    await world.makers.close()


async def test_the_text_has_values_link_and_mentions(world: World) -> None:
    async with http_peer() as peer:
        group = robot(peer.address)
        mentioned = rule(group.id, recipients=["13800000000"])
        mentioned.title_template = "{severity}：{number}"
        await keep(world.database, group, mentioned)
        await world.tell(happened())
        await world.sender.settle()
        text = peer.taken[0].json["text"]
    assert text["content"].splitlines()[0] == "一般：FS20261120-0001"
    assert "单位：市一小　地区：禅城区" in text["content"]
    assert text["content"].endswith("https://caiwen.example/console/tickets/FS20261120-0001")
    assert text["mentioned_mobile_list"] == ["13800000000"]


async def test_a_failing_peer_is_tried_again_and_given_up_visibly(world: World) -> None:
    async with http_peer(always=(500, {})) as peer:
        hook = webhook(peer.address)
        await keep(world.database, hook, rule(hook.id))
        await world.tell(happened())
        for _ in range(40):
            await world.sender.settle()
            world.now += timedelta(hours=1)
        assert len(peer.taken) == outbox.MAX_ATTEMPTS
    assert await world.statuses() == ["failed"]
    assert await world.counts() == {"failed": 1}
    async with world.database.reading() as session:
        (letter,) = await outbox.dead_letters(session)
        assert letter.payload["number"] == "FS20261120-0001"
    found = await world.channel(hook.id)
    assert found.last_error == "TransientError: HTTP 500"
    assert found.last_ok_at is None


async def test_a_refusal_for_good_is_a_dead_letter_that_can_be_sent_again(world: World) -> None:
    async with http_peer(answers=[(422, {})]) as peer:
        hook = webhook(peer.address)
        await keep(world.database, hook, rule(hook.id))
        await world.tell(happened(), happened("e2"))
        await world.sender.settle()
        assert sorted(await world.statuses()) == ["failed", "sent"]
        async with world.database.transaction() as session:
            (letter,) = await outbox.dead_letters(session)
            assert await outbox.resend(session, letter.id, now=world.now)
        await world.sender.settle()
    assert await world.statuses() == ["sent", "sent"]


async def test_refused_credentials_stop_the_channel_and_lose_nothing(world: World) -> None:
    async with http_peer(answers=[{"errcode": 93000}] * 2) as peer:
        group = robot(peer.address)
        await keep(world.database, group, rule(group.id))
        await world.tell(*(happened(f"e{n}") for n in range(5)))
        await world.sender.settle()
        assert len(peer.taken) == 1
        assert (await world.channel(group.id)).state == "broken"
        world.now += timedelta(minutes=14)
        await world.sender.settle()
        assert len(peer.taken) == 1
        # It looks again by itself, in vain; a quarter of an hour later it works.
        world.now += timedelta(minutes=1)
        await world.sender.settle()
        assert len(peer.taken) == 2
        world.now += timedelta(minutes=15)
        await world.sender.settle()
    assert await world.statuses() == ["sent"] * 5
    found = await world.channel(group.id)
    assert (found.state, found.last_ok_at) == ("on", world.now)


async def test_a_channel_that_is_off_keeps_what_waits(world: World) -> None:
    async with http_peer() as peer:
        group = robot(peer.address)
        await keep(world.database, group, rule(group.id))
        await world.switch(group.id, "off")
        await world.tell(happened(), happened("e2"))
        world.now += timedelta(days=3)
        await world.sender.settle()
        assert peer.taken == []
        assert await world.counts() == {"pending": 2}
        await world.switch(group.id, "on")
        await world.sender.settle()
        assert len(peer.taken) == 2


async def test_a_lost_key_stops_the_channel_without_a_crash(world: World) -> None:
    async with http_peer() as peer:
        group = robot(peer.address)
        await keep(world.database, group, rule(group.id))
        await world.tell(happened())
        makers = Makers(SecretsSettings().vault(), SETTINGS, world.clock)
        await Sender(world.database, makers, world.planner, world.clock).settle()
        assert peer.taken == []
        found = await world.channel(group.id)
        assert (found.state, found.last_error) == ("broken", "secrets key missing")
        world.now += timedelta(minutes=15)
        await world.sender.settle()
        assert len(peer.taken) == 1


async def test_pace_holds_what_is_small_and_not_what_is_urgent(world: World) -> None:
    async with http_peer() as peer:
        group = robot(peer.address)
        await keep(world.database, group, rule(group.id))
        await world.tell(*(happened(f"e{n}") for n in range(40)))
        await world.sender.settle()
        assert len(peer.taken) == 15
        await world.tell(happened("m", severity=Severity.MAJOR))
        await world.sender.settle()
        assert "重大" in peer.taken[-1].json["text"]["content"]
        assert len(peer.taken) == 16
        for _ in range(8):
            world.now += timedelta(seconds=61)
            await world.sender.settle()
        assert len(peer.taken) == 41
    async with world.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(NotificationAttempt)) == 41


async def test_what_is_urgent_does_not_wait_for_the_rest_of_a_failing_channel(
    world: World,
) -> None:
    async with http_peer(always=(500, {})) as peer:
        hook = webhook(peer.address)
        await keep(world.database, hook, rule(hook.id))
        await world.tell(*(happened(f"e{n}") for n in range(8)))
        await world.sender.settle()
        assert len(peer.taken) == 5  # then it rests
        peer.always = {}
        await world.tell(happened("m", severity=Severity.MAJOR))
        await world.sender.settle()
        assert peer.taken[-1].json["facts"]["severity"] == "重大"
        assert len(peer.taken) == 6
        for _ in range(3):
            world.now += timedelta(minutes=5)
            await world.sender.settle()
    assert set(await world.statuses()) == {"sent"}


async def test_a_hanging_channel_holds_up_nobody_else(world: World) -> None:
    patient = SETTINGS.model_copy(update={"timeout_s": 15.0})
    makers = Makers(vault(), patient, world.clock)
    sender = Sender(world.database, makers, world.planner, world.clock)
    async with http_peer(always=30.0) as slow, http_peer() as quick:
        hanging, group = webhook(slow.address), robot(quick.address)
        await keep(world.database, hanging, group, rule(hanging.id), rule(group.id))
        await world.tell(*(happened(f"e{n}") for n in range(3)))
        work = asyncio.create_task(sender.run())
        await asyncio.wait_for(quick.arrived_times(3), 10)
        assert len(slow.taken) <= 1
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def test_digests_gather_and_leave_once(world: World) -> None:
    async with http_peer() as peer:
        group = robot(peer.address)
        await keep(world.database, group, rule(group.id, digest_minutes=30))
        await world.tell(*(happened(f"e{n}") for n in range(3)))
        await world.tell(happened("m", severity=Severity.MAJOR))
        await world.tell(happened("e0"))
        await world.sender.settle()
        assert len(peer.taken) == 1  # the major one, by itself and at once
        world.now += timedelta(minutes=30)
        await world.tell(happened("late"))
        await world.sender.settle()
        assert len(peer.taken) == 2
        content = peer.taken[1].json["text"]["content"]
        assert content.splitlines()[0] == "财问：3 条工单动态"
        assert content.count("新工单") == 3
        world.now += timedelta(minutes=30)
        await world.sender.settle()
        assert len(peer.taken) == 3
    assert set(await world.statuses()) == {"sent"}


async def test_quiet_hours_end(world: World) -> None:
    async with http_peer() as peer:
        group = robot(peer.address)
        quiet = rule(group.id, quiet_from="09:00", quiet_until="12:00")
        await keep(world.database, group, quiet)
        await world.tell(happened())
        world.now += timedelta(hours=1, minutes=59)
        await world.sender.settle()
        assert peer.taken == []
        world.now += timedelta(minutes=1)
        await world.sender.settle()
        assert len(peer.taken) == 1


async def test_recipients_of_mail_are_told_one_by_one(world: World) -> None:
    from tests.bot.notification_builders import channel
    from tests.connectors.notify_peers import smtp_peer

    async with smtp_peer() as peer:
        config = {"host": "127.0.0.1", "port": peer.port, "security": "none"}
        mail = channel("email", {**config, "sender": "caiwen@example.gov.cn"}, {})
        first = rule(mail.id, recipients=["a@example.cn", "b@example.cn", "a@example.cn"])
        second = rule(mail.id, recipients=["b@example.cn", "c@example.cn"])
        await keep(world.database, mail, first, second)
        assert await world.tell(happened()) == 3
        await world.sender.settle()
        assert len(peer.mails) == 3


async def test_every_attempt_is_audited_and_no_secret_is_in_any_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    # The libraries log at the level that the command gives them (see ``bot.cli.main``).
    with caplog.at_level(logging.WARNING), capture_logs() as lines:
        async with http_peer(answers=[(500, {}), {"errcode": 93000}, (404, {})]) as peer:
            group, hook = robot(peer.address), webhook(f"{peer.address}/hook")
            await keep(world.database, group, hook, rule(group.id), rule(hook.id))
            await world.tell(happened())
            for _ in range(4):
                await world.sender.settle()
                world.now += timedelta(minutes=20)
    async with world.database.reading() as session:
        entries = (await session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()
        made = await session.scalar(select(func.count()).select_from(NotificationAttempt))
        details = [str(entry.detail) for entry in entries]
        stored = [str(one) for one in (await session.scalars(select(outbox.OutboxRow.last_error)))]
        assert await audit.entries_of(session, f"notification_channel:{group.id}")
    assert len(entries) == made >= 4
    assert {entry.action for entry in entries} >= {
        "notification.sent",
        "notification.misconfigured",
    }
    assert sum(line["event"] == "notification_tried" for line in lines) >= made
    for text in (str(lines), caplog.text, *details, *stored):
        assert SECRET not in text
        assert peer.address not in text


async def test_a_worker_that_dies_while_sending_is_followed_by_another(world: World) -> None:
    async with http_peer(answers=[30.0]) as peer:
        hook = webhook(peer.address)
        await keep(world.database, hook, rule(hook.id))
        await world.tell(happened())
        work = asyncio.create_task(world.sender.run())
        await asyncio.wait_for(peer.arrived.wait(), 5)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        assert await world.statuses() == ["pending"]
        next_one = World(world.database, now=world.now + timedelta(seconds=61))
        await next_one.sender.settle()
        deliveries = [one.headers["X-Caiwen-Delivery"] for one in peer.taken]
        assert len(deliveries) == 2
        assert len(set(deliveries)) == 1
        await next_one.makers.close()


async def test_news_that_no_rule_wants_leaves_no_trace(world: World) -> None:
    async with http_peer() as peer:
        group = robot(peer.address)
        await keep(world.database, group, rule(group.id, events=[NoticeEvent.RESOLVED.value]))
        assert await world.tell(happened()) == 0
    assert await world.statuses() == []


def test_the_catalogue_has_words_for_every_event() -> None:
    for event in NoticeEvent:
        for part in ("title", "text"):
            assert PHRASES.has(f"notify.default.{event}.{part}"), event
        assert PHRASES.has(f"notify.event.{event}"), event

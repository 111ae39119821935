"""The real workers on the assembled product: which news is noticed, how soon, and how often."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Select, insert, inspect, literal, select
from structlog.testing import capture_logs

from bot.clock import utc_now
from bot.conversations.greeting import LOCAL
from bot.notifications.events import NoticeEvent
from bot.notifications.scanning import Scanner
from bot.notifications.service import SCAN_S
from bot.notifications.tables import Notification
from bot.secrets_at_rest import SecretsSettings
from bot.settings import Settings
from connectors.notify_settings import NotifySettings
from handoff import incident_service
from handoff.incident import PublicWords
from handoff.incident_service import Doing, NewIncident
from handoff.tables import Ticket, TicketEvent
from handoff.ticket import Actor, ActorKind
from store.vocabulary import Severity
from tests.bot.notification_builders import KEY, SETTINGS, keep, robot, rule
from tests.connectors.notify_peers import HttpPeer, http_peer
from tests.product import Product, copy_workspace, make_settings, serving

MAJOR = "全市所有单位都无法登录，系统瘫痪了，今天要发工资"


def settings_of(home: Path, notify: NotifySettings = SETTINGS) -> Settings:
    secrets = SecretsSettings(keys=SecretStr(KEY))
    return make_settings(home).model_copy(update={"notify": notify, "secrets": secrets})


@dataclass
class World:
    """A product whose group robot leads to ``peer``."""

    product: Product
    peer: HttpPeer

    async def open_ticket(self, text: str = "门户的菜单是空的", **user: str) -> str:
        chat = await self.product.open(name="李会计", unit="市一小", **user)
        await chat.say(text)
        await chat.say("转人工", kind="human")
        told = [m for m in await chat.read() if m["kind"] == "ticket"]
        return str(told[0]["data"]["number"])

    async def raise_to(self, number: str, severity: str) -> None:
        headers = await self.product.staff()
        answer = await self.product.client.post(
            f"/api/v1/tickets/{number}/change_severity",
            json={"severity": severity, "why": "全市停摆"},
            headers=headers,
        )
        assert answer.status_code == 200, answer.text

    def texts(self) -> list[str]:
        return [one.json["text"]["content"] for one in self.peer.taken]

    async def delay(self, action: str, arrival: int) -> timedelta:
        """How long after something was done to a ticket the robot had this message."""
        async with self.product.services.database.reading() as session:
            done = await session.scalar(select(TicketEvent.at).where(TicketEvent.action == action))
        assert done is not None
        return self.peer.taken[arrival].at - done

    async def events(self) -> list[tuple[str, str]]:
        async with self.product.services.database.reading() as session:
            query = select(Notification).order_by(Notification.id)
            return [(one.event, one.severity) for one in await session.scalars(query)]


@asynccontextmanager
async def world(home: Path, template: Path, **over: object) -> AsyncIterator[World]:
    copy_workspace(template, home)
    async with http_peer() as peer:
        notify = SETTINGS.model_copy(update=over)
        async with serving(settings_of(home, notify)) as product:
            group = robot(peer.address)
            await keep(product.services.database, group, rule(group.id))
            yield World(product, peer)


async def test_a_ticket_that_becomes_major_is_told_within_five_seconds(
    prepared_workspace: Path, tmp_path: Path
) -> None:
    """From the moment that is written down to the arrival at the robot, with the real workers."""
    async with world(tmp_path / "home", prepared_workspace) as made:
        number = await made.open_ticket()
        await asyncio.wait_for(made.peer.arrived_times(1), 20)
        await made.raise_to(number, "重大")
        await asyncio.wait_for(made.peer.arrived_times(2), 20)
        assert await made.delay("change_severity", 1) < timedelta(seconds=5)
        first, second = made.texts()
        assert f"新工单 {number}" in first
        assert second.startswith(f"【重大】工单 {number} 级别升高")
        assert second.endswith(f"https://caiwen.example/console/tickets/{number}")


async def test_a_ticket_that_opens_as_major_is_told_within_five_seconds(
    prepared_workspace: Path, tmp_path: Path
) -> None:
    async with world(tmp_path / "home", prepared_workspace) as made:
        await made.open_ticket(MAJOR)
        await asyncio.wait_for(made.peer.arrived_times(1), 20)
        assert made.texts()[0].startswith("【重大】新工单"), made.texts()
        assert await made.delay("open", 0) < timedelta(seconds=5)


async def test_a_slow_delivery_to_the_user_does_not_delay_it(
    prepared_workspace: Path, tmp_path: Path
) -> None:
    """Ticket news waits in the order of its conversation; notifications must not."""
    async with world(tmp_path / "home", prepared_workspace) as made:
        services = made.product.services

        async def hang(_row: object) -> None:
            await asyncio.sleep(60)

        services.relay._handlers["ticket_event"] = hang
        await made.open_ticket()
        await asyncio.wait_for(made.peer.arrived_times(1), 20)


async def test_what_engineers_do_is_told_once_each(
    prepared_workspace: Path, tmp_path: Path
) -> None:
    async with world(tmp_path / "home", prepared_workspace) as made:
        number = await made.open_ticket()
        await made.raise_to(number, "紧急")
        desk = made.product.desk
        assert (await desk("claim", number)).status_code == 200
        assert (await desk("escalate", number, why="需要二线")).status_code == 200
        assert (await desk("claim", number)).status_code == 200
        solved = await desk("resolve", number, cause="缓存", solution="清理缓存后恢复")
        assert solved.status_code == 200, solved.text
        reopened = await desk("reopen", number, why="又出现了")
        assert reopened.status_code == 200, reopened.text
        await made.raise_to(number, "一般")  # lowering is no news
        await asyncio.wait_for(made.peer.arrived_times(5), 20)
        # Another process that looks at the same rows tells nothing again.
        other = other_scanner(made)
        for _ in range(3):
            assert await other.run_once(utc_now()) == 0
        assert await made.events() == [
            ("opened", "一般"),
            ("severity_raised", "紧急"),
            ("escalated", "紧急"),
            ("resolved", "紧急"),
            ("reopened", "紧急"),
        ]


def other_scanner(made: World, silence: timedelta = timedelta(0)) -> Scanner:
    services = made.product.services
    return Scanner(
        services.database,
        services.notifications.planner,
        services.terms,
        services.phrases,
        silence=silence,
    )


async def test_what_was_before_the_first_start_is_no_news_and_a_pause_loses_none(
    prepared_workspace: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    copy_workspace(prepared_workspace, home)
    async with http_peer() as peer:
        made = make_settings(home)
        async with serving(made) as product:
            group = robot(peer.address)
            await World(product, peer).open_ticket()
            await product.services.notifications.scanner.run_once(utc_now())
            await keep(product.services.database, group, rule(group.id))
        async with serving(settings_of(home)) as product:
            scanner = product.services.notifications.scanner
            await scanner.run_once(utc_now())
            assert await World(product, peer).events() == []
        # Nobody looks while this ticket is opened.
        async with serving(settings_of(home)) as product:
            await asyncio.sleep(SCAN_S + 0.2)
            product.services.notifications.scanner.run_once = nothing  # type: ignore[method-assign]
            await World(product, peer).open_ticket()
        async with serving(settings_of(home)):
            await asyncio.wait_for(peer.arrived_times(1), 20)
        assert len(peer.taken) == 1


async def nothing(_now: datetime) -> int:
    return 0


async def test_deadlines_warn_once_and_break_once(prepared_workspace: Path, tmp_path: Path) -> None:
    async with world(tmp_path / "home", prepared_workspace) as made:
        await made.open_ticket()
        await asyncio.wait_for(made.peer.arrived_times(1), 20)
        # A clock of its own runs ahead, in steps a worker would take.
        scanner = other_scanner(made)
        now = utc_now()
        for _ in range(24 * 5):
            now += timedelta(hours=1)
            await scanner.run_once(now)
        found = await made.events()
        kinds = [event for event, _ in found]
        assert kinds.count("sla_breached") >= 1
        assert kinds.count("sla_warning") == kinds.count("sla_breached")
        again = other_scanner(made)
        assert await again.run_once(now) == 0
        assert await made.events() == found


async def test_silence_is_told_once(prepared_workspace: Path, tmp_path: Path) -> None:
    async with world(tmp_path / "home", prepared_workspace, unanswered_minutes=0) as made:
        number = await made.open_ticket()
        await asyncio.wait_for(made.peer.arrived_times(1), 20)
        scanner = other_scanner(made, silence=timedelta(minutes=10))
        now = utc_now()
        assert await scanner.run_once(now) == 0
        for minutes in (11, 12, 30):
            await scanner.run_once(now + timedelta(minutes=minutes))
        events = [event for event, _ in await made.events()]
        assert events.count(NoticeEvent.UNANSWERED.value) == 1
        assert (await made.product.desk("claim", number)).status_code == 200
        assert (await made.product.desk("reply", number, text="在看了")).status_code < 300
        await scanner.run_once(now + timedelta(minutes=45))
        events = [event for event, _ in await made.events()]
        assert events.count(NoticeEvent.UNANSWERED.value) == 1


@pytest.mark.parametrize("claimed", [True, False])
async def test_reminders_go_on_until_somebody_takes_it(
    prepared_workspace: Path, tmp_path: Path, claimed: bool
) -> None:
    home = tmp_path / "home"
    copy_workspace(prepared_workspace, home)
    async with http_peer() as first, http_peer() as second:
        async with serving(settings_of(home)) as product:
            made = World(product, first)
            group, boss = robot(first.address), robot(second.address)
            repeating = rule(
                group.id,
                events=["opened"],
                repeat_minutes=5,
                repeat_times=2,
                repeat_channel_id=boss.id,
            )
            await keep(product.services.database, group, boss, repeating)
            number = await made.open_ticket()
            await asyncio.wait_for(first.arrived_times(1), 20)
            if claimed:
                assert (await product.desk("claim", number)).status_code == 200
            sender = product.services.notifications.sender
            for minutes in (4, 6, 12, 20, 40):
                moved = utc_now() + timedelta(minutes=minutes)
                sender._clock = lambda at=moved: at  # type: ignore[misc]
                await sender.settle()
        texts = [one.json["text"]["content"] for one in second.taken]
    assert [text.splitlines()[0][:9] for text in texts] == (
        [] if claimed else ["【第 1 次提醒】", "【第 2 次提醒】"]
    )
    assert all(number in text for text in texts)


async def test_incidents_are_told(prepared_workspace: Path, tmp_path: Path) -> None:
    async with world(tmp_path / "home", prepared_workspace) as made:
        services = made.product.services
        await asyncio.sleep(SCAN_S + 0.2)
        async with services.database.transaction() as session:
            doing = Doing(session, Actor(ActorKind.ENGINEER, "e", "陈工"), utc_now())
            new = NewIncident("登录失败", Severity.MAJOR, words=PublicWords("正在处理"))
            incident = await incident_service.open_incident(doing, new, zone=LOCAL)
        await asyncio.wait_for(made.peer.arrived_times(1), 20)
        assert made.texts()[0].startswith(f"【重大】事件 {incident.number}\n登录失败")
        assert made.texts()[0].endswith(f"/console/incidents/{incident.number}")


async def test_a_user_who_waits_for_an_answer_is_told_of_once(any_settings: Settings) -> None:
    """On both databases: the engineer has the ticket, the user wrote last."""
    secrets = SecretsSettings(keys=SecretStr(KEY))
    notify = SETTINGS.model_copy(update={"unanswered_minutes": 0})
    settings = any_settings.model_copy(update={"notify": notify, "secrets": secrets})
    async with http_peer() as peer, serving(settings) as product:
        made = World(product, peer)
        group = robot(peer.address)
        await keep(product.services.database, group, rule(group.id, events=["unanswered"]))
        chat = await product.open(name="李会计", unit="市一小")
        await chat.say("门户的菜单是空的")
        await chat.say("转人工", kind="human")
        number = next(m for m in await chat.read() if m["kind"] == "ticket")["data"]["number"]
        assert (await product.desk("claim", number)).status_code == 200
        assert (await product.desk("reply", number, text="请稍等")).status_code < 300
        await chat.say("好了吗")
        await chat.say("还在吗")
        scanner = other_scanner(made, silence=timedelta(minutes=10))
        now = utc_now()
        for minutes in (0, 9, 11, 20, 40):
            await scanner.run_once(now + timedelta(minutes=minutes))
        assert [event for event, _ in await made.events()] == ["unanswered"]
        assert (await product.desk("reply", number, text="处理好了")).status_code < 300
        await scanner.run_once(now + timedelta(minutes=50))
        assert len(await made.events()) == 1


async def test_a_ticket_that_cannot_be_reckoned_silences_no_other(
    prepared_workspace: Path, tmp_path: Path
) -> None:
    async with world(tmp_path / "home", prepared_workspace) as made:
        await made.open_ticket()
        await asyncio.wait_for(made.peer.arrived_times(1), 20)
        async with made.product.services.database.transaction() as session:
            opened = await session.scalar(select(TicketEvent).where(TicketEvent.action == "open"))
            assert opened is not None
            copy = await session.get(Ticket, opened.ticket_id)
            assert copy is not None
            await session.execute(insert(Ticket).from_select(*lost(copy)))
        scanner = other_scanner(made)
        now = utc_now()
        with capture_logs() as lines:
            for _ in range(40):
                now += timedelta(hours=4)
                await scanner.run_once(now)
        assert [one["event"] for one in lines if one["log_level"] == "warning"] == [
            "deadlines_unreadable"
        ]
        assert "sla_breached" in [event for event, _ in await made.events()]


def lost(ticket: Ticket) -> tuple[list[str], Select[Any]]:
    """A copy of a ticket of which no history is left."""
    changed = {"id": "0" * 32, "number": "FS20000101-0001"}
    columns = [column for column in inspect(Ticket).columns if column.key != "id"]
    names = ["id", *(column.key for column in columns)]
    values = [literal(changed["id"])]
    values += [literal(changed["number"]) if c.key == "number" else c for c in columns]
    return names, select(*values).where(Ticket.id == ticket.id)

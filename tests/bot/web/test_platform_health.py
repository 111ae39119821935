"""How the platform's modules do, as monitoring says: on its page and beside a ticket."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from bot.alerts.health import AlertGroup, by_module
from bot.clock import utc_now
from bot.conversations.greeting import LOCAL
from bot.tables import Role
from handoff.tables import Ticket
from tests.bot.test_alert_reading import body
from tests.bot.web.plain_browser import HOSTILE, add, make_ticket, open_browser, shown
from tests.bot.web.test_admin_alerts import AT, began, deliver, source
from tests.bot.web.test_admin_notifications import World, world_of

START = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
LEVELS = ("一般", "紧急", "重大")


@pytest.fixture
async def world(prepared_workspace: Path, tmp_path: Path) -> AsyncIterator[World]:
    async for made in world_of(tmp_path / "home", prepared_workspace):
        yield made


def group(**over: object) -> st.SearchStrategy[AlertGroup]:
    hours = st.integers(0, 40).map(lambda one: START + timedelta(hours=one))
    return st.builds(
        AlertGroup,
        module=st.sampled_from(["", "支付申请", "工资统发"]),
        region=st.sampled_from(["", "城东区"]),
        severity=st.sampled_from(LEVELS),
        status=st.sampled_from(["firing", "resolved"]),
        count=st.integers(1, 9),
        began=hours,
        last=hours,
    )


@given(st.lists(group(), max_size=12))
def test_every_alert_counts_once_and_the_worst_comes_first(groups: list[AlertGroup]) -> None:
    found = by_module(groups, lambda one: one.region != "城东区")
    seen = [one for one in groups if one.region == ""]
    firing = [one for one in seen if one.status == "firing"]
    assert sum(one.firing for one in found) == sum(one.count for one in firing)
    assert {one.module for one in found} == {one.module for one in seen}
    ranks = [LEVELS.index(one.worst) if one.worst else -1 for one in found]
    assert ranks == sorted(ranks, reverse=True)
    for one in found:
        own = [each for each in firing if each.module == one.module]
        assert (one.since is None) == (not own)
        assert one.since in {None, *(each.began for each in own)}


async def test_modules_are_told_on_the_page_and_beside_their_tickets(world: World) -> None:
    source_id, token = await source(
        world, modules="pay=支付申请\nwage=工资统发", module_label="job"
    )

    async def alert(name: str, job: str, severity: str, **over: object) -> None:
        labels = {"alertname": name, "severity": severity, "job": job}
        content = body(began(labels=labels, fingerprint=name.encode().hex()[:16], **over))
        assert await deliver(world, source_id, token, content) == 200

    engineer = open_browser(world.product)
    await add(world.product, "health", Role.ENGINEER)
    await engineer.log_in("health")
    assert "监控没有报过异常" in shown(await engineer.get(AT))
    until = (utc_now().astimezone(LOCAL) + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    mute = {"kind": "silence", "labels": "alertname=演练", "comment": "演练", "ends_at": until}
    assert (await world.admin.post(f"{AT}/silences", **mute)).status_code == 303
    await alert("演练", "pay", "critical")
    await alert(HOSTILE, "pay", "critical")
    await alert("支付慢", "pay", "warning")
    await alert("工资库慢", "wage", "warning", status="resolved", endsAt=began()["startsAt"])
    page = (await engineer.get(AT)).text.partition('id="health"')[2].partition("</table>")[0]
    first, second = page.partition("<tbody>")[2].split("</tr>")[:2]
    assert "支付申请" in first
    assert "重大" in first
    assert '<td class="num">2</td>' in first
    assert "工资统发" in second
    assert "正常" in second
    number = await make_ticket(world.product)
    beside = f"/console/tickets/{number}"
    assert 'id="platform"' not in (await engineer.get(beside)).text
    async with world.product.services.database.transaction() as session:
        await session.execute(
            update(Ticket).where(Ticket.number == number).values(module="支付申请")
        )
    for path in (beside, f"{beside}/panel"):
        side = (
            (await engineer.get(path)).text.partition('id="platform"')[2].partition("</section>")[0]
        )
        assert side.count("<li>") == 2
        assert side.index("重大") < side.index("支付慢")
        assert HOSTILE not in side
        assert "演练" not in side
    await engineer.client.aclose()

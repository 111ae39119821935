"""Alerts propose incidents: once each, a few at most, for people to confirm."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from bot.alerts.proposals import AlertProposal
from bot.incidents.alerts import MOST, propose
from handoff import incident_repository as rows
from handoff.incident import IncidentStatus
from handoff.incident_tables import Incident
from store.session import Database
from store.vocabulary import Severity
from tests.bot.web.plain_browser import open_browser
from tests.handoff.terms import at
from tests.product import Product

ZONE = ZoneInfo("Asia/Shanghai")
NOW = at("2026-03-10 09:00")
ALERT = AlertProposal(
    key="alert:s1:f1:x",
    title="支付服务不可用",
    severity=Severity.MAJOR,
    module="支付申请",
    region="禅城区",
    began_at=NOW - timedelta(minutes=5),
    summary="5 分钟内 90% 请求失败",
)


async def propose_all(database: Database, *alerts: AlertProposal) -> int:
    async with database.transaction() as session:
        return await propose(session, alerts, zone=ZONE, now=NOW)


async def proposed(database: Database) -> list[Incident]:
    async with database.reading() as session:
        return list(await rows.with_status(session, [IncidentStatus.PROPOSED]))


async def test_an_alert_proposes_once(database: Database) -> None:
    assert await propose_all(database, ALERT, ALERT) == 1
    assert await propose_all(database, ALERT) == 0
    # Another machine of the same service is the same fault while that is not decided.
    assert await propose_all(database, replace(ALERT, key="alert:s1:f2:x")) == 0
    (incident,) = await proposed(database)
    assert (incident.title, incident.severity, incident.module) == (
        "支付服务不可用",
        "重大",
        "支付申请",
    )
    assert incident.began_at == ALERT.began_at
    assert incident.evidence == {"alert": {"summary": "5 分钟内 90% 请求失败", "region": "禅城区"}}


async def test_its_page_shows_what_monitoring_said(product: Product) -> None:
    assert await propose_all(product.services.database, ALERT) == 1
    number = (await proposed(product.services.database))[0].number
    browser = open_browser(product)
    await browser.log_in()
    page = await browser.get(f"/console/incidents/{number}")
    assert page.status_code == 200
    assert ALERT.summary in page.text
    await browser.client.aclose()


async def test_a_storm_proposes_a_few_of_the_gravest(sqlite_database: Database) -> None:
    storm = [
        replace(
            ALERT,
            key=f"k{n}" * 90,
            title=f"主机{n}",
            severity=Severity.MAJOR if n == 29 else Severity.URGENT,
        )
        for n in range(30)
    ]
    assert await propose_all(sqlite_database, *storm) == MOST
    assert "主机29" in [one.title for one in await proposed(sqlite_database)]


async def test_nothing_proposes_nothing(sqlite_database: Database) -> None:
    assert await propose_all(sqlite_database) == 0
    future = replace(ALERT, began_at=NOW + timedelta(hours=1), title="", summary="摘要")
    assert await propose_all(sqlite_database, future) == 1
    (incident,) = await proposed(sqlite_database)
    assert (incident.title, incident.began_at) == ("摘要", NOW)

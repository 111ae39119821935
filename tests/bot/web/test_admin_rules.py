"""Rules of tickets on their pages: made, tried, switched on, ordered, restored, and at work."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from bot.tables import Role
from handoff import repository
from handoff.rule_tables import RuleTrial, TicketRule
from store.audit import AuditEntry
from tests.bot.web.plain_browser import HOSTILE, Browser, add, make_ticket, open_browser, shown
from tests.product import Product

RULES = "/console/admin/ticket-rules"
UNIT = {
    "name": "一小的单子",
    "occasion": "opened",
    "match": "all",
    "field_0": "unit",
    "operator_0": "contains",
    "values_0": "一小、二小",
    "kind_0": "tag",
    "target_0": "学校",
    "kind_1": "note",
    "text_1": "{number} 先打电话",
}


@pytest.fixture
async def root(product: Product) -> AsyncIterator[Browser]:
    await add(product, "root", Role.ADMIN)
    browser = open_browser(product)
    await browser.log_in("root")
    await browser.get(RULES)
    yield browser
    await browser.client.aclose()


async def rules(product: Product) -> list[TicketRule]:
    async with product.services.database.reading() as session:
        found = await session.scalars(select(TicketRule).order_by(TicketRule.position))
        return list(found)


async def test_a_rule_is_made_switched_on_and_seen_on_the_ticket(
    product: Product, root: Browser, chen: Browser
) -> None:
    assert (await root.post(f"{RULES}/new", **UNIT)).status_code == 303
    [made] = await rules(product)
    assert not made.enabled
    await product.services.rules.runner.run_once()
    before = await make_ticket(product)
    await product.services.rules.runner.run_once()
    await root.post(f"{RULES}/{made.id}/switch/on")
    number = await make_ticket(product)
    for _ in range(3):
        await product.services.rules.runner.run_once()
    page = shown(await chen.get(f"/console/tickets/{number}"))
    assert all(word in page for word in ("自动规则", "一小的单子", "单位包含一小或二小", "学校"))
    assert f"{number} 先打电话" in page
    assert "自动规则" not in shown(await chen.get(f"/console/tickets/{before}"))
    listed = shown(await root.get(RULES))
    assert "已启用" in listed
    async with product.services.database.reading() as session:
        done = (await session.scalars(select(AuditEntry.action))).all()
        ticket = await repository.by_number(session, number)
        noted = [e for e in await repository.events_of(session, ticket.id) if e.action == "note"]
    assert {"ticket_rule.added", "ticket_rule.switched_on"} <= set(done)
    assert len(noted) == 1


async def test_a_rule_is_tried_on_past_tickets_without_touching_them(
    product: Product, root: Browser
) -> None:
    number = await make_ticket(product)
    answer = await root.post(f"{RULES}/new", **UNIT, do="try")
    assert answer.status_code == 303
    await product.services.rules.runs.settle()
    page = await root.get(answer.headers["location"])
    assert "命中 1 张" in shown(page)
    assert number in page.text
    assert HOSTILE not in page.text
    assert await rules(product) == []
    async with product.services.database.reading() as session:
        ticket = await repository.by_number(session, number)
        events = await repository.events_of(session, ticket.id)
    assert not [one for one in events if one.actor.id.startswith("rule:")]
    none = await root.post(f"{RULES}/new", **{**UNIT, "values_0": "没有"}, do="try")
    await product.services.rules.runs.settle()
    assert "没有工单会命中" in shown(await root.get(none.headers["location"]))


async def test_an_interrupted_trial_is_told(product: Product, root: Browser) -> None:
    answer = await root.post(f"{RULES}/new", **UNIT, do="try")
    await product.services.rules.runs.settle()
    trials = product.services.rules.runs
    async with product.services.database.transaction() as session:
        trial = (await session.scalars(select(RuleTrial))).one()
        trial.state, trial.beat_at = "running", trial.beat_at.replace(year=2020)
    assert trials.is_silent(trial)
    page = await root.get(answer.headers["location"])
    assert "中断" in shown(page)
    assert "refresh" not in page.headers


@pytest.mark.parametrize(
    ("over", "told"),
    [
        ({"name": ""}, "规则名称"),
        ({"field_0": "reopened", "operator_0": "is", "values_0": "1"}, "第 1 个条件"),
        ({"field_0": "severity", "operator_0": "is", "values_0": "很急"}, "很急"),
        ({"kind_0": "escalate", "target_0": "省厅研发组"}, "第 1 个动作"),
        ({"text_1": "{password}"}, "password"),
        ({"field_1": "unit", "operator_1": "empty"}, "不可能同时满足"),
        ({"occasion": "time"}, "等待时间"),
        ({"kind_0": "engineer", "target_0": HOSTILE}, "没有这个值"),
    ],
)
async def test_nonsense_is_refused_and_what_was_typed_stays(
    product: Product, root: Browser, over: dict[str, str], told: str
) -> None:
    answer = await root.post(f"{RULES}/new", **{**UNIT, **over})
    assert answer.status_code == 422
    assert told in shown(answer)
    assert "先打电话" in answer.text or "password" in answer.text
    assert HOSTILE not in answer.text
    assert await rules(product) == []


@pytest.mark.parametrize(
    "over", [{"occasion": "never"}, {"match": "none"}, {"operator_0": "like"}, {"kind_0": "erase"}]
)
async def test_what_no_form_of_ours_sends_is_refused(root: Browser, over: dict[str, str]) -> None:
    assert (await root.post(f"{RULES}/new", **{**UNIT, **over})).status_code == 422


async def test_order_history_and_restoring(product: Product, root: Browser) -> None:
    await root.post(f"{RULES}/new", **UNIT)
    await root.post(f"{RULES}/new", **{**UNIT, "name": "第二条"})
    first, second = await rules(product)
    await root.post(f"{RULES}/{second.id}/move/up")
    assert [one.id for one in await rules(product)] == [second.id, first.id]
    await root.post(f"{RULES}/{second.id}/move/up")
    assert [one.id for one in await rules(product)] == [second.id, first.id]
    changed = {**UNIT, "name": "改过的", "values_0": "三小", "version": "1"}
    assert (await root.post(f"{RULES}/{first.id}", **changed)).status_code == 303
    assert (await root.post(f"{RULES}/{first.id}", **changed)).status_code == 409
    page = await root.get(f"{RULES}/{first.id}")
    assert "一小的单子 → 改过的" in shown(page)
    assert "单位包含一小或二小 → 单位包含三小" in shown(page)
    change = page.text.split("/restore/")[-1][:32]
    assert (await root.post(f"{RULES}/{first.id}/restore/{change}")).status_code == 303
    assert {one.name for one in await rules(product)} == {"一小的单子", "第二条"}
    await root.post(f"{RULES}/{second.id}/remove")
    assert [one.id for one in await rules(product)] == [first.id]
    assert (await root.get(f"{RULES}/{second.id}")).status_code == 404


async def test_more_lines_keep_what_was_typed(root: Browser) -> None:
    page = await root.post(f"{RULES}/new", **UNIT, do="more")
    assert page.status_code == 200
    assert 'name="field_6"' in page.text
    assert "先打电话" in page.text


async def test_who_may_look_and_who_may_change(product: Product, chen: Browser) -> None:
    assert (await chen.get(RULES)).status_code == 403
    assert (await chen.post(f"{RULES}/new", **UNIT)).status_code == 403
    await add(product, "boss", Role.MANAGER)
    boss = open_browser(product)
    await boss.log_in("boss")
    assert (await boss.get(RULES)).status_code == 200
    assert (await boss.post(f"{RULES}/new", **UNIT)).status_code == 403
    await boss.client.aclose()

"""Pages and API of incidents: who may what, what is refused, what stands there afterwards."""

from typing import Any

import httpx
import pytest

from bot import repository
from bot.tables import Role
from tests.bot.web.plain_browser import HOSTILE, Browser, add, make_ticket, open_browser
from tests.product import Product

WORDS = {"note": "支付申请暂时打不开，正在抢修", "meanwhile": "请先办别的业务"}
NEW = {"title": "支付申请打不开", "severity": "紧急", "module": "支付申请", **WORDS}
REVIEW = {"cause": "连接池耗尽", "impact": "三家单位", "measures": "扩容", "prevention": "加监控"}


async def opened(browser: Browser, **over: str) -> str:
    """An incident opened by hand; its number."""
    await browser.get("/console/incidents/new")
    answer = await browser.post("/console/incidents", **{**NEW, **over})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rsplit("/", 1)[1]


async def act(browser: Browser, number: str, verb: str, **fields: str) -> httpx.Response:
    return await browser.post(f"/console/incidents/{number}/do/{verb}", **fields)


async def api(product: Product, number: str, verb: str = "", **body: Any) -> httpx.Response:
    headers = await product.staff("lin")
    if match := body.pop("if_match", ""):
        headers = {**headers, "If-Match": f'"{match}"'}
    address = f"/api/v1/incidents/{number}" + (f"/{verb}" if verb else "")
    if not verb:
        return await product.client.get(address, headers=headers)
    return await product.client.post(address, json=body, headers=headers)


async def test_from_opening_by_hand_to_the_end(product: Product, chen: Browser) -> None:
    ticket = await make_ticket(product)
    number = await opened(chen, ticket=ticket, title=f"支付申请{HOSTILE}")
    page = await chen.get(f"/console/incidents/{number}")
    assert page.status_code == 200
    assert ticket in page.text
    assert WORDS["note"] in page.text
    assert HOSTILE not in page.text
    side = await chen.get(f"/console/tickets/{ticket}")
    assert f"/console/incidents/{number}" in side.text
    listed = await chen.get("/console/incidents")
    assert number in listed.text
    steps: list[tuple[str, dict[str, str]]] = [
        ("change_severity", {"severity": "重大", "why": "三家单位付不了款"}),
        ("tell", {"note": "已定位，预计 11 点恢复"}),
        ("detach", {"ticket": ticket, "why": "是权限问题"}),
        ("attach", {"ticket": ticket.lower()}),
        ("resolve", {"cause": "连接池耗尽", "solution": "扩容后恢复"}),
        ("reopen", {"why": "又不行了"}),
        ("resolve", {"cause": "连接池耗尽", "solution": "再次扩容"}),
        ("review", REVIEW),
        ("add_measure", {"text": "加监控", "owner": "王工", "due": "2026-01-31"}),
    ]
    for verb, fields in steps:
        assert (await act(chen, number, verb, **fields)).status_code == 303, verb
    waiting = await chen.get("/console/incidents?tab=review")
    assert "加监控" in waiting.text
    assert "overdue" in waiting.text
    refused = await act(chen, number, "close")
    assert refused.status_code == 409
    assert "复盘" in refused.text
    whole = (await api(product, number)).json()
    measure = whole["measures"][0]["id"]
    done = await act(chen, number, "finish_measure", measure=measure, outcome="已上线")
    assert done.status_code == 303
    assert (await act(chen, number, "close")).status_code == 303
    whole = (await api(product, number)).json()
    assert (whole["status"], whole["actions"]) == ("已关闭", [])
    assert whole["review"] == REVIEW
    assert [event["action"] for event in whole["events"]][:3] == [
        "open",
        "attach",
        "change_severity",
    ]
    assert number in (await chen.get("/console/incidents?tab=past")).text


@pytest.mark.parametrize(
    ("verb", "fields", "status"),
    [
        ("tell", {"note": ""}, 422),
        ("tell", {"note": "好" * 1_001}, 422),
        ("tell", WORDS, 409),
        ("attach", {"ticket": "CW20200101-0001"}, 422),
        ("attach", {"ticket": "<b>"}, 422),
        ("attach", {}, 422),
        ("detach", {"ticket": "CW20200101-0001", "why": "x"}, 422),
        ("change_severity", {"severity": "特大", "why": "x"}, 422),
        ("change_severity", {"severity": "紧急", "why": "x"}, 409),
        ("confirm", {"title": "x", "severity": "一般", "note": "y"}, 409),
        ("close", {}, 409),
        ("add_measure", {"text": "x", "owner": "y", "due": "明天"}, 422),
        ("finish_measure", {"measure": "0" * 32, "outcome": "x"}, 404),
        ("finish_measure", {"measure": "../..", "outcome": "x"}, 422),
        ("propose", {}, 404),
        ("explode", {}, 422),
        ("tell", {"note": "新说明", "version": "-1"}, 422),
    ],
)
async def test_what_is_refused_changes_nothing(
    product: Product, chen: Browser, verb: str, fields: dict[str, str], status: int
) -> None:
    number = await opened(chen)
    before = (await api(product, number)).json()
    answer = await act(chen, number, verb, **fields)
    assert answer.status_code == status, answer.text
    assert (await api(product, number)).json() == before


async def test_a_refused_form_keeps_what_was_typed(chen: Browser) -> None:
    number = await opened(chen)
    answer = await act(chen, number, "resolve", cause="我写了很久的原因", solution="")
    assert answer.status_code == 422
    assert "我写了很久的原因" in answer.text
    again = await chen.post("/console/incidents", **{**NEW, "note": ""})
    assert again.status_code == 422
    assert NEW["title"] in again.text


async def test_templates_fill_the_form(chen: Browser) -> None:
    page = await chen.get("/console/incidents/new", template="login")
    assert "不必修改" in page.text
    assert "不必修改" not in (await chen.get("/console/incidents/new", template="x/../")).text


async def test_two_people_decide_once(product: Product, chen: Browser) -> None:
    number = await opened(chen)
    seen = (await api(product, number)).json()["version"]
    assert (await act(chen, number, "tell", note="甲的说明", version=str(seen))).status_code == 303
    late = await api(product, number, "tell", note="乙的说明", if_match=str(seen))
    assert late.status_code == 412
    assert late.json()["type"].endswith("incident_changed")
    page = await act(chen, number, "tell", note="丙的说明", version=str(seen))
    assert page.status_code == 412
    assert "丙的说明" in page.text
    assert (await api(product, number)).json()["note"] == "甲的说明"


async def test_tickets_that_join_by_themselves_refuse_nobody(
    product: Product, chen: Browser
) -> None:
    number = await opened(chen, title="外币利息核算模块报错打不开", module="")
    seen = (await api(product, number)).json()["version"]
    await product.services.incidents.board.refresh()
    chat = await product.open(unit="区教育局")
    await chat.say("外币利息核算模块报错打不开")
    await chat.say("转人工", kind="human")
    joined = (await api(product, number)).json()
    assert joined["version"] > seen
    assert [one["belonging"] for one in joined["members"]] == ["asked"]
    done = await api(product, number, "tell", note="乙的说明", if_match=str(seen))
    assert done.status_code == 200


async def test_who_may(product: Product, chen: Browser, stranger: Browser) -> None:
    number = await opened(chen)
    await add(product, "boss", Role.MANAGER)
    await add(product, "writer", Role.EDITOR)
    boss, writer = open_browser(product), open_browser(product)
    await boss.log_in("boss")
    await writer.log_in("writer")
    page = await boss.get(f"/console/incidents/{number}")
    assert page.status_code == 200
    assert "/do/" not in page.text
    assert (await act(boss, number, "tell", note="x")).status_code == 403
    assert (await boss.get("/console/incidents/new")).status_code == 403
    for path in ("", f"/{number}", "/new"):
        assert (await writer.get(f"/console/incidents{path}")).status_code == 403
        assert (await stranger.get(f"/console/incidents{path}")).status_code == 303
    assert (await product.client.get("/api/v1/incidents")).status_code == 401
    chen.csrf = "forged"
    assert (await act(chen, number, "tell", note="x")).status_code == 403
    for browser in (boss, writer):
        await browser.client.aclose()


async def test_outside_the_scope_there_is_nothing(product: Product, chen: Browser) -> None:
    number = await opened(chen)
    async with product.services.database.transaction() as session:
        lin = next(one for one in await repository.all_staff(session) if one.username == "lin")
        lin.modules = ["工资统发"]
    assert (await api(product, number)).status_code == 404
    listed = await product.client.get("/api/v1/incidents", headers=await product.staff("lin"))
    assert listed.json() == {"incidents": []}
    assert (await chen.get("/console/incidents/SJ20200101-01")).status_code == 404


async def test_the_api_opens_and_refuses_what_it_does_not_know(product: Product) -> None:
    headers = await product.staff("lin")
    made = await product.client.post("/api/v1/incidents", json=NEW, headers=headers)
    assert made.status_code == 201
    number = made.json()["number"]
    for body in ({**NEW, "x": 1}, {**NEW, "note": " "}, {**NEW, "severity": "特大"}, []):
        answer = await product.client.post("/api/v1/incidents", json=body, headers=headers)
        assert answer.status_code == 422
    done = await api(product, number, "resolve", cause="原因", solution="好了")
    assert done.json()["status"] == "已解决"
    chosen = await product.client.get(
        "/api/v1/incidents", params={"status": "已解决"}, headers=headers
    )
    assert [one["number"] for one in chosen.json()["incidents"]] == [number]

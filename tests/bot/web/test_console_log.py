"""Logging a call: looking the caller up, the proposal, the ticket, and what is refused."""

from typing import Any

import pytest

from bot import repository
from bot.tables import Role
from tests.bot.web.plain_browser import HOSTILE, Browser, add, open_browser, shown
from tests.product import Product

AT = "/console/log"
TEXT = "支付申请送审时提示可用指标不足"


async def log(product: Product, who: str = "chen", **body: Any) -> Any:
    given = {"source": "phone", "text": TEXT, "request_id": "r1", **body}
    return await product.client.post(
        "/api/v1/tickets", json=given, headers=await product.staff(who)
    )


async def show(product: Product, number: str) -> dict[str, Any]:
    answer = await product.client.get(f"/api/v1/tickets/{number}", headers=await product.staff())
    found: dict[str, Any] = answer.json()
    return found


async def callers(product: Product, q: str, who: str = "chen") -> list[dict[str, str]]:
    answer = await product.client.get(
        "/api/v1/callers", params={"q": q}, headers=await product.staff(who)
    )
    found: list[dict[str, str]] = answer.json()["callers"]
    return found


async def test_a_call_becomes_a_ticket_like_any_other(product: Product) -> None:
    answer = await log(product, name="李会计", unit="市一小", phone="13800138000")
    assert answer.status_code == 201
    ticket = await show(product, answer.json()["number"])
    assert ticket["title"] == TEXT
    assert ticket["channel"] == "phone"
    assert ticket["status"] == "新建"
    assert ticket["requester"]["phone"] == "138****8000"
    assert ticket["respond_due"]
    assert ticket["deadlines"]
    assert ticket["conversation_id"] is None


async def test_the_same_form_is_logged_once(product: Product) -> None:
    first, again = await log(product), await log(product)
    assert first.json() == again.json()
    assert (await log(product, request_id="r2")).json() != first.json()
    assert (await log(product, "lin")).json() != first.json()


@pytest.mark.parametrize("words", ["13800138000", "市一小", "李会计"])
async def test_a_caller_is_found_and_keeps_unit_and_region(product: Product, words: str) -> None:
    await product.open(name="李会计", unit="市一小", region="禅城区", phone="13800138000")
    (caller,) = await callers(product, words)
    assert caller["phone"] == "138****8000"
    answer = await log(product, caller_id=caller["id"])
    ticket = await show(product, answer.json()["number"])
    assert (ticket["unit"], ticket["region"]) == ("市一小", "禅城区")


@pytest.mark.parametrize("words", ["", " ", "李", "%", "_", "没有此人", "'; --"])
async def test_nobody_is_found_by_signs_or_one_letter(product: Product, words: str) -> None:
    await product.open(name="李会计", unit="市一小")
    assert await callers(product, words) == []


async def test_callers_of_other_regions_are_neither_found_nor_used(product: Product) -> None:
    await product.open(name="李会计", region="南海区")
    (caller,) = await callers(product, "李会计")
    async with product.services.database.transaction() as session:
        lin = await repository.staff_by_username(session, "lin")
        assert lin is not None
        lin.regions = ["禅城区"]
    assert await callers(product, "李会计", "lin") == []
    for body in ({"caller_id": caller["id"]}, {"region": "南海区"}, {"caller_id": "nobody"}):
        assert (await log(product, "lin", **body)).status_code == 422
    assert (await log(product, "lin", region="禅城区")).status_code == 201


async def test_the_proposal_holds_unless_the_engineer_rates(product: Product) -> None:
    text = "全市的单位都登录不了系统，工资今天发不出去"
    headers = await product.staff()
    proposed = await product.client.post("/api/v1/proposals", json={"text": text}, headers=headers)
    assert proposed.json()["severity"] == "重大"
    assert proposed.json()["reasons"]
    kept = await show(product, (await log(product, text=text)).json()["number"])
    assert kept["severity"] == "重大"
    assert kept["reasons"]
    rated = await log(product, text=text, request_id="r2", severity="一般")
    ticket = await show(product, rated.json()["number"])
    assert ticket["severity"] == "一般"
    change = next(e for e in ticket["events"] if e["action"] == "change_severity")
    assert "重大" in change["detail"]["why"]


@pytest.mark.parametrize(
    "body",
    [
        {"text": " "},
        {"text": "长" * 10_001},
        {"source": "pigeon"},
        {"request_id": ""},
        {"request_id": "a b"},
        {"severity": "最急"},
        {"unit": "长" * 121},
        {"unasked": "x"},
    ],
)
async def test_senseless_requests_are_refused(product: Product, body: dict[str, Any]) -> None:
    assert (await log(product, **body)).status_code == 422


async def test_the_form_logs_takes_and_says_what_was_logged(
    product: Product, chen: Browser
) -> None:
    page = await chen.get(AT)
    assert 'hx-get="/console/log/callers"' in page.text
    fields = {"source": "walk_in", "text": TEXT, "unit": f"一小{HOSTILE}", "request_id": "f1"}
    answer = await chen.post(AT, part=False, **fields)
    assert answer.status_code == 303
    page = await chen.get(answer.headers["location"])
    assert "已登记工单" in shown(page)
    taken = await chen.post(AT, part=False, **{**fields, "request_id": "f2", "take": "true"})
    assert taken.headers["location"].startswith("/console/tickets/CW")
    ticket = await chen.get(taken.headers["location"])
    assert "处理中" in shown(ticket)
    assert "来访" in shown(ticket)
    assert HOSTILE not in ticket.text


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"text": " "}, "不能为空"), ({"text": "长" * 10_001}, "太长"), ({"source": "x"}, "有误")],
)
async def test_a_refused_form_keeps_what_was_typed(
    chen: Browser, wrong: dict[str, str], words: str
) -> None:
    await chen.get(AT)
    fields: dict[str, Any] = {"source": "phone", "text": TEXT, "unit": "市一小", "request_id": "f"}
    answer = await chen.post(AT, **{**fields, **wrong})
    assert answer.status_code == 422
    assert words in shown(answer)
    assert 'value="市一小"' in answer.text


async def test_live_parts_are_parts(product: Product, chen: Browser) -> None:
    await product.open(name=HOSTILE, unit="市一小", phone="13800138000")
    found = await chen.get(f"{AT}/callers", who="13800138000")
    assert "市一小" in found.text
    assert HOSTILE not in found.text
    assert "<html" not in found.text
    assert "没有找到" in (await chen.get(f"{AT}/callers", who="查无此人")).text
    await chen.get(AT)
    proposed = await chen.post(f"{AT}/proposal", text="全市的单位都登录不了系统")
    assert "建议" in proposed.text
    assert (await chen.post(f"{AT}/proposal", text="")).text.strip() == ""
    assert (await chen.post(f"{AT}/proposal", text="长" * 10_001)).status_code == 422


@pytest.mark.parametrize("role", [Role.MANAGER, Role.EDITOR])
async def test_who_does_not_work_on_tickets_logs_none(product: Product, role: Role) -> None:
    await add(product, role.value, role)
    browser = open_browser(product)
    await browser.log_in(role.value)
    assert (await browser.get(AT)).status_code == 403
    assert (await browser.post(AT, text=TEXT)).status_code == 403
    assert (await log(product, role.value)).status_code == 403
    headers = await product.staff(role.value)
    for path in ("/api/v1/callers?q=abc", f"{AT}/callers?who=abc"):
        assert (await product.client.get(path, headers=headers)).status_code == 403
    await browser.client.aclose()

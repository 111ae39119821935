"""The menu of verbs and its dialogs, as a browser without scripts and one with scripts use them."""

import re
from typing import Any

import pytest

from bot.tables import Role
from bot.web.console.sheets import SHEETS
from bot.web.staff_verbs import SHAPES
from handoff.ticket import TRANSITIONS, Action, Status
from tests.bot.web.plain_browser import Browser, add, make_ticket, open_browser, shown
from tests.bot.web.test_staff_dispatch import opened
from tests.product import Product


def menu(text: str) -> set[str]:
    return set(re.findall(r'data-sheet="[^"]*/sheets/(\w+)', text))


def test_dialogs_and_shapes_ask_for_the_same() -> None:
    assert set(SHEETS) == set(SHAPES) - {Action.CHANGE_SEVERITY}
    for action, fields in SHEETS.items():
        # Custom fields are the administrator's: the dialog adds them.
        asked = set(SHAPES[action].model_fields) - ({"fields"} if action is Action.MARK else set())
        assert {field.name for field in fields} == asked, action
        for field in fields:
            assert field.required == SHAPES[action].model_fields[field.name].is_required()


@pytest.mark.parametrize("status", list(Status))
async def test_the_menu_is_what_the_table_says(
    product: Product, chen: Browser, status: Status
) -> None:
    number = await opened(product, status)
    found = menu((await chen.get(f"/console/tickets/{number}")).text)
    expected = {a.value for a in SHEETS if (status, a) in TRANSITIONS} - {"work_order"}
    assert found == expected


async def test_colleagues_and_managers_are_offered_less(product: Product, lin: Browser) -> None:
    number = await opened(product, Status.IN_PROGRESS)
    found = menu((await lin.get(f"/console/tickets/{number}")).text)
    assert found.isdisjoint({"transfer", "escalate", "release", "pause", "merge", "arrange"})
    assert "link" in found
    await add(product, "boss", Role.MANAGER)
    boss = open_browser(product)
    await boss.log_in("boss")
    assert menu((await boss.get(f"/console/tickets/{number}")).text) == set()
    assert (await boss.get(f"/console/tickets/{number}/sheets/link")).status_code == 403
    assert (await boss.post(f"/console/tickets/{number}/do/link", other="x")).status_code == 403
    await boss.client.aclose()


async def test_a_dialog_by_plain_form_pauses_until_a_local_time(
    product: Product, chen: Browser
) -> None:
    at = f"/console/tickets/{await opened(product, Status.IN_PROGRESS)}"
    page = await chen.get(at, do="pause")
    assert re.search(r'<dialog id="sheet"[^>]* open>', page.text)
    version = re.search(r'name="version" value="(\d+)"', page.text)
    assert version is not None
    fields: dict[str, Any] = {
        "reason": "约定时间",
        "until": "2099-03-02T09:30",
        "version": version[1],
    }
    assert (await chen.post(f"{at}/do/pause", **fields)).status_code == 303
    text = shown(await chen.get(at))
    assert "约定时间，到 3月2日（周一）09:30" in text
    assert (await chen.post(f"{at}/do/resume")).status_code == 303
    assert "处理中" in shown(await chen.get(at))


async def test_a_stale_dialog_says_who_did_what_and_keeps_what_was_typed(
    product: Product, chen: Browser, lin: Browser
) -> None:
    number = await opened(product)
    at = f"/console/tickets/{number}"
    await lin.get(at)
    await chen.get(at)
    await chen.post(f"{at}/claim")
    fields: dict[str, Any] = {"title": "另一件事情", "description": "说明", "version": "1"}
    for part in (False, True):
        refused = await lin.post(f"{at}/do/split", part=part, **fields)
        assert refused.status_code == 409
        assert "陈工" in refused.text
        assert "领取" in refused.text
        assert 'value="另一件事情"' in refused.text
        assert 'name="version" value="2"' in refused.text
    fields["version"] = "2"
    assert (await lin.post(f"{at}/do/split", **fields)).status_code == 303


@pytest.mark.parametrize(
    ("verb", "fields", "words"),
    [
        ("transfer", {"why": "转走"}, "二选一"),
        ("transfer", {"level": "二线", "why": ""}, "必填"),
        ("transfer", {"assignee_id": "nobody", "why": "转"}, "换一位"),
        ("escalate", {"level": "省厅研发组", "why": "缺陷"}, "缺陷还是需求"),
        ("pause", {"reason": "约定时间", "until": "明天"}, "约定的日期和时间"),
        ("pause", {"reason": "等什么"}, "表单内容有误"),
        ("merge", {"into": "x" * 30}, "表单内容有误"),
        ("arrange", {"plan": "长" * 10_001}, "太长"),
        ("link", {"other": "CW1", "version": "one"}, ""),
    ],
)
async def test_a_dialog_that_cannot_be_done_says_why(
    product: Product, chen: Browser, verb: str, fields: dict[str, Any], words: str
) -> None:
    at = f"/console/tickets/{await opened(product, Status.IN_PROGRESS)}"
    await chen.get(at)
    answer = await chen.post(f"{at}/do/{verb}", part=True, **fields)
    assert answer.status_code == 422
    if words:
        assert re.search(r'id="sheet".*role="alert">[^<]*' + words, answer.text, re.DOTALL)


async def test_a_dialog_for_scripts_holds_people_and_is_empty_when_not_offered(
    product: Product, chen: Browser
) -> None:
    number = await opened(product, Status.IN_PROGRESS)
    at = f"/console/tickets/{number}"
    sheet = await chen.get(f"{at}/sheets/transfer")
    assert "林工 · 一线工程师" in sheet.text
    assert "陈工" not in sheet.text
    assert "<html" not in sheet.text
    assert (await chen.get(f"{at}/sheets/reopen")).text.strip() == ""
    assert (await chen.get(f"{at}/sheets/nothing")).status_code == 422
    assert (await chen.post(f"{at}/do/claim")).status_code == 404
    assert (await chen.get("/console/tickets/CW1/sheets/link")).status_code == 404


async def test_relations_and_the_work_order_stand_in_the_side_column(
    product: Product, chen: Browser
) -> None:
    number, other = await make_ticket(product), await opened(product)
    at = f"/console/tickets/{number}"
    await chen.get(at)
    await chen.post(f"{at}/claim")
    await chen.post(f"{at}/do/link", other=other.lower())
    up: dict[str, Any] = {"why": "程序缺陷", "level": "省厅研发组", "order_kind": "缺陷"}
    assert (await chen.post(f"{at}/do/escalate", **up)).status_code == 303
    page = await chen.get(at)
    assert f'<a href="/console/tickets/{other}">' in page.text
    assert re.search(r'id="order">.*已提交', page.text, re.DOTALL)
    assert "work_order" in menu(page.text)
    assert "escalate" not in menu(page.text)


async def test_tabs_count_beyond_what_they_show(product: Product, chen: Browser) -> None:
    for _ in range(3):
        await opened(product)
    await opened(product, Status.IN_PROGRESS)
    page = await chen.get("/console", queue="waiting")
    counts = dict(re.findall(r'data-tab="(\w+)"[^>]*>[^<]*<span class="count">(\d+)', page.text))
    assert counts == {"mine": "1", "waiting": "3", "all": "4"}
    assert len(re.findall(r"CW[\d-]+", re.findall(r'data-waiting="([^"]*)"', page.text)[0])) == 3
    narrowed = await chen.get("/console", queue="waiting", severity="重大")
    assert re.findall(r'<span class="count">(\d+)', narrowed.text) == ["0", "0", "0"]

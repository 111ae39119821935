"""Ticket templates: checked when saved, filled in where a request is logged, restored."""

from collections.abc import AsyncIterator
from html import unescape

import pytest

from bot.tables import Role
from tests.bot.web.plain_browser import HOSTILE, Browser, add, open_browser, shown
from tests.product import Product

AT, LOG = "/console/admin/ticket-templates", "/console/log"
TEMPLATE = {
    "name": "换人授权",
    "category": "需求建议",
    "module": "系统管理",
    "severity": "紧急",
    "text": "{unit} {name}（{phone}）于{date}来电，{engineer}登记：\n原经办人：\n新经办人：",
    "field_order": "授权函",
    "position": "1",
}


@pytest.fixture
async def root(product: Product) -> AsyncIterator[Browser]:
    await add(product, "root", Role.ADMIN)
    browser = open_browser(product)
    await browser.log_in("root")
    await browser.get("/console/admin/fields")
    field = {"key": "order", "label": "附件", "kind": "choice", "choices": "授权函,申请表"}
    await browser.post("/console/admin/fields", **field, active="1", categories="需求建议")
    await browser.get(AT)
    yield browser
    await browser.client.aclose()


async def save(root: Browser, **over: str) -> int:
    return (await root.post(AT, **{**TEMPLATE, **over})).status_code


async def the_id(root: Browser) -> str:
    return (await root.get(AT)).text.split('data-template="')[1][:32]


def text_of(page: str) -> str:
    return unescape(page.split("</textarea>", maxsplit=1)[0].rsplit(">", 1)[1])


async def test_a_template_fills_the_form_and_the_ticket(
    product: Product, root: Browser, chen: Browser
) -> None:
    assert await save(root) == 303
    assert (
        await save(root, name="别的", text="{unit}：另一件事", category="", field_order="") == 303
    )
    first = await the_id(root)
    second = (await root.get(AT)).text.split('data-template="')[2][:32]
    page = await chen.get(LOG)
    assert "换人授权" in page.text
    typed = {"source": "walk_in", "unit": f"一小{HOSTILE}", "name": "李会计", "text": ""}
    page = await chen.post(f"{LOG}/template", **typed, template=second)
    assert text_of(page.text) == f"一小{HOSTILE}：另一件事"
    typed["text"] = text_of(page.text)
    page = await chen.post(f"{LOG}/template", **typed, template=first)
    assert page.status_code == 200
    assert HOSTILE not in page.text
    filled = text_of(page.text)
    assert filled.startswith(f"一小{HOSTILE} 李会计（）于2")
    assert "另一件事" not in filled, "the other template's text gave way"
    for chosen in ("需求建议", "紧急", "授权函"):
        assert f"selected>{chosen}</option>" in page.text
    typed["text"] = "王老师说很急"
    again = await chen.post(f"{LOG}/template", **typed, template=first)
    assert text_of(again.text).endswith("新经办人：\n王老师说很急"), "own words stay"
    logged = await chen.post(
        LOG,
        **{
            **typed,
            "text": filled,
            "category": "需求建议",
            "severity": "紧急",
            "module": "系统管理",
        },
        field_order="授权函",
        request_id="t1",
    )
    number = logged.headers["location"].rsplit("=", 1)[1]
    headers = await product.staff()
    ticket = (await product.client.get(f"/api/v1/tickets/{number}", headers=headers)).json()
    assert (ticket["category"], ticket["severity"]) == ("需求建议", "紧急")
    assert ticket["module"] == "系统管理"
    assert ticket["marks"]["fields"] == {"order": "授权函"}


async def test_what_does_not_fit_is_refused_with_what_was_typed(
    root: Browser, chen: Browser
) -> None:
    await save(root)
    await chen.get(LOG)
    gone = await chen.post(f"{LOG}/template", text="别丢", source="phone", template="0" * 32)
    assert gone.status_code == 422
    assert text_of(gone.text) == "别丢"
    wrong = await chen.post(
        LOG, text="别丢", source="phone", request_id="t2", category="操作咨询", field_order="授权函"
    )
    assert wrong.status_code == 422
    assert text_of(wrong.text) == "别丢"
    assert "登记项" in shown(wrong)
    for over in (
        {"name": ""},
        {"name": "长" * 41},
        {"text": ""},
        {"text": "{password}"},
        {"text": "{unit.__class__}"},
        {"text": "长" * 2001},
        {"category": "没有"},
        {"category": ""},
        {"severity": "没有"},
        {"module": "长" * 81},
        {"field_order": "没有这个选项"},
        {"field_nothing": "x"},
        {"position": "-1"},
        {"id": "0" * 32, "version": "1"},
    ):
        refused = await root.post(AT, **{**TEMPLATE, **over})
        assert refused.status_code == 422, over
    assert (await chen.post(AT, **TEMPLATE)).status_code == 403


async def test_templates_are_changed_restored_and_removed_with_their_history(
    root: Browser,
) -> None:
    await save(root)
    row = await the_id(root)
    assert await save(root, id=row, version="1", name=HOSTILE) == 303
    assert await save(root, id=row, version="1", name="迟了") == 422
    page = await root.get(AT)
    assert "换人授权 →" in shown(page)
    assert HOSTILE not in page.text
    change = page.text.split(f'action="{AT}/{row}/restore/')[1][:32]
    assert (await root.post(f"{AT}/{row}/restore/{change}")).status_code == 303
    page = await root.get(AT)
    assert "<b>换人授权</b>" in page.text
    assert "恢复旧版" in page.text
    assert (await root.post(f"{AT}/{row}/restore/{'0' * 32}")).status_code == 422
    for _ in range(2):
        assert (await root.post(f"{AT}/{row}/remove")).status_code == 303
    assert row not in (await root.get(AT)).text

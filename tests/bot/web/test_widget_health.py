"""How each host page does: heard and said last, opened, refused, waiting."""

import re
from datetime import timedelta
from typing import Any

import pytest

from bot.accounts.service import Principal
from bot.channels import widget_repository as widget_rows
from bot.channels.widgets import WidgetHealth
from bot.clock import utc_now
from bot.conversations.recording import Recorder
from bot.errors import NotPermitted
from bot.settings import Settings, WebSettings
from bot.tables import Role
from tests.bot.web.plain_browser import add, open_browser
from tests.bot.web.test_identity_api import SECRET, proof
from tests.product import Chat, Product, serving

LINES = "/console/admin/lines"
WEB = WebSettings(
    identity_secrets={"portal": SECRET, "budget": "b" * 40},
    widget_origins={"portal": ["https://portal.example.gov.cn"]},
)


async def opened(product: Product, **body: Any) -> Chat:
    answer = await product.client.post("/api/v1/conversations", json=body)
    assert answer.status_code == 201, answer.text
    return Chat(product, answer.json()["conversation_id"], answer.json()["token"])


async def refused(product: Product, address: str, headers: dict[str, str], **body: str) -> None:
    answer = await product.client.post(address, json=body, headers=headers)
    assert answer.status_code == 401


async def health_of(product: Product, who: Principal) -> dict[str, WidgetHealth]:
    return {one.key: one for one in await product.services.widgets.health(who)}


async def test_every_page_shows_how_it_does(any_settings: Settings) -> None:
    async with serving(any_settings.model_copy(update={"web": WEB})) as product:
        await add(product, "root", Role.ADMIN)
        root = _person(Role.ADMIN)
        known = await opened(product, widget="portal", identity=proof("a"))
        await known.say("公务卡怎么还款")
        unproven = await opened(product, widget="portal")
        for key in ("", "nobody"):  # a stranger's key is nobody's
            await opened(product, widget=key)
        at = "/api/v1/conversations"
        await refused(product, at, {}, widget="portal", identity=proof("a"))  # used
        await refused(product, at, {}, widget="nobody", identity=proof("b"))
        await refused(
            product, f"{at}/{unproven.id}/identity", unproven.headers,
            widget="portal", identity="junk",
        )  # fmt: skip
        await _say_unheard(product, unproven.id)
        found = await health_of(product, root)
        assert list(found) == ["", "budget", "portal"]
        portal, budget, keyless = found["portal"], found["budget"], found[""]
        assert (portal.opened, portal.refused, portal.waiting) == (2, 2, 1)
        assert portal.error_percent == 50
        assert portal.oldest == portal.last_in
        assert portal.last_in is not None
        assert portal.last_out is not None
        assert (keyless.opened, keyless.refused, keyless.waiting) == (2, 0, 0)
        assert (keyless.last_in, keyless.last_out is None) == (None, False)
        assert (budget.opened, budget.last_out, budget.error_percent) == (0, None, None)
        await _page_tells(product)
        with pytest.raises(NotPermitted):
            await product.services.widgets.health(_person(Role.ENGINEER))
        await _older_refusals_are_forgotten(product, root)


async def _say_unheard(product: Product, conversation_id: str) -> None:
    """Recorded as a process that dies right then leaves it: nobody has begun to think."""
    await Recorder(product.services.database).record(
        conversation_id, external_id="unheard", text="公务卡怎么还款", action=None, now=utc_now()
    )


async def _page_tells(product: Product) -> None:
    browser = open_browser(product)
    await browser.log_in("root")
    page = (await browser.get(LINES)).text
    row = re.findall(r'<tr data-widget="portal">.*?</tr>', page, re.DOTALL)[0]
    assert "2 次（50%）" in row
    assert "最早" in row
    assert f"{LINES}/widget:portal/account" in row
    assert 'data-widget=""' in page
    assert "nobody" not in page
    await browser.client.aclose()


async def _older_refusals_are_forgotten(product: Product, root: Principal) -> None:
    database = product.services.database
    async with database.transaction() as session:
        for days in (2, 8):
            hour = utc_now() - timedelta(days=days)
            await widget_rows.count_refusal(session, "budget", hour)
    assert (await health_of(product, root))["budget"].refused == 0
    await product.services.widgets.note_refused("budget")
    async with database.reading() as session:
        kept = await widget_rows.refusals(session, since=utc_now() - timedelta(days=30))
    assert kept == {"portal": 2, "budget": 2}


def _person(role: Role) -> Principal:
    return Principal("", "", "", "", role, (), (), "", must_change_password=False)

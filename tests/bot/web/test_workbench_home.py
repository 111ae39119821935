"""The workbench: who gets in, and what stands around every page."""

import re

import pytest

from bot.tables import Role
from tests.bot.web.plain_browser import Browser, add, open_browser, shown
from tests.product import Product


@pytest.mark.parametrize("role", list(Role))
async def test_everybody_on_staff_may_look_and_only_editors_may_write(
    product: Product, role: Role
) -> None:
    await add(product, "sun", role)
    browser = open_browser(product)
    await browser.log_in("sun")
    page = await browser.get("/workbench")
    assert page.status_code == 200
    assert 'aria-current="page">总览' in page.text
    writes = role in (Role.EDITOR, Role.REVIEWER, Role.ADMIN)
    assert ("您可以查看，不能修改" not in shown(page)) is writes
    # Changing the password leads back to where the account may go.
    found = re.search(r'href="/password\?next=([^"]+)"', page.text)
    assert found
    assert (await browser.get(found[1])).status_code == 200
    await browser.client.aclose()


async def test_strangers_are_led_to_the_login_and_back(stranger: Browser) -> None:
    answer = await stranger.get("/workbench")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=/workbench"

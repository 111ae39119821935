"""People at their browsers."""

from collections.abc import AsyncIterator

import pytest

from bot.tables import Role
from tests.bot.web.plain_browser import Browser, Seat, add, open_browser
from tests.product import Product


@pytest.fixture
async def stranger(product: Product) -> AsyncIterator[Browser]:
    browser = open_browser(product)
    yield browser
    await browser.client.aclose()


@pytest.fixture
async def chen(product: Product) -> AsyncIterator[Browser]:
    browser = open_browser(product)
    answer = await browser.log_in()
    assert answer.status_code == 303
    yield browser
    await browser.client.aclose()


@pytest.fixture
async def lin(product: Product) -> AsyncIterator[Browser]:
    browser = open_browser(product)
    await browser.log_in("lin")
    yield browser
    await browser.client.aclose()


@pytest.fixture
async def seat(product: Product) -> AsyncIterator[Seat]:
    """Browsers of people at the workbench, closed afterwards; the second of a role is another."""
    opened: list[Browser] = []
    roles: list[Role] = []

    async def sit_down(role: Role) -> Browser:
        username = f"{role.value}{roles.count(role) or ''}"
        roles.append(role)
        await add(product, username, role)
        opened.append(open_browser(product))
        await opened[-1].log_in(username)
        await opened[-1].get("/workbench")
        return opened[-1]

    yield sit_down
    for browser in opened:
        await browser.client.aclose()

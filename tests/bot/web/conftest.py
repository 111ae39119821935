"""People at their browsers."""

from collections.abc import AsyncIterator

import pytest

from tests.bot.web.plain_browser import Browser, open_browser
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

"""Fixtures of the widget's browser tests: a scripted helpdesk, a page, the widget in it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.widget_harness.chromium import chromium
from tests.browser.widget_harness.desk import Desk, serving
from tests.browser.widget_harness.hands import DESKTOP


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def root(desk: Desk) -> Iterator[str]:
    with serving(desk) as address:
        yield address


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One for all: every test's server has an origin of its own, so nothing is shared."""
    opened = browser.new_context(viewport=DESKTOP, locale="zh-CN")
    opened.set_default_timeout(10_000)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def shared_page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def page(shared_page: Page, context: BrowserContext) -> Iterator[Page]:
    """A blank page; whatever it complains of in its own code fails the test."""
    wrong: list[str] = []
    shared_page.on("pageerror", lambda error: wrong.append(str(error)))
    yield shared_page
    context.set_offline(False)
    shared_page.set_viewport_size(DESKTOP)
    shared_page.goto("about:blank")
    assert wrong == []


@pytest.fixture
def widget(page: Page, root: str) -> Page:
    """The conversation on a page of its own, greeted."""
    page.goto(f"{root}/widget")
    expect(page.locator(".kind-greeting")).to_have_count(1)
    expect(page.locator("#log")).to_have_attribute("aria-busy", "false")
    return page


@pytest.fixture
def host(page: Page, root: str, desk: Desk) -> Page:
    """A host page of another origin."""
    page.goto(root.replace("127.0.0.1", "localhost") + "/host")
    expect(page.locator("#launch")).to_be_visible()
    return page

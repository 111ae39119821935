"""Nothing that axe-core finds fault with: every state, both colour schemes, both widths."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.axe import LOOK, in_words, script
from tests.browser.widget_harness import showcase
from tests.browser.widget_harness.desk import Desk
from tests.browser.widget_harness.hands import DESKTOP, PHONE, say, show

pytestmark = pytest.mark.browser
Arrange = Callable[[Page, Desk], None]


@pytest.fixture(scope="module")
def axe() -> str:
    return script()


def faults(page: Page, axe: str) -> Sequence[str]:
    """What every rule of axe-core finds."""
    page.evaluate(axe)
    return in_words(page.evaluate(LOOK))


def greeted(widget: Page, desk: Desk) -> None:
    expect(widget.locator(".kind-greeting")).to_be_visible()


def conversation(widget: Page, desk: Desk) -> None:
    show(widget, desk, *showcase.CONVERSATION)


def suggesting(widget: Page, desk: Desk) -> None:
    desk.suggestions = ["支付申请怎么撤回", "支付申请被退回了怎么办"]
    widget.locator("#composer textarea").press_sequentially("支付")
    expect(widget.locator("#suggestions [role=option]")).to_have_count(2)


def enlarged(widget: Page, desk: Desk) -> None:
    show(widget, desk, showcase.ANSWER)
    widget.locator("button.enlarge").first.click()
    expect(widget.get_by_role("dialog")).to_be_visible()


def refused(widget: Page, desk: Desk) -> None:
    desk.refusals = [422]
    say(widget, "发不出去的一句")
    expect(widget.locator(".reason")).to_be_visible()


@pytest.mark.parametrize(
    "arrange",
    [
        conversation,
        suggesting,
        enlarged,
        pytest.param(greeted, marks=pytest.mark.slow),
        pytest.param(refused, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize(
    "view",
    [
        pytest.param((DESKTOP, "light"), id="desktop-light"),
        pytest.param((PHONE, "dark"), id="phone-dark"),
        pytest.param((DESKTOP, "dark"), id="desktop-dark", marks=pytest.mark.slow),
        pytest.param((PHONE, "light"), id="phone-light", marks=pytest.mark.slow),
    ],
)
def test_the_conversation_is_clean(
    widget: Page, desk: Desk, axe: str, arrange: Arrange, view: tuple[ViewportSize, Any]
) -> None:
    size, scheme = view
    widget.set_viewport_size(size)
    widget.emulate_media(color_scheme=scheme)
    arrange(widget, desk)
    found = faults(widget, axe)
    widget.emulate_media(color_scheme="light")
    assert found == []


@pytest.mark.parametrize("is_open", [False, True], ids=["closed", "open"])
def test_the_button_in_a_host_page_is_clean(host: Page, axe: str, is_open: bool) -> None:
    if is_open:
        host.locator("#launch").click()
        expect(host.frame_locator("iframe").locator(".kind-greeting")).to_be_visible()
    found = [fault for fault in faults(host, axe) if "caiwen-widget" in fault]
    assert found == []

"""What a person does with the widget, and what they see of it."""

import copy
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import FrameLocator, Page, ViewportSize, expect

from tests.browser.widget_harness.desk import Desk

PHONE = ViewportSize(width=390, height=844)
DESKTOP = ViewportSize(width=1280, height=800)


def say(page: Page | FrameLocator, text: str) -> None:
    field = page.locator("#composer textarea")
    field.fill(text)
    field.press("Enter")


def seqs(page: Page | FrameLocator) -> list[int]:
    numbers = page.locator(".message").evaluate_all("all => all.map(one => one.dataset.seq)")
    return [int(number) for number in numbers]


def own(page: Page) -> list[str]:
    return page.locator(".from-user .bubble").all_inner_texts()


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for something that is not in the page."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not become true in time"
        time.sleep(0.02)


def acted(desk: Desk) -> dict[str, Any]:
    action: dict[str, Any] = desk.talk.messages[-1]["data"]["action"]
    return action


def quiet(message: dict[str, Any]) -> list[Any]:
    """A helpdesk that says nothing."""
    return []


def show(widget: Page, desk: Desk, *replies: Any) -> None:
    desk.script = quiet
    for reply in copy.deepcopy(replies):
        desk.post(*reply)
    expect(widget.locator(".message")).to_have_count(1 + len(replies))

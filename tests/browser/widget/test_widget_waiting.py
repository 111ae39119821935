"""What is true now on cards that stay: the place in the queue, and the verdict on a solution."""

import copy

import pytest
from playwright.sync_api import Page, expect

from tests.browser.widget_harness import showcase
from tests.browser.widget_harness.desk import Desk
from tests.browser.widget_harness.hands import acted, show, until

pytestmark = pytest.mark.browser

WAITING = {"owner": "queue", "typing": False, "thinking": False}


def place(position: int | None, minutes: int | None, *, handed: bool = False) -> dict[str, object]:
    """The stream's word on who waits."""
    told = {"position": position, "minutes": minutes, "off_hours": False, "handed": handed}
    return {**WAITING, "queue": told}


def test_the_newest_queue_card_follows_the_queue(widget: Page, desk: Desk) -> None:
    show(widget, desk, showcase.queue(3, 9), showcase.queue(2, 6))
    old, card = (widget.locator(".queue").nth(n) for n in (0, 1))
    expect(card.locator(".head")).to_contain_text("排在第 2 位")
    desk.state = place(1, 3)
    expect(card.locator(".head")).to_contain_text("排在第 1 位")
    expect(card.locator(".head")).to_contain_text("约 3 分钟")
    assert "第 3 位" in (old.locator(".head").text_content() or "")
    desk.state = place(1, None)
    expect(card.locator(".wait")).to_have_text("")
    desk.state = place(None, None, handed=True)
    expect(card.locator(".head")).to_contain_text("已派给工程师")


def test_a_verdict_names_its_ticket(widget: Page, desk: Desk) -> None:
    show(widget, desk, showcase.RESOLVED)
    card = widget.locator(".kind-resolved")
    card.get_by_role("button", name="还没解决").click()
    expect(card.get_by_role("button", name="已解决", exact=True)).to_be_disabled()
    expect(widget.locator(".from-user .bubble").last).to_have_text("还没解决")
    until(lambda: "action" in desk.talk.messages[-1]["data"])
    assert acted(desk) == {"kind": "reopen", "number": "CW20261121-0007"}


def test_a_closed_ticket_says_so_on_its_card(widget: Page, desk: Desk) -> None:
    closed = ("system", "closed", "工单已按约定自动办结。", {"number": "CW20261121-0007"})
    show(widget, desk, showcase.ticket())
    desk.post(*copy.deepcopy(closed))
    expect(widget.locator(".kind-ticket .status").first).to_have_text("已关闭")
    expect(widget.locator("#log")).to_contain_text("自动办结")

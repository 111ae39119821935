"""Messages of every kind as they are drawn and answered, hostile and oversized ones too."""

import copy
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.widget_harness import showcase
from tests.browser.widget_harness.desk import Desk
from tests.browser.widget_harness.hands import (
    acted,
    own,
    quiet,
    say,
    show,
    until,
)

pytestmark = pytest.mark.browser


def test_an_answer_shows_steps_table_remarks_pictures_and_source(widget: Page, desk: Desk) -> None:
    show(widget, desk, showcase.ANSWER)
    card = widget.locator(".answer")
    expect(card.locator("h2")).to_have_text("撤回已经送审的支付申请")
    expect(card.locator(".steps .number")).to_have_text(["1", "2", "3"])
    expect(card.locator(".steps .inline-icon")).to_have_count(1)
    expect(card.locator("th")).to_have_text(["单据状态", "谁能处理", "怎么处理"])
    expect(card.locator(".callout strong")).to_have_text(["注意", "小技巧"])
    expect(card.locator("figure img")).to_have_count(2)
    expect(card.locator(".source")).to_have_text(
        "出处：《国库集中支付用户操作手册》 · V2.3 · 3 支付申请 › 3.4 撤回"
        " · 2026-03 印发 · 第 18 页"
    )


def test_files_of_an_answer_are_links_to_save_and_hostile_ones_are_none(
    widget: Page, desk: Desk
) -> None:
    answer = copy.deepcopy(showcase.ANSWER)
    answer[3]["files"] = [
        {"name": "报销申请表.docx", "url": f"/media/{'a' * 64}"},
        {"name": "坏", "url": "javascript:alert(1)"},
        {"name": "", "url": "/media/x"},
    ]
    show(widget, desk, answer)
    links = widget.locator(".answer .files a")
    expect(links).to_have_count(1)
    expect(links).to_have_text("报销申请表.docx")
    expect(links).to_have_attribute("download", "报销申请表.docx")


def test_a_picture_opens_large_and_keeps_the_focus(widget: Page, desk: Desk) -> None:
    show(widget, desk, showcase.ANSWER)
    opener = widget.locator("button.enlarge").first
    opener.focus()
    widget.keyboard.press("Enter")
    viewer = widget.get_by_role("dialog", name="查看图片")
    expect(viewer.get_by_role("button", name="关闭图片")).to_be_focused()
    for _ in range(6):
        widget.keyboard.press("Tab")
        assert widget.evaluate("document.activeElement.closest('.lightbox') !== null")
    widget.keyboard.press("ArrowRight")
    expect(viewer.locator(".count")).to_have_text("2 / 2")
    widget.keyboard.press("Escape")
    expect(viewer).to_have_count(0)
    expect(opener).to_be_focused()


def test_not_helpful_tells_the_next_step(widget: Page, desk: Desk) -> None:
    show(widget, desk, showcase.ANSWER)
    desk.script = lambda message: [copy.deepcopy(showcase.OFFER)]
    widget.get_by_role("button", name="没用").click()
    expect(widget.locator(".kind-offer")).to_be_visible()
    assert desk.talk.messages[-2]["data"]["action"] == {"kind": "unhelpful", "seq": 2}
    desk.script = quiet
    widget.locator(".feedback").get_by_role("button", name="转人工").click()
    until(lambda: desk.texts() == ["没用", "转人工"])
    assert acted(desk) == {"kind": "human"}
    widget.reload()
    expect(widget.locator(".feedback")).to_contain_text("已记下")


def test_an_offer_is_chosen_once(widget: Page, desk: Desk) -> None:
    show(widget, desk, showcase.OFFER)
    widget.get_by_role("button", name="用款额度不足怎么办").click()
    until(lambda: desk.texts() == ["用款额度不足怎么办"])
    assert acted(desk) == {"kind": "choose", "answer_id": "b2"}
    expect(widget.locator(".choice:disabled")).to_have_count(4)
    expect(widget.locator(".choice.chosen")).to_have_text("用款额度不足怎么办")
    expect(widget.locator("#composer textarea")).to_be_focused()
    widget.evaluate("localStorage.clear = localStorage.removeItem('caiwen:anyone:choices')")
    widget.reload()
    expect(widget.locator(".choice.chosen")).to_have_text("用款额度不足怎么办")


def test_none_of_these(widget: Page, desk: Desk) -> None:
    show(widget, desk, showcase.OFFER)
    widget.get_by_role("button", name="都不是").click()
    until(lambda: desk.texts() == ["都不是"])
    assert acted(desk) == {"kind": "none_of_these"}


def test_a_question_back_offers_its_options(widget: Page, desk: Desk) -> None:
    show(widget, desk, showcase.ASK)
    widget.get_by_role("button", name="公务卡额度").click()
    until(lambda: desk.texts() == ["公务卡额度"])
    assert acted(desk) is None
    expect(widget.locator(".choice:disabled")).to_have_count(3)


def test_a_ticket_says_how_grave_why_and_until_when_and_follows_its_status(
    widget: Page, desk: Desk
) -> None:
    show(widget, desk, showcase.ticket("新建"))
    card = widget.locator(".ticket")
    expect(card.locator(".severity")).to_have_text("重大")
    expect(card.locator("dl")).to_contain_text("09:40")
    expect(card.locator(".status")).to_have_text("新建")
    card.get_by_text("为什么是这个级别").click()
    expect(card.locator(".why li")).to_have_count(2)
    desk.post(*copy.deepcopy(showcase.RESOLVED))
    expect(card.locator(".status").first).to_have_text("已解决")


def test_queue_engineer_and_return(widget: Page, desk: Desk) -> None:
    show(widget, desk, showcase.queue(), showcase.queue(1, None, off_hours=True))
    first, second = (widget.locator(".queue").nth(n) for n in (0, 1))
    expect(first.locator(".head")).to_be_hidden()
    expect(second.locator(".head")).to_contain_text("现在是非工作时间")
    desk.state = {"owner": "queue", "typing": False, "thinking": False}
    expect(widget.locator("#standing")).to_contain_text("排队")
    desk.post(*copy.deepcopy(showcase.JOINED))
    desk.state = {"owner": "engineer", "typing": True, "thinking": False}
    expect(widget.locator("#presence")).to_have_text("正在输入…")
    expect(widget.locator("#human")).to_be_hidden()
    expect(second.locator(".head")).to_be_hidden()
    desk.post(*copy.deepcopy(showcase.REPLIED))
    expect(widget.locator(".from-engineer .post")).to_have_text("一线工程师")
    expect(widget.locator(".from-engineer a")).to_have_attribute(
        "href", "https://example.org/status"
    )
    expect(widget.locator("#presence")).to_be_hidden()
    widget.locator("#composer textarea").press_sequentially("正在写一句话", delay=20)
    until(lambda: desk.typing_seen > 0)
    assert desk.typing_seen == 1, "at most every three seconds"


def test_rating_by_keyboard(widget: Page, desk: Desk) -> None:
    show(widget, desk, showcase.RATING)
    widget.locator(".stars input").first.focus()
    widget.keyboard.press("Space")
    for _ in range(3):
        widget.keyboard.press("ArrowRight")
    expect(widget.locator(".rating .hint")).to_have_text("满意")
    widget.keyboard.press("Tab")
    widget.keyboard.type("很及时")
    widget.keyboard.press("Tab")
    widget.keyboard.press("Enter")
    expect(widget.locator(".rating")).to_contain_text("您已评价 4 星")
    until(lambda: desk.texts() == ["4 星"])
    assert acted(desk) == {"kind": "rate", "stars": 4, "comment": "很及时"}


def test_thinking_is_told_outside_the_log(widget: Page, desk: Desk) -> None:
    desk.state = {"owner": "bot", "typing": False, "thinking": True}
    expect(widget.locator("#presence")).to_have_text("正在查找…")
    assert widget.locator("#log #presence").count() == 0
    desk.state = {"owner": "bot", "typing": False, "thinking": False}
    expect(widget.locator("#presence")).to_be_hidden()


def test_suggestions_by_keyboard(widget: Page, desk: Desk) -> None:
    desk.suggestions = ["支付申请怎么撤回", "支付申请怎么退回", "支付凭证怎么打印"]
    field = widget.locator("#composer textarea")
    field.press_sequentially("支付")
    expect(widget.get_by_role("option")).to_have_count(3)
    field.press("ArrowDown")
    field.press("ArrowDown")
    expect(widget.locator("[aria-selected=true]")).to_have_text("支付申请怎么退回")
    assert field.get_attribute("aria-activedescendant") == "suggestion-1"
    field.press("Enter")
    until(lambda: desk.texts() == ["支付申请怎么退回"])
    field.press_sequentially("支付")
    expect(widget.get_by_role("listbox")).to_be_visible()
    field.press("Escape")
    expect(widget.get_by_role("listbox")).to_be_hidden()
    expect(field).to_have_value("支付")


# -- hostile and oversized input ---------------------------------------------------------------

EVIL = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>javascript:hit(1)'


def test_markup_in_messages_is_text(widget: Page, desk: Desk) -> None:
    answer = copy.deepcopy(showcase.ANSWER)
    answer[3].update(title=EVIL, lead=EVIL)
    answer[3]["blocks"] = [
        {"kind": "step", "number": EVIL, "text": EVIL},
        {"kind": "table", "rows": [[EVIL], [EVIL]], "header_rows": 1, "caption": EVIL},
        {"kind": "callout", "callout": EVIL, "text": EVIL, "title": EVIL},
        {"kind": "image", "sha256": EVIL, "url": "javascript:hit(1)", "caption": EVIL},
        {"kind": "image", "sha256": EVIL, "url": "//evil.example/x.png", "caption": EVIL},
        {"kind": EVIL, "text": EVIL},
    ]
    answer[3]["images"] = [{"kind": "image", "sha256": "../../healthz", "caption": EVIL}]
    desk.script = lambda message: [answer, ("bot", EVIL, EVIL, {}), ("system", "text", EVIL, {})]
    say(widget, EVIL)
    expect(widget.locator(".message")).to_have_count(5)
    assert own(widget) == [EVIL]
    assert widget.locator("#log script, #log a, #log img").count() == 0
    assert widget.evaluate("window.hit") is None


def test_ten_thousand_characters_are_sent_whole_and_shown_folded(widget: Page, desk: Desk) -> None:
    text = "报错：网络超时，请稍后再试。" * 714
    say(widget, text)
    expect(widget.locator(".from-bot").last).to_contain_text("收到")
    assert desk.texts() == [text]
    assert widget.locator(".from-user .text").bounding_box()["height"] < 260  # type: ignore[index]
    widget.get_by_role("button", name="展开全文").click()
    assert widget.locator(".from-user .text").bounding_box()["height"] > 3_000  # type: ignore[index]


def test_too_long_a_text_stays_in_the_composer(widget: Page, desk: Desk) -> None:
    field = widget.locator("#composer textarea")
    field.fill("字" * 20_001)
    expect(widget.locator(".counter")).to_contain_text("太长了")
    field.press("Enter")
    assert field.input_value() == "字" * 20_001
    assert desk.texts() == []


def test_what_the_server_masked_replaces_what_was_typed(widget: Page, desk: Desk) -> None:
    def mask(message: dict[str, Any]) -> list[Any]:
        message["text"] = message["text"].replace("13800001234", "138****1234")
        return []

    desk.script = mask
    say(widget, "我的电话 13800001234")
    expect(widget.locator(".from-user .bubble")).to_have_text("我的电话 138****1234")


def test_staff_messages_are_never_drawn(widget: Page, desk: Desk) -> None:
    desk.post("engineer", "note", "内部备注", showcase.ENGINEER)
    desk.post("bot", "draft", "草稿")
    desk.post("bot", "text", "公开的")
    expect(widget.locator(".from-bot .bubble").last).to_have_text("公开的")
    assert "内部备注" not in widget.locator("#log").inner_text()
    assert "草稿" not in widget.locator("#log").inner_text()

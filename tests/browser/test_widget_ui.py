"""The chat widget in a real browser, against a helpdesk that does as told.

Most tests open the frame's document by itself; those about embedding load a host page of
another origin with a strict policy.
"""

import copy
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    FrameLocator,
    Page,
    ViewportSize,
    expect,
)

from tests.browser.widget_harness import showcase
from tests.browser.widget_harness.chromium import chromium
from tests.browser.widget_harness.desk import Desk, serving

pytestmark = pytest.mark.browser

PHONE = ViewportSize(width=390, height=844)
DESKTOP = ViewportSize(width=1280, height=800)


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


# -- embedding ---------------------------------------------------------------------------------


@pytest.fixture
def host(page: Page, root: str, desk: Desk) -> Page:
    """A host page of another origin."""
    page.goto(root.replace("127.0.0.1", "localhost") + "/host")
    expect(page.locator("#launch")).to_be_visible()
    return page


def test_one_script_line_embeds_across_origins_and_introduces_the_person(
    host: Page, desk: Desk
) -> None:
    assert desk.talks == {}, "nobody has asked for a conversation yet"
    host.locator("#launch").click()
    frame = host.frame_locator("iframe")
    expect(frame.locator(".kind-greeting .secrecy")).to_have_text("请勿发送涉密信息。")
    assert desk.talk.user == {"name": "陈晓岚", "unit": "禾城市教育局"}
    frame.get_by_role("button", name="怎么撤回").click()
    expect(frame.locator(".from-bot .bubble").last).to_have_text("收到：怎么撤回")
    assert host.evaluate("Object.keys(window).filter(name => /caiwen/i.test(name))") == ["caiwen"]


def test_keyboard_opens_writes_closes_and_focus_comes_back(host: Page, desk: Desk) -> None:
    host.keyboard.press("Tab")
    host.keyboard.press("Tab")
    host.keyboard.press("Enter")
    frame = host.frame_locator("iframe")
    expect(frame.locator("#composer textarea")).to_be_focused()
    host.keyboard.type("用键盘问")
    host.keyboard.press("Enter")
    expect(frame.locator(".from-bot .bubble").last).to_have_text("收到：用键盘问")
    host.keyboard.press("Escape")
    expect(host.locator("#panel")).to_be_hidden()
    expect(host.locator("#launch")).to_be_focused()
    expect(host.locator("#launch")).to_have_attribute("aria-expanded", "false")


def test_news_while_closed_shows_as_a_badge_until_it_is_seen(host: Page, desk: Desk) -> None:
    host.locator("#launch").click()
    frame = host.frame_locator("iframe")
    expect(frame.locator(".kind-greeting")).to_be_visible()
    host.keyboard.press("Escape")
    expect(host.locator("#panel")).to_be_hidden()
    desk.post("engineer", "text", "请看一下", showcase.ENGINEER)
    desk.post("engineer", "text", "还在吗", showcase.ENGINEER)
    expect(host.locator("#badge")).to_have_text("2")
    expect(host.locator("#launch")).to_have_accessible_name("打开在线咨询，2 条未读消息")
    host.reload()
    expect(host.locator("#badge")).to_have_text("2")
    host.locator("#launch").click()
    expect(host.locator("#badge")).to_be_hidden()
    expect(frame.locator(".from-engineer .speaker").first).to_contain_text("陈工")


def test_a_page_that_is_not_allowed_cannot_frame_the_conversation(page: Page, root: str) -> None:
    page.set_content(f'<iframe src="{root}/widget?host=http://evil.example"></iframe>')
    page.wait_for_timeout(400)
    assert page.frames[1].url.startswith("chrome-error:")


def test_messages_of_other_windows_are_not_heard(host: Page) -> None:
    host.evaluate("window.postMessage({caiwen: 'unread', count: 7}, '*')")
    host.locator("#launch").click()
    expect(host.frame_locator("iframe").locator(".kind-greeting")).to_be_visible()
    host.evaluate("window.postMessage({caiwen: 'close'}, '*')")
    host.wait_for_timeout(100)
    expect(host.locator("#badge")).to_be_hidden()
    expect(host.locator("#panel")).to_be_visible()


def test_a_host_page_can_put_a_question_into_the_composer(host: Page, desk: Desk) -> None:
    host.evaluate("caiwen.open('支付申请怎么退回')")
    field = host.frame_locator("iframe").locator("#composer textarea")
    expect(field).to_have_value("支付申请怎么退回")
    assert desk.texts() == [], "only the person sends"


def test_another_person_on_the_same_computer_sees_nothing_of_the_first(
    host: Page, desk: Desk
) -> None:
    host.evaluate("caiwen.open()")
    frame = host.frame_locator("iframe")
    expect(frame.locator(".kind-greeting")).to_be_visible()
    say(frame, "第一个人的问题")
    expect(frame.locator(".from-bot .bubble").last).to_have_text("收到：第一个人的问题")
    host.evaluate("caiwen.identify({name: '李国平', unit: '禾城市第三小学'})")
    expect(frame.locator(".kind-greeting")).to_be_visible()
    assert frame.locator(".from-user").count() == 0
    assert desk.talk.user["name"] == "李国平"


# -- every message once ------------------------------------------------------------------------


def test_a_message_is_sent_once_shown_once_and_answered(widget: Page, desk: Desk) -> None:
    say(widget, "支付申请怎么撤回")
    expect(widget.locator(".from-bot .bubble").last).to_have_text("收到：支付申请怎么撤回")
    expect(widget.locator(".from-user .state")).to_have_text("已发送")
    assert own(widget) == ["支付申请怎么撤回"]
    assert seqs(widget) == [1, 2, 3]
    assert len(desk.posts) == 1


def follow_through_cuts(widget: Page, desk: Desk, *, messages: int, least_cuts: int) -> None:
    """Both sides talk while the line breaks after every few events and replays in disorder."""
    desk.disorder = True
    desk.lose_answers = messages // 4
    desk.cut_after = lambda: desk.chance.randint(1, 3)
    desk.cut()
    for n in range(messages):
        say(widget, f"问题{n}")
        desk.post("engineer", "text", f"答{n}", showcase.ENGINEER)
    seen_all = 1 + 3 * messages
    until(lambda: len(desk.talk.messages) == seen_all, 60)
    while len(desk.resumed_from) < least_cuts:
        shown = desk.post("engineer", "text", "又一条", showcase.ENGINEER)
        expect(widget.locator(f"[data-seq='{shown}']")).to_have_count(1)
    until(lambda: widget.locator(".message").count() == len(desk.talk.messages), 60)
    assert seqs(widget) == list(range(1, len(desk.talk.messages) + 1))
    assert own(widget) == [f"问题{n}" for n in range(messages)]
    assert desk.texts() == own(widget)
    assert len(set(desk.posts)) == messages


def test_cuts_repetitions_and_disorder_leave_every_message_once_in_order(
    widget: Page, desk: Desk
) -> None:
    follow_through_cuts(widget, desk, messages=8, least_cuts=25)
    assert widget.locator(".from-user .state").count() <= 1


@pytest.mark.slow
def test_a_thousand_cuts(widget: Page, desk: Desk) -> None:
    desk.retry_ms = 1
    follow_through_cuts(widget, desk, messages=40, least_cuts=1_000)


def test_resuming_asks_only_for_what_is_missing(widget: Page, desk: Desk) -> None:
    say(widget, "一")
    expect(widget.locator(".message")).to_have_count(3)
    desk.cut()
    until(lambda: len(desk.resumed_from) >= 2)
    assert desk.resumed_from[-1] == 3


def test_tabs_share_one_stream_and_a_tab_that_leads_may_close(
    context: BrowserContext, page: Page, desk: Desk, root: str
) -> None:
    leader = context.new_page()
    leader.goto(f"{root}/widget")
    expect(leader.locator("#log")).to_have_attribute("aria-busy", "false")
    page.goto(f"{root}/widget")
    expect(page.locator(".kind-greeting")).to_have_count(1)
    say(page, "从第二个页面问")
    for each in (leader, page):
        expect(each.locator(".message")).to_have_count(3)
    assert (desk.streams, len(desk.talks)) == (1, 1)
    leader.close(run_before_unload=True)
    desk.post("engineer", "text", "接上了", showcase.ENGINEER)
    expect(page.locator(".from-engineer .bubble")).to_have_text("接上了")
    until(lambda: desk.streams == 1)


def test_news_while_reading_upwards_waits_behind_a_button(widget: Page, desk: Desk) -> None:
    show(widget, desk, showcase.ANSWER, showcase.ANSWER)
    widget.locator("#log").evaluate("log => { log.scrollTop = 0; }")
    desk.post("bot", "text", "在下面")
    expect(widget.locator(".from-bot .bubble").last).to_have_text("在下面")
    assert widget.locator("#log").evaluate("log => log.scrollTop") == 0
    widget.locator("#latest").click()
    expect(widget.locator(".from-bot .bubble").last).to_be_in_viewport()
    expect(widget.locator("#latest")).to_be_hidden()


# -- sending over bad lines --------------------------------------------------------------------


def test_messages_written_offline_leave_in_order_when_the_network_returns(
    context: BrowserContext, widget: Page, desk: Desk
) -> None:
    context.set_offline(True)
    for text in ("第一句", "第二句", "第三句"):
        say(widget, text)
    expect(widget.locator("#notice")).to_contain_text("网络已断开")
    expect(widget.locator(".from-user .state").last).to_be_visible()
    expect(widget.locator(".from-user .state").first).to_contain_text("等待网络")
    assert desk.texts() == []
    context.set_offline(False)
    expect(widget.locator(".from-bot .bubble").last).to_have_text("收到：第三句")
    expect(widget.locator("#notice")).to_be_hidden()
    assert desk.texts() == ["第一句", "第二句", "第三句"] == own(widget)
    assert len(set(desk.posts)) == len(desk.posts) or len(set(desk.posts)) == 3


def test_a_lost_answer_to_sending_makes_no_second_copy(widget: Page, desk: Desk) -> None:
    desk.lose_answers = 2
    say(widget, "只说一次")
    expect(widget.locator(".from-bot .bubble").last).to_have_text("收到：只说一次")
    until(lambda: desk.lose_answers < 2)
    expect(widget.locator(".from-user .state")).to_have_text("已发送")
    assert own(widget) == ["只说一次"] == desk.texts()


def test_a_refused_message_says_so_and_can_be_sent_again(widget: Page, desk: Desk) -> None:
    desk.refusals = [422]
    say(widget, "被拒绝的话")
    failed = widget.get_by_role("button", name="失败（点此重发）")
    expect(failed).to_be_visible()
    expect(widget.locator("#alert")).not_to_be_empty()
    say(widget, "后面的话")
    expect(widget.locator(".from-bot .bubble").last).to_have_text("收到：后面的话")
    failed.click()
    expect(widget.locator(".from-bot .bubble").last).to_have_text("收到：被拒绝的话")
    expect(failed).to_have_count(0)
    assert desk.texts() == ["后面的话", "被拒绝的话"]


def test_a_server_that_fails_keeps_the_message_and_the_order(widget: Page, desk: Desk) -> None:
    desk.down = True
    say(widget, "先说的")
    say(widget, "后说的")
    failed = widget.get_by_role("button", name="失败（点此重发）")
    expect(failed).to_be_visible(timeout=15_000)
    desk.down = False
    failed.click()
    expect(widget.locator(".from-bot .bubble").last).to_have_text("收到：后说的")
    assert desk.texts() == ["先说的", "后说的"] == own(widget)


def test_reloading_keeps_history_draft_and_what_is_not_sent(widget: Page, desk: Desk) -> None:
    say(widget, "已经说过的")
    expect(widget.locator(".message")).to_have_count(3)
    desk.down = True
    say(widget, "还没有发出的")
    widget.locator("#composer textarea").fill("写到一半")
    widget.reload()
    expect(widget.locator("#composer textarea")).to_have_value("写到一半")
    desk.down = False
    expect(widget.locator(".from-bot .bubble").last).to_have_text("收到：还没有发出的")
    assert own(widget) == ["已经说过的", "还没有发出的"]
    assert seqs(widget) == [1, 2, 3, 4, 5]
    assert len(desk.talks) == 1


def test_a_server_that_is_down_at_first_takes_what_was_written_meanwhile(
    page: Page, desk: Desk, root: str
) -> None:
    desk.down = True
    page.goto(f"{root}/widget")
    say(page, "一上来就问")
    expect(page.locator("#notice")).to_contain_text("正在重新连接")
    desk.down = False
    expect(page.locator(".kind-greeting")).to_have_count(1)
    expect(page.locator(".from-bot .bubble").last).to_have_text("收到：一上来就问")
    expect(page.locator("#notice")).to_be_hidden()
    assert own(page) == ["一上来就问"] == desk.texts()


def test_a_forgotten_conversation_begins_anew_and_says_so(widget: Page, desk: Desk) -> None:
    say(widget, "以前的话")
    expect(widget.locator(".message")).to_have_count(3)
    desk.down = True
    say(widget, "要带走的话")
    desk.forget()
    desk.down = False
    expect(widget.locator("#renewed")).to_contain_text("新的会话")
    expect(widget.locator(".from-bot .bubble").last).to_have_text("收到：要带走的话")
    assert own(widget) == ["要带走的话"] == desk.texts()


# -- cards -------------------------------------------------------------------------------------


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


# -- sizes and assistive technology ------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "height"), [(390, 844), (320, 568), (640, 400)], ids=["phone", "small", "zoom200"]
)
def test_nothing_scrolls_sideways(
    page: Page, desk: Desk, root: str, width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{root}/widget")
    expect(page.locator(".kind-greeting")).to_have_count(1)
    long = ("bot", "text", "https://example.org/" + "a" * 300 + " " + "9" * 200, {})
    show(page, desk, *showcase.CONVERSATION, long)
    sizes = page.evaluate(
        "() => [document.documentElement, document.getElementById('log')]"
        ".map(node => node.scrollWidth - node.clientWidth)"
    )
    assert sizes == [0, 0]
    assert page.locator("#human").is_visible()
    assert page.locator("#composer textarea").is_visible()


def test_on_a_phone_the_panel_covers_the_screen(host: Page) -> None:
    host.set_viewport_size(PHONE)
    host.locator("#launch").click()
    expect(host.frame_locator("iframe").locator(".kind-greeting")).to_be_visible()
    box = host.locator("#panel").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 390, "height": 844}
    assert host.evaluate("document.documentElement.scrollWidth") == 390


def test_history_is_not_announced_and_the_log_is_named(widget: Page, desk: Desk) -> None:
    log = widget.get_by_role("log", name="对话内容")
    expect(log).to_have_attribute("aria-live", "polite")
    expect(log).to_have_attribute("aria-relevant", "additions")
    desk.down = True
    widget.reload()
    expect(log).to_have_attribute("aria-busy", "true")
    desk.down = False
    expect(log).to_have_attribute("aria-busy", "false")


def test_the_portal_says_that_it_is_a_demonstration_and_embeds_the_widget(
    page: Page, desk: Desk, root: str
) -> None:
    page.goto(f"{root}/portal")
    expect(page.locator(".demo")).to_contain_text("演示")
    page.get_by_role("button", name="怎么处理？").first.click()
    field = page.frame_locator("iframe").locator("#composer textarea")
    expect(field).to_have_value("支付申请被审核退回了怎么处理")
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == 390

"""Every message once and in order, whatever the line and the server do."""

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.widget_harness import showcase
from tests.browser.widget_harness.desk import Desk
from tests.browser.widget_harness.hands import own, say, seqs, show, until
from tests.browser.widget_harness.pictures import picture

pytestmark = pytest.mark.browser
CHAT_SCRIPT = "**/chat.js*"
#: How many files rest in the browser's database.
RESTING = """async (place) => {
  const [name, store] = place.split("/");
  const database = await new Promise((resolve) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(store);
    request.onsuccess = () => resolve(request.result);
  });
  const request = database.transaction(store).objectStore(store).count();
  await new Promise((resolve) => { request.onsuccess = resolve; });
  database.close();
  return request.result;
}"""
#: What waits in the queue was written an hour ago.
AGED = """() => Object.keys(localStorage).filter((key) => key.includes("queue.")).forEach((key) => {
  const entry = JSON.parse(localStorage[key]);
  localStorage[key] = JSON.stringify({ ...entry, at: entry.at - 3600000 });
})"""


def test_a_message_is_sent_once_shown_once_and_answered(widget: Page, desk: Desk) -> None:
    say(widget, "支付申请怎么撤回")
    expect(widget.locator(".from-bot .bubble").last).to_have_text("收到：支付申请怎么撤回")
    expect(widget.locator(".from-user .state")).to_have_text("已发送")
    assert own(widget) == ["支付申请怎么撤回"]
    assert seqs(widget) == [1, 2, 3]
    assert len(desk.posts) == 1


@pytest.mark.parametrize("ended", [True, False], ids=["with_enter", "still_writing"])
def test_what_is_typed_before_the_script_stands_is_not_lost(
    page: Page, desk: Desk, root: str, ended: bool
) -> None:
    held: list[Route] = []
    page.route(CHAT_SCRIPT, lambda route: held.append(route))  # noqa: PLW0108
    with page.expect_request(CHAT_SCRIPT):
        page.goto(f"{root}/widget", wait_until="commit")
    field = page.locator("#composer textarea")
    field.press_sequentially("等不及先写了")
    if ended:
        field.press("Enter")
    held[0].continue_()
    page.unroute(CHAT_SCRIPT)
    expect(page.locator(".kind-greeting")).to_have_count(1)
    if not ended:
        expect(field).to_have_value("等不及先写了")
        assert desk.posts == []
        field.press("Enter")
    expect(page.locator(".from-bot .bubble").last).to_have_text("收到：等不及先写了")
    assert own(page) == ["等不及先写了"]


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
    widget.locator("#log").hover()

    def wheeled_to_the_top() -> bool:
        # As a person does it, notch by notch: a picture that loads before the page has heard of
        # the first one still follows the newest message.
        widget.mouse.wheel(0, -100_000)
        return bool(widget.locator("#log").evaluate("log => log.scrollTop") == 0)

    until(wheeled_to_the_top)
    desk.post("bot", "text", "在下面")
    expect(widget.locator(".from-bot .bubble").last).to_have_text("在下面")
    assert widget.locator("#log").evaluate("log => log.scrollTop") == 0
    widget.locator("#latest").click()
    expect(widget.locator(".from-bot .bubble").last).to_be_in_viewport()
    expect(widget.locator("#latest")).to_be_hidden()


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
    page.evaluate("window.dispatchEvent(new Event('online'))")
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


def test_a_file_that_waits_outlives_the_page_and_leaves_in_its_place(
    context: BrowserContext, widget: Page, desk: Desk, root: str
) -> None:
    kept = "caiwen/files"
    screen = picture("a" * 64)
    desk.down = True
    say(widget, "先看这句")
    widget.locator("#file").set_input_files(
        {"name": "报错.png", "mimeType": "image/png", "buffer": screen}
    )
    say(widget, "图里是报错")
    expect(widget.locator(".from-user")).to_have_count(3)
    until(lambda: widget.evaluate(RESTING, kept) == 1)
    # Another page of the same browser has none of it in memory.
    widget.goto("about:blank")
    widget.goto(f"{root}/widget")
    desk.down = False
    expect(widget.locator(".from-bot .bubble").last).to_have_text("收到：图里是报错")
    assert desk.texts() == ["先看这句", "", "图里是报错"]
    assert list(desk.uploads.values()) == [screen]
    assert len(set(desk.posts)) == 3
    until(lambda: widget.evaluate(RESTING, kept) == 0)


def test_a_picture_that_is_sent_is_seen_whole(widget: Page, desk: Desk) -> None:
    show(widget, desk, showcase.ANSWER, showcase.ANSWER)
    widget.locator("#file").set_input_files(
        {"name": "报错.png", "mimeType": "image/png", "buffer": picture("a" * 64)}
    )
    expect(widget.locator(".from-user img")).to_be_in_viewport(ratio=0.99)


def test_a_file_that_nothing_kept_is_told_and_holds_up_nobody(widget: Page, desk: Desk) -> None:
    desk.down = True
    widget.evaluate("() => { delete IDBObjectStore.prototype.put; }")
    widget.locator("#file").set_input_files(
        {"name": "a.txt", "mimeType": "text/plain", "buffer": b"rows"}
    )
    say(widget, "后面的照样发")
    expect(widget.locator(".from-user")).to_have_count(2)
    widget.evaluate(AGED)
    widget.reload()
    desk.down = False
    expect(widget.locator(".from-bot .bubble").last).to_have_text("收到：后面的照样发")
    expect(widget.locator(".from-user").last.locator(".reason")).to_contain_text("重新选择")
    assert desk.uploads == {}

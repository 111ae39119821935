"""The widget in host pages of another origin, on small screens, for assistive technology."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.widget_harness import showcase
from tests.browser.widget_harness.desk import Desk
from tests.browser.widget_harness.hands import PHONE, say, show

pytestmark = pytest.mark.browser


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


def test_a_key_lets_in_the_pages_of_its_own_host_and_no_others(host: Page, desk: Desk) -> None:
    address = host.url.partition("?")[0]
    host.goto(f"{address}?key=portal")
    host.locator("#launch").click()
    expect(host.frame_locator("iframe").locator(".kind-greeting")).to_be_visible()
    assert desk.keys == ["portal"]
    for key in ("other", "unknown"):
        # The panel was open, so it opens by itself on the next page.
        with host.expect_console_message(lambda told: "frame-ancestors" in told.text):
            host.goto(f"{address}?key={key}")
    assert desk.keys == ["portal"]


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
    expect(host.frame_locator("iframe").locator(".kind-greeting")).to_be_visible()
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


def test_a_proof_of_identity_goes_along_and_a_bad_one_harms_nobody(host: Page, desk: Desk) -> None:
    host.evaluate("let n = 0; caiwen.prove = async () => `proof-${++n}`; caiwen.open()")
    frame = host.frame_locator("iframe")
    expect(frame.locator(".kind-greeting")).to_be_visible()
    assert desk.proofs == ["proof-1"]
    host.evaluate("caiwen.prove = () => 'bad'; caiwen.identify({name: '李国平'})")
    expect(frame.locator(".kind-greeting")).to_be_visible()
    say(frame, "还是能问")
    expect(frame.locator(".from-bot .bubble").last).to_have_text("收到：还是能问")
    assert desk.proofs == ["proof-1", "bad"]
    host.evaluate("caiwen.prove = () => { throw new Error() }; caiwen.identify({name: '王五'})")
    expect(frame.locator(".kind-greeting")).to_be_visible()
    assert desk.proofs == ["proof-1", "bad"]


def test_a_conversation_from_before_is_proven_once(host: Page, desk: Desk) -> None:
    host.evaluate("caiwen.open()")
    frame = host.frame_locator("iframe")
    say(frame, "登录之前问的")
    expect(frame.locator(".from-bot .bubble").last).to_have_text("收到：登录之前问的")
    for n in (1, 2):
        host.goto(f"{host.url.partition('?')[0]}?proof=proof-{n}")
        expect(host.locator("#launch")).to_be_visible()
        host.evaluate("caiwen.open()")
        expect(frame.locator(".from-user")).to_have_count(1)
    host.wait_for_timeout(300)
    assert desk.proofs == ["proof-1"]
    assert len(desk.talks) == 1


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
    host.locator("#panel").evaluate(
        "panel => Promise.all(panel.getAnimations().map(one => one.finished))"
    )
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

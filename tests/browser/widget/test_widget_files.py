"""Files in the widget: chosen, pasted, dropped; how far they are; what is not taken, and why."""

import base64
import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.widget_harness.desk import Desk
from tests.browser.widget_harness.hands import until
from tests.browser.widget_harness.pictures import picture

pytestmark = pytest.mark.browser
#: Gives files to the widget as a clipboard or a mouse does.
GIVE = """({ name, type, data, how }) => {
  const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], name, { type }));
  const told = { bubbles: true, cancelable: true };
  if (how === "paste") {
    const field = document.querySelector("#composer textarea");
    field.dispatchEvent(new ClipboardEvent("paste", { ...told, clipboardData: carried }));
    return true;
  }
  const main = document.querySelector("main");
  const over = new DragEvent("dragover", { ...told, dataTransfer: carried });
  main.dispatchEvent(over);
  const shown = main.classList.contains("dropping");
  main.dispatchEvent(new DragEvent("drop", { ...told, dataTransfer: carried }));
  return shown && over.defaultPrevented && !main.classList.contains("dropping");
}"""


@pytest.mark.parametrize("how", ["paste", "drop"])
def test_a_picture_is_taken_however_it_comes(widget: Page, desk: Desk, how: str) -> None:
    screen = picture("a" * 64)
    data = base64.b64encode(screen).decode()
    widget.locator("#composer textarea").fill("报错了")
    given = {"name": "image.png", "type": "image/png", "data": data, "how": how}
    assert widget.evaluate(GIVE, given)
    until(lambda: list(desk.uploads.values()) == [screen])
    assert desk.texts() == ["报错了"], "what is written goes along"
    expect(widget.locator("#composer textarea")).to_have_value("")
    expect(widget.locator(".from-user img")).to_be_visible()


def test_an_upload_tells_how_far_it_is(context: BrowserContext, widget: Page, desk: Desk) -> None:
    line = context.new_cdp_session(widget)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1}
    line.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": 150_000})
    widget.locator("#file").set_input_files(
        {"name": "日志.txt", "mimeType": "text/plain", "buffer": b"row\n" * 60_000}
    )
    expect(widget.locator(".from-user .state")).to_have_text(re.compile(r"上传中 [1-9]\d?%"))
    line.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    expect(widget.locator(".from-user .state")).to_have_text("已发送")
    line.detach()
    assert [len(one) for one in desk.uploads.values()] == [240_000]


@pytest.mark.parametrize(
    ("name", "size", "told"),
    [
        ("程序.exe", 10, "不支持"),
        ("IMG_0001.HEIC", 10, "截一次屏"),
        ("空.txt", 0, "空文件"),
    ],
)
def test_what_is_not_taken_stays_with_its_reason(
    widget: Page, desk: Desk, name: str, size: int, told: str
) -> None:
    widget.locator("#file").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": b"x" * size}
    )
    expect(widget.locator("#filenote")).to_contain_text(told)
    assert widget.locator(".from-user").count() == 0
    assert desk.uploads == {}


def test_a_file_that_is_too_large_never_leaves(widget: Page, desk: Desk) -> None:
    widget.locator("#file").evaluate(
        """(input) => {
          const carried = new DataTransfer();
          carried.items.add(new File([new Uint8Array(10 * 1024 * 1024 + 1)], "大.txt"));
          input.files = carried.files;
          input.dispatchEvent(new Event("change"));
        }"""
    )
    expect(widget.locator("#filenote")).to_contain_text("“大.txt”太大，每个文件不能超过 10.0 MB")
    assert desk.uploads == {}


def test_too_many_at_once_are_told(widget: Page, desk: Desk) -> None:
    one = {"mimeType": "text/plain", "buffer": b"rows"}
    widget.locator("#file").set_input_files([{"name": f"{n}.txt", **one} for n in range(7)])
    expect(widget.locator("#filenote")).to_contain_text("一次最多发 5 个文件")
    until(lambda: len(desk.uploads) == 5)
    listed = [
        m["data"]["attachments"][0]["name"] for m in desk.talk.messages if m["sender"] == "user"
    ]
    assert listed == [f"{n}.txt" for n in range(5)]


def test_nothing_moves_for_those_who_do_not_want_it(widget: Page, desk: Desk) -> None:
    moving = "() => document.getAnimations().filter((one) => one.playState === 'running').length"
    desk.state = {"owner": "bot", "typing": False, "thinking": True}
    expect(widget.locator("#presence")).to_be_visible()
    assert widget.evaluate(moving) > 0
    widget.emulate_media(reduced_motion="reduce")
    still = widget.evaluate(moving)
    widget.emulate_media(reduced_motion="no-preference")
    assert still == 0

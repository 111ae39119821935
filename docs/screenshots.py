"""Draws the pictures of the documentation from the running product with its sample content.

``python -m docs.screenshots [HOME]`` copies the prepared workspace HOME (default ``var``), serves
the copy, and drives Chromium through every page. Nothing of the workspace itself is changed.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from playwright.sync_api import Browser, FrameLocator, Page, expect

from bot.secrets_at_rest import new_key
from store import outbox
from store.session import Database
from tests.browser.widget_harness.chromium import chromium
from tests.postgres import free_port

IMAGES = Path(__file__).parent / "images"
PASSWORD = "only for the pictures"  # noqa: S105  # of a copy that is thrown away
EDITORS = {"editor": "何编辑", "reviewer": "梁审核"}
DESKTOP, PHONE = (1440, 900), (390, 844)


@contextmanager
def served(home: Path) -> Iterator[tuple[str, Path]]:
    """A copy of the workspace on a free port, with accounts; its address and its folder."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "home"
        shutil.copytree(home, copy)
        command = [sys.executable, "-m", "bot.cli", "--home", str(copy)]
        environment = {**os.environ, "CAIWEN_NLU__ENABLED": "false"}
        environment |= {
            "CAIWEN_SECRETS__KEYS": new_key(),
            "CAIWEN_NOTIFY__PUBLIC_URL": "https://caiwen.example.gov.cn",
            "CAIWEN_NOTIFY__ALLOWED_NETWORKS": '["127.0.0.0/8"]',
        }
        account = ["staff", "add", "pictures", "--role", "engineer", "--password-stdin"]
        account += ["--display-name", "陈工", "--post", "一线工程师"]
        subprocess.run([*command, "migrate"], check=True)
        subprocess.run([*command, *account], input=f"{PASSWORD}\n".encode(), check=True)
        for role, name in {**EDITORS, "operations": "吴运维", "admin": "郑管理"}.items():
            account = ["staff", "add", f"pictures-{role}", "--role", role, "--password-stdin"]
            account += ["--display-name", name]
            subprocess.run([*command, *account], input=f"{PASSWORD}\n".encode(), check=True)
        port = free_port()
        serving = subprocess.Popen([*command, "serve", "--port", str(port)], env=environment)
        address = f"http://127.0.0.1:{port}"
        try:
            _wait(address)
            yield address, copy
        finally:
            serving.terminate()
            serving.wait()


def _wait(address: str) -> None:
    for _ in range(300):
        try:
            if httpx.get(f"{address}/readyz", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError("the product did not start")


def _page(browser: Browser, address: str, size: tuple[int, int], *, dark: bool = False) -> Page:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        base_url=address,
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        color_scheme="dark" if dark else "light",
    )
    context.set_default_timeout(15_000)
    return context.new_page()


def _shoot(page: Page, name: str) -> None:
    page.wait_for_timeout(500)
    page.screenshot(path=IMAGES / f"{name}.png")


def _widget(page: Page) -> FrameLocator:
    page.goto("/portal")
    page.get_by_role("button", name="在线咨询").click()
    frame = page.frame_locator("iframe")
    expect(frame.locator(".kind-greeting")).to_have_count(1)
    return frame


def _ask(frame: FrameLocator, text: str) -> None:
    before = frame.locator("#log > *").count()
    box = frame.get_by_role("textbox")
    box.fill(text)
    box.press("Enter")
    expect(frame.locator("#log > *").nth(before + 1)).to_be_visible()


def _user(browser: Browser, address: str) -> tuple[Page, FrameLocator]:
    page = _page(browser, address, DESKTOP)
    page.goto("/portal")
    _shoot(page, "portal")
    frame = _widget(page)
    _shoot(page, "widget-greeting")
    _ask(frame, "多缴的非税收入怎么申请退付")
    _shoot(page, "widget-answer")
    _ask(frame, "额度没了")
    _shoot(page, "widget-question")
    _ask(frame, "余额不足")
    _ask(frame, "全单位的支付申请都送审不了，一直报错")
    expect(frame.locator(".kind-ticket")).to_have_count(1)
    _shoot(page, "widget-ticket")
    return page, frame


def _engineer(browser: Browser, address: str, user: Page, frame: FrameLocator) -> None:
    page = _page(browser, address, DESKTOP)
    page.goto("/login")
    _shoot(page, "login")
    page.get_by_label("用户名").fill("pictures")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/console*")
    page.get_by_text("送审不了").first.click()
    page.get_by_role("button", name="接单").first.click()
    page.locator("#text").fill("您好，我是陈工。请问报错框里写的是什么？")
    page.get_by_role("button", name="发送", exact=True).click()
    expect(frame.locator("#log")).to_contain_text("我是陈工")
    _shoot(page, "console")
    page.get_by_text("为什么是这个时限").first.click()
    page.get_by_text("为什么是这个时限").first.scroll_into_view_if_needed()
    _shoot(page, "console-deadline")
    page.locator("#do-resolve").click()
    page.locator("#cause").fill("流程引擎节点未启动")
    page.locator("#solution").fill("已恢复流程引擎，请重新送审")
    _shoot(page, "console-resolve")
    page.get_by_role("button", name="确认解决").click()
    expect(frame.locator(".kind-resolved").last).to_be_visible()
    _shoot(user, "widget-resolved")
    page.goto("/console/search?q=送审")
    _shoot(page, "console-search")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.goto("/console")
    _shoot(page, "console-phone")
    page.goto("/console/no-such-page")
    _shoot(page, "problem")


def _phone(browser: Browser, address: str) -> None:
    for name, dark in (("widget-phone", False), ("widget-phone-dark", True)):
        page = _page(browser, address, PHONE, dark=dark)
        frame = _widget(page)
        _ask(frame, "UKey插上没有反应怎么办")
        _shoot(page, name)


def _at_workbench(browser: Browser, address: str, role: str) -> Page:
    page = _page(browser, address, DESKTOP)
    page.goto("/workbench")
    page.get_by_label("用户名").fill(f"pictures-{role}")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/workbench")
    return page


def _workbench(browser: Browser, address: str) -> None:
    editor = _at_workbench(browser, address, "editor")
    reviewer = _at_workbench(browser, address, "reviewer")
    editor.goto("/workbench/answers?sort=oldest")
    _shoot(editor, "workbench-answers")
    editor.locator("#answers a").first.click()
    answer = editor.url
    editor.get_by_role("link", name="编辑", exact=True).click()
    area = editor.locator("#answer")
    area.fill(area.input_value() + "\n4. 仍不能解决的，请在工作日拨打本级财政局服务电话。")
    editor.locator("#note").fill("补充联系方式")
    editor.wait_for_timeout(800)
    _shoot(editor, "workbench-editor")
    editor.get_by_role("button", name="保存为新版本").click()
    editor.get_by_role("button", name="提交审核").click()
    expect(editor.locator(".pill").first).to_have_text("待审核")
    _shoot(editor, "workbench-answer")
    reviewer.goto("/workbench")
    _shoot(reviewer, "workbench")
    reviewer.goto("/workbench/review")
    _shoot(reviewer, "workbench-review")
    reviewer.goto(f"{answer}/versions")
    _shoot(reviewer, "workbench-versions")
    reviewer.goto("/workbench/try?q=UKey插上没有反应怎么办&answer_from=0.95")
    _shoot(reviewer, "workbench-try")


GUIDE = "公务卡报销还款指引"


def _next_version(folder: Path) -> Path:
    """A later state of a sample guide: one section rewritten, one new."""
    [sample] = (Path(__file__).parent.parent / "data" / "guides").glob(f"*{GUIDE}.md")
    text = sample.read_text("utf-8").replace("V1.0", "V1.1")
    text = text.replace("勾选后点击【签发】", "核对收款账户后点击【确认签发】")
    changed = folder / sample.name
    changed.write_text(f"{text}\n## 七、 还款凭证打印\n\n还款成功后可以打印汇总凭证。\n", "utf-8")
    return changed


def _import(page: Page, file: Path) -> None:
    page.goto("/workbench/guides")
    page.locator("#files").set_input_files(file)
    page.get_by_label("导入后立即启用").check()
    page.get_by_role("button", name="开始导入").click()
    expect(page.locator(".pill-job-done")).to_be_visible()


def _guides(browser: Browser, address: str, folder: Path) -> None:
    """A guide, an answer drawn from it, and what its next version does to that answer."""
    editor = _at_workbench(browser, address, "editor")
    reviewer = _at_workbench(browser, address, "reviewer")
    editor.goto("/workbench/guides")
    editor.get_by_role("link", name=GUIDE).click()
    section = editor.locator('[data-section*="报销还款步骤"]')
    section.locator("summary").click()
    _shoot(editor, "workbench-guide")
    section.get_by_role("button", name="用这一节起草答案").click()
    editor.get_by_role("button", name="保存为新版本").click()
    editor.get_by_role("button", name="提交审核").click()
    expect(editor.locator(".pill").first).to_have_text("待审核")
    answer = editor.url
    reviewer.goto(answer)
    reviewer.get_by_role("button", name="通过并发布").click()
    expect(reviewer.locator(".pill").first).to_have_text("已发布")
    _import(reviewer, _next_version(folder))
    _shoot(reviewer, "workbench-import")
    reviewer.locator("#files").get_by_role("link").first.click()
    reviewer.get_by_role("link", name="与上一版比较").click()
    _shoot(reviewer, "workbench-guide-changes")
    editor.goto(answer)
    _shoot(editor, "workbench-stale")


def _desk(browser: Browser, address: str) -> None:
    """Pages of the desk besides the console, and what the workbench makes of the questions."""
    asked = ("单位食堂餐补怎么核销", "食堂的餐补在系统里怎么核销", "请问食堂餐补如何核销")
    for text in asked:
        frame = _widget(_page(browser, address, DESKTOP))
        _ask(frame, text)
        _ask(frame, "没解决")
    page = _page(browser, address, DESKTOP)
    page.goto("/login?next=/console/log")
    page.get_by_label("用户名").fill("pictures")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/console/log")
    _shoot(page, "console-log")
    editor = _at_workbench(browser, address, "editor")
    editor.goto("/workbench/gaps")
    editor.get_by_role("button", name="现在整理").click()
    _shoot(editor, "workbench-gaps")
    editor.locator("#gaps a").first.click()
    _shoot(editor, "workbench-gap")
    editor.goto("/workbench/golden")
    editor.locator("#text").fill("今天晚上吃什么好呢")
    editor.locator("form.wb-form button").click()
    editor.get_by_role("button", name="现在全部问一遍").click()
    _shoot(editor, "workbench-golden")


async def _fail_to_deliver(home: Path) -> None:
    """Notices that the other side would not take, so that there is something to send again."""
    database = Database(f"sqlite:///{home / 'caiwen.db'}")
    now = datetime.now(UTC)
    errors = ("ConnectError: gateway", "PermanentError: invaliduser")
    async with database.transaction() as session:
        for number, error in enumerate(errors, 1):
            await outbox.enqueue(
                session,
                kind="ticket_event",
                payload={"number": f"CW{now:%Y%m%d}-{number:04}"},
                dedupe_key=f"pictures:{number}",
                available_at=now - timedelta(minutes=20 * number),
            )
            rows = await outbox.claim(
                session,
                now=now,
                lease=timedelta(minutes=1),
                token="pictures",  # noqa: S106  # of a lease
                only=("ticket_event",),
            )
            for row in rows:
                await outbox.settle_failed(session, row, error=error, now=now)
    await database.dispose()


def _dead_letters(browser: Browser, address: str) -> None:
    page = _page(browser, address, DESKTOP)
    page.goto("/login?next=/console/dead-letters")
    page.get_by_label("用户名").fill("pictures-operations")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/console/dead-letters")
    _shoot(page, "dead-letters")


def _alerts() -> bytes:
    """Two matters, as Alertmanager tells them."""
    began = (datetime.now(UTC) - timedelta(minutes=4)).isoformat()
    told = (
        ("支付库连接数接近上限", "critical", "连接数 96%，已持续 5 分钟"),
        ("备份任务超时", "warning", "昨夜备份用时超过 4 小时"),
    )
    alerts = [
        {
            "status": "firing",
            "labels": {"alertname": name, "severity": severity, "region": "禅城区"},
            "annotations": {"summary": summary},
            "startsAt": began,
            "endsAt": "0001-01-01T00:00:00Z",
        }
        for name, severity, summary in told
    ]
    return json.dumps({"version": "4", "alerts": alerts}).encode()


def _admin(browser: Browser, address: str) -> None:
    page = _page(browser, address, DESKTOP)
    page.goto("/login?next=/console/admin/channels")
    page.get_by_label("用户名").fill("pictures-admin")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.get_by_role("link", name="新增企业微信群机器人").click()
    page.get_by_label("名称").fill("运维值班群")
    page.get_by_label("接口地址").fill(address)
    page.get_by_label("机器人 key").fill("only-for-the-pictures")
    page.get_by_role("button", name="保存").click()
    page.goto("/console/admin/rules/new")
    page.get_by_label("名称").fill("重大和紧急工单马上通知")
    for box in ("新工单", "级别升高", "重大", "紧急"):
        page.get_by_label(box, exact=True).check()
    page.get_by_role("button", name="预览").click()
    expect(page.locator("#preview")).to_be_visible()
    _shoot(page, "notification-rule")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("#rules")).to_be_visible()
    _shoot(page, "notification-channels")
    page.goto("/console/admin/alert-sources/new?kind=alertmanager")
    page.get_by_label("名称").fill("市局监控平台")
    page.get_by_role("button", name="保存").click()
    token = page.locator("#token code").inner_text()
    source = page.locator("#address").inner_text().rpartition("/")[2]
    headers = {"Authorization": f"Bearer {token}"}
    hook = f"{address}/hooks/alerts/{source}"
    httpx.post(hook, content=_alerts(), headers=headers, trust_env=False).raise_for_status()
    page.goto("/console/alerts")
    _shoot(page, "alerts")


def main() -> None:
    """Draw every picture."""
    home = Path(sys.argv[1] if len(sys.argv) > 1 else "var")
    IMAGES.mkdir(exist_ok=True)
    with served(home) as (address, copy):
        asyncio.run(_fail_to_deliver(copy))
        with chromium() as browser:
            _engineer(browser, address, *_user(browser, address))
            _phone(browser, address)
            _workbench(browser, address)
            _guides(browser, address, copy)
            _desk(browser, address)
            _dead_letters(browser, address)
            _admin(browser, address)


if __name__ == "__main__":
    main()

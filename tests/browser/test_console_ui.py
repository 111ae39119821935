"""The engineer's console in a real browser, against the whole product."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import (
    Browser,
    Page,
    Response,
    Route,
    ViewportSize,
    async_playwright,
    expect,
)

from tests.browser.widget_harness.chromium import ARGUMENTS, executable
from tests.conftest import need
from tests.product import PASSWORD, Chat, Product

pytestmark = pytest.mark.browser

DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
HOSTILE = "<img src=x onerror=document.title='taken'>"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    path = executable()
    need(path is not None, "Chromium")
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield opened
        await opened.close()


class Desk:
    """One engineer's window; what it complains of is kept."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._heard)

    def _heard(self, message: object) -> None:
        kind, text = getattr(message, "type", ""), getattr(message, "text", "")
        if kind == "error" and "Content Security Policy" in text:
            self.complaints.append(text)

    async def open_ticket(self, number: str) -> None:
        await self.page.locator(f'.row-ticket[data-number="{number}"]').click()
        await expect(self.page.locator("#head .num")).to_have_text(number)

    async def say(self, text: str) -> None:
        await self.page.fill("#text", text)
        await self.page.press("#text", "Control+Enter")

    async def seqs(self) -> list[int]:
        found = await self.page.locator(".msg").evaluate_all("all => all.map(m => m.dataset.seq)")
        return [int(seq) for seq in found]


async def sit_down(
    browser: Browser, product: Product, username: str = "chen", size: ViewportSize = DESKTOP
) -> Desk:
    context = await browser.new_context(viewport=size, locale="zh-CN")
    context.set_default_timeout(15_000)
    desk = Desk(await context.new_page())
    await desk.page.goto(f"{product.address}/console?queue=waiting")
    await desk.page.fill("#username", username)
    await desk.page.fill("#password", PASSWORD)
    await desk.page.press("#password", "Enter")
    await expect(desk.page.locator("#queue")).to_be_visible()
    return desk


async def wait_for_an_engineer(product: Product, text: str) -> tuple[Chat, str]:
    chat = await product.open(name="黄会计", unit="第三小学", region="云浦区")
    await chat.say(text)
    await chat.say("转人工", kind="human")
    told = [m for m in await chat.read() if m["kind"] == "ticket"]
    return chat, str(told[0]["data"]["number"])


async def test_a_day_at_the_desk(browser: Browser, product: Product) -> None:
    desk = await sit_down(browser, product)
    page = desk.page
    await expect(page.locator(".empty")).to_contain_text("没有等待接单")
    chat, number = await wait_for_an_engineer(product, f"门户的菜单是空的 {HOSTILE}")
    await desk.open_ticket(number)
    await expect(page.locator("#composer .hint")).to_contain_text("接单后才能回复")
    await expect(page.locator("#mode-reply")).to_be_disabled()
    await expect(page.locator(".msg").filter(has_text=HOSTILE).first).to_be_visible()
    await page.keyboard.press("c")
    await expect(page.locator("#mode-reply")).to_be_checked()
    await expect(page.locator("#text")).to_be_focused()
    await desk.say("您好，正在为您核对。")
    await expect(page.locator(".from-engineer .bubble")).to_have_text("您好，正在为您核对。")
    await expect(page.locator("#text")).to_have_value("")
    assert "您好，正在为您核对。" in [m["text"] for m in await chat.read()]
    await chat.send("好的，谢谢")
    await expect(page.locator(".from-user .bubble").last).to_have_text("好的，谢谢")
    await page.locator("#text").blur()
    await page.keyboard.press("n")
    await desk.say("内部：角色缺失")
    await expect(page.locator(".msg-note .bubble")).to_have_text("内部：角色缺失")
    await expect(page.locator("#text")).to_have_value("")
    assert "内部：角色缺失" not in [m["text"] for m in await chat.read()]
    await page.locator("#text").blur()
    await page.keyboard.press("e")
    await page.fill("#cause", "角色没有授权")
    await page.fill("#solution", "已经授权，请重新登录。")
    await page.click("#resolve .btn-success")
    await expect(page.locator("#head .state-pill")).to_have_text("已解决")
    await expect(page.locator("#composer .hint")).to_contain_text("只能补充内部备注")
    await expect(page.locator(".msg-system").last).to_contain_text("财问继续")
    assert await desk.seqs() == sorted(set(await desk.seqs()))
    assert [m["kind"] for m in await chat.read()].count("resolved") == 1
    assert desk.complaints == []
    assert await page.title() != "taken"


async def test_who_opens_the_desk_is_there_and_menus_close(
    browser: Browser, product: Product
) -> None:
    page = (await sit_down(browser, product)).page
    # Sooner than the first beat, which the stream sends after fifteen seconds.
    await expect(page.locator("#presence summary")).to_contain_text("在线", timeout=12_000)
    menu = page.locator("details.account:not(.presence)")
    for close in (page.locator("#work").click, lambda: page.keyboard.press("Escape")):
        await menu.locator("summary").click()
        await expect(menu.locator(".account-menu")).to_be_visible()
        await close()
        await expect(menu.locator(".account-menu")).to_be_hidden()


async def test_two_engineers_see_each_other(browser: Browser, product: Product) -> None:
    _, number = await wait_for_an_engineer(product, "门户的菜单是空的")
    chen = await sit_down(browser, product)
    lin = await sit_down(browser, product, "lin")
    for desk in (chen, lin):
        await desk.open_ticket(number)
    await expect(chen.page.locator("#watchers")).to_contain_text("林工")
    await expect(lin.page.locator("#watchers")).to_contain_text("陈工")
    await lin.page.fill("#text", "写了一半的话")
    await chen.page.click("#do-claim")
    await expect(lin.page.locator("#composer .hint")).to_contain_text("由陈工处理")
    await expect(lin.page.locator("#do-claim")).to_have_count(0)
    await expect(lin.page.locator("#text")).to_have_value("写了一半的话")
    # The lists take a moment of their own.
    await expect(lin.page.locator('[data-tab="waiting"] .count')).to_have_text("0", timeout=20_000)
    await lin.page.goto(f"{product.address}/console")
    await expect(chen.page.locator("#watchers")).to_be_hidden(timeout=15_000)
    assert chen.complaints == lin.complaints == []


async def test_of_two_clicks_at_once_one_takes_the_ticket(
    browser: Browser, product: Product
) -> None:
    chat, number = await wait_for_an_engineer(product, "门户的菜单是空的")
    desks = [await sit_down(browser, product), await sit_down(browser, product, "lin")]
    both, answers = asyncio.Barrier(2), list[Response]()

    async def together(route: Route) -> None:
        # Neither reaches the server before both have clicked.
        await both.wait()
        await route.continue_()

    for desk in desks:
        await desk.open_ticket(number)
        await desk.page.route("**/claim*", together)
    clicks = []
    for desk in desks:
        async with desk.page.expect_request("**/claim*") as clicked:
            await desk.page.click("#do-claim")
        clicks.append(await clicked.value)
    for click in clicks:
        answered = await click.response()
        assert answered is not None
        answers.append(answered)
    won = [answer.status for answer in answers].index(200)
    winner, loser = desks[won], desks[1 - won]
    assert answers[1 - won].status == 409
    assert 'class="alert' in await answers[1 - won].text()
    await expect(winner.page.locator("#mode-reply")).to_be_checked()
    await expect(loser.page.locator("#composer .hint")).to_contain_text(
        f"由{'陈工' if won == 0 else '林工'}处理"
    )
    await expect(loser.page.locator("#mode-reply")).to_be_disabled()
    assert [m["kind"] for m in await chat.read()].count("joined") == 1


async def test_a_stroke_finds_answers_and_phrases(browser: Browser, product: Product) -> None:
    chat, number = await wait_for_an_engineer(product, "门户的菜单是空的")
    desk = await sit_down(browser, product)
    page = desk.page
    await desk.open_ticket(number)
    await page.click("#do-claim")
    await expect(page.locator("#mode-reply")).to_be_checked()
    options = page.locator("#insertions [role=option]")
    await page.locator("#text").press_sequentially("您好 /")
    await expect(options).to_have_count(5)
    await page.keyboard.press("ArrowDown")
    await expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Escape")
    await expect(options).to_have_count(0)
    await page.locator("#text").press_sequentially("公务卡怎么还款")
    await expect(page.locator("#text")).to_have_value("您好 /公务卡怎么还款")
    await page.fill("#text", "")
    await page.locator("#text").press_sequentially("/公务卡怎么还款")
    await expect(options.first).to_contain_text("公务卡怎么还款")
    await expect(options.first.locator("b")).to_have_text(re.compile(r"^\d+%$"))
    await page.keyboard.press("Enter")
    await expect(page.locator("#text")).to_have_value(re.compile("^公务卡怎么还款\n"))
    await expect(options).to_have_count(0)
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".from-engineer .bubble")).to_contain_text("公务卡怎么还款")
    assert (await chat.read())[-1]["text"].startswith("公务卡怎么还款\n")
    assert desk.complaints == []


async def test_new_work_announces_itself_in_the_title(browser: Browser, product: Product) -> None:
    desk = await sit_down(browser, product)
    await desk.page.evaluate(
        "Object.defineProperty(document, 'hidden', {value: true, configurable: true})"
    )
    _, number = await wait_for_an_engineer(product, "门户的菜单是空的")
    await expect(desk.page.locator(f'[data-number="{number}"]')).to_be_visible()
    await expect(desk.page).to_have_title(re.compile(r"^\(1\) "))


async def test_what_was_typed_outlives_a_reload_and_a_lost_network(
    browser: Browser, product: Product
) -> None:
    _, number = await wait_for_an_engineer(product, "门户的菜单是空的")
    desk = await sit_down(browser, product)
    page = desk.page
    await desk.open_ticket(number)
    # What is sent before it is known to whom would be a note that was meant as a reply.
    answered = asyncio.Event()

    async def late(route: Route) -> None:
        await answered.wait()
        await route.continue_()

    await page.route("**/claim*", late)
    await page.click("#do-claim")
    await desk.say("您好，请稍等。")
    await expect(page.locator("#say button")).to_be_disabled()
    answered.set()
    await expect(page.locator("#mode-reply")).to_be_checked()
    await expect(page.locator("#text")).to_have_value("您好，请稍等。")
    await expect(page.locator(".msg-note")).to_have_count(0)
    await page.route("**/say*", lambda route: route.abort())
    await desk.say("请先核对单据号")
    await expect(page.locator("#send-state")).to_contain_text("没有发出去")
    await expect(page.locator("#text")).to_have_value("请先核对单据号")
    await page.unroute("**/say*")
    await page.reload()
    await expect(page.locator("#text")).to_have_value("请先核对单据号")
    await page.press("#text", "Control+Enter")
    await expect(page.locator(".from-engineer .bubble")).to_have_count(1)


async def test_on_a_phone_the_columns_are_steps(browser: Browser, product: Product) -> None:
    _, number = await wait_for_an_engineer(product, "门户的菜单是空的")
    desk = await sit_down(browser, product, size=PHONE)
    page = desk.page
    await expect(page.locator(".work")).to_be_hidden()
    await desk.open_ticket(number)
    await expect(page.locator(".col-list")).to_be_hidden()
    await expect(page.locator("#log")).to_be_visible()
    await page.click('[data-go="side"]')
    await expect(page.locator("#side")).to_be_visible()
    await expect(page.locator("#log")).to_be_hidden()
    await page.click('[data-go="list"]')
    await expect(page.locator("#queue")).to_be_visible()
    for step in ("list", "talk", "side"):
        await page.evaluate("step => document.getElementById('columns').dataset.step = step", step)
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= PHONE["width"], step


async def test_without_scripts_the_forms_do_it(browser: Browser, product: Product) -> None:
    _, number = await wait_for_an_engineer(product, "门户的菜单是空的")
    context = await browser.new_context(java_script_enabled=False, viewport=DESKTOP)
    page = await context.new_page()
    await page.goto(f"{product.address}/console/tickets/{number}")
    await page.fill("#username", "chen")
    await page.fill("#password", PASSWORD)
    await page.click("button")
    await page.click("#do-claim")
    await page.fill("#text", "您好")
    await page.click(".composer .btn-primary")
    await expect(page.locator(".from-engineer .bubble")).to_have_text("您好")
    await page.click("#do-resolve")
    await page.fill("#cause", "权限")
    await page.fill("#solution", "已开通")
    await page.click("#resolve .btn-success")
    await expect(page.locator("#head .state-pill")).to_have_text("已解决")

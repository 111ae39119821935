"""One fault, many tickets, in real browsers: reported, proposed, confirmed, answered, ended.

With CAIWEN_SCREENSHOTS=DIR the pictures of the documentation are drawn on the way.
"""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.test_two_people import ask, browser, log_in, open_widget, person, shoot
from tests.product import Chat, Product

__all__ = ["browser"]
pytestmark = pytest.mark.browser

FAULT = "外币利息核算模块报错打不开，提示 ERR-5021 服务未启动"
NOTE = "外币利息核算暂时打不开，我们正在抢修"


async def reported(product: Product) -> list[Chat]:
    """Three units report it and want a person."""
    chats = []
    for unit in ("区教育局", "区卫健局", "镇财政所"):
        chat = await product.open(name="张会计", unit=unit, region="禅城区")
        await chat.say(FAULT)
        await chat.say("转人工", kind="human")
        chats.append(chat)
    return chats


async def confirm(console: Page) -> None:
    """The proposal is on the list; its evidence is shown; a person says what users read."""
    row = console.locator("#incidents tbody tr").first
    for _ in range(40):
        await console.goto("/console/incidents")
        if await row.count():
            break
        await console.wait_for_timeout(250)
    await expect(row).to_contain_text("待确认")
    await shoot(console, "incidents")
    await row.get_by_role("link").click()
    evidence = console.locator("#evidence")
    for unit in ("区教育局", "区卫健局", "镇财政所"):
        await expect(evidence).to_contain_text(unit)
    await expect(evidence).to_contain_text("ERR-5021")
    await console.get_by_role("link", name="打不开", exact=True).click()
    await expect(console.locator("#note-confirm")).to_have_value(
        "该功能目前打不开，我们已经确认是系统故障，正在抢修。您不必重复操作，也不必重装控件。"
    )
    await console.locator("#note-confirm").fill(NOTE)
    await console.evaluate("scrollTo(0, 0)")
    await shoot(console, "incident-proposal")
    await console.get_by_role("button", name="确认为故障").click()
    await expect(console.locator("#status")).to_have_text("处理中")


async def test_one_fault_and_many_people(browser: Browser, product: Product) -> None:
    chats = await reported(product)
    theirs, desk = await person(browser, product), await person(browser, product)
    console = await desk.new_page()
    await log_in(console)
    await confirm(console)

    # Whoever asks now is answered at once, and may follow it.
    page = await theirs.new_page()
    frame = await open_widget(page)
    card = frame.locator(".kind-fault")
    for _ in range(20):
        await ask(frame, FAULT)
        await expect(frame.locator(".kind-fault, .kind-ticket, .kind-offer").last).to_be_visible()
        if await card.count():
            break
    await expect(card.last).to_contain_text(NOTE)
    await shoot(page, "widget-fault")
    await card.last.get_by_role("button", name="修好了告诉我").click()
    await expect(frame.locator("#log")).to_contain_text("我马上在这里告诉您")

    # The end reaches everybody: who waits for it, and every ticket.
    await console.reload()
    await expect(console.locator("#reach")).to_contain_text("等通知的会话")
    await console.locator("#resolve summary").click()
    await console.locator("#resolve-cause").fill("服务未随升级启动")
    await console.locator("#resolve-solution").fill("已重启核算服务，刷新即可")
    await console.evaluate("scrollTo(0, 0)")
    await shoot(console, "incident-open")
    await console.get_by_role("button", name="解决事件").click()
    await expect(console.locator("#status")).to_have_text("已解决")
    await expect(card.last).to_contain_text("已重启核算服务", timeout=10_000)
    await expect(card.last).to_contain_text("故障已修复")
    for chat in chats:
        for _ in range(100):
            told = [m for m in await chat.read() if m["kind"] == "resolved"]
            if told:
                break
            await page.wait_for_timeout(100)
        assert len(told) == 1

    # What is learned from it is tracked to its end.
    await console.locator("#review summary").click()
    for name in ("impact", "measures", "prevention"):
        await console.locator(f"#review-{name}").fill(f"{name}：三家单位停办半小时")
    await console.get_by_role("button", name="提交复盘").click()
    await console.locator("#measures summary").click()
    await console.locator("#add_measure-text").fill("给核算服务加启动检查")
    await console.locator("#add_measure-owner").fill("王工")
    await console.locator("#due").fill("2027-01-31")
    await console.get_by_role("button", name="增加整改措施").click()
    await expect(console.locator("#measures")).to_contain_text("给核算服务加启动检查")
    await console.get_by_role("button", name="关闭事件").click()
    await expect(console.get_by_role("alert")).to_contain_text("整改措施")
    await console.locator("#measures tbody input[name=outcome]").fill("已上线")
    await console.get_by_role("button", name="办结").click()
    await console.get_by_role("button", name="关闭事件").click()
    await expect(console.locator("#status")).to_have_text("已关闭")
    await console.evaluate("scrollTo(0, 0)")
    await shoot(console, "incident-closed")
    await theirs.close()
    await desk.close()


async def test_on_a_phone_nothing_sticks_out(browser: Browser, product: Product) -> None:
    context = await person(browser, product, wide=False)
    page = await context.new_page()
    await log_in(page)
    await page.goto("/console/incidents/new?template=slow")
    await page.locator("#title").fill("支付申请很慢")
    await page.get_by_role("button", name="建立事件").click()
    await expect(page.locator("#status")).to_have_text("处理中")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await context.close()

"""The report as people hand it in, are refused without it, and take it away as a document."""

import re
from io import BytesIO

import pytest
from docx import Document

from tests.bot.web.plain_browser import HOSTILE, Browser, make_ticket, shown
from tests.product import Product

PARTS = {
    "cause": "连接池耗尽\n没有告警",
    "impact": f"全市{HOSTILE}",
    "measures": "重启\x07服务",
    "prevention": "扩大连接池",
}


async def major(product: Product, chen: Browser) -> str:
    """A resolved 重大 ticket of chen."""
    number = await make_ticket(product)
    at = f"/console/tickets/{number}"
    await chen.get(at)
    await chen.post(f"{at}/severity", severity="重大", why="全市都不能支付")
    await chen.post(f"{at}/claim")
    await chen.post(f"{at}/resolve", cause="连接池", solution="重启了服务")
    return number


@pytest.fixture
async def number(product: Product, chen: Browser) -> str:
    return await major(product, chen)


async def test_closing_needs_the_report_and_the_page_says_so(chen: Browser, number: str) -> None:
    at = f"/console/tickets/{number}"
    assert "关闭前要提交报告" in (await chen.get(at)).text
    assert (await chen.get(f"{at}/report.docx")).status_code == 404
    refused = await chen.post(f"{at}/do/close", part=True)
    assert refused.status_code == 409
    assert "先提交问题处理报告" in refused.text
    sheet = await chen.get(f"{at}/sheets/report")
    assert ">重启了服务</textarea>" in sheet.text
    assert (await chen.post(f"{at}/do/report", part=False, **PARTS)).status_code == 303
    assert f'href="{at}/report.docx"' in (await chen.get(at)).text
    assert (await chen.post(f"{at}/do/close")).status_code == 303
    assert "已关闭" in shown(await chen.get(at))


async def test_the_document_holds_facts_timeline_and_words(
    product: Product, chen: Browser, number: str
) -> None:
    at = f"/console/tickets/{number}"
    await chen.post(f"{at}/do/report", part=False, **PARTS)
    answer = await chen.get(f"{at}/report.docx")
    assert answer.headers["content-disposition"].endswith(f"{number}.docx")
    assert answer.headers["content-disposition"].startswith("attachment")
    page = Document(BytesIO(answer.content))
    words = [paragraph.text for paragraph in page.paragraphs]
    headers = await product.staff()
    told = (await product.client.get(f"/api/v1/tickets/{number}", headers=headers)).json()
    reckoning = words[words.index("六、时限计算") :]
    for target in told["deadlines"]:
        assert any(one.startswith(target["title"]) for one in reckoning)
        assert set(target["why"]) <= set(reckoning)
    for expected in ("问题处理报告", "没有告警", f"全市{HOSTILE}", "重启服务", "五、预防措施"):
        assert expected in words
    facts, timeline = page.tables
    assert ("工单号", number) in {(r.cells[0].text, r.cells[1].text) for r in facts.rows}
    told = [row.cells[1].text for row in timeline.rows]
    assert told == ["事项", "开单", "调整级别", "领取（处理中）", "解决（已解决）"]
    api = await product.client.get(
        f"/api/v1/tickets/{number}/report.docx", headers=await product.staff("lin")
    )
    assert api.status_code == 200


async def test_no_document_without_login_or_ticket(
    product: Product, stranger: Browser, chen: Browser
) -> None:
    assert (await stranger.get("/console/tickets/CW1/report.docx")).status_code == 303
    assert (await chen.get("/console/tickets/CW1/report.docx")).status_code == 404
    answer = await product.client.get("/api/v1/tickets/CW1/report.docx")
    assert answer.status_code == 401


async def test_a_user_who_agrees_leaves_a_major_ticket_to_its_report(
    product: Product, chen: Browser
) -> None:
    chat = await product.open(name="李会计")
    await chat.say("门户的菜单是空的")
    await chat.say("转人工", kind="human")
    card = next(m for m in await chat.read() if m["kind"] == "ticket")
    at = f"/console/tickets/{card['data']['number']}"
    await chen.get(at)
    await chen.post(f"{at}/severity", severity="重大", why="全市都不能支付")
    await chen.post(f"{at}/claim")
    await chen.post(f"{at}/resolve", cause="连接池", solution="重启了服务")
    said = await chat.say("解决了，谢谢")
    assert not any(message["kind"] == "error" for message in said)
    text = shown(await chen.get(at))
    assert "已解决" in text
    assert re.search(r"补充信息\s+用户", text)


async def test_the_same_matter_is_proposed_to_be_merged(product: Product, chen: Browser) -> None:
    numbers = []
    for words in ("门户的菜单是空的，什么都没有", "门户菜单是空的，什么也没有"):
        chat = await product.open(name="李会计", unit="第三小学", region="云浦区")
        await chat.say(words)
        await chat.say("转人工", kind="human")
        card = next(m for m in await chat.read() if m["kind"] == "ticket")
        numbers.append(card["data"]["number"])
    first, second = numbers
    page = await chen.get(f"/console/tickets/{second}")
    _, _, proposed = page.text.partition('id="duplicates"')
    assert first in proposed.partition("</section>")[0]
    sheet = await chen.get(f"/console/tickets/{second}", do="merge")
    assert f'value="{first}"' in sheet.text
    version = re.findall(r'name="version" value="(\d+)"', sheet.text)[-1]
    done = await chen.post(f"/console/tickets/{second}/do/link", other=first, version=version)
    assert done.status_code == 303, shown(done)
    assert 'id="duplicates"' not in (await chen.get(f"/console/tickets/{second}")).text

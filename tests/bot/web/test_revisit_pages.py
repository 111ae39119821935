"""The page of call-backs: listed, recorded, refused."""

from tests.bot.web.plain_browser import HOSTILE, Browser, shown
from tests.product import Product


async def test_the_page_lists_records_and_refuses(product: Product, chen: Browser) -> None:
    empty = shown(await chen.get("/console/callbacks"))
    assert "没有要回访的工单" in empty
    chat = await product.open(name=HOSTILE, unit="一小")
    await chat.say("转人工", kind="human")
    number = next(m["data"]["number"] for m in await chat.read() if m["kind"] == "ticket")
    await product.desk("claim", number)
    for result in ("resolve", "reopen"):
        body = {"cause": "甲", "solution": "乙"} if result == "resolve" else {"why": "没好"}
        assert (await product.desk(result, number, **body)).status_code == 200
    await product.desk("claim", number)
    await product.desk("resolve", number, cause="甲", solution="乙")
    await chat.say("已解决", kind="confirm", number=number)
    await product.services.revisits.plan()
    page = await chen.get("/console/callbacks")
    assert number in page.text
    assert "曾重新打开" in page.text
    assert "<img src=x" not in page.text
    row = page.text.partition('data-row="')[2][:32]
    path = f"/console/callbacks/{row}"
    assert (await chen.post(path, result="delighted", note="x")).status_code == 422
    kept = await chen.post(path, result="unsatisfied", note="")
    assert (kept.status_code, "写明原因" in kept.text) == (422, True)
    assert (await chen.post(path, result="satisfied", note="很快")).status_code == 303
    assert (await chen.post(path, result="satisfied", note="")).status_code == 409
    assert "很快" in shown(await chen.get("/console/callbacks", done="true"))
    assert (
        await chen.post(f"/console/callbacks/{'0' * 32}", result="satisfied")
    ).status_code == 404

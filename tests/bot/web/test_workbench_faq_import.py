"""A table of questions from the upload on the page to what a user is told."""

import re

from bot.tables import Role
from tests.bot.web.plain_browser import PAGE, Browser, Seat, shown
from tests.product import Product

TABLE = (
    "question,similar,answer,ref\n公积金汇缴清册怎么上传,清册在哪传,1. 打开公积金汇缴并上传,GJ1\n"
)
QUESTION = "公积金汇缴清册怎么上传"


async def upload(product: Product, browser: Browser, **fields: str) -> str:
    """The page of the finished import."""
    answer = await browser.client.post(
        "/workbench/guide-imports",
        files={"files": ("公积金问答.csv", TABLE.encode())},
        data={"csrf_token": browser.csrf, **fields},
        headers=PAGE,
    )
    assert answer.status_code == 303, answer.text
    await product.services.guide_imports.settle()
    return (await browser.get(answer.headers["location"])).text


async def told(product: Product) -> str:
    chat = await product.open(name="甲")
    return "\n".join(message["text"] for message in await chat.say(QUESTION))


async def test_enabling_at_once_still_takes_two_people(product: Product, seat: Seat) -> None:
    first, second = await seat(Role.REVIEWER), await seat(Role.REVIEWER)
    page = await upload(product, first, publish="1")
    assert 'data-fate="submitted"' in page
    assert "1 条待另一位审核人审核" in page
    assert "打开公积金汇缴" not in await told(product)
    queue = await second.get("/workbench/review")
    found = re.search(r'href="(/workbench/answers/[0-9a-f]{32})"', queue.text)
    assert found
    seen = re.search(r'name="seen" value="(\d+)"', (await second.get(found[1])).text)
    assert seen
    refused = await first.post(f"{found[1]}/approve", seen=seen[1])
    assert refused.status_code == 409
    assert "另一位审核人" in shown(refused)
    assert (await second.post(f"{found[1]}/approve", seen=seen[1])).status_code == 303
    assert "打开公积金汇缴" in await told(product)


async def test_an_editors_table_is_drafts_and_leads_to_them(product: Product, seat: Seat) -> None:
    editor = await seat(Role.EDITOR)
    page = await upload(product, editor)
    assert "1 条存为草稿" in page
    assert "/workbench/answers?state=draft" in page
    again = await upload(product, editor)
    assert "1 条没有变化" in again

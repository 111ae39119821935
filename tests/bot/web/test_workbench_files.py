"""A file goes with an answer from the editor to the user, and no browser runs it."""

import re

import httpx

from bot.tables import Role
from tests.bot.web.plain_browser import PAGE, Browser, Seat
from tests.kb.test_answer_files import PDF
from tests.product import Product

AT = "/workbench/attachments"


async def upload(browser: Browser, content: bytes, name: str) -> httpx.Response:
    return await browser.client.post(
        AT, files={"file": (name, content)}, headers={**PAGE, "X-CSRF-Token": browser.csrf}
    )


async def press(browser: Browser, at: str, verb: str) -> None:
    seen = re.search(r'name="seen" value="(\d+)"', (await browser.get(at)).text)
    assert seen
    assert (await browser.post(f"{at}/{verb}", seen=seen[1])).status_code == 303


async def test_a_user_gets_the_file_of_an_answer(product: Product, seat: Seat) -> None:
    editor, reviewer = await seat(Role.EDITOR), await seat(Role.REVIEWER)
    kept = await upload(editor, PDF, "公积金汇缴清册.pdf")
    assert kept.status_code == 201, kept.text
    text = f"1. 填好清册。\n{kept.json()['markup']}"
    made = await editor.post("/workbench/new", question="公积金汇缴清册怎么填", answer=text)
    at = made.headers["location"]
    assert 'download="公积金汇缴清册.pdf"' in (await editor.get(at)).text
    await press(editor, at, "do/submit")
    await press(reviewer, at, "approve")
    chat = await product.open(name="甲")
    [card] = [one for one in await chat.say("公积金汇缴清册怎么填") if one["kind"] == "answer"]
    [file] = card["data"]["files"]
    assert file["name"] == "公积金汇缴清册.pdf"
    assert "/media/" not in card["text"]
    assert "附件：公积金汇缴清册.pdf" in card["text"]
    got = await product.client.get(file["url"])
    assert got.content == PDF
    assert got.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%E5")
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in got.headers["content-security-policy"]


async def test_a_large_file_passes_and_a_program_does_not(seat: Seat) -> None:
    editor = await seat(Role.EDITOR)
    assert (await upload(editor, PDF + b"\n" * 3_000_000, "大.pdf")).status_code == 201
    refused = await upload(editor, b"MZ\x90\x00", "表.xlsx")
    assert refused.status_code == 422
    assert "只能附" in refused.json()["detail"]


async def test_only_editors_attach_files(seat: Seat) -> None:
    engineer = await seat(Role.ENGINEER)
    assert (await upload(engineer, PDF, "x.pdf")).status_code == 403

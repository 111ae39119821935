"""Similar questions are proposed from what people asked and by rules, and kept by a person."""

import re
from html import unescape

import httpx

from bot.tables import Role
from tests.bot.web.plain_browser import HOSTILE, Browser, Seat, shown
from tests.product import Product

QUESTION = "支付申请送审后怎么撤回"
ASKED = "送审的支付申请我想拿回来重新改"


async def asked(product: Product, text: str = ASKED, *, feedback: bool | None = None) -> None:
    """Somebody asks, is answered, and perhaps says whether it helped."""
    chat = await product.open(name="甲")
    told = await chat.say(text)
    card = next((one for one in told if one["kind"] == "answer"), None)
    if card is None:
        offer = next(one for one in told if one["kind"] == "offer")
        first = offer["data"]["candidates"][0]
        told = await chat.say(first["title"], kind="choose", answer_id=first["answer_id"])
        card = next(one for one in told if one["kind"] == "answer")
    assert card["data"]["title"] == QUESTION
    if feedback is not None:
        verdict = "helpful" if feedback else "unhelpful"
        await chat.say("有用" if feedback else "没用", kind=verdict, seq=card["seq"])
    await product.services.gaps.collect()
    await product.services.proposals.collect()


async def address(browser: Browser) -> str:
    page = await browser.get("/workbench/answers", q=QUESTION)
    found = re.search(r'href="(/workbench/answers/[0-9a-f]{32})"', page.text)
    assert found
    return found[1]


def fields(page: httpx.Response) -> dict[str, str]:
    """What the form would send."""
    names = ("seen", "question", "module", "owner", "source_title", "regions")
    found = {}
    for name in names:
        value = re.search(rf'name="{name}" value="([^"]*)"', page.text)
        found[name] = unescape(value[1]) if value else ""
    for name in ("answer", "similar"):
        text = re.search(rf'name="{name}"[^>]*>([^<]*)</textarea>', page.text)
        assert text
        found[name] = unescape(text[1])
    return {**found, "kind": "answer", "category": "操作咨询"}


def proposals(page: httpx.Response) -> list[str]:
    return [unescape(one) for one in re.findall(r'name="adopt" value="([^"]*)"', page.text)]


async def test_what_people_asked_is_proposed_and_kept_when_ticked(
    product: Product, seat: Seat
) -> None:
    await asked(product, feedback=True)
    editor = await seat(Role.EDITOR)
    at = await address(editor)
    form = fields(await editor.get(f"{at}/edit"))
    page = await editor.post(f"{at}/proposals", part=True, **form)
    assert ASKED in proposals(page)
    assert "1 人这样问" in shown(page)
    assert "<html" not in page.text
    saved = await editor.post(f"{at}/save", **form, adopt=ASKED)
    assert saved.status_code == 303, shown(saved)
    form = fields(await editor.get(f"{at}/edit"))
    assert ASKED in form["similar"].splitlines()
    assert ASKED not in proposals(await editor.post(f"{at}/proposals", part=True, **form))


async def test_without_scripts_the_form_comes_back_with_everything_typed(
    product: Product, seat: Seat
) -> None:
    await asked(product)
    editor = await seat(Role.EDITOR)
    at = await address(editor)
    form = fields(await editor.get(f"{at}/edit")) | {"answer": "没有保存的话", "note": "改一下"}
    page = await editor.post(f"{at}/proposals", **form)
    assert page.status_code == 200
    assert "没有保存的话" in page.text
    assert ASKED in proposals(page)
    ticked = await editor.post(f"{at}/proposals", **form, adopt=ASKED)
    assert ASKED in fields(ticked)["similar"].splitlines()


async def test_what_did_not_help_or_was_masked_is_never_proposed(
    product: Product, seat: Seat
) -> None:
    await asked(product, "支付申请送审了收回来重改", feedback=False)
    await asked(product, "支付申请送审后怎么撤回，我电话13800138000")
    editor = await seat(Role.EDITOR)
    at = await address(editor)
    form = fields(await editor.get(f"{at}/edit"))
    found = proposals(await editor.post(f"{at}/proposals", part=True, **form))
    assert "支付申请送审了收回来重改" not in found
    assert not any("138" in one for one in found)


async def test_what_is_declined_does_not_come_again(product: Product, seat: Seat) -> None:
    await asked(product)
    editor = await seat(Role.EDITOR)
    at = await address(editor)
    form = fields(await editor.get(f"{at}/edit"))
    for _ in range(2):
        page = await editor.post(f"{at}/proposals", part=True, **form, decline=ASKED)
        assert page.status_code == 200
        assert ASKED not in proposals(page)


async def test_a_new_answer_gets_other_ways_of_asking_by_rules(seat: Seat) -> None:
    editor = await seat(Role.EDITOR)
    page = await editor.post(
        "/workbench/new/proposals", part=True, question="公积金汇缴怎么补录", answer="x"
    )
    assert "公积金汇缴补录的步骤" in proposals(page)


async def test_collecting_twice_adds_nothing(product: Product) -> None:
    await asked(product)
    assert await product.services.proposals.collect() == 0


async def test_hostile_questions_are_shown_as_text(product: Product, seat: Seat) -> None:
    await asked(product, f"支付申请送审后怎么撤回{HOSTILE}")
    editor = await seat(Role.EDITOR)
    at = await address(editor)
    form = fields(await editor.get(f"{at}/edit"))
    page = await editor.post(f"{at}/proposals", part=True, **form)
    assert HOSTILE not in page.text


async def test_only_editors_are_proposed_to(product: Product, seat: Seat) -> None:
    engineer = await seat(Role.ENGINEER)
    at = await address(engineer)
    for path in (f"{at}/proposals", "/workbench/new/proposals"):
        assert (await engineer.post(path, question=QUESTION)).status_code == 403
    editor = await seat(Role.EDITOR)
    gone = await editor.post(f"/workbench/answers/{'0' * 32}/proposals", decline="x 是什么")
    assert gone.status_code == 404

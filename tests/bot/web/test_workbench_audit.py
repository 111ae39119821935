"""Every action of the workbench leaves its entry in the audit trail; a new one has to say which."""

import importlib
import pkgutil
import re
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi.routing import APIRoute

from bot.tables import Role
from bot.web import workbench
from store import audit
from tests.bot.web.plain_browser import Browser, Seat, shown
from tests.bot.web.test_workbench_answers import FIELDS, do, make
from tests.bot.web.test_workbench_gaps import ask_all, the_gap
from tests.bot.web.test_workbench_gaps import publish as publish_article
from tests.bot.web.test_workbench_guides import (
    GUIDES,
    NOTES,
    UPLOADS,
    guide_text,
    imported,
    upload,
)
from tests.bot.web.test_workbench_lexicon import LEXICON
from tests.bot.web.test_workbench_lexicon import seen as seen_entry
from tests.bot.web.test_workbench_sheets import SHEETS, bring, carry_out, taken
from tests.product import Product

AT, GAPS, GOLDEN = "/workbench/answers", "/workbench/gaps", "/workbench/golden"
ONE, GUIDE, GAP = f"{AT}/{{article_id}}", f"{GUIDES}/{{guide_id}}", f"{GAPS}/{{gap_id}}"
IMPORT = f"{UPLOADS}/{{import_id}}"

#: What each address that changes something writes into the trail; several where it has several.
AUDITED = {
    "/workbench/new": {"answer.created"},
    f"{ONE}/save": {"answer.save"},
    f"{ONE}/take-over": {"answer.lock_taken_over"},
    f"{ONE}/do/{{verb}}": {
        "answer.submit",
        "answer.withdraw",
        "answer.send_back",
        "answer.archive",
    },
    f"{ONE}/approve": {"answer.approve", "answer.schedule"},
    f"{ONE}/roll-back": {"answer.roll_back_live", "answer.roll_back"},
    f"{ONE}/comment": {"answer.commented"},
    f"{ONE}/proposals": {"answer.proposal_declined"},
    f"{ONE}/still-right": {"answer.still_right"},
    NOTES: {"release_note.flagged"},
    "/workbench/views": {"saved_view.saved"},
    "/workbench/views/{view_id}/remove": {"saved_view.removed"},
    f"{SHEETS}/carry-out": {"answer.created"},
    UPLOADS: {"guide_import.begun"},
    f"{IMPORT}/cancel": {"guide_import.cancelled"},
    f"{IMPORT}/again": {"guide_import.run_again"},
    f"{GUIDE}/publish": {"guide.published"},
    f"{GUIDE}/withdraw": {"guide.withdrawn"},
    f"{GUIDE}/facts": {"guide.described"},
    f"{GUIDE}/sections/{{section_id}}/draft": {"answer.created"},
    f"{GAP}/draft": {"gap.drafted"},
    f"{GAP}/dismiss": {"gap.dismissed"},
    f"{GAP}/reopen": {"gap.open"},
    f"{GAP}/tell": {"gap.told"},
    GOLDEN: {"golden.added"},
    f"{GOLDEN}/run": {"golden.run"},
    f"{GOLDEN}/{{question_id}}/remove": {"golden.removed"},
    LEXICON: {"lexicon.saved"},
    f"{LEXICON}/switch": {"lexicon.saved"},
    f"{LEXICON}/restore": {"lexicon.saved"},
    "/workbench/quality/run": {"quality.started"},
}
#: Needs a job that stands still: tests/bot/test_guide_imports.py looks at its entry.
ELSEWHERE = {f"{IMPORT}/again"}
#: Addresses that change nothing which anybody is shown, and why that is so.
UNAUDITED = {
    "/workbench/preview": "shows what is typed",
    "/workbench/new/proposals": "proposes; saving is audited",
    "/workbench/new/sections": "finds; saving is audited",
    f"{ONE}/sections": "finds; saving is audited",
    "/workbench/pictures": "seen by nobody before an answer that names it is saved",
    "/workbench/attachments": "seen by nobody before an answer that names it is saved",
    f"{ONE}/lock": "ends by itself; taking it from somebody is audited",
    f"{ONE}/release": "only gives up one's own lock",
    SHEETS: "shows what a workbook would do; carrying it out is audited",
    f"{GAPS}/collect": "what happens every few minutes anyway; nobody decides anything",
}


def addresses() -> set[str]:
    """Every address of the workbench that takes a form."""
    found = set()
    for module in pkgutil.iter_modules(workbench.__path__):
        router = getattr(
            importlib.import_module(f"{workbench.__name__}.{module.name}"), "router", 0
        )
        for route in getattr(router, "routes", ()):
            if isinstance(route, APIRoute) and route.methods - {"GET", "HEAD"}:
                found.add(route.path)
    return found


def test_every_form_of_the_workbench_is_judged() -> None:
    assert addresses() == AUDITED.keys() | UNAUDITED.keys()
    assert not AUDITED.keys() & UNAUDITED.keys()


@dataclass
class Trail:
    """Presses buttons, and looks what each has written."""

    product: Product
    written: dict[str, set[str]] = field(default_factory=dict)

    async def entries(self) -> dict[int, str]:
        """The newest entries of people."""
        async with self.product.services.database.reading() as session:
            found = await audit.newest(session, audit.Wanted(), limit=100)
        return {one.id: one.action for one in found if one.actor.startswith("staff:")}

    async def press(
        self, address: str, doing: Coroutine[Any, Any, httpx.Response]
    ) -> httpx.Response:
        """The answer to a form of this address, once its entry was found."""
        before = await self.entries()
        answer = await doing
        assert answer.status_code in (200, 303), shown(answer)
        assert re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", address), answer.request.url.path)
        new = {action for key, action in (await self.entries()).items() if key not in before}
        assert new & AUDITED[address], (address, new)
        self.written.setdefault(address, set()).update(new & AUDITED[address])
        return answer


async def decided(trail: Trail, editor: Browser, reviewer: Browser, at: str, **note: str) -> None:
    """Submitted, sent back or approved."""
    await trail.press(f"{ONE}/do/{{verb}}", do(editor, at, "do/submit"))
    if note:
        await trail.press(f"{ONE}/do/{{verb}}", do(reviewer, at, "do/send_back", **note))
    else:
        await trail.press(f"{ONE}/approve", do(reviewer, at, "approve"))


async def answers(product: Product, trail: Trail, seat: Seat) -> None:
    editor, reviewer = await seat(Role.EDITOR), await seat(Role.REVIEWER)
    made = await trail.press("/workbench/new", editor.post("/workbench/new", **FIELDS))
    at = made.headers["location"]
    verb = f"{ONE}/do/{{verb}}"
    await decided(trail, editor, reviewer, at, note="请补上依据")
    await trail.press(f"{ONE}/comment", editor.post(f"{at}/comment", note="依据是新文件"))
    await trail.press(verb, do(editor, at, "do/submit"))
    await trail.press(verb, do(editor, at, "do/withdraw"))
    await decided(trail, editor, reviewer, at)
    await editor.get(f"{at}/edit")
    await trail.press(f"{ONE}/take-over", reviewer.post(f"{at}/take-over"))
    for text in ("1. 改为线下办理。", "1. 又改回线上。"):
        changed = {**FIELDS, "answer": text}
        await trail.press(f"{ONE}/save", do(reviewer, at, "save", **changed))
    await trail.press(f"{ONE}/roll-back", do(editor, at, "roll-back", number="2"))
    await trail.press(verb, do(editor, at, "do/submit"))
    third = await seat(Role.REVIEWER)
    when = {"publish_at": "2027-01-04T09:00"}
    await trail.press(f"{ONE}/approve", do(third, at, "approve", **when))
    await trail.press(verb, do(editor, at, "do/withdraw"))
    await trail.press(f"{ONE}/roll-back", do(reviewer, at, "roll-back", number="1"))
    declined = editor.post(f"{at}/proposals", **FIELDS, decline="合同金额变更怎么操作")
    await trail.press(f"{ONE}/proposals", declined)
    await trail.press(verb, do(reviewer, at, "do/archive"))


async def around_answers(product: Product, trail: Trail, seat: Seat) -> None:
    editor = await seat(Role.EDITOR)
    at = await make(editor)
    key = at.rpartition("/")[2]
    note = {"name": "十一月升级", "note": "政府采购合同备案改版", "confirm": "1", "chosen": key}
    await do(editor, at, "do/submit")
    await do(await seat(Role.REVIEWER), at, "approve")
    await trail.press(NOTES, editor.post(NOTES, **note))
    await trail.press(f"{ONE}/still-right", editor.post(f"{at}/still-right", note="已核对"))
    view = {"name": "采购", "query": "module=政府采购"}
    await trail.press("/workbench/views", editor.post("/workbench/views", **view))
    listed = (await editor.get(AT)).text
    [remove] = set(re.findall(r"/workbench/views/\w{32}/remove", listed))
    await trail.press("/workbench/views/{view_id}/remove", editor.post(remove))
    sheet = await taken(editor, "?module=政府采购")
    sheet.append([None, None, "采购意向公开在哪里填", "意向公开", "在【采购意向】里填。"])
    looked = await bring(editor, sheet)
    await trail.press(f"{SHEETS}/carry-out", carry_out(editor, looked))


async def guides(product: Product, trail: Trail, seat: Seat) -> None:
    reviewer = await seat(Role.REVIEWER)
    guide = await imported(product, reviewer, guide_text())
    begun = await trail.press(UPLOADS, upload(reviewer, ("甲.md", guide_text("点开"))))
    job = begun.headers["location"]
    await trail.press(f"{IMPORT}/cancel", reviewer.post(f"{job}/cancel"))
    await product.services.guide_imports.settle()
    await reviewer.get(guide)
    facts = reviewer.post(f"{guide}/facts", number="1", fiscal_year="2026")
    await trail.press(f"{GUIDE}/facts", facts)
    await trail.press(f"{GUIDE}/publish", reviewer.post(f"{guide}/publish", version="1"))
    section = re.search(r'id="s-(\w+)" data-section="1\.1', (await reviewer.get(guide)).text)
    assert section
    draft = reviewer.post(f"{guide}/sections/{section[1]}/draft")
    await trail.press(f"{GUIDE}/sections/{{section_id}}/draft", draft)
    await trail.press(f"{GUIDE}/withdraw", reviewer.post(f"{guide}/withdraw"))


async def gaps(product: Product, trail: Trail, seat: Seat) -> None:
    editor = await seat(Role.EDITOR)
    await ask_all(product)
    await product.services.gaps.collect()
    at = f"{GAPS}/{await the_gap(product)}"
    await editor.get(at)
    await trail.press(f"{GAP}/dismiss", editor.post(f"{at}/dismiss", note="属于政策"))
    await editor.get(at)
    await trail.press(f"{GAP}/reopen", editor.post(f"{at}/reopen"))
    made = await trail.press(f"{GAP}/draft", editor.post(f"{at}/draft"))
    await publish_article(product, made.headers["location"].rpartition("/")[2])
    await trail.press(f"{GAP}/tell", editor.post(f"{at}/tell"))


async def questions_and_words(product: Product, trail: Trail, seat: Seat) -> None:
    editor = await seat(Role.EDITOR)
    await trail.press(GOLDEN, editor.post(GOLDEN, text="今天晚上吃什么好呢", answer_id=""))
    await trail.press(f"{GOLDEN}/run", editor.post(f"{GOLDEN}/run"))
    [question] = (await product.services.golden.overview()).questions
    remove = editor.post(f"{GOLDEN}/{question.id}/remove")
    await trail.press(f"{GOLDEN}/{{question_id}}/remove", remove)
    entry = {"kind": "synonym", "word": "电子票据冲红"}
    await trail.press(LEXICON, editor.post(LEXICON, **entry, seen="0", variants="蓝精灵套餐"))
    number = await seen_entry(editor, entry["word"])
    off = editor.post(f"{LEXICON}/switch", **entry, seen=number, on="0")
    await trail.press(f"{LEXICON}/switch", off)
    number = await seen_entry(editor, entry["word"])
    back = editor.post(f"{LEXICON}/restore", **entry, seen=number, number="1")
    await trail.press(f"{LEXICON}/restore", back)
    await trail.press("/workbench/quality/run", editor.post("/workbench/quality/run"))
    await product.services.evaluations.stop()


async def test_everything_that_is_done_is_written_down(product: Product, seat: Seat) -> None:
    trail = Trail(product)
    await answers(product, trail, seat)
    await around_answers(product, trail, seat)
    await guides(product, trail, seat)
    await gaps(product, trail, seat)
    await questions_and_words(product, trail, seat)
    expected = {at: actions for at, actions in AUDITED.items() if at not in ELSEWHERE}
    assert trail.written == expected

"""Golden questions are asked again when the date of a publication has come."""

from copy import copy
from datetime import timedelta

import pytest

from bot.notifications.events import NoticeEvent
from bot.notifications.repository import recent
from bot.notifications.tables import Notification
from bot.tables import Role
from bot.workbench.publishing import Publishing
from store import audit
from tests.bot.notification_builders import keep, robot, rule
from tests.bot.web.plain_browser import Browser, Seat, shown
from tests.bot.web.test_publication_gates import FORBIDDEN, GOLDEN
from tests.bot.web.test_workbench_answers import do, make, told
from tests.product import Product

HARMLESS = "采购意向公开在哪里填"


async def scheduled(editor: Browser, reviewer: Browser, **fields: str) -> str:
    """The address of an answer that goes live tomorrow."""
    day = fields.pop("publish_at")
    override = fields.pop("override", "")
    at = await make(editor, similar="", **fields)
    await do(editor, at, "do/submit")
    passed = await do(reviewer, at, "approve", publish_at=day, override=override)
    assert passed.status_code == 303, shown(passed)
    return at


def tomorrow(product: Product, monkeypatch: pytest.MonkeyPatch) -> tuple[Publishing, str]:
    """What keeps dates, two days on; and the date to set, as it is typed."""
    now = product.services.clock()
    ahead = copy(product.services.publishing)
    monkeypatch.setattr(ahead, "_clock", lambda: now + timedelta(days=2))
    return ahead, f"{now + timedelta(days=1):%Y-%m-%dT%H:%M}"


async def listen(product: Product) -> None:
    """A rule for all news."""
    group = robot("http://127.0.0.1:9")
    await keep(product.services.database, group, rule(group.id))


async def news(product: Product) -> dict[str, Notification]:
    """What has been planned to be told, by event."""
    async with product.services.database.reading() as session:
        return {one.event: one for one in await recent(session)}


async def test_what_has_become_worse_since_is_held_back_and_others_go_live(
    product: Product, seat: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor, reviewer = await seat(Role.EDITOR), await seat(Role.REVIEWER)
    ahead, day = tomorrow(product, monkeypatch)
    await listen(product)
    at = await scheduled(editor, reviewer, question=FORBIDDEN, answer="去食堂二楼", publish_at=day)
    fine = await scheduled(
        editor, reviewer, question=HARMLESS, answer="在【采购意向】里填。", publish_at=day
    )
    before = (await reviewer.get("/workbench")).text
    assert 'id="held-back"' not in before
    assert 'id="by-date"' not in before
    await editor.post(GOLDEN, text=FORBIDDEN, answer_id="")
    assert await ahead.publish_due() == 1
    assert await ahead.publish_due() == 0
    told_of = await news(product)
    assert set(told_of) == {NoticeEvent.ANSWER_HELD_BACK, NoticeEvent.ANSWER_PUBLISHED}
    held = told_of[NoticeEvent.ANSWER_HELD_BACK]
    assert held.title == f"到时没有发布：{FORBIDDEN}"
    assert f"会变坏——{FORBIDDEN}" in held.text
    assert told_of[NoticeEvent.ANSWER_PUBLISHED].title == f"已按时发布：{HARMLESS}"
    assert "在【采购意向】里填" in await told(product, HARMLESS)
    assert "食堂二楼" not in await told(product, FORBIDDEN)
    home = (await reviewer.get("/workbench")).text
    listed = home.partition('id="held-back"')[2].partition("</section>")[0]
    assert at in listed
    assert fine not in listed
    live = home.partition('id="by-date"')[2].partition("</section>")[0]
    assert fine in live
    assert at not in live
    page = shown(await editor.get(at))
    assert "到了定时发布的时间没有发布" in page
    assert f"会变坏——{FORBIDDEN}" in page
    assert "待审核" in page
    async with product.services.database.reading() as session:
        entry = (await audit.entries_of(session, f"answer:{at.rpartition('/')[2]}"))[-1]
    assert (entry.action, entry.actor) == ("answer.hold_back", "system")
    assert len(entry.detail["broken"]) == 1
    assert (await do(reviewer, at, "approve", override="新口径")).status_code == 303
    assert "食堂二楼" in await told(product, FORBIDDEN)
    assert 'id="held-back"' not in (await reviewer.get("/workbench")).text


async def test_what_goes_live_together_is_told_together(
    product: Product, seat: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor, reviewer = await seat(Role.EDITOR), await seat(Role.REVIEWER)
    ahead, day = tomorrow(product, monkeypatch)
    await listen(product)
    for question in (HARMLESS, "采购合同在哪里备案公示"):
        await scheduled(editor, reviewer, question=question, answer="见菜单。", publish_at=day)
    assert await ahead.publish_due() == 2
    [told_of] = (await news(product)).values()
    assert told_of.title.endswith("等 2 条")
    assert HARMLESS in told_of.text


async def test_what_was_let_pass_with_a_reason_is_not_held_back(
    product: Product, seat: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor, reviewer = await seat(Role.EDITOR), await seat(Role.REVIEWER)
    ahead, day = tomorrow(product, monkeypatch)
    await editor.post(GOLDEN, text=FORBIDDEN, answer_id="")
    await scheduled(
        editor,
        reviewer,
        question=FORBIDDEN,
        answer="去食堂二楼",
        publish_at=day,
        override="新口径",
    )
    assert await ahead.publish_due() == 1
    assert "食堂二楼" in await told(product, FORBIDDEN)

"""Calendars and contracts in the administrator's hands: tried, saved, in force, refused."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.calendar_admin import CalendarAdmin
from bot.tables import Role
from handoff import repository, timers
from handoff.alarms import missing_years
from handoff.calendar_text import CalendarDraft, ExceptionDraft
from handoff.current_terms import CurrentTerms
from handoff.errors import InvalidTerms
from handoff.holidays import published_holidays
from store import audit
from tests.bot.web.plain_browser import HOSTILE, Browser, add, make_ticket, open_browser, shown
from tests.handoff.terms import at, shipped_terms
from tests.product import Product

CALENDARS = "/console/admin/calendars"
FOSHAN = f"{CALENDARS}/foshan"
DAY = "08:30-12:00 14:00-17:30"


@pytest.fixture
async def root(product: Product) -> AsyncIterator[Browser]:
    await add(product, "root", Role.ADMIN)
    browser = open_browser(product)
    await browser.log_in("root")
    yield browser
    await browser.client.aclose()


def form(**changes: str) -> dict[str, str]:
    week = {f"week_{n}": DAY if n < 5 else "" for n in range(7)}
    return {**week, "makeup": DAY, "entered_years": "", "version": "0", **changes}


def closed(product: Product, days: int = 1) -> dict[str, str]:
    """The days from tomorrow on are closed."""
    tomorrow = product.services.clock().date() + timedelta(days=1)
    last = (tomorrow + timedelta(days=days)).isoformat()
    line = {"first_0": tomorrow.isoformat(), "last_0": last, "kind_0": "closed"}
    return form(**line, hours_0="", name_0="全市停电")


async def due_of(product: Product, number: str) -> object:
    async with product.services.database.reading() as session:
        return (await repository.by_number(session, number)).resolve_due


async def test_an_edit_is_tried_then_saved_then_reckoned(product: Product, root: Browser) -> None:
    number = await make_ticket(product)
    before = await due_of(product, number)
    tried = await root.post(FOSHAN, do="preview", **closed(product, 20))
    assert tried.status_code == 200, shown(tried)
    assert number in shown(tried)
    assert "其中 1 张的时限会变化" in shown(tried)
    assert await due_of(product, number) == before
    saved = await root.post(FOSHAN, do="save", **closed(product, 20))
    assert saved.status_code == 303
    app = product.services
    await timers.run_due(app.database, terms=app.terms, now=app.clock())
    after = await due_of(product, number)
    assert after != before
    page = shown(await root.get(f"{FOSHAN}?saved=true"))
    assert "全市停电" in page
    async with app.database.reading() as session:
        (entry,) = await audit.entries_of(session, "calendar:foshan")
    assert "全市停电" in entry.detail["text"]


async def test_another_process_follows(product: Product, root: Browser) -> None:
    app = product.services
    current = CurrentTerms(shipped_terms(), published_holidays())
    other = CalendarAdmin(app.database, current, app.settings.handoff, app.clock)
    assert not await other.refresh()
    await root.post(FOSHAN, do="save", **closed(product))
    before = current.terms.revisions["foshan"], current.terms.revisions["changzhou"]
    assert await other.refresh()
    assert current.terms.calendars["foshan"].exceptions[0].name == "全市停电"
    assert current.terms.revisions["foshan"] != before[0]
    assert current.terms.revisions["changzhou"] == before[1]


async def test_of_two_administrators_the_second_learns_of_the_first(
    product: Product, root: Browser
) -> None:
    assert (await root.post(FOSHAN, do="save", **closed(product))).status_code == 303
    late = await root.post(FOSHAN, do="save", **form(week_5="09:00-12:00"))
    assert late.status_code == 409
    assert 'value="09:00-12:00"' in late.text


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"week_0": "8点-12点"}, "周一的时段"),
        ({"week_1": "14:00-12:00"}, "周二的时段"),
        ({"week_2": "08:00-12:00 11:00-13:00"}, "周三的时段"),
        ({"makeup": "25:00-26:00"}, "调休上班日的时段"),
        ({"makeup": ""}, "没有工作时间"),
        ({f"week_{n}": "" for n in range(7)}, "没有工作时间"),
        ({"entered_years": "二零二七"}, "年份"),
        ({"first_0": "2026-02-30", "kind_0": "closed", "name_0": "x"}, "第 1 行的日期"),
        ({"first_0": "2026-03-02", "last_0": "2026-03-01", "name_0": "x"}, "第 1 行的日期"),
        ({"first_0": "2026-03-02", "kind_0": "strike", "name_0": "x"}, "第 1 行请选择"),
        ({"first_0": "2026-03-02", "kind_0": "closed", "name_0": ""}, "第 1 行请填写名称"),
        ({"first_0": "2026-03-02", "kind_0": "hours", "name_0": "夏"}, "第 1 行改变时段"),
        (
            {"first_0": "2026-03-02", "kind_0": "work", "name_0": "加班", "hours_0": "x"},
            "第 1 行填写不对",
        ),
        (
            {"first_0": "2026-03-02", "kind_0": "closed", "name_0": "x", "hours_0": DAY},
            "不应再填时段",
        ),
    ],
)
async def test_what_cannot_be_reckoned_is_refused_in_words(
    root: Browser, changes: dict[str, str], told: str
) -> None:
    for what in ("preview", "save"):
        answer = await root.post(FOSHAN, do=what, **form(**changes))
        assert answer.status_code == 422
        alert = re.search(r'role="alert">([^<]+)', answer.text)
        assert alert
        assert told in alert[1]


async def test_hostile_names_are_only_text(product: Product, root: Browser) -> None:
    fields = closed(product)
    fields["name_0"] = f"{HOSTILE}: {{a: &x [1]}}"
    assert (await root.post(FOSHAN, do="save", **fields)).status_code == 303
    page = await root.get(FOSHAN)
    assert "<img src=x" not in page.text
    assert product.services.terms.calendars["foshan"].exceptions[0].name == fields["name_0"]


async def test_a_year_that_is_not_loaded_is_an_alarm(product: Product, root: Browser) -> None:
    terms, now = product.services.terms, product.services.clock()
    page = shown(await root.get(CALENDARS))
    found = missing_years(terms, now=now, ahead=timedelta(days=45))
    assert bool(found) == ("放假调休安排" in page)
    await root.post(FOSHAN, do="save", **form(entered_years="2027 2028"))
    assert 2027 in product.services.terms.calendars["foshan"].entered_years


@pytest.mark.parametrize("path", [CALENDARS, FOSHAN, "/console/admin/contracts"])
async def test_only_administrators(chen: Browser, path: str) -> None:
    assert (await chen.get(path)).status_code == 403


async def test_no_such_calendar(root: Browser) -> None:
    assert (await root.get(f"{CALENDARS}/atlantis")).status_code == 404
    assert (await root.post(f"{CALENDARS}/atlantis", do="save", **form())).status_code == 404


async def test_contracts_say_what_is_promised_and_why(root: Browser) -> None:
    page = shown(
        await root.get("/console/admin/contracts", contract="foshan", at="2026-03-06T17:20")
    )
    assert "默认采用" in page
    # Friday 17:20, half an hour of working time: ten minutes today, twenty on Monday.
    assert "首次响应：2026年3月9日 周一 08:50" in page
    assert "周末" in page
    major = shown(
        await root.get(
            "/console/admin/contracts", contract="foshan", severity="重大", at="2026-03-07T03:00"
        )
    )
    assert "2026年3月7日 周六 03:10" in major


@pytest.mark.parametrize("when", ["yesterday", "2026-13-01T00:00", "'; --"])
async def test_a_time_that_is_none_is_told(root: Browser, when: str) -> None:
    answer = await root.get("/console/admin/contracts", at=when, severity="x", category="y")
    assert answer.status_code == 422
    assert "写法不对" in shown(answer)


def test_a_draft_says_what_its_calendar_says() -> None:
    for calendar in shipped_terms().calendars.values():
        current = CurrentTerms(shipped_terms(), published_holidays())
        again = current.read(CalendarDraft.of(calendar).text(calendar), source="x")
        assert again == calendar


def test_an_unreadable_edit_changes_nothing() -> None:
    current = CurrentTerms(shipped_terms(), published_holidays())
    before = dict(current.terms.calendars), dict(current.terms.revisions)
    foshan = current.terms.calendars["foshan"]
    line = ExceptionDraft("2026-03-02", "", "closed", "", "停电")
    good = CalendarDraft.of(foshan)
    text = CalendarDraft(good.week, good.makeup, (line,)).text(foshan)
    with pytest.raises(InvalidTerms):
        current.lay_over([("foshan", text), ("guangxi", "id: [")])
    assert (dict(current.terms.calendars), dict(current.terms.revisions)) == before
    current.lay_over([("foshan", text)])
    assert not current.terms.calendars["foshan"].is_working(at("2026-03-02 09:00"))
    current.lay_over([])
    assert (dict(current.terms.calendars), dict(current.terms.revisions)) == before

"""A notice of days off pasted on a calendar's page: shown day by day, then saved as any edit."""

import re
from datetime import date, timedelta

from handoff.calendar import DayKind
from tests.bot.web.plain_browser import HOSTILE, Browser, shown, typed
from tests.bot.web.test_admin_calendar import FOSHAN, form, root
from tests.handoff.test_holiday_notice import NOTICE_2026
from tests.product import Product

__all__ = ["root"]

#: A year that no data know: the same arrangement, without weekdays, which would not fit.
YEAR = 2031
NOTICE = re.sub(r"（[^）]*）", "", NOTICE_2026).replace("2026", str(YEAR))


async def test_a_pasted_notice_becomes_the_years_holidays(product: Product, root: Browser) -> None:
    known = form(first_0="2026-03-02", kind_0="closed", name_0="全市停电")
    pasted = await root.post(FOSHAN, do="paste", notice=NOTICE, notice_year=str(YEAR), **known)
    page = " ".join(shown(pasted).split())
    assert pasted.status_code == 200, page
    assert "2031-02-15 周六 休息 春节" in page
    assert "2031-02-28 周五 上班 春节" in page
    assert "七个节日齐全" in page
    assert product.services.terms.calendars["foshan"].exceptions == ()  # nothing is saved
    sent = {**typed(pasted.text), "do": "save"}
    assert (await root.post(FOSHAN, **sent)).status_code == 303, sent
    calendar = product.services.terms.calendars["foshan"]
    assert calendar.entered_years == {YEAR}
    first = date(YEAR, 2, 15)
    kinds = {calendar.day(first + timedelta(days=n)).kind for n in range(9)}
    assert kinds == {DayKind.CLOSED}
    assert calendar.day(date(YEAR, 2, 28)).spans == calendar.makeup
    assert calendar.exceptions[0].name == "全市停电"
    # Pasted once more nothing is there twice.
    again = await root.post(FOSHAN, **{**sent, "do": "paste", "notice": NOTICE})
    assert again.text.count('value="2031-02-15"') == 1


async def test_what_is_not_understood_is_said_and_the_rest_is_kept(
    product: Product, root: Browser
) -> None:
    text = f"2027-02-05 休\n2027-02-30 休\n2028-02-05 休 {HOSTILE}\n2月14日（周六）上班"
    answer = await root.post(FOSHAN, do="paste", notice=text, notice_year="2027", **form())
    page = shown(answer)
    assert HOSTILE not in answer.text
    for said in ("第 2 行：没有这一天", "第 3 行：不是所填的年份", "第 4 行：写的星期", "七个节日"):
        assert said in page
    assert 'value="2027-02-05"' in answer.text
    assert 'name="entered_years" maxlength="100" value=""' in answer.text
    known = await root.post(FOSHAN, do="paste", notice="2026-02-16 休", **form())
    assert "自带的节假日数据已经有 2026 年" in shown(known)
    nothing = await root.post(FOSHAN, do="paste", notice="大家好", **form())
    assert "没有读出任何一天" in shown(nothing)
    refused = await root.post(FOSHAN, do="paste", notice=text, notice_year="二零二七", **form())
    assert refused.status_code == 422
    assert "通知的年份" in shown(refused)
    assert "2027-02-30" in refused.text
    many = "\n".join(
        f"2027-{n // 27 + 1:02d}-{n % 27 + 1:02d} 休 第{n}天" for n in range(0, 320, 2)
    )
    assert (await root.post(FOSHAN, do="paste", notice=many, **form())).status_code == 422

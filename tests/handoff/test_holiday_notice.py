"""Notices and tables of days off as people paste them: read, doubted, never guessed."""

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoff.calendar import ExceptionKind
from handoff.holiday_notice import MAX_CHARS, DoubtReason, Notice, read_notice
from handoff.holidays import published_holidays

NOTICE_2026 = """关于2026年部分节假日安排的通知
现将2026年元旦、春节、清明节、劳动节、端午节、中秋节和国庆节放假调休日期的具体安排通知如下。
一、元旦：1月1日（周四）至3日（周六）放假调休，共3天。1月4日（周日）上班。
二、春节：2月15日（农历腊月二十八、周日）至23日（农历正月初七、周一）放假调休，共9天。\
2月14日（周六）、2月28日（周六）上班。
三、清明节：4月4日（周六）至6日（周一）放假，共3天。
四、劳动节：5月1日（周五）至5日（周二）放假调休，共5天。5月9日（周六）上班。
五、端午节：6月19日（周五）至21日（周日）放假，共3天。
六、中秋节：9月25日（周五）至27日（周日）放假，共3天。
七、国庆节：10月1日（周四）至7日（周三）放假调休，共7天。9月20日（周日）、10月10日（周六）上班。
节假日期间，各地区、各部门要妥善安排好值班和安全、保卫等工作。
"""


def read(text: str, year: int | None = 2027) -> Notice:
    return read_notice(text, year=year, unnamed="节假日")


def told(notice: Notice) -> list[str]:
    return [f"{one.date:%m%d}{one.kind.value[0]}" for one in notice.days]


def reasons(notice: Notice) -> set[DoubtReason]:
    return {one.reason for one in notice.doubts} - {DoubtReason.INCOMPLETE}


@pytest.mark.parametrize("year", [2026, None])
def test_a_whole_notice_says_what_the_published_data_say(year: int | None) -> None:
    found, published = read(NOTICE_2026, year), published_holidays()
    assert found.doubts == ()
    assert found.complete == {2026}
    off = {one.date for one in found.days if one.kind is ExceptionKind.CLOSED}
    worked = {one.date: one.name for one in found.days if one.kind is ExceptionKind.WORK}
    # The data leave out weekends that are no holiday of their own.
    of_the_year = {day for day in published.days_off if day.year == 2026}
    assert of_the_year <= off
    assert all(day.weekday() >= 5 for day in off - of_the_year)
    assert set(worked) == {day for day in published.makeup_days if day.year == 2026}
    assert worked[date(2026, 2, 28)] == "春节"
    spring = next(line for line in found.lines() if line.first == "2026-02-15")
    assert (spring.last, spring.kind, spring.name) == ("2026-02-23", "closed", "春节")
    assert sum(1 for _ in found.lines()) == 13


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2027-02-05 休", ["0205c"]),
        ("2027/2/14\t班", ["0214w"]),
        ("2027年2月14日（周日）上班", ["0214w"]),
        ("2027-02-05 至 2027-02-07 休", ["0205c", "0206c", "0207c"]),
        ("2027年2月5日至11日放假调休，共7天。2月14日（周日）上班。", None),
        ("2027.2.5~2.6 放假", ["0205c", "0206c"]),
        ("３月８日　休息", ["0308c"]),
        ("1. 2027-02-05 周五 休 春节", ["0205c"]),
        ("清明节：4月5日放假，与周末连休。", ["0405c"]),
        ("2月14日调休上班", ["0214w"]),
        ("2026年12月31日至2027年1月2日放假", ["1231c", "0101c", "0102c"]),
        ("12月31日至1月2日放假", ["1231c", "0101c", "0102c"]),
    ],
)
def test_ways_to_write_days(text: str, days: list[str] | None) -> None:
    found = read(text)
    assert reasons(found) == set()
    expected = days or [*(f"02{n:02d}c" for n in range(5, 12)), "0214w"]
    assert told(found) == expected
    assert found.complete == frozenset()
    assert DoubtReason.INCOMPLETE in {one.reason for one in found.doubts}


@pytest.mark.parametrize(
    ("text", "reason", "kept"),
    [
        ("2027-02-30 休", DoubtReason.DATE, 0),
        ("2027-13-01 休", DoubtReason.DATE, 0),
        ("2027-02-05", DoubtReason.NO_KIND, 0),
        ("2月14日不上班", DoubtReason.NO_KIND, 0),
        ("2月14日值班", DoubtReason.NO_KIND, 0),
        ("20270205 休", DoubtReason.NOTHING, 0),
        ("2027年2月11日至5日放假", DoubtReason.SPAN, 0),
        ("2027年2月1日至4月1日放假", DoubtReason.SPAN, 0),
        ("2028-02-05 休", DoubtReason.OTHER_YEAR, 0),
        ("2月14日（周六）上班", DoubtReason.WEEKDAY, 1),
        ("2月5日至11日放假，共8天", DoubtReason.COUNT, 7),
        ("2月5日 休\n2月5日 休", DoubtReason.TWICE, 1),
        ("2月5日 休\n2月5日 班", DoubtReason.CONTRADICTION, 1),
    ],
)
def test_what_is_doubted(text: str, reason: DoubtReason, kept: int) -> None:
    found = read(text)
    assert reasons(found) == {reason}
    assert len(found.days) == kept
    assert Counter(one.kind for one in found.days)[ExceptionKind.WORK] == (kept and "上班" in text)


def test_without_a_year_nothing_is_guessed() -> None:
    assert reasons(read("2月5日 休", None)) == {DoubtReason.NO_YEAR}
    found = read("2027-02-05 休\n2月6日 休", None)
    assert told(found) == ["0205c", "0206c"]
    assert [one.line for one in read("\n2月6日").doubts] == [2]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "2月5日" + " " * 19_000 + "休",
        "2月5日(" * 4_000,
        "1-1-1-" * 3_000,
        "9" * 30_000,
        "2027-02-05 休" * 2_000,
        "\x00\u202e<script>2月5日</script>休",
        "休\r\n" * 5_000,
    ],
)
def test_hostile_text_is_read_quickly(text: str) -> None:
    found = read(text)
    assert len(found.days) <= 380
    assert (len(text) > MAX_CHARS) == (DoubtReason.TOO_LONG in reasons(found))


@given(st.text(alphabet="0123456789年月日至-/ 周六（）休班放假上共天，。：\n", max_size=200))
def test_any_text_is_read(text: str) -> None:
    found = read(text)
    days = [one.date for one in found.days]
    assert days == sorted(set(days))
    assert all(date(2026, 12, 25) <= day <= date(2028, 1, 7) for day in days)
    named = sum(
        (date.fromisoformat(one.last or one.first) - date.fromisoformat(one.first)).days + 1
        for one in found.lines()
    )
    assert named == len(days)


@given(st.dates(date(2027, 1, 1), date(2027, 12, 1)), st.integers(0, 20))
def test_spans_are_read_as_they_are_written(first: date, length: int) -> None:
    last = first + timedelta(days=length)
    found = read(f"{first.year}年{first.month}月{first.day}日至{last.month}月{last.day}日放假")
    assert [one.date for one in found.days] == [
        first + timedelta(days=n) for n in range(length + 1)
    ]

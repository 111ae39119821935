"""Working time: known days, and properties against a count minute by minute."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoff.calendar import (
    AroundTheClock,
    Calendar,
    CalendarException,
    Counted,
    DayKind,
    ExceptionKind,
    Gap,
    Skipped,
    Span,
)
from handoff.errors import NoWorkingTime
from handoff.holidays import published_holidays
from tests.handoff.minute_counter import DAYS_OFF, is_working_day, is_working_minute
from tests.handoff.terms import ZONE, at, local, shipped_terms

FOSHAN = shipped_terms().calendar("foshan")
MINUTE = timedelta(minutes=1)

#: Where holidays, make-up days, year ends and unloaded years lie close together.
moments = st.datetimes(
    datetime(2023, 1, 1),  # noqa: DTZ001  # Hypothesis adds the zone
    datetime(2029, 12, 31),  # noqa: DTZ001
    timezones=st.just(ZONE),
).map(lambda moment: moment.replace(second=0, microsecond=0))
exact_moments = st.datetimes(
    datetime(2025, 12, 20),  # noqa: DTZ001
    datetime(2027, 1, 10),  # noqa: DTZ001
    timezones=st.just(ZONE),
)
amounts = st.integers(0, 3 * 420).map(lambda minutes: minutes * MINUTE)
calendars = st.sampled_from(sorted(shipped_terms().calendars))


def calendar(**over: object) -> Calendar:
    """A small calendar, 09:00-12:00 and 14:00-17:30 on weekdays, without public holidays."""
    spans = (Span(540, 720), Span(840, 1050))
    values: dict[str, object] = {
        "id": "test",
        "name": "test",
        "zone": ZONE,
        "week": (spans,) * 5 + ((), ()),
        "makeup": spans,
    }
    return Calendar(**{**values, **over})  # type: ignore[arg-type]  # checked by the tests


@pytest.mark.parametrize("year", sorted(DAYS_OFF))
@pytest.mark.parametrize("region", ["foshan", "guangdong", "changzhou"])
def test_days_are_as_in_the_notices_typed_by_hand(year: int, region: str) -> None:
    day = date(year, 1, 1)
    while day.year == year:
        worked = bool(shipped_terms().calendar(region).day(day).spans)
        assert worked == is_working_day(region, day), day
        day += timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "kind", "name"),
    [
        ("2026-02-13", DayKind.WORKDAY, ""),
        ("2026-02-14", DayKind.MAKEUP, "春节"),
        ("2026-02-15", DayKind.HOLIDAY, "春节"),
        ("2026-02-23", DayKind.HOLIDAY, "春节"),
        ("2026-01-04", DayKind.MAKEUP, "元旦"),
        ("2026-09-20", DayKind.MAKEUP, "国庆节"),
        ("2026-03-14", DayKind.WEEKEND, ""),
        ("2027-01-01", DayKind.HOLIDAY, "元旦"),
        ("2027-02-08", DayKind.WORKDAY, ""),
    ],
)
def test_kinds_of_days(day: str, kind: DayKind, name: str) -> None:
    found = FOSHAN.day(date.fromisoformat(day))
    assert (found.kind, found.name) == (kind, name)


def test_a_year_that_is_not_loaded_is_said_to_be_so() -> None:
    assert FOSHAN.knows_holidays_of(2026)
    assert not FOSHAN.knows_holidays_of(2027)
    assert FOSHAN.unknown_years(at("2026-12-31 16:00"), at("2028-01-01 09:00")) == (2027, 2028)
    assert calendar().knows_holidays_of(2099)
    entered = calendar(holidays=published_holidays(), entered_years=frozenset({2027}))
    assert entered.knows_holidays_of(2027)


def test_pieces_tell_why_time_does_not_count() -> None:
    pieces = list(FOSHAN.pieces(at("2026-02-13 11:00"), at("2026-02-24 09:00")))
    told = [
        (local(piece.start), "work" if isinstance(piece, Counted) else piece.gap.value)
        for piece in pieces
    ]
    assert told == [
        ("2026-02-13 11:00", "work"),
        ("2026-02-13 12:00", "break"),
        ("2026-02-13 14:00", "work"),
        ("2026-02-13 17:30", "off_hours"),
        ("2026-02-14 08:30", "work"),
        ("2026-02-14 12:00", "break"),
        ("2026-02-14 14:00", "work"),
        ("2026-02-14 17:30", "off_hours"),
        ("2026-02-15 00:00", "holiday"),
        ("2026-02-24 00:00", "off_hours"),
        ("2026-02-24 08:30", "work"),
    ]


class TestExceptions:
    def test_a_closed_day_beats_the_week_and_the_notice(self) -> None:
        closed = CalendarException(
            date(2026, 2, 14), date(2026, 2, 14), ExceptionKind.CLOSED, "停电"
        )
        day = calendar(holidays=published_holidays(), exceptions=(closed,)).day(date(2026, 2, 14))
        assert (day.kind, day.name, day.spans) == (DayKind.CLOSED, "停电", ())

    def test_extra_work_has_its_own_hours_or_the_make_up_hours(self) -> None:
        own = CalendarException(
            date(2026, 12, 26), date(2026, 12, 26), ExceptionKind.WORK, "年结", (Span(540, 600),)
        )
        plain = CalendarException(
            date(2026, 12, 27), date(2026, 12, 27), ExceptionKind.WORK, "年结"
        )
        found = calendar(exceptions=(own, plain))
        assert found.day(date(2026, 12, 26)).spans == (Span(540, 600),)
        assert found.day(date(2026, 12, 27)).spans == found.makeup
        assert found.day(date(2026, 12, 26)).kind is DayKind.MAKEUP

    def test_seasonal_hours_change_worked_days_only(self) -> None:
        summer = CalendarException(
            date(2026, 7, 1), date(2026, 8, 31), ExceptionKind.HOURS, "夏季", (Span(480, 720),)
        )
        found = calendar(exceptions=(summer,))
        assert found.day(date(2026, 7, 1)).spans == (Span(480, 720),)
        assert found.day(date(2026, 7, 4)).spans == ()
        assert found.day(date(2026, 9, 1)).spans == found.week[1]

    def test_the_last_entry_for_a_day_wins(self) -> None:
        day = date(2026, 3, 10)
        first = CalendarException(day, day, ExceptionKind.CLOSED, "一")
        second = CalendarException(day, day, ExceptionKind.WORK, "二")
        assert calendar(exceptions=(first, second)).day(day).name == "二"
        assert calendar(exceptions=(second, first)).day(day).name == "一"


class TestEdges:
    @pytest.mark.parametrize(("start", "end"), [(-1, 10), (10, 10), (20, 10), (0, 1441)])
    def test_a_span_lies_within_one_day(self, start: int, end: int) -> None:
        with pytest.raises(ValueError, match="not a span"):
            Span(start, end)

    def test_due_at_noon_not_after_lunch(self) -> None:
        assert local(FOSHAN.add_working_minutes(at("2026-03-10 11:30"), 30).deadline) == (
            "2026-03-10 12:00"
        )

    def test_nothing_to_add_is_the_next_working_instant(self) -> None:
        assert local(FOSHAN.add_working_minutes(at("2026-03-14 10:00"), 0).deadline) == (
            "2026-03-16 08:30"
        )
        assert FOSHAN.add(at("2026-03-10 09:00"), timedelta(0)).pieces == ()

    def test_seconds_are_kept(self) -> None:
        start = at("2026-03-10 17:29:30")
        assert local(FOSHAN.add_working_minutes(start, 1).deadline) == "2026-03-11 08:30:30"

    def test_an_endless_calendar_is_refused_not_searched_for_ever(self) -> None:
        never = CalendarException(date(2000, 1, 1), date(9000, 1, 1), ExceptionKind.CLOSED, "停")
        closed = calendar(exceptions=(never,))
        with pytest.raises(NoWorkingTime):
            closed.add_working_minutes(at("2026-03-10 09:00"), 1)
        with pytest.raises(NoWorkingTime):
            closed.end_of_working_day(at("2026-03-10 09:00"), 1)

    def test_a_day_worked_to_midnight_joins_the_next(self) -> None:
        night = calendar(week=((Span(0, 1440),),) * 7)
        assert night.between(at("2026-03-10 23:00"), at("2026-03-11 01:00")) == timedelta(hours=2)
        assert local(night.add_working_minutes(at("2026-03-10 23:30"), 60).deadline) == (
            "2026-03-11 00:30"
        )

    def test_a_weekday_without_hours_is_a_day_off(self) -> None:
        gaps = {
            piece.gap
            for piece in calendar().pieces(at("2026-03-14 00:00"), at("2026-03-16 00:00"))
            if isinstance(piece, Skipped)
        }
        assert gaps == {Gap.WEEKEND}

    def test_another_zone(self) -> None:
        urumqi = calendar(zone=ZoneInfo("Asia/Urumqi"))
        start = datetime(2026, 3, 10, 2, 59, tzinfo=UTC)  # 08:59 there
        assert not urumqi.is_working(start)
        assert urumqi.is_working(start + MINUTE)

    @pytest.mark.parametrize(
        ("start", "days", "end"),
        [
            ("2026-03-10 09:00", 1, "2026-03-11 17:30"),
            ("2026-03-10 23:59", 1, "2026-03-11 17:30"),
            ("2026-03-13 15:00", 1, "2026-03-16 17:30"),
            ("2026-02-13 15:00", 3, "2026-02-25 17:30"),
            ("2026-02-17 15:00", 1, "2026-02-24 17:30"),
        ],
    )
    def test_ends_of_working_days(self, start: str, days: int, end: str) -> None:
        assert local(FOSHAN.end_of_working_day(at(start), days)) == end

    def test_backwards_is_no_time(self) -> None:
        assert FOSHAN.between(at("2026-03-10 10:00"), at("2026-03-10 09:00")) == timedelta(0)
        assert AroundTheClock().between(at("2026-03-10 10:00"), at("2026-03-10 09:00")) == (
            timedelta(0)
        )


class TestProperties:
    @given(calendars, moments, st.integers(1, 4000))
    @settings(max_examples=60)
    def test_the_minute_counter_counts_the_same(
        self, name: str, start: datetime, length: int
    ) -> None:
        counted = sum(
            is_working_minute(name, start.replace(tzinfo=None) + step * MINUTE)
            for step in range(length)
        )
        found = shipped_terms().calendar(name)
        assert found.working_minutes_between(start, start + length * MINUTE) == counted

    @given(calendars, exact_moments, amounts)
    def test_adding_and_measuring_are_inverse(
        self, name: str, start: datetime, amount: timedelta
    ) -> None:
        found = shipped_terms().calendar(name)
        reckoning = found.add(start, amount)
        assert found.between(start, reckoning.deadline) == amount
        if amount:
            assert found.between(start, reckoning.deadline - timedelta(microseconds=1)) < amount

    @given(exact_moments, amounts)
    def test_pieces_of_a_reckoning_fill_the_time_without_holes(
        self, start: datetime, amount: timedelta
    ) -> None:
        reckoning = FOSHAN.add(start, amount)
        cursor = start
        for piece in reckoning.pieces:
            assert piece.start == cursor
            assert piece.end > piece.start
            cursor = piece.end
        assert cursor == reckoning.deadline
        counted = [piece for piece in reckoning.pieces if isinstance(piece, Counted)]
        assert sum((piece.end - piece.start for piece in counted), timedelta(0)) == amount

    @given(exact_moments, amounts, st.integers(0, 10_000).map(lambda minutes: minutes * MINUTE))
    def test_later_starts_and_longer_promises_are_never_due_earlier(
        self, start: datetime, amount: timedelta, later: timedelta
    ) -> None:
        deadline = FOSHAN.add(start, amount).deadline
        assert FOSHAN.add(start + later, amount).deadline >= deadline
        assert FOSHAN.add(start, amount + later).deadline >= deadline

    @given(exact_moments, exact_moments, exact_moments)
    def test_time_adds_up(self, one: datetime, two: datetime, three: datetime) -> None:
        first, middle, last = sorted((one, two, three))
        assert FOSHAN.between(first, middle) + FOSHAN.between(middle, last) == FOSHAN.between(
            first, last
        )

    @given(exact_moments)
    def test_an_instant_works_when_a_piece_with_it_counts(self, moment: datetime) -> None:
        piece = next(iter(FOSHAN.pieces(moment, moment + MINUTE)))
        assert FOSHAN.is_working(moment) == isinstance(piece, Counted)

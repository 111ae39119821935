"""Why this deadline: the lines must tell what the clock reckons, and be worded by the catalogue."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.phrases import load
from handoff.clock_events import (
    CalendarChanged,
    ClockEvent,
    Met,
    Paused,
    Reopened,
    Resumed,
    SeverityChanged,
    Started,
    Stopped,
)
from handoff.contract import Origin, Promise, Target
from handoff.explanation import KEYS, duration, explain, moment, render
from handoff.sla import Phase, fold
from handoff.ticket import Action, PauseReason
from store.vocabulary import Category, Severity
from tests.handoff.stories import Story, stories
from tests.handoff.terms import DATA, ZONE, at, local, shipped_terms

TERMS = shipped_terms()
PHRASES = load(DATA / "locales" / "zh-CN.yml")


def say(key: str, **values: object) -> str:
    """A catalogue that shows what it was asked."""
    told = " ".join(f"{name}={value}" for name, value in values.items())
    return f"{key}({told})" if told else key


def keys(
    events: list[ClockEvent], target: Target = Target.RESOLVE, now: datetime | None = None
) -> list[str]:
    lines = explain(events, TERMS, target, now or events[-1].at)
    return [line.key.removeprefix("sla.explain.") for line in lines]


def opened(when: str, severity: Severity = Severity.GENERAL, contract: str = "foshan") -> Started:
    return Started(at(when), severity, Category.FAULT, contract)


def test_friday_evening_before_the_spring_festival_line_by_line() -> None:
    lines = explain([opened("2026-02-13 17:00")], TERMS, Target.RESOLVE, at("2026-02-13 17:01"))
    assert render(lines, zone=ZONE, say=_short) == (
        "promise 佛山市“数字政府”公共财政综合管理平台运维（2024年） 一般 resolve 8h working_hours",
        "start 2-13 17:00",
        "counted 2-13 17:00 2-13 17:30 30m 30m",
        "off_hours 2-13 17:30 2-14 08:30",
        "counted_makeup 2-14 08:30 2-14 12:00 3h30m 4h 春节",
        "break 2-14 12:00 2-14 14:00",
        "counted_makeup 2-14 14:00 2-14 17:30 3h30m 7h30m 春节",
        "off_hours 2-14 17:30 2-15 00:00",
        "holiday 2-15 00:00 2-24 00:00 春节",
        "off_hours 2-24 00:00 2-24 08:30",
        "counted 2-24 08:30 2-24 09:00 30m 8h",
        "deadline 2-24 09:00",
    )


def _short(key: str, **values: object) -> str:
    """A tiny catalogue."""
    match key.split("."):
        case ["sla", "moment"]:
            return f"{values['month']}-{values['day']} {values['time']}"
        case ["sla", "duration", unit]:
            return f"{values['count']}{unit[0]}"
        case ["sla", "explain", name]:
            return " ".join([name, *(str(value) for value in values.values())])
        case _:
            return key.rpartition(".")[2]


class TestLines:
    def test_a_pause_is_subtracted_and_one_outside_hours_is_not(self) -> None:
        begin = opened("2026-03-10 09:00")
        inside = [
            begin,
            Paused(at("2026-03-10 10:00"), PauseReason.USER),
            Resumed(at("2026-03-10 14:30")),
        ]
        lines = explain(inside, TERMS, Target.RESOLVE, at("2026-03-10 15:00"))
        paused = next(line for line in lines if line.key.endswith("paused"))
        assert paused.values["amount"] == timedelta(hours=2, minutes=30)
        outside = [
            begin,
            Paused(at("2026-03-10 12:10"), PauseReason.USER),
            Resumed(at("2026-03-10 13:30")),
        ]
        assert "paused_outside" in keys(outside)

    def test_a_pause_that_lasts(self) -> None:
        events = [opened("2026-03-10 09:00"), Paused(at("2026-03-10 10:00"), PauseReason.VENDOR)]
        found = keys(events, now=at("2026-03-11 10:00"))
        assert found[-2:] == ["paused_now", "standing_still"]

    def test_the_first_response_ignores_pauses_and_says_so(self) -> None:
        events = [opened("2026-03-10 09:00"), Paused(at("2026-03-10 09:10"), PauseReason.USER)]
        assert "pause_ignored" in keys(events, Target.RESPOND, at("2026-03-10 09:20"))

    def test_raised_and_lowered(self) -> None:
        events = [
            opened("2026-03-10 09:00"),
            SeverityChanged(at("2026-03-10 10:00"), Severity.MAJOR),
        ]
        assert keys(events)[0] == "raised"
        assert "not_binding" in keys(events)
        events.append(SeverityChanged(at("2026-03-10 10:10"), Severity.GENERAL))
        assert keys(events)[:2] == ["raised", "lowered"]

    def test_a_reopened_ticket_tells_of_the_time_between(self) -> None:
        events = [
            opened("2026-03-10 09:00"),
            Met(at("2026-03-10 10:00"), Target.RESOLVE),
            Reopened(at("2026-03-10 15:00")),
        ]
        assert "resolved_meanwhile" in keys(events)

    def test_another_calendar(self) -> None:
        events = [
            opened("2026-03-10 09:00"),
            CalendarChanged(at("2026-03-10 11:00"), "guangxi"),
        ]
        assert "calendar_changed" in keys(events)

    def test_a_year_that_is_not_loaded_is_said(self) -> None:
        lines = explain([opened("2026-12-31 16:00")], TERMS, Target.RESOLVE, at("2026-12-31 16:01"))
        years = [line.values["year"] for line in lines if line.key.endswith("year_unknown")]
        assert years == [2027]
        around_the_clock = [opened("2026-12-31 23:50", Severity.MAJOR)]
        assert "year_unknown" not in keys(around_the_clock)

    def test_met_in_time_met_late_and_stopped(self) -> None:
        begin = opened("2026-03-10 09:00", Severity.MAJOR)
        in_time = [begin, Met(at("2026-03-10 10:00"), Target.RESOLVE)]
        late = [begin, Met(at("2026-03-10 10:01"), Target.RESOLVE)]
        ended = [begin, Stopped(at("2026-03-10 09:30"))]
        assert keys(in_time)[-1] == "met_in_time"
        assert keys(late)[-2:] == ["met_late", "breached"]
        assert keys(ended, now=at("2026-03-12 09:00"))[-1] == "stopped"

    def test_what_no_contract_promises(self) -> None:
        assert keys([opened("2026-03-10 09:00")], Target.ARRANGE) == ["not_promised"]
        at_once = [opened("2026-03-10 09:00", contract="zhanjiang")]
        assert keys(at_once, Target.RESPOND) == ["at_once"]
        assert keys([opened("2026-03-10 09:00", contract="jieyang")]) == ["not_promised"]

    def test_a_report_counted_from_a_resolution_that_is_to_come(self) -> None:
        foshan = TERMS.contract("foshan")
        level = foshan.levels[Severity.GENERAL]
        promises = {**level.promises, Target.REPORT: Promise(120, Origin.RESOLVED)}
        changed = replace(foshan, levels={Severity.GENERAL: replace(level, promises=promises)})
        terms = replace(TERMS, contracts={"foshan": changed})
        lines = explain([opened("2026-03-10 09:00")], terms, Target.REPORT, at("2026-03-10 09:01"))
        assert [line.key for line in lines] == ["sla.explain.after_resolution"]

    def test_a_broken_promise_is_told_where_the_new_severity_has_none(self) -> None:
        events = [
            opened("2026-03-10 09:00", Severity.URGENT, "guangxi"),
            SeverityChanged(at("2026-03-10 10:01"), Severity.GENERAL),
        ]
        assert keys(events, Target.ARRANGE) == ["not_promised", "breached"]


class TestProperties:
    @given(stories(), st.sampled_from(list(Target)), st.integers(0, 5000))
    @settings(max_examples=150, deadline=None)
    def test_lines_agree_with_the_clock(self, story: Story, target: Target, later: int) -> None:
        now = story.last + timedelta(minutes=later)
        state = fold(story.events, TERMS, now).targets.get(target)
        lines = explain(story.events, TERMS, target, now)
        told = {line.key.removeprefix("sla.explain."): line.values for line in lines}
        assert {line.key for line in lines} <= KEYS
        assert len(render(lines, zone=ZONE, say=say)) == len(lines)
        if state is None or state.bound is None:
            return
        counted = [line for line in lines if line.key.startswith("sla.explain.counted")]
        total = timedelta(0)
        for line in counted:
            amount = line.values["amount"]
            assert isinstance(amount, timedelta)
            total += amount
            assert line.values["total"] == total
        deadline = told.get("deadline", {}).get("deadline")
        assert deadline == state.deadline
        if state.deadline is not None:
            assert total == state.bound.promise.budget
        else:
            assert total == state.used
        assert ("breached" in told) == state.breached
        assert ("met_in_time" in told or "met_late" in told) == (state.phase is Phase.MET)

    @given(stories(), st.sampled_from(list(Target)))
    @settings(max_examples=50, deadline=None)
    def test_values_are_plain_json(self, story: Story, target: Target) -> None:
        for line in explain(story.events, TERMS, target, story.last):
            for value in line.data().values():
                assert type(value) in {str, int}


class TestCatalogue:
    """The shipped words must know every line, with the values that it brings."""

    def test_every_key_has_its_words(self) -> None:
        assert {key for key in KEYS if not PHRASES.has(key)} == set()
        actions = {f"ticket_action.{action.value}" for action in Action}
        assert {key for key in actions if not PHRASES.has(key)} == set()

    @given(stories(), st.sampled_from(list(Target)), st.integers(0, 5000))
    @settings(max_examples=50, deadline=None)
    def test_every_line_can_be_worded(self, story: Story, target: Target, later: int) -> None:
        lines = explain(story.events, TERMS, target, story.last + timedelta(minutes=later))
        told = render(lines, zone=ZONE, say=PHRASES.say)
        assert len(told) == len(lines)
        assert not any("{" in line or "sla." in line for line in told)

    def test_in_chinese(self) -> None:
        lines = explain([opened("2026-02-13 17:00")], TERMS, Target.RESOLVE, at("2026-02-13 17:01"))
        told = render(lines, zone=ZONE, say=PHRASES.say)
        assert "2026年2月14日 周六 08:30" in told[4]
        assert "春节" in told[4]
        assert "3小时30分钟" in told[4]
        assert "2026年2月24日 周二 09:00" in told[-1]


class TestWords:
    def test_moments_are_local_with_the_weekday(self) -> None:
        assert moment(at("2026-11-20 17:50"), zone=ZONE, say=say) == (
            "sla.moment(year=2026 month=11 day=20 weekday=sla.weekday.5 time=17:50)"
        )
        with_seconds = at("2026-11-20 17:50:07")
        assert "time=17:50:07" in moment(with_seconds, zone=ZONE, say=say)

    def test_durations(self) -> None:
        def short(amount: timedelta) -> str:
            return duration(amount, say=lambda key, **values: f"{values['count']}{key[13]}")

        assert short(timedelta(hours=8)) == "8h"
        assert short(timedelta(minutes=95, seconds=3)) == "1h35m3s"
        assert short(timedelta(0)) == "0m"
        assert short(timedelta(minutes=-5)) == "5m"


def test_local_is_what_the_examples_show() -> None:
    assert local(at("2026-02-24 09:00")) == "2026-02-24 09:00"

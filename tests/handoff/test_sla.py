"""The clock's rules one by one, and properties over random stories judged by the minute counter."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoff.clock_events import (
    CalendarChanged,
    CategoryChanged,
    ClockEvent,
    Met,
    Paused,
    Reopened,
    Resumed,
    SeverityChanged,
    Started,
    Stopped,
    Transferred,
)
from handoff.contract import Clock, Contract, Origin, Promise, Target, Terms
from handoff.errors import BrokenHistory, UnknownTerms
from handoff.sla import Phase, fold, milestones
from handoff.ticket import PauseReason
from store.vocabulary import Category, Severity
from tests.handoff.minute_counter import reckon
from tests.handoff.stories import Story, stories
from tests.handoff.terms import at, local, shipped_terms

TERMS = shipped_terms()


def started(
    when: str = "2026-03-10 09:00",
    severity: Severity = Severity.GENERAL,
    *,
    category: Category = Category.FAULT,
    contract: str = "foshan",
) -> Started:
    return Started(at(when), severity, category, contract)


def with_contract(**over: object) -> Terms:
    """The shipped terms with a changed Foshan contract."""
    changed: Contract = replace(TERMS.contract("foshan"), **over)  # type: ignore[arg-type]
    return replace(TERMS, contracts={**TERMS.contracts, "foshan": changed})


class TestStates:
    def test_a_running_target(self) -> None:
        state = fold([started()], TERMS, at("2026-03-10 10:00")).targets[Target.RESOLVE]
        assert state.phase is Phase.RUNNING
        assert state.used == timedelta(hours=1)
        assert state.remaining == timedelta(hours=7)
        assert not state.breached
        assert not state.paused

    def test_remaining_turns_negative_in_working_time(self) -> None:
        state = fold([started()], TERMS, at("2026-03-10 14:20")).targets[Target.RESPOND]
        assert state.breached_at == at("2026-03-10 09:30")
        assert state.remaining == timedelta(minutes=30 - 200)

    def test_due_to_the_minute_is_in_time(self) -> None:
        moment = at("2026-03-10 09:30")
        assert not fold([started()], TERMS, moment).targets[Target.RESPOND].breached
        late = moment + timedelta(microseconds=1)
        assert fold([started()], TERMS, late).targets[Target.RESPOND].breached

    def test_a_paused_target_keeps_what_is_left(self) -> None:
        events = [started(), Paused(at("2026-03-10 10:00"), PauseReason.USER)]
        state = fold(events, TERMS, at("2026-03-20 10:00"))
        resolve = state.targets[Target.RESOLVE]
        assert (resolve.phase, resolve.deadline, resolve.remaining) == (
            Phase.PAUSED,
            None,
            timedelta(hours=7),
        )
        assert state.paused is PauseReason.USER
        assert state.next_due == at("2026-03-10 09:30")

    def test_a_reason_that_the_contract_does_not_let_stop_the_clock(self) -> None:
        terms = with_contract(pauses=frozenset({PauseReason.USER}))
        events = [started(), Paused(at("2026-03-10 10:00"), PauseReason.VENDOR)]
        state = fold(events, terms, at("2026-03-10 11:00")).targets[Target.RESOLVE]
        assert state.phase is Phase.RUNNING
        assert local(state.deadline) == "2026-03-11 10:00"

    def test_stopped_targets_owe_nothing(self) -> None:
        events = [started(), Stopped(at("2026-03-10 09:10"))]
        state = fold(events, TERMS, at("2026-03-20 09:00"))
        assert {target.phase for target in state.targets.values()} == {Phase.STOPPED}
        assert state.next_due is None
        assert not any(target.breached for target in state.targets.values())

    def test_a_contract_without_minutes_has_no_targets(self) -> None:
        for contract in ("zhanjiang", "jieyang"):
            state = fold([started(contract=contract)], TERMS, at("2026-03-12 09:00"))
            assert state.targets == {}
            assert state.next_due is None

    def test_an_analysis_report_is_for_faults(self) -> None:
        asked = fold([started(category=Category.HOW_TO)], TERMS, at("2026-03-10 09:01"))
        assert Target.REPORT not in asked.targets
        events = [
            started(category=Category.HOW_TO),
            CategoryChanged(at("2026-03-10 09:30"), Category.FAULT),
        ]
        assert Target.REPORT in fold(events, TERMS, at("2026-03-10 09:31")).targets

    def test_resolving_answers_and_arranges(self) -> None:
        events = [started(severity=Severity.MAJOR, contract="guangxi")]
        done = [*events, Met(at("2026-03-10 09:20"), Target.RESOLVE)]
        targets = fold(done, TERMS, at("2026-03-12 09:00")).targets
        for target in (Target.RESPOND, Target.ARRANGE, Target.RESOLVE):
            assert targets[target].met_at == at("2026-03-10 09:20")
            assert not targets[target].breached
        assert targets[Target.REPORT].breached

    def test_only_the_first_meeting_counts(self) -> None:
        events = [
            started(),
            Met(at("2026-03-10 09:10"), Target.RESPOND),
            Met(at("2026-03-10 15:10"), Target.RESPOND),
        ]
        state = fold(events, TERMS, at("2026-03-10 16:00")).targets[Target.RESPOND]
        assert state.met_at == at("2026-03-10 09:10")

    def test_a_report_counted_from_the_resolution(self) -> None:
        level = TERMS.contract("foshan").levels[Severity.GENERAL]
        promises = {**level.promises, Target.REPORT: Promise(120, Origin.RESOLVED)}
        terms = with_contract(levels={Severity.GENERAL: replace(level, promises=promises)})
        before = fold([started()], terms, at("2026-03-10 11:00")).targets[Target.REPORT]
        assert (before.phase, before.deadline) == (Phase.PENDING, None)
        resolved = [started(), Met(at("2026-03-10 11:00"), Target.RESOLVE)]
        after = fold(resolved, terms, at("2026-03-10 11:30")).targets[Target.REPORT]
        assert (after.phase, local(after.deadline)) == (Phase.RUNNING, "2026-03-10 15:00")
        reopened = [*resolved, Reopened(at("2026-03-10 11:30"))]
        again = fold(reopened, terms, at("2026-03-10 12:00")).targets[Target.REPORT]
        assert again.phase is Phase.PENDING

    def test_guangxi_owes_a_written_report_after_two_hours(self) -> None:
        events: list[ClockEvent] = [started(severity=Severity.URGENT, contract="guangxi")]
        assert not fold(events, TERMS, at("2026-03-10 11:00")).written_report_owed
        assert fold(events, TERMS, at("2026-03-10 11:01")).written_report_owed
        events.append(Met(at("2026-03-10 10:30"), Target.RESOLVE))
        assert not fold(events, TERMS, at("2026-03-12 11:01")).written_report_owed

    def test_other_hands_change_no_deadline(self) -> None:
        events = [started(), Transferred(at("2026-03-10 09:20"))]
        now = at("2026-03-10 09:25")
        assert fold(events, TERMS, now) == fold(events[:1], TERMS, now)

    def test_a_broken_promise_stays_on_record_where_the_new_severity_has_none(self) -> None:
        events = [
            started(severity=Severity.URGENT, contract="guangxi"),
            SeverityChanged(at("2026-03-10 10:01"), Severity.GENERAL),
        ]
        state = fold(events, TERMS, at("2026-03-10 10:01")).targets[Target.ARRANGE]
        assert (state.phase, state.deadline) == (Phase.STOPPED, None)
        assert state.breached_at == at("2026-03-10 10:00")

    def test_the_severity_stack_survives_ups_and_downs(self) -> None:
        events = [
            started(),
            SeverityChanged(at("2026-03-10 10:00"), Severity.MAJOR),
            SeverityChanged(at("2026-03-10 10:10"), Severity.GENERAL),
            SeverityChanged(at("2026-03-10 10:20"), Severity.GENERAL),
        ]
        state = fold(events, TERMS, at("2026-03-10 10:30"))
        assert state.severity is Severity.GENERAL
        assert local(state.targets[Target.RESOLVE].deadline) == "2026-03-11 10:00"


class TestMilestones:
    def test_half_and_four_fifths_and_all(self) -> None:
        found = milestones([started("2026-03-10 11:45")], TERMS)
        respond = [(m.percent, local(m.at)) for m in found if m.target is Target.RESPOND]
        assert respond == [
            (50, "2026-03-10 12:00"),
            (80, "2026-03-10 14:09"),
            (100, "2026-03-10 14:15"),
        ]
        assert [m.at for m in found] == sorted(m.at for m in found)

    def test_none_for_what_stands_still_or_is_done(self) -> None:
        paused = [started(), Paused(at("2026-03-10 09:10"), PauseReason.USER)]
        assert {m.target for m in milestones(paused, TERMS)} == {Target.RESPOND}
        stopped = [started(), Stopped(at("2026-03-10 09:10"))]
        assert milestones(stopped, TERMS) == ()


class TestImpossibleHistories:
    @pytest.mark.parametrize(
        "events",
        [
            [],
            [Stopped(at("2026-03-10 09:00"))],
            [started(), started("2026-03-10 10:00")],
            [started(), Resumed(at("2026-03-10 10:00"))],
            [started(), Reopened(at("2026-03-10 10:00"))],
            [started(), Stopped(at("2026-03-10 08:59"))],
            [
                started(),
                Paused(at("2026-03-10 10:00"), PauseReason.USER),
                Paused(at("2026-03-10 11:00"), PauseReason.USER),
            ],
        ],
    )
    def test_are_refused(self, events: list[ClockEvent]) -> None:
        with pytest.raises(BrokenHistory):
            fold(events, TERMS, at("2026-03-11 09:00"))

    def test_unknown_terms_are_named(self) -> None:
        with pytest.raises(UnknownTerms):
            fold([started(contract="nowhere")], TERMS, at("2026-03-10 10:00"))
        with pytest.raises(UnknownTerms):
            fold(
                [started(), CalendarChanged(at("2026-03-10 09:30"), "nowhere")],
                TERMS,
                at("2026-03-10 10:00"),
            )


class TestProperties:
    @given(stories(), st.sampled_from(list(Target)))
    @settings(max_examples=120, deadline=None)
    def test_the_minute_counter_comes_to_the_same_deadline_and_breach(
        self, story: Story, target: Target
    ) -> None:
        state = fold(story.events, TERMS, story.last).targets.get(target)
        verdict = reckon(
            story.contract,
            category="系统故障",
            severity=story.severity,
            opened=story.opened.replace(tzinfo=None),
            story=story.words,
            target=target.value,
        )
        expected = [
            moment.strftime("%Y-%m-%d %H:%M") if moment else "-"
            for moment in (verdict.deadline, verdict.breached_at)
        ]
        found = (state.deadline, state.breached_at) if state else (None, None)
        assert [local(moment) for moment in found] == expected

    @given(stories(), st.integers(0, 10_000))
    @settings(deadline=None)
    def test_folding_again_gives_the_same_and_a_breach_is_never_taken_back(
        self, story: Story, later: int
    ) -> None:
        now = story.last
        first = fold(story.events, TERMS, now)
        assert fold(story.events, TERMS, now) == first
        then = fold(story.events, TERMS, now + timedelta(minutes=later))
        for target, state in first.targets.items():
            if state.breached:
                assert then.targets[target].breached_at == state.breached_at

    @given(stories(), st.sampled_from(list(Target)))
    @settings(deadline=None)
    def test_a_breach_survives_whatever_is_added(self, story: Story, target: Target) -> None:
        for length in range(1, len(story.events)):
            early = fold(story.events[:length], TERMS, story.events[length - 1].at)
            state = early.targets.get(target)
            if state is not None and state.breached:
                late = fold(story.events, TERMS, story.last).targets.get(target)
                assert late is None or late.breached_at == state.breached_at

    @given(
        st.integers(0, 7 * 1440), st.integers(0, 3000), st.integers(1, 3000), st.integers(0, 3000)
    )
    @settings(deadline=None)
    def test_a_longer_pause_is_never_due_earlier(
        self, opened: int, wait: int, pause: int, more: int
    ) -> None:
        start = at("2026-02-11 00:00") + timedelta(minutes=opened)
        since = start + timedelta(minutes=wait)
        until = since + timedelta(minutes=pause)

        def deadline(end: datetime) -> datetime:
            events = [
                Started(start, Severity.GENERAL, Category.FAULT, "foshan"),
                Paused(since, PauseReason.USER),
                Resumed(end),
            ]
            found = fold(events, TERMS, end).targets[Target.RESOLVE].deadline
            assert found is not None
            return found

        unpaused = fold([Started(start, Severity.GENERAL, Category.FAULT, "foshan")], TERMS, start)
        plain = unpaused.targets[Target.RESOLVE].deadline
        assert plain is not None
        assert plain <= deadline(until) <= deadline(until + timedelta(minutes=more))

    @given(st.integers(0, 9 * 1440), st.integers(0, 15), st.floats(0, 1), st.floats(0, 1))
    @settings(deadline=None)
    def test_pausing_outside_working_time_adds_nothing(
        self, opened: int, which: int, one: float, two: float
    ) -> None:
        start = at("2026-02-11 00:00") + timedelta(minutes=opened)
        calendar = TERMS.calendar("foshan")
        pieces = list(calendar.pieces(start, start + timedelta(days=20)))
        gaps = [piece for piece in pieces if not calendar.is_working(piece.start)]
        gap = gaps[which % len(gaps)]
        first, last = sorted(gap.start + share * (gap.end - gap.start) for share in (one, two))
        begin = Started(start, Severity.GENERAL, Category.FAULT, "foshan")
        paused = [begin, Paused(first, PauseReason.PROVINCE), Resumed(last)]
        now = max(last, start)
        without = fold([begin], TERMS, now).targets[Target.RESOLVE]
        assert fold(paused, TERMS, now).targets[Target.RESOLVE].deadline == without.deadline

    def test_around_the_clock_every_pause_counts(self) -> None:
        begin = started("2026-03-10 22:00", Severity.MAJOR)
        events = [
            begin,
            Paused(at("2026-03-10 22:10"), PauseReason.PROVINCE),
            Resumed(at("2026-03-11 03:10")),
        ]
        state = fold(events, TERMS, at("2026-03-11 03:10")).targets[Target.RESOLVE]
        assert state.bound is not None
        assert state.bound.clock is Clock.AROUND_THE_CLOCK
        assert local(state.deadline) == "2026-03-11 04:00"

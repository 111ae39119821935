"""What rules ask, and since when they fit: against looking at every minute."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoff.rule_effects import effect, words
from handoff.rule_moments import first_fit, fits, holding
from handoff.rule_past import Seen, actor_of, first_in
from handoff.rule_trial import is_possible, try_on
from handoff.rules import Condition, Effect, Field, Match, Occasion, Operator, Rule, Step, StepKind
from handoff.ticket import Action, PauseReason
from tests.handoff.people import ASKER, CHEN, NOW, SYSTEM
from tests.handoff.rule_builders import ABOUT, Story, asked, rule
from tests.handoff.terms import at

MARKED = {"tags": ["年终", "加急"], "fields": {"voucher": "P-17"}}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (asked("region", Operator.IS, "南海区", "禅城区"), True),
        (asked("region", Operator.IS_NOT, "禅城区"), False),
        (asked("unit", Operator.CONTAINS, "教育"), True),
        (asked("unit", Operator.FILLED), True),
        (asked("module", Operator.IS, "报表"), False),
        (asked("category", Operator.IS, "系统故障"), True),
        (asked("severity", Operator.IS, "紧急", "重大"), False),
        (asked("status", Operator.IS, "新建"), True),
        (asked("channel", Operator.IS, "web"), True),
        (asked("text", Operator.CONTAINS, "撤回"), True),
        (asked("text", Operator.CONTAINS_NOT, "撤回"), False),
        (asked("tag", Operator.IS, "加急"), True),
        (asked("tag", Operator.IS_NOT, "加急"), False),
        (asked("custom.voucher", Operator.CONTAINS, "p-1"), True),
        (asked("custom.other", Operator.EMPTY), True),
        (asked("assigned", Operator.NO), True),
        (asked("assigned", Operator.YES), False),
        (asked("reopened", Operator.AT_LEAST, "1"), False),
        (asked("outside_hours", Operator.NO), True),
    ],
)
def test_a_condition_asks_about_the_ticket(condition: Condition, holds: bool) -> None:
    now = Story().then(Action.MARK, CHEN, **MARKED).seen()[-1]
    assert fits(rule(condition), now.situation, now.event.at) is holds
    assert bool(holding(rule(condition), now.situation, now.event.at)) is holds


def test_all_or_any() -> None:
    right, wrong = asked("region", Operator.FILLED), asked("module", Operator.EMPTY)
    now = Story().seen()[-1].situation
    assert not fits(rule(right, wrong), now, NOW)
    assert fits(rule(right, wrong, match=Match.ANY), now, NOW)
    assert not fits(rule(wrong, match=Match.ANY), now, NOW)
    assert fits(rule(), now, NOW)
    assert fits(rule(match=Match.ANY), now, NOW)


def waits(minutes: int, field: Field = Field.UNTAKEN_MINUTES) -> Condition:
    return asked(field.value, Operator.AT_LEAST, str(minutes))


def test_waiting_counts_working_minutes_and_ends_when_somebody_begins() -> None:
    late = rule(waits(30), occasion=Occasion.TIME)
    friday = Story(at("2026-03-13 17:20"))
    first = first_fit(late, friday.seen()[-1].situation, None)
    # Ten minutes are left of Friday; the other twenty are Monday's.
    assert first is not None
    assert first.astimezone(NOW.tzinfo) == at("2026-03-16 08:50")
    taken = friday.then(Action.CLAIM, CHEN, 5).seen()
    assert first_in(late, taken, episode=0) is None


def test_being_offered_to_one_after_another_is_one_wait() -> None:
    late = rule(waits(20), occasion=Occasion.TIME)
    story = Story().then(Action.ASSIGN, SYSTEM, 3, assignee_id=CHEN.id)
    story.then(Action.RELEASE, SYSTEM, 3)
    fit = first_in(late, story.seen(), episode=0)
    assert fit is not None
    assert fit.at == NOW + timedelta(minutes=20)
    story.then(Action.CLAIM, CHEN, 2).then(Action.RELEASE, CHEN, 2)
    again = first_in(late, story.seen(), episode=0)
    assert again is not None
    assert again.at == NOW + timedelta(minutes=30)


def test_what_a_rule_did_neither_wakes_one_nor_counts_as_work() -> None:
    quiet = rule(waits(10, Field.IDLE_MINUTES), occasion=Occasion.TIME)
    by_rule = actor_of(quiet)
    story = Story().then(Action.NOTE, by_rule, 9, text="提醒")
    fit = first_in(quiet, story.seen(), episode=0)
    assert fit is not None
    assert fit.at == NOW + timedelta(minutes=10)
    noted = rule(asked("severity", Operator.IS, "紧急"))
    raised = Story().then(Action.CHANGE_SEVERITY, by_rule, severity="紧急", why="规则")
    assert first_in(noted, raised.seen(), episode=0) is None
    assert first_in(noted, raised.then(Action.NOTE, CHEN, text="看").seen(), episode=0)


def test_shares_of_promised_time_stand_still_while_it_does() -> None:
    near = rule(waits(50, Field.RESOLVE_PERCENT), occasion=Occasion.TIME)
    story = Story().then(Action.CLAIM, CHEN, 10)
    running = first_in(near, story.seen(), episode=0)
    assert running is not None
    story.then(Action.PAUSE, CHEN, 10, reason=PauseReason.USER.value)
    assert first_in(near, story.seen(), episode=0) is None
    story.then(Action.RESUME, CHEN, 60)
    later = first_in(near, story.seen(), episode=0)
    assert later is not None
    assert later.at == running.at + timedelta(minutes=60)


def test_each_reopening_is_a_new_chance() -> None:
    back = rule(asked("reopened", Operator.AT_LEAST, "1"))
    story = Story().then(Action.CLAIM, CHEN).then(Action.RESOLVE, CHEN, cause="a", solution="b")
    story.then(Action.REOPEN, ASKER)
    assert first_in(back, story.seen(), episode=0) is None
    assert first_in(back, story.seen(), episode=1) is not None


MINUTE = timedelta(minutes=1)
AMOUNTS = st.integers(1, 300)
RUNNING = st.one_of(
    AMOUNTS.map(waits),
    AMOUNTS.map(lambda n: waits(n, Field.OPEN_MINUTES)),
    AMOUNTS.map(lambda n: waits(n, Field.IDLE_MINUTES)),
    st.integers(1, 100).map(lambda n: waits(n, Field.RESPOND_PERCENT)),
    st.integers(1, 100).map(lambda n: waits(n, Field.RESOLVE_PERCENT)),
)
CONDITIONS = st.lists(
    st.one_of(
        RUNNING,
        st.sampled_from([Operator.YES, Operator.NO]).map(lambda o: asked("outside_hours", o)),
        st.sampled_from([Operator.YES, Operator.NO]).map(lambda o: asked("assigned", o)),
    ),
    min_size=1,
    max_size=4,
)
#: Over the lunch break, from inside it, and into a weekend.
STARTS = st.sampled_from([at("2026-03-10 09:13"), at("2026-03-10 12:40"), at("2026-03-13 16:50")])


def minute_by_minute(rule: Rule, history: Sequence[Seen], until: datetime) -> datetime | None:
    """The slow way: is it so now? And now?"""
    for one in history:
        at, end = one.situation.start, min(one.until or until, until)
        while at < end:
            if fits(rule, one.situation, at):
                return at
            at += MINUTE
    return None


@settings(deadline=None, max_examples=60)
@given(
    st.lists(RUNNING, min_size=1, max_size=2),
    CONDITIONS,
    st.sampled_from(Match),
    STARTS,
    st.integers(1, 200),
)
def test_the_first_moment_is_that_of_looking_every_minute(
    running: list[Condition], others: list[Condition], match: Match, start: datetime, pause: int
) -> None:
    asks = rule(*running, *others, match=match, occasion=Occasion.TIME)
    story = Story(start).then(Action.ASSIGN, SYSTEM, pause, assignee_id=CHEN.id)
    history = story.then(Action.CLAIM, CHEN, pause).seen()
    until = start + timedelta(hours=5)
    slow = minute_by_minute(asks, history, until)
    fit = first_in(asks, history, episode=0)
    quick = fit.at if fit is not None and fit.at < until else None
    if slow is None or quick is None:
        # Percentages end between two minutes: what is first seen in the last one may be cut off.
        assert slow is None
        assert quick is None or until - quick <= MINUTE
    else:
        assert timedelta() <= slow - quick < MINUTE


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (Step(StepKind.QUEUE, "一线"), Effect.ALREADY),
        (Step(StepKind.QUEUE, "二线"), Effect.DONE),
        (Step(StepKind.ESCALATE, "二线"), Effect.DONE),
        (Step(StepKind.ENGINEER, "e1"), Effect.DONE),
        (Step(StepKind.SEVERITY, "紧急"), Effect.DONE),
        (Step(StepKind.PROPOSE, "重大"), Effect.DONE),
        (Step(StepKind.TAG, "年终"), Effect.ALREADY),
        (Step(StepKind.TAG, "新的"), Effect.DONE),
        (Step(StepKind.UNTAG, "年终"), Effect.DONE),
        (Step(StepKind.UNTAG, "新的"), Effect.ALREADY),
        (Step(StepKind.NOTE, "", "看"), Effect.DONE),
        (Step(StepKind.NOTIFY, "n1"), Effect.DONE),
        (Step(StepKind.CALL_BACK), Effect.REFUSED),
    ],
)
def test_what_a_step_would_do(step: Step, expected: Effect) -> None:
    facts = Story().then(Action.MARK, CHEN, **MARKED).seen()[-1].situation.facts
    assert effect(step, facts) is expected


def test_a_status_may_refuse_a_step() -> None:
    story = Story().then(Action.CLAIM, CHEN).then(Action.RESOLVE, CHEN, cause="a", solution="b")
    facts = story.seen()[-1].situation.facts
    assert effect(Step(StepKind.ESCALATE, "二线"), facts) is Effect.REFUSED
    assert effect(Step(StepKind.ENGINEER, "e2"), facts) is Effect.REFUSED
    assert effect(Step(StepKind.NOTE, "", "看"), facts) is Effect.DONE
    assert effect(Step(StepKind.CALL_BACK), facts) is Effect.DONE


def test_words_are_filled_and_nothing_else_is_read() -> None:
    facts = Story().seen()[-1].situation.facts
    step = Step(StepKind.NOTE, "", "{number} {severity} {unit} {rule}")
    told = words(step, facts, number="T1", title="标题", rule="年终")
    assert told == "T1 一般 区教育局 年终"


def test_a_trial_says_what_would_have_been_done_and_what_really_was() -> None:
    steps = (Step(StepKind.ESCALATE, "二线"), Step(StepKind.SEVERITY, "紧急"))
    late = rule(waits(20), occasion=Occasion.TIME, steps=steps)
    story = (
        Story().then(Action.ESCALATE, CHEN, 50, level="二线", why="慢").then(Action.CLAIM, CHEN, 5)
    )
    [found] = try_on(late, story.seen(), NOW + timedelta(days=1))
    assert found.at == NOW + timedelta(minutes=20)
    assert found.taken == timedelta(minutes=35)
    up, urgent = found.steps
    assert (up.effect, up.really) == (Effect.DONE, timedelta(minutes=30))
    assert (urgent.effect, urgent.really) == (Effect.DONE, None)
    assert try_on(late, story.seen(), NOW) == ()


@given(CONDITIONS, st.sampled_from(Match), st.sampled_from(["教育", "卫生"]))
def test_what_is_passed_over_would_never_have_fitted(
    others: list[Condition], match: Match, word: str
) -> None:
    asks = rule(asked("unit", Operator.CONTAINS, word), *others, match=match)
    history = Story().then(Action.CLAIM, CHEN).seen()
    if not is_possible(asks, ABOUT):
        assert try_on(asks, history, NOW + timedelta(days=9)) == ()

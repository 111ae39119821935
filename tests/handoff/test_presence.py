"""Presence is what a console proves, and routing's judgement of what is not taken up."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoff.lifecycle import Event
from handoff.presence import NEWCOMER, Attendance, Patience, after_beat, after_choice, presence_at
from handoff.queueing import ROUTER, Judgement, Limits, Verdict, Why, judge, offers, untried
from handoff.routing import Engineer, Presence
from handoff.ticket import Action, Actor, ActorKind, Level, Status
from tests.handoff.people import CHEN, NOW

PATIENCE = Patience(silent=timedelta(seconds=60), idle=timedelta(minutes=10))
LIMITS = Limits(timedelta(minutes=3), 2)
SECOND = timedelta(seconds=1)
CHOICES = st.sampled_from([None, *Presence])
BEAT = after_beat(NEWCOMER, NOW, timedelta(0))


def at(known: Attendance, **later: int) -> Presence:
    return presence_at(known, NOW + timedelta(**later), PATIENCE)


def test_nobody_is_there_before_their_console_says_so() -> None:
    assert at(NEWCOMER) is Presence.OFF
    assert at(BEAT) is Presence.ONLINE


def test_a_silent_console_is_nobody() -> None:
    assert at(BEAT, seconds=60) is Presence.ONLINE
    assert at(BEAT, seconds=61) is Presence.OFF


def test_an_idle_engineer_is_away_and_comes_back_by_moving() -> None:
    idle = after_beat(BEAT, NOW, timedelta(minutes=11))
    assert at(idle) is Presence.AWAY
    assert at(after_beat(idle, NOW, timedelta(0))) is Presence.ONLINE


@pytest.mark.parametrize("chosen", [Presence.OFF, Presence.AWAY])
def test_a_choice_stands_until_a_new_day(chosen: Presence) -> None:
    known = after_choice(NOW, chosen, None)
    assert at(after_beat(known, NOW + SECOND, timedelta(0))) is chosen
    tomorrow = NOW + timedelta(hours=12)
    assert presence_at(after_beat(known, tomorrow, timedelta(0)), tomorrow, PATIENCE) is (
        Presence.ONLINE
    )


def test_a_call_needs_no_console_and_ends_by_itself() -> None:
    known = after_choice(NOW, Presence.ON_CALL, 2)
    assert at(known, minutes=119) is Presence.ON_CALL
    assert at(known, minutes=120) is Presence.OFF
    longest = after_choice(NOW, Presence.ON_CALL, 10_000)
    assert longest.chosen_until == NOW + timedelta(hours=24)


def test_opening_the_console_neither_ends_a_call_nor_prolongs_it() -> None:
    known = after_beat(after_choice(NOW, Presence.ON_CALL, 2), NOW + SECOND, timedelta(0))
    assert at(known, minutes=119) is Presence.ON_CALL
    over = after_beat(known, NOW + timedelta(hours=3), timedelta(0))
    assert over.chosen is Presence.ONLINE


@given(
    st.lists(
        st.tuples(
            st.integers(0, 20_000), st.sampled_from([None, *Presence]), st.integers(0, 9_000)
        ),
        max_size=12,
    ),
    st.integers(61, 50_000),
)
def test_whatever_was_chosen_silence_ends_everything_but_a_call(
    steps: list[tuple[int, Presence | None, int]], silence: int
) -> None:
    known, now = NEWCOMER, NOW
    for wait, chosen, idle in steps:
        now += timedelta(seconds=wait)
        known = (
            after_beat(known, now, timedelta(seconds=idle))
            if chosen is None
            else after_choice(now, chosen, None)
        )
    later = presence_at(known, now + timedelta(seconds=silence), PATIENCE)
    assert later in (Presence.OFF, Presence.ON_CALL)
    assert later is not Presence.ON_CALL or known.chosen is Presence.ON_CALL


def event(action: Action, actor: Actor = ROUTER, **detail: str) -> Event:
    return Event(1, NOW, action, actor, Status.NEW, Status.DISPATCHED, detail)


OPENED = event(Action.OPEN, Actor(ActorKind.BOT, "bot", ""), level="一线")
FIRST = event(Action.ASSIGN, assignee_id="e1")
SECOND_OFFER = event(Action.ASSIGN, assignee_id="e2")
BACK = event(Action.RELEASE)


def verdict(*events: Event, holder: Presence = Presence.ONLINE, minutes: int = 0) -> Judgement:
    now = NOW + timedelta(minutes=minutes)
    return judge(events, holder=holder, assigned_at=NOW, now=now, limits=LIMITS)


def test_an_offer_stands_for_its_time() -> None:
    assert verdict(OPENED, FIRST, minutes=2).verdict is Verdict.KEEP
    late = verdict(OPENED, FIRST, minutes=3)
    assert (late.verdict, late.why) == (Verdict.TAKE_BACK, Why.UNANSWERED)


@pytest.mark.parametrize("holder", [Presence.OFF, Presence.AWAY])
def test_who_is_gone_loses_it_at_once(holder: Presence) -> None:
    gone = verdict(OPENED, FIRST, holder=holder)
    assert (gone.verdict, gone.why) == (Verdict.TAKE_BACK, Why.GONE)


def test_after_enough_offers_it_goes_up_but_never_to_the_province() -> None:
    twice = (OPENED, FIRST, BACK, SECOND_OFFER)
    assert verdict(*twice, minutes=3).verdict is Verdict.HAND_UP
    city = (event(Action.ESCALATE, CHEN, level=Level.CITY.value), FIRST, BACK, SECOND_OFFER)
    assert verdict(*city, minutes=3).verdict is Verdict.TAKE_BACK


def test_offers_of_an_earlier_stay_are_forgotten() -> None:
    assert offers((OPENED, FIRST, BACK, event(Action.REOPEN, CHEN), SECOND_OFFER)) == ("e2",)
    assert offers((OPENED, event(Action.ASSIGN, CHEN, assignee_id="e1"))) == ()


def test_who_let_it_pass_is_asked_last() -> None:
    people = [
        Engineer(name, Level.FIRST, Presence.ONLINE, 0, 8, last_assigned_at=None)
        for name in ("e1", "e2")
    ]
    assert [one.id for one in untried(people, (OPENED, FIRST, BACK))] == ["e2"]
    assert len(untried(people, (OPENED, FIRST, BACK, SECOND_OFFER, BACK))) == 2
